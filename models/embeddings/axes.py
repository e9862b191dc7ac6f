"""Axes that mean what somebody says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Direction:
    """An axis that somebody made: `unit` (d,), of length 1, in the space of the vectors as they were given."""

    name: str
    unit: np.ndarray


def custom_axis(vectors: np.ndarray, plus: Sequence[int], minus: Sequence[int]) -> np.ndarray:
    """The unit vector from the mean of the rows `minus` to that of the rows `plus`; float64 (d,).

    >>> action = custom_axis(embedding.vectors, plus=[0, 3, 8], minus=[5, 6])
    >>> embedding.vectors @ action  # where all rows lie along it

    Raises ValueError with a sentence where either is empty or their means are the same.
    Source: T. Mikolov, W. Yih, G. Zweig, "Linguistic Regularities in Continuous Space Word Representations", 2013.
    """
    means = []
    for rows, end in ((plus, "it points to"), (minus, "it comes from")):
        if not len(rows):
            raise ValueError(f"An axis needs at least one row that {end}.")
        means.append(vectors[np.asarray(rows)].mean(axis=0, dtype=np.float64))
    difference = means[0] - means[1]
    length = np.linalg.norm(difference)
    if not length > 1e-7 * max(map(np.linalg.norm, means)):  # what single precision tells apart
        raise ValueError("Both ends of this axis are in the same place: choose other rows for one of them.")
    return difference / length
