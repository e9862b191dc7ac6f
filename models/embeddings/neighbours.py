"""Which vectors are closest."""

from __future__ import annotations

import numpy as np

from .embedding import BLOCK

METRICS = ("cosine", "euclidean")
MOST = 999  # neighbours


class Neighbours:
    """The nearest neighbours of any row, exactly, among a million rows in a tenth of a second.

    >>> neighbours = Neighbours(embedding.vectors)
    >>> positions, distances = neighbours.of(7, 10)
    >>> embedding.labels[positions]

    One matrix-vector product in single precision finds the candidates, with what it can be off by at most; the
    distances of these alone are then computed in double precision and sorted. So the answer is that of
    comparing all rows, and rows equally far come in their order. What does not depend on the row is computed
    once: `vectors` are finite float32 (n, d), kept and not copied.
    """

    def __init__(self, vectors: np.ndarray):
        self.vectors = vectors
        count, width = vectors.shape
        self._centre = vectors[:: max(1, count // BLOCK)].mean(axis=0, dtype=np.float64)
        self._sizes, self._spread = np.empty(count), np.empty(count)  # |x|, |x - centre|²
        for start in range(0, count, BLOCK):
            block = vectors[start : start + BLOCK].astype(np.float64)
            self._sizes[start : start + BLOCK] = np.sqrt(np.einsum("ij,ij->i", block, block))
            block -= self._centre
            self._spread[start : start + BLOCK] = np.einsum("ij,ij->i", block, block)
        # Of a product of single-precision vectors and of rounding one of them (Higham, "Accuracy and Stability
        # of Numerical Algorithms", 2002, section 3.1), for each |x| |y|.
        self._off = (width + 2) * float(np.finfo(np.float32).eps)

    def of(self, position: int, k: int = 10, metric: str = "cosine") -> tuple[np.ndarray, np.ndarray]:
        """The `k` rows nearest to the one at `position`, without itself: their positions and distances, nearest first.

        `k` is at most 999; there are n - 1 neighbours at most. Cosine distance is 1 - cos, from 0 to 2; a row of
        zeros has none and counts as 1 from everything. Distances are float64.
        Raises ValueError with a sentence for another `metric`, for a `k` or `position` that is out of range, and
        for the cosine neighbours of a row of zeros.
        """
        position = _whole(position, "position", 0, len(self.vectors) - 1)
        k = min(_whole(k, "number of neighbours", 1, MOST), len(self.vectors) - 1)
        if metric not in METRICS:
            raise ValueError(f"Neighbours are found by {' or '.join(METRICS)} distance, not by {metric!r}.")
        if not k:
            return np.empty(0, np.int64), np.empty(0)
        query = self.vectors[position].astype(np.float64)
        if metric == "cosine" and not query.any():
            raise ValueError("This row is all zeros: it points nowhere and has no cosine neighbours. Try Euclidean.")
        distances, off = self._cosine(query) if metric == "cosine" else self._euclidean(query)
        nearest, farthest = distances - off, distances + off
        farthest[position] = np.inf
        limit = np.partition(farthest, k - 1)[k - 1]  # k rows are no farther than this
        candidates = np.flatnonzero(nearest <= limit)
        candidates = candidates[candidates != position]
        exact = self._exact(candidates, query, metric)
        order = np.lexsort((candidates, exact))[:k]
        return candidates[order], exact[order]

    def _cosine(self, query: np.ndarray) -> tuple[np.ndarray, float]:
        along = self._product(query / np.linalg.norm(query))
        cosines = np.divide(along, self._sizes, out=np.zeros(len(along)), where=self._sizes > 0)
        return 1 - cosines, self._off

    def _euclidean(self, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances, as |x - c|² + |q - c|² - 2 (x - c)(q - c) around the centre c."""
        direction = query - self._centre
        length = np.linalg.norm(direction)
        if length:
            direction = direction / length
        along = self._product(direction) - self._centre @ direction
        return self._spread + length**2 - 2 * length * along, 2 * length * self._off * self._sizes

    def _product(self, direction: np.ndarray) -> np.ndarray:
        return (self.vectors @ direction.astype(np.float32)).astype(np.float64)

    def _exact(self, rows: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
        distances = np.empty(len(rows))
        unit = query / np.linalg.norm(query) if metric == "cosine" else None
        for start in range(0, len(rows), BLOCK):
            block = self.vectors[rows[start : start + BLOCK]].astype(np.float64)
            if metric == "euclidean":
                found = np.linalg.norm(block - query, axis=1)
            else:  # half the squared distance of the unit vectors: exact also where the angle is tiny
                sizes = np.linalg.norm(block, axis=1, keepdims=True)
                units = np.divide(block, sizes, out=np.zeros_like(block), where=sizes > 0)
                found = np.where(sizes[:, 0] > 0, np.square(units - unit).sum(axis=1) / 2, 1.0)
            distances[start : start + BLOCK] = found
        return distances


def _whole(value: int, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= max(low, high):
        raise ValueError(f"The {name} is a whole number from {low:,} to {high:,}, not {str(value)[:40]!r}.")
    return int(value)
