"""What there is to know of a training of ratings that its settings do not say."""

from __future__ import annotations

import platform
import zlib
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version

import numpy as np
import torch

from ..training.device import device_name
from .baselines import Means
from .evaluate import prediction_errors
from .ratings import Ratings
from .rung import Rung
from .rungs import RUNGS
from .settings import CollabSettings
from .splits import Split


def about(
    rung: Rung, split: Split, settings: CollabSettings, *, baseline: Mapping[str, float], device: torch.device
) -> dict:
    """Model, data, device and versions of a training, as plain values.

    >>> about(rung, split, settings, baseline={}, device=torch.device("cpu"))["network"]
    '+ weight decay'
    """
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "network": RUNGS[settings.rung].title,
        "parameters": sum(parameter.numel() for parameter in rung.parameters()),
        "device": device_name(device),
        "batch_size": settings.batch_size,
        "items": {"train": len(split.train), "valid": len(split.valid)},
        "batches": {"train": -(-len(split.train) // settings.batch_size)},
        "ratings": fingerprint(split.train, split.valid),
        "protocol": split.protocol,
        "metrics": list(baseline),
        "baseline": dict(baseline),
        "versions": {"torch": version("torch"), "python": platform.python_version()},
    }


def fingerprint(*parts: Ratings) -> str:
    """Eight digits that other ratings, or the same in another order, would most likely have others of."""
    value = 0
    for ratings in parts:
        value = zlib.crc32(np.array([len(ratings), ratings.n_users, ratings.n_items]), value)
        for column in (ratings.users, ratings.items, ratings.values):
            value = zlib.crc32(column, value)
    return f"{value:08x}"


def baseline(split: Split) -> dict[str, float]:
    """The errors of the means of users and items, which know of no taste; empty without ratings to measure with.

    >>> baseline(split)
    {'mse': 0.79, 'rmse': 0.889, 'mae': 0.686}
    """
    return prediction_errors(Means(split.train), split.valid) if len(split.valid) else {}
