"""What a classifier takes for what, down to the single photo."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from traitlets import Any, Enum, TraitError, observe, validate

from ...models.interpretation.confusion import confusion, scores, similar_order, top_losses
from ...models.interpretation.figure import confusion_figure, figure_bytes, shown_values
from ..cleaning.picture_grid import PictureGrid
from ..job import Job
from ..results import inert
from .class_scores import ClassScores
from .confusion_view import CHOICES, ConfusionView
from .splits import NAMES
from .table_view import TableView

if TYPE_CHECKING:
    from ...models.thumbnails import Thumbnails


class ConfusionMatrix(TableView):
    """A confusion matrix to click in: each cell shows its items, beside it stand the most confused pairs.

    >>> matrix = ConfusionMatrix(predictions(learn))
    >>> matrix.observe(lambda change: print(change.new, len(matrix.items)), "value")

    `table` is a predictions table (see `models.predictions_table` for any framework). `split` is the one
    to count, None for all; "valid" counts all where there is none of that name. `by` shows "counts", or
    shares of each "label" (rows) or of each "predicted" label (columns); `order` puts the labels in that
    of the "vocab", by the "alphabet", or "similar" ones beside each other. `noun` is what one item is called.
    `root` and `thumbnails` go to the `PictureGrid`.

    `value` is the chosen cell, (label, predicted) or None, and `items` are the rows of `table` in it,
    the worst loss first. Each of these traits can be set.
    Raises ValueError with a sentence for a table that does not fit (`check_predictions`), an unknown
    split, or more than 2,000 labels; TraitError for an unknown cell or choice.
    """

    value = Any(None, allow_none=True, help="the chosen cell: (label, predicted), or None")
    by = Enum(CHOICES["by"], "counts", help="counts, or shares of each label or predicted label")
    order = Enum(CHOICES["order"], "vocab", help="the order of the labels")

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        split: str | None = "valid",
        by: Literal["counts", "label", "predicted"] = "counts",
        order: Literal["vocab", "alphabet", "similar"] = "vocab",
        noun: str = "photo",
        root: str | os.PathLike | None = None,
        thumbnails: Thumbnails | None = None,
        **kwargs,
    ):
        self._view = self._grid = None
        super().__init__(table, split=split, noun=noun, by=by, order=order, **kwargs)
        self._counts, self._similar = self._counted(), None
        self._view = ConfusionView(
            self.labels, noun=noun, changed=self._change, chosen=self._choose, wanted=self._make_file
        )
        self._job = Job()
        self._grid = PictureGrid(
            root=root, thumbnails=thumbnails, label=f"{noun.capitalize()}s of the chosen cell", noun=noun
        )
        self._scores = ClassScores(scores(self._counts, self.labels), noun=noun)
        self.children = [self._view, self._job, self._grid, self._scores]
        self.add_class("ipyfastai-confusion-matrix")
        self._show(self._counts)
        self._show_items()

    @property
    def items(self) -> pd.DataFrame:
        """The rows of `table` in the chosen cell, the worst loss first; without one none."""
        rows = np.zeros(len(self.table), bool)
        if self.value is not None:
            rows = (self.table["label"] == self.value[0]) & (self.table["predicted"] == self.value[1])
            rows &= self._splits.rows(self.split)
        return top_losses(self.table[rows])

    @validate("value")
    def _check_value(self, proposal):
        cell = proposal.value
        if cell is None:
            return None
        if not isinstance(cell, tuple | list) or len(cell) != 2 or not all(name in self.labels for name in cell):
            raise TraitError("`value` is a cell, (label, predicted), of two labels of the table, or None")
        return tuple(cell)

    @observe("split")
    def _recount(self, _change) -> None:
        if self._view is not None:
            self._counts, self._similar = self._counted(), None
            self._scores.show(scores(self._counts, self.labels))
            self._show(self._counts)
            self._show_items()

    @observe("by", "order")
    def _redraw(self, _change) -> None:
        self._show()

    @observe("value")
    def _chosen(self, _change) -> None:
        self._show()
        self._show_items()

    def _counted(self) -> np.ndarray:
        return confusion(self.table[self._splits.rows(self.split)])

    def _show(self, counts: np.ndarray | None = None) -> None:
        if self._view is None:
            return
        asked = self.order == "similar" and self._similar is None
        if asked:
            self._similar = similar_order(self._counts)
        self._view.show(
            counts,
            splits=self._splits.offered,
            split=self._splits.names.index(self.split),
            by=self.by,
            order=self.order,
            similar=self._similar if asked else None,
            cell=None if self.value is None else tuple(map(self.labels.index, self.value)),
        )

    def _show_items(self) -> None:
        if self._grid is None:
            return
        if self.value is None:
            self._grid.show(None, empty=f"Choose a cell of the matrix: its {self.noun}s appear here.")
        else:
            self._grid.show(self.items, empty=f"No {self.noun} of {self.value[0]} was called {self.value[1]}.")

    # What a visitor does.

    def _change(self, name: str, value) -> None:
        setattr(self, name, self._splits.names[value] if name == "split" else value)

    def _choose(self, row: int | None, column: int | None = None) -> None:
        self.value = None if row is None else (self.labels[row], self.labels[column])

    def _make_file(self, kind: str, token: str, rows: list[int]) -> None:
        values = shown_values(self._counts, self.by)[np.ix_(rows, rows)]
        names = [self.labels[row] for row in rows]
        if kind == "csv":
            self._view.answer(kind, token, _csv(values, names).encode())
            return
        counts, title, shares = self._counts, self._title(), self.by

        def make(progress):
            progress.report(0, None, "Drawing the figure")
            figure = confusion_figure(counts, self.labels, by=shares, rows=rows, title=title)
            return figure_bytes(figure, kind)

        self._job.run(make, then=lambda data: self._view.answer(kind, token, data))

    def _title(self) -> str:
        split = NAMES.get(self.split, self.split)
        right, total = int(np.trace(self._counts)), int(self._counts.sum())
        return f"{split}: {right:,} of {total:,} {self.noun}s right"


def _csv(values: np.ndarray, names: list[str]) -> str:
    """A row for each label, a column for each prediction, as they stand on the page."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = [inert(name) for name in names]
    writer.writerow(["label / predicted", *names])
    for name, row in zip(names, values.tolist(), strict=True):
        writer.writerow([name, *("" if value != value else value for value in row)])
    return out.getvalue()
