"""Which labels to offer for what is in view."""

from __future__ import annotations

from functools import cached_property

import numpy as np

AT_ONCE = 50_000  # points that are looked through before the next so many


class LabelChoice:
    """Points whose labels are worth showing in a part of the plot, spread over it.

    >>> choice = LabelChoice(points)
    >>> choice.within((-1, 1), (-1, 1), across=8, down=20)
    array([17, 402, ...])

    `points` are positions (n, 2). The larger `importance` (n,) comes first, else an order that is random and always
    the same, so that a label stays while the view moves. The view is cut into `across` × `down` cells, and each
    cell gives one point. The page leaves out of these what still overlaps, for only it knows how wide a text is.
    """

    def __init__(self, points: np.ndarray, importance: np.ndarray | None = None):
        self._points, self._importance = points, importance

    @cached_property
    def _order(self) -> np.ndarray:
        """All points, those first that are to be labelled first."""
        shuffled = np.random.default_rng(0).permutation(len(self._points))
        if self._importance is None:
            return shuffled
        importance = np.nan_to_num(self._importance[shuffled], nan=-np.inf)
        return shuffled[np.argsort(-importance, kind="stable")]

    def within(self, x: tuple[float, float], y: tuple[float, float], *, across: int, down: int) -> np.ndarray:
        """Positions of the points, the most important first; at most across × down."""
        chosen: dict[int, int] = {}  # cell -> place in the order
        for start in range(0, len(self._order), AT_ONCE):
            rows = self._order[start : start + AT_ONCE]
            points = self._points[rows]
            seen = (points >= (x[0], y[0])).all(axis=1) & (points < (x[1], y[1])).all(axis=1)
            places = (points[seen] - (x[0], y[0])) / (x[1] - x[0], y[1] - y[0]) * (across, down)
            cells = places[:, 0].astype(int) * down + places[:, 1].astype(int)
            cells, firsts = np.unique(cells, return_index=True)
            for cell, place in zip(cells.tolist(), (start + np.flatnonzero(seen)[firsts]).tolist(), strict=True):
                chosen.setdefault(cell, place)
            if len(chosen) >= across * down // 3:  # the rest is empty, or has but few points
                break
        return self._order[sorted(chosen.values())]
