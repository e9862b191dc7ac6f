"""The best few of many, and what is popular."""

from __future__ import annotations

import numpy as np


def best(scores: np.ndarray, k: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """Positions of the `k` highest scores (m,) among those `allowed` (m,), the highest first; among equals the first.

    >>> best(np.array([1.0, 3.0, 2.0]), 2)
    array([1, 2])
    """
    places = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    if k < len(places):
        found = scores[places]
        least = np.partition(found, len(found) - k)[len(found) - k]
        places = places[found >= least]
    return places[np.argsort(-scores[places], kind="stable")][:k]


def shrunken_means(means: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean ratings (m,) drawn towards the mean of all, the more so the fewer there are of them.

    >>> shrunken_means(np.array([5.0, 4.5]), np.array([1, 200])).round(2)
    array([4.5, 4.5])

    Each item gets as many ratings of the overall mean added as the item of a typical rating has: one with two
    ratings of 5 does not come before one that thousands like. Source: Efron and Morris, "Stein's Paradox in
    Statistics", Scientific American 1977; the constant is a choice, as in any such chart.
    """
    total = counts.sum()
    if not total:
        return means
    typical = np.sum(counts.astype(np.float64) ** 2) / total
    overall = np.sum(means * counts) / total
    return (means * counts + overall * typical) / (counts + typical)
