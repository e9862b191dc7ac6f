"""What a value in a data pipeline is: type, shape and a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from .names import short

VALUES = 20  # a tensor of no more than these is shown whole


@dataclass(frozen=True)
class Part:
    """One part of a sample or batch: its type, its shape if it has one, and what a person reads of it."""

    kind: str
    shape: tuple[int, ...] | None = None
    text: str = ""


def describe(value: Any) -> tuple[Part, ...]:
    """The parts of a sample, a batch or a single value."""
    return tuple(map(_part, value)) if isinstance(value, tuple | list) else (_part(value),)


def _part(value: Any) -> Part:
    kind = type(value).__name__
    if isinstance(value, torch.Tensor):
        text = str(value.dtype).removeprefix("torch.")
        if value.numel() <= VALUES and value.ndim <= 1:
            return Part(kind, tuple(value.shape), f"{text} {value.tolist()}")
        if value.numel() and not value.is_complex():
            low, high = value.min().item(), value.max().item()
            text += f", {low:.3g} to {high:.3g}"
        return Part(kind, tuple(value.shape), text)
    if isinstance(value, Image.Image):
        return Part(kind, (value.height, value.width), f"{value.mode}, {value.width} × {value.height} pixels")
    shape = getattr(value, "shape", None)
    return Part(kind, tuple(shape) if isinstance(shape, tuple) else None, short(value))
