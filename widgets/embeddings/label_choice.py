"""Which labels to offer for what is in view."""

from __future__ import annotations

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
        shuffled = np.random.default_rng(0).permutation(len(points))
        if importance is not None:
            shuffled = shuffled[np.argsort(-np.nan_to_num(importance[shuffled], nan=-np.inf), kind="stable")]
        self._order = shuffled
        self._points = points

    def within(self, x: tuple[float, float], y: tuple[float, float], *, across: int, down: int) -> np.ndarray:
        """Positions of the points, the most important first; at most across × down."""
        chosen: dict[int, int] = {}
        for start in range(0, len(self._order), AT_ONCE):
            rows = self._order[start : start + AT_ONCE]
            points = self._points[rows]
            seen = (points >= (x[0], y[0])).all(axis=1) & (points < (x[1], y[1])).all(axis=1)
            places = (points[seen] - (x[0], y[0])) / (x[1] - x[0], y[1] - y[0]) * (across, down)
            cells = places[:, 0].astype(int) * down + places[:, 1].astype(int)
            cells, firsts = np.unique(cells, return_index=True)
            for cell, row in zip(cells.tolist(), rows[seen][firsts].tolist(), strict=True):
                chosen.setdefault(cell, row)
            if len(chosen) >= across * down // 3:  # the rest is empty, or has but few points
                break
        rank = np.empty(len(self._order), np.int64)
        rank[self._order] = np.arange(len(self._order))
        rows = np.array(list(chosen.values()), np.int64)
        return rows[np.argsort(rank[rows])]
