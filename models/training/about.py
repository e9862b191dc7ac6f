"""What there is to know of a run that its settings do not say."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version

from fastai.learner import Learner

from .device import device_name


def about(learn: Learner, baseline: Mapping[str, float]) -> dict:
    """Network, data, device and versions of a training, as plain values.

    >>> about(learn, baseline={})["network"]
    'Sequential'
    """
    parameters = list(learn.model.parameters())
    loaders = dict(zip(("train", "valid"), learn.dls.loaders, strict=False))
    vocab = getattr(learn.dls, "vocab", None)
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "network": type(learn.model).__name__,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "device": device_name(getattr(learn.dls, "device", None) or parameters[0].device),
        "batch_size": getattr(loaders["train"], "bs", None),
        "items": {split: getattr(loader, "n", None) for split, loader in loaders.items()},
        "batches": {split: len(loader) for split, loader in loaders.items()},
        "labels": [str(label) for label in vocab] if vocab is not None else None,
        "metrics": [metric.name for metric in learn.metrics],
        "baseline": dict(baseline),
        "versions": {name: version(name) for name in ("fastai", "torch")} | {"python": platform.python_version()},
    }
