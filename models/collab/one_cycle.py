"""The one-cycle policy: the rate rises, then falls to almost nothing, and the momentum does the opposite."""

from __future__ import annotations

import math

WARMUP = 0.25  # the share of the batches in which the rate rises
START, END = 25, 1e5  # the rate begins and ends at the highest divided by these
MOMENTA = (0.95, 0.85, 0.95)  # at the beginning, at the highest rate, at the end


def one_cycle(place: float, learning_rate: float) -> tuple[float, float]:
    """Learning rate and momentum at a place of the training from 0, the first batch, to 1.

    >>> one_cycle(0.25, 5e-3)
    (0.005, 0.85)

    The figures are those of fastai's `fit_one_cycle`.
    Source: L. Smith, "A disciplined approach to neural network hyper-parameters" (2018).
    """
    if place < WARMUP:
        part, first, second = place / WARMUP, 0, 1
    else:
        part, first, second = (place - WARMUP) / (1 - WARMUP), 1, 2
    rates = learning_rate / START, learning_rate, learning_rate / END
    share = (1 - math.cos(math.pi * part)) / 2
    rate = rates[first] + share * (rates[second] - rates[first])
    return rate, MOMENTA[first] + share * (MOMENTA[second] - MOMENTA[first])
