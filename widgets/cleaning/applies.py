"""What each Apply took from a table, so that it can be given back."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pandas as pd

from ...models.cleaning.apply import Applied
from ...models.cleaning.marks import Mark
from .collection import Collection


class Applies:
    """Takes a collection from before an Apply to after it, and back.

    >>> applies = Applies()
    >>> pictures = applies.carried_out(pictures, applied, marks)
    >>> pictures, marks = applies.came_back(pictures, applied.id, undone)

    It knows the rows that were deleted, and of each Apply the labels and the marks from before it.
    """

    def __init__(self):
        self._marks: dict[str, Mapping[str, Mark]] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._gone: pd.DataFrame | None = None

    def carried_out(self, pictures: Collection, applied: Applied, marks: Mapping[str, Mark]) -> Collection:
        after, gone = pictures.carried_out(applied, marks)
        self._marks[applied.id] = marks
        self._labels[applied.id] = {
            name: str(pictures.table["label"].iat[pictures.row[name]])
            for action, name in zip(applied.rows["action"], applied.rows["from"], strict=True)
            if action != "delete"
        }
        self._gone = gone if self._gone is None or self._gone.empty else pd.concat([self._gone, gone])
        return after

    def came_back(self, pictures: Collection, id: str | None, applied: Applied) -> tuple[Collection, dict[str, Mark]]:
        """After the Apply `id` was taken back, or (None) files out of the trash; and the marks that stand again."""
        gone = pictures.table.iloc[:0] if self._gone is None else self._gone
        returns = gone["item"].isin({os.path.join(pictures.root, name) for name in applied.rows["to"]})
        after = pictures.came_back(applied, self._labels.pop(id, {}), gone[returns])
        self._gone = gone[~returns]
        return after, {name: mark for name, mark in self._marks.pop(id, {}).items() if name in after.row}
