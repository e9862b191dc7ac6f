"""From the sum of a model's parts to a rating."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Link(NamedTuple):
    """`low + (high - low) * sigmoid(x)`, or `x` itself where there is no range.

    >>> Link(0, 5.5)(np.array([0.0, 10.0])).round(5)
    array([2.75   , 5.49975])

    The lessons train with a range that goes a little beyond the ratings (0 to 5.5 for ratings up to 5), since a
    sigmoid never reaches its ends (fastai book, chapter 8).
    """

    low: float | None = None
    high: float | None = None

    def __call__(self, x):
        return x if self.low is None else self.low + (self.high - self.low) * _sigmoid(x)

    def slope(self, x):
        """How much a rating grows for each unit of `x`."""
        if self.low is None:
            return np.ones_like(x)
        share = _sigmoid(x)
        return (self.high - self.low) * share * (1 - share)


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # never overflows
