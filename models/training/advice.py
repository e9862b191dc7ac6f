"""What a training's figures say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from .metrics import in_words, lower_is_better, metric_names

CLEARLY = 0.03  # a loss has risen when it is this share above its lowest


def advice(
    history: pd.DataFrame, baseline: Mapping[str, float] | None = None, *, epochs: int | None = None
) -> list[str]:
    """Sentences on what the figures of a run mean, the most urgent first; often none.

    >>> advice(run.history, run.baseline)
    ['The validation loss rises since epoch 2 while error rate still improves (best: 0.031 at epoch 4). …']

    `history` has a row for each epoch, as `TrainingRun.history`; `baseline` maps metrics to what always
    answering the most frequent label gives. `epochs` is how many there will be: after the first of several it is
    too early to say anything.
    """
    if len(history) < min(2, epochs or 1):
        return []
    sentences = [_beaten(history, name, value) for name, value in (baseline or {}).items() if name in history]
    if len(history) > 1 and "valid_loss" in history:
        sentences += [going_up(history), _rising(history), unfinished(history)]
    return [sentence for sentence in sentences if sentence]


def _beaten(history: pd.DataFrame, name: str, value: float) -> str | None:
    best = _best(history[name], name)
    if pd.isna(best) or (best < value if lower_is_better(name) else best > value):
        return None
    return (
        f"{in_words(name)} never got better than {value:.3f}, which always giving the most frequent label would reach "
        f"(best so far: {best:.3f}). The network has not learned to tell the labels apart: try a higher or lower "
        "learning rate, more epochs, a pretrained network, and look whether the labels are right."
    )


def going_up(history: pd.DataFrame) -> str | None:
    """The training loss is half as high again as it has been."""
    losses = history["train_loss"].dropna()
    if len(losses) < 2 or not losses.iloc[-1] > losses.min() * 1.5:
        return None
    return (
        f"The training loss itself went up, from {losses.min():.3f} to {losses.iloc[-1]:.3f}: the learning rate is "
        "too high. Stop, and try a third or a tenth of it."
    )


def _rising(history: pd.DataFrame) -> str | None:
    """A validation loss above its lowest: harmless while the metric improves, overfitting when it does not."""
    losses = history.set_index("epoch")["valid_loss"].dropna()
    if losses.empty or not losses.iloc[-1] > losses.min() * (1 + CLEARLY):
        return None
    lowest = losses.idxmin()
    since = f"The validation loss rises since epoch {lowest} ({losses.min():.3f} → {losses.iloc[-1]:.3f})"
    for name in metric_names(history)[:1]:
        values = history.set_index("epoch")[name].dropna()
        best = _best(values[lowest:], name)
        if best != values.get(lowest) and best == _best(values, name):
            return (
                f"{since} while {in_words(name)} still improves (best: {best:.3f} at epoch {_epoch(values, best)}). "
                "More photos are told right, but the mistakes that remain are made with more confidence. The metric is "
                "what you want: go on as long as it improves."
            )
    falling = history["train_loss"].iloc[-1] < history.set_index("epoch")["train_loss"][lowest]
    if not falling:
        return None
    return (
        f"{since} while the training loss still falls: the network learns these photos by heart (overfitting). "
        "The best epoch is kept; fewer epochs, more photos, stronger augmentation or more weight decay help."
    )


def unfinished(history: pd.DataFrame) -> str | None:
    """The last epoch was the best by far: there is more to be had."""
    losses = history["valid_loss"].dropna()
    if len(losses) < 3 or losses.iloc[-1] > 0.9 * losses.iloc[:-1].min():
        return None
    return "The last epoch was clearly the best: more epochs are likely to help."


def _best(values: pd.Series, name: str) -> float:
    return values.min() if lower_is_better(name) else values.max()


def _epoch(values: pd.Series, value: float) -> int:
    return int(values.index[values == value][0])
