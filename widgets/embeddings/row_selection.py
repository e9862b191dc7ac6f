"""Which rows of an embedding are selected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from traitlets import Any, TraitError, TraitType, observe, validate

from ...models.embeddings.embedding import Embedding
from ...models.words import apart
from ..composite import Composite
from .positions import checked_positions


class RowSelection(Composite):
    """A widget that shows an `embedding`, whose rows can be selected in Python and on its page.

    >>> widget.selection = (3, 14)
    >>> widget.value["label"].tolist()
    ['Heat', 'Alien']

    `selection` are positions among the rows that were given, in order; `value` is a DataFrame of these rows, by
    position, with their labels and metadata, or None; a column of the metadata that is called "label" too is its
    "label 2". Inside, rows are positions among those that were kept: `_show_selection(rows)` is called for each change.
    Raises TraitError for positions that are not there.
    """

    embedding: Embedding

    selection = TraitType((), help="positions of the selected rows")  # not Any, which takes None without a check
    value = Any(None, allow_none=True, read_only=True, help="the selected rows as a DataFrame, or None")

    def present(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Those of these positions that were not left out."""
        given = np.array(positions, np.int64)
        return tuple(given[self._is_kept(given)].tolist())

    def _show_selection(self, rows: np.ndarray) -> None:
        raise NotImplementedError

    @validate("selection")
    def _check_selection(self, proposal):
        positions = checked_positions(proposal.value)
        missing = positions[~self._is_kept(positions)]
        if len(missing):
            raise TraitError(f"There is no row at position {missing[0]}, or it was left out.")
        return tuple(positions.tolist())

    @observe("selection")
    def _selection_changed(self, _change) -> None:
        rows = self._selected()
        self._show_selection(rows)
        self.set_trait("value", self._table(rows) if len(rows) else None)

    def _is_kept(self, positions: np.ndarray) -> np.ndarray:
        kept = self.embedding.kept
        return kept[np.searchsorted(kept, positions).clip(max=len(kept) - 1)] == positions

    def _selected(self) -> np.ndarray:
        return np.searchsorted(self.embedding.kept, np.array(self.selection, np.int64))

    def _select(self, rows: np.ndarray) -> None:
        self.selection = tuple(self.embedding.kept[rows].tolist())

    def _table(self, rows: np.ndarray) -> pd.DataFrame:
        table = self.embedding.metadata.iloc[rows].set_axis(self.embedding.kept[rows])
        table.insert(0, "label", self.embedding.labels[rows], allow_duplicates=True)
        return table.set_axis(apart([*table.columns]), axis=1)
