"""What the figures of a model of ratings say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..training.advice import CLEARLY, going_up, unfinished


def advice(
    history: pd.DataFrame, baseline: Mapping[str, float] | None = None, *, epochs: int | None = None
) -> list[str]:
    """Sentences on what the epochs of a `CollabRun` mean, the most urgent first; often none.

    >>> advice(run.history, run.baseline)
    ['The validation loss rises since epoch 2 (0.781 → 0.904) while the training loss still falls: ...']

    `baseline` are the errors of the means of users and items; `epochs` is how many there will be.
    """
    if len(history) < min(2, epochs or 1):
        return []
    sentences = [_beaten(history, baseline or {})]
    if len(history) > 1:
        sentences += [going_up(history), _by_heart(history), unfinished(history)]
    return [sentence for sentence in sentences if sentence]


def _beaten(history: pd.DataFrame, baseline: Mapping[str, float]) -> str | None:
    best, means = history["mse"].min(), baseline.get("mse")
    if means is None or pd.isna(best) or best < means:
        return None
    return (
        f"The squared error never got below {means:.3f}, which the means of users and items alone would reach (best so "
        f"far: {best:.3f}). Try biases and a sigmoid range, another weight decay, or more epochs."
    )


def _by_heart(history: pd.DataFrame) -> str | None:
    """The validation loss above its lowest while that of training falls."""
    table = history.set_index("epoch")
    valid, train = table["valid_loss"].dropna(), table["train_loss"]
    if valid.empty or not valid.iloc[-1] > valid.min() * (1 + CLEARLY):
        return None
    lowest = valid.idxmin()
    if not train.iloc[-1] < train[lowest]:
        return None
    return (
        f"The validation loss rises since epoch {lowest} ({valid.min():.3f} → {valid.iloc[-1]:.3f}) while the training "
        "loss still falls: the model learns these ratings by heart (overfitting). The best epoch is kept; more weight "
        "decay, fewer factors or fewer epochs help."
    )
