"""What all views of a predictions table have in common."""

from __future__ import annotations

import pandas as pd
from traitlets import Any, validate

from ...models.interpretation.predictions import check_predictions, labels
from ..composite import Composite
from .splits import Splits


class TableView(Composite):
    """A component that shows one split of a predictions table, or all of it.

    `table` is the checked table, `labels` are its labels, `noun` is what an item is called. `split` can
    be set; at first it is the one wanted, or all where that is "valid" and nothing has that name.
    """

    split = Any(None, allow_none=True, help="the split that is shown; None: all")

    def __init__(self, table: pd.DataFrame, *, split: str | None, noun: str, **traits):
        self.table = check_predictions(table)
        self.labels = labels(self.table)
        self.noun = noun
        self._splits = Splits(self.table)
        super().__init__(split=self._splits.default(split), **traits)

    @validate("split")
    def _check_split(self, proposal):
        return self._splits.check(proposal.value)
