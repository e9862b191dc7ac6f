"""What can be looked at in a cleaner: everything, one class, what is marked, what somebody asked for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .collection import Collection


class Views:
    """The choices of what to show, by their place in the menu.

    >>> views = Views(pictures)
    >>> views.titles()
    ['All classes (409)', 'black (142, 3 marked)', 'grizzly (133)', 'teddy (134)', 'Marked (3)']
    >>> views.label(1), views.rows(4, np.arange(409))
    ('black', array([17, 3, 256]))

    `pictures` may be replaced; what `only` was told is known by name and stays.
    """

    def __init__(self, pictures: Collection):
        self.pictures = pictures
        self._only: tuple[str, list[str]] | None = None

    def only(self, which: pd.DataFrame | Iterable, title: str) -> int:
        """Offer these alone under a title, instead of those before; their place."""
        self._only = (title, [self.pictures.names[row] for row in self.pictures.find(which)])
        return len(self._kinds()) - 1

    def titles(self) -> list[str]:
        sizes, marked = self.pictures.counts()
        counts = [(label, size, some) for label, size, some in zip(self.pictures.labels, sizes, marked, strict=True)]
        titles = [
            f"{label} ({size:,}{f', {some:,} marked' if some else ''})"
            for label, size, some in [("All classes", sizes.sum(), marked.sum()), *counts]
        ]
        titles.append(f"Marked ({marked.sum():,})")
        if self._only is not None:
            titles.append(f"{self._only[0]} ({len(self._only[1]):,})")
        return titles

    def label(self, place: int) -> str | None:
        """The class of which alone pictures are shown."""
        return self._kinds()[place][1]

    def rows(self, place: int, rows: np.ndarray) -> np.ndarray:
        """Those of a class's rows, in their order, that belong to a view."""
        kind, _ = self._kinds()[place]
        pictures = self.pictures
        if kind == "marked":
            return rows[pictures.marked[rows] > 0]
        if kind == "only":
            return rows[np.isin(rows, [pictures.row[name] for name in self._only[1] if name in pictures.row])]
        return rows

    def _kinds(self) -> list[tuple[str, str | None]]:
        only = [] if self._only is None else [("only", None)]
        return [("all", None), *(("label", label) for label in self.pictures.labels), ("marked", None), *only]
