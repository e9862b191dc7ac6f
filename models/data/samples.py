"""What a reader gets out of a batch: decoded samples, or a sentence that says why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from .batch_pictures import is_image_tensor
from .collate import explain_collate_error
from .names import item_name

TRAINING = 0  # fastai's split_idx of what is transformed for training


@dataclass
class Samples:
    """Decoded samples, where each comes from in its data set (None: not known), and a remark on their values."""

    rows: list[tuple]
    items: list[int | None]
    remark: str = ""


def is_picture_batch(part: Any) -> bool:
    return isinstance(part, torch.Tensor) and part.ndim == 4 and len(part) > 0 and is_image_tensor(part[0])


def check_pictures(batch: Any) -> None:
    parts = columns(batch)
    if not any(map(is_picture_batch, parts)):
        found = ", ".join(map(_described, parts[:4]))
        raise ValueError(
            f"These batches hold no pictures: they are made of {found}. A picture is a tensor with the axes "
            "(items, 1, 3 or 4 channels, height, width)."
        )


def _described(column: Any) -> str:
    kind = type(column).__name__
    return f"{kind} {tuple(column.shape)}" if isinstance(column, torch.Tensor) else kind


def columns(batch: Any) -> list:
    if isinstance(batch, Mapping):
        return list(batch.values())
    return list(batch) if isinstance(batch, tuple | list) else [batch]


def explain(samples: list, dataset: Any, items: Sequence[int]) -> str:
    problem = explain_collate_error(samples, names=[item_name(dataset, index) for index in items])
    if problem is None:
        return ""
    return f"{problem.sentence} Add {problem.remedy}" if problem.remedy else problem.sentence


def nth(values: Iterator, number: int) -> Any:
    return next(islice(values, number, None), None)
