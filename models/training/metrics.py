"""Metrics of a history: which way is better, which epoch was best, and what no thinking at all would give."""

from __future__ import annotations

import copy
import logging
from types import SimpleNamespace

import pandas as pd
import torch
from fastai.learner import AvgMetric, Learner
from fastai.metrics import AccumMetric
from fastai.torch_core import to_detach

NO_METRIC = ("epoch", "frozen", "train_loss", "valid_loss", "seconds")  # a history's other columns
_LOWER = ("loss", "error", "mse", "mae", "perplexity", "deviation", "hamming", "distance")


def lower_is_better(name: str) -> bool:
    """Whether a metric of this name falls as the network learns.

    >>> lower_is_better("error_rate"), lower_is_better("accuracy")
    (True, False)
    """
    return any(word in name.lower() for word in _LOWER)


def in_words(name: str) -> str:
    """A metric as a person reads it.

    >>> in_words("error_rate")
    'error rate'
    """
    return name.replace("_", " ")


def metric_names(history: pd.DataFrame) -> list[str]:
    return [name for name in history.columns if name not in NO_METRIC]


def best_epoch(history: pd.DataFrame) -> int | None:
    """The epoch with the best first metric (of equals: the lowest validation loss), or the lowest validation
    loss where there is no metric; None without any figures.

    >>> best_epoch(run.history)
    3
    """
    names = metric_names(history)[:1] + [name for name in ("valid_loss",) if name in history]
    known = history.dropna(subset=names) if names else history[:0]
    if known.empty:
        return None
    order = known.sort_values(names, ascending=[lower_is_better(name) for name in names], kind="stable")
    return int(order["epoch"].iloc[0])


def baseline(learn: Learner) -> dict[str, float]:
    """What each metric gives if the most frequent label of the training photos is always the answer.

    >>> baseline(learn)
    {'error_rate': 0.654}

    Empty where the data are not of one label each. Only labels are read, no image.
    """
    targets = [_labels(loader) for loader in learn.dls.loaders[:2]]
    if len(targets) < 2 or any(one is None or not len(one) for one in targets):
        return {}
    train, valid = targets
    count = int(max(train.max(), valid.max())) + 1
    answer = torch.bincount(train, minlength=count).argmax()
    predicted = torch.nn.functional.one_hot(answer, count).float().expand(len(valid), count)
    seen = SimpleNamespace(pred=predicted, y=valid, yb=(valid,), to_detach=to_detach)
    return {metric.name: value for metric in learn.metrics if (value := _value(metric, seen)) is not None}


def _labels(loader: object) -> torch.Tensor | None:
    """The targets (n,) of a loader of single labels, as numbers."""
    lists = getattr(getattr(loader, "dataset", None), "tls", None)
    if not lists or len(lists) != 2 or not hasattr(lists[1], "vocab"):
        return None
    first = lists[1][0] if len(lists[1]) else None
    if not isinstance(first, torch.Tensor) or first.ndim or first.is_floating_point():
        return None
    return torch.tensor([int(target) for target in lists[1]])


def _value(metric: object, seen: SimpleNamespace) -> float | None:
    if not isinstance(metric, AvgMetric | AccumMetric):
        return None
    metric = copy.deepcopy(metric)
    metric.reset()
    try:
        metric.accumulate(seen)
        return float(metric.value)
    except (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        # Somebody's own metric may want what is not there; the training does without its baseline.
        logging.getLogger(__name__).info("no baseline for the metric %s", metric.name, exc_info=error)
        return None
