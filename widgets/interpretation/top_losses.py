"""What a classifier got most wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from traitlets import Any, Bool, TraitError, Tuple, observe, validate

from ...models.interpretation.confusion import top_losses
from ..cleaning.picture_grid import PictureGrid
from .loss_filter import LossFilter
from .table_view import TableView

if TYPE_CHECKING:
    from ...models.thumbnails import Thumbnails


class TopLosses(TableView):
    """The items by their loss, the worst first, with what they are, what they were called and how surely.

    >>> losses = TopLosses(predictions(learn), only_wrong=True)
    >>> losses.observe(lambda change: print(losses.table.iloc[list(change.new)]), "value")

    `table` is a predictions table. `split` (None: all; "valid" shows all where there is none of that
    name), `label` (the true one, None: any) and `only_wrong` narrow what is shown, and can be set.
    A loss that is not known comes last, and the page says of how many. `noun`, `root` and
    `thumbnails` as in `ConfusionMatrix`.

    `value` holds the positions in `table` of the selected items, `items` the rows that are shown.
    Raises ValueError with a sentence for a table that does not fit or an unknown split, TraitError for an
    unknown label.
    """

    value = Tuple(read_only=True, help="positions of the selected items in `table`")
    label = Any(None, allow_none=True, help="the true label that is shown; None: any")
    only_wrong = Bool(False, help="whether only mistakes are shown")

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        split: str | None = "valid",
        label: str | None = None,
        only_wrong: bool = False,
        noun: str = "photo",
        root: str | os.PathLike | None = None,
        thumbnails: Thumbnails | None = None,
        **kwargs,
    ):
        self._filter = self._grid = None
        super().__init__(table, split=split, noun=noun, label=label, only_wrong=only_wrong, **kwargs)
        self._filter = LossFilter(changed=self._change)
        self._grid = PictureGrid(
            root=root, thumbnails=thumbnails, label=f"{noun.capitalize()}s, worst first", noun=noun
        )
        self._grid.observe(self._select, "value")
        self.children = [self._filter, self._grid]
        self.add_class("ipyfastai-top-losses")
        self._show()

    @property
    def items(self) -> pd.DataFrame:
        """The rows of `table` that are shown, worst first."""
        rows = self._splits.rows(self.split)
        if self.label is not None:
            rows = rows & (self.table["label"] == self.label).to_numpy()
        if self.only_wrong:
            rows = rows & self._wrong
        return top_losses(self.table[rows])

    @property
    def _wrong(self) -> np.ndarray:
        return (self.table["label"].cat.codes != self.table["predicted"].cat.codes).to_numpy()

    @validate("label")
    def _check_label(self, proposal):
        if proposal.value is not None and proposal.value not in self.labels:
            raise TraitError(f"The table has no label {proposal.value!r}.")
        return proposal.value

    @observe("split", "label", "only_wrong")
    def _show(self, _change=None) -> None:
        if self._grid is None:
            return
        items = self.items
        of_split = self.table[self._splits.rows(self.split)]
        counts = of_split["label"].value_counts(sort=False).reindex(self.labels)
        self._grid.show(items, empty=self._nothing())
        self._filter.show(
            splits=self._splits.offered,
            split=self._splits.names.index(self.split),
            labels=list(zip(self.labels, counts.tolist(), strict=True)),
            label=None if self.label is None else self.labels.index(self.label),
            only_wrong=self.only_wrong,
            said=self._said(items),
        )

    def _said(self, items: pd.DataFrame) -> str:
        unknown = int(items["loss"].isna().sum())
        if not len(items) or not unknown:
            return ""
        if unknown == len(items):
            return "No loss is known: they stand in the order of the table."
        return f"Of {unknown:,} the loss is not known: {'it stands' if unknown == 1 else 'they stand'} last."

    def _nothing(self) -> str:
        return f"No {self.noun} here is a mistake." if self.only_wrong else f"There are no {self.noun}s here."

    def _select(self, change) -> None:
        items = self._grid.table
        self.set_trait("value", tuple(int(items.index[at]) for at in change["new"]))

    def _change(self, name: str, value) -> None:
        if name == "split":
            value = self._splits.names[value]
        elif name == "label" and value is not None:
            value = self.labels[value]
        setattr(self, name, value)
