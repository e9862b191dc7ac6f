"""What can be done to vectors before they are looked at."""

from __future__ import annotations

import numpy as np

from .embedding import BLOCK

WAYS = ("as they are", "standardise", "sphere")


def prepare(vectors: np.ndarray, how: str = "as they are") -> np.ndarray:
    """Finite vectors (n, d) in one of three ways; float32, and the same array where nothing is done.

    >>> prepare(np.array([[3, 4], [0, 0]], np.float32), "sphere").tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]

    "standardise": each column with mean 0 and standard deviation 1 (denominator n), so that a column of large numbers
    counts no more than others; one that never changes is 0 then. "sphere": each row with length 1, so that
    Euclidean distance orders as the cosine does; rows of zeros stay where they are.
    Raises ValueError for any other way.
    """
    if how == "as they are":
        return vectors
    if how not in WAYS:
        raise ValueError(f"Vectors can be prepared in these ways: {', '.join(WAYS)}; not {how!r}.")
    made = np.empty(vectors.shape, np.float32)
    mean, spread = _moments(vectors) if how == "standardise" else (0.0, 1.0)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK].astype(np.float64)
        if how == "sphere":
            spread = np.linalg.norm(block, axis=1, keepdims=True)
        block -= mean
        made[start : start + BLOCK] = np.divide(block, spread, out=np.zeros_like(block), where=spread > 0)
    return made


def _moments(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, in double precision and two passes."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    squares = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), BLOCK):
        squares += np.square(vectors[start : start + BLOCK] - mean).sum(axis=0)
    same = vectors.min(axis=0) == vectors.max(axis=0)  # not what rounding leaves of it
    return mean, np.where(same, 0.0, np.sqrt(squares / len(vectors)))
