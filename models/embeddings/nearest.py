"""Each row's nearest neighbours among rows that layouts are made of."""

from __future__ import annotations

import numpy as np

from ..progress import Progress

CELLS = 2**24  # distances in memory at once: 64 MB


def nearest(
    rows: np.ndarray, among: np.ndarray, k: int, *, progress: Progress, text: str, leave_self: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Positions in `among` and Euclidean distances of the `k` nearest to each of `rows`, nearest first; (n, k) both.

    >>> positions, distances = nearest(vectors, vectors, 15, progress=Progress(), text="Neighbours", leave_self=True)

    Exact but for rounding in single precision. With `leave_self`, `rows` are `among` and none is its own neighbour.
    """
    positions, distances = np.empty((len(rows), k), np.int32), np.empty((len(rows), k), np.float32)
    centre = among.mean(axis=0, dtype=np.float64).astype(np.float32)
    there = among - centre
    sizes = np.einsum("ij,ij->i", there, there)
    step = max(1, CELLS // len(among))
    for start in range(0, len(rows), step):
        progress.report(start, len(rows), text)
        block = rows[start : start + step] - centre
        squares = block @ there.T
        squares *= -2
        squares += sizes
        lines = np.arange(len(block))
        if leave_self:
            squares[lines, start + lines] = np.inf
        found = _smallest(squares, k)
        own = np.einsum("ij,ij->i", block, block)
        far = squares[lines[:, None], found] + own[:, None]
        order = np.argsort(far, axis=1, kind="stable")
        positions[start : start + step] = np.take_along_axis(found, order, axis=1)
        distances[start : start + step] = np.sqrt(np.take_along_axis(far, order, axis=1).clip(0))
    return positions, distances


def _smallest(table: np.ndarray, k: int) -> np.ndarray:
    """Columns of the `k` smallest in each row, in no order."""
    if k > 3:
        return np.argpartition(table, k - 1, axis=1)[:, :k]
    found = np.empty((len(table), k), np.int64)
    lines, kept = np.arange(len(table)), []
    for turn in range(k):  # faster than a partition for so few
        found[:, turn] = table.argmin(axis=1)
        kept.append(table[lines, found[:, turn]])
        table[lines, found[:, turn]] = np.inf
    for turn in range(k):
        table[lines, found[:, turn]] = kept[turn]
    return found
