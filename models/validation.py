"""What a fastai Learner does to a validation photo before the network sees it."""

from dataclasses import dataclass
from typing import Any

import torch
from fastai.data.core import TfmdDL
from fastai.data.transforms import IntToFloatTensor, Normalize, ToTensor
from fastai.learner import Learner
from fastai.losses import BaseLoss
from fastai.torch_core import TensorCategory
from fastai.vision.augment import BILINEAR, AffineCoordTfm, RandomResizedCrop, RandTransform
from fastai.vision.augment import Resize as FastaiResize
from fastai.vision.core import PILImage, TensorImage
from fasttransform import Transform
from PIL import Image
from torch import nn

from .resize import Resize


@dataclass
class Validation:
    """The validation transforms, reduced to what has to be done again elsewhere.

    >>> Validation.of(learn).resize
    Resize(height=160, width=160, method='squish', margin=12, pad_mode='zeros')

    `resize` is done in Python, image by image; `in_graph` takes float pixels (n, 3, h, w) from 0 to
    255 and is done inside the ONNX graph. ValueError names the transform that cannot be reproduced.
    """

    resize: Resize
    in_graph: nn.Sequential

    @classmethod
    def of(cls, learn: Learner) -> "Validation":
        _check_kind(learn)
        loader = learn.dls.valid
        resizes = [_resize(step) for step in _steps(loader, "after_item") if not isinstance(step, ToTensor)]
        if _steps(loader, "before_batch"):
            raise _unknown(_steps(loader, "before_batch")[0])
        if len(resizes) != 1:
            raise ValueError(
                f"Validation photos are resized {len(resizes)} times, one by one; export needs exactly one "
                "Resize or RandomResizedCrop in item_tfms."
            )
        side = (resizes[0].height, resizes[0].width)
        return cls(resizes[0], nn.Sequential(*[_as_module(step, side) for step in _steps(loader, "after_batch")]))


class Scale(nn.Module):
    """(x - mean) / std; mean and std broadcast over (n, 3, h, w)."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor):
        super().__init__()
        self.register_buffer("mean", torch.Tensor(mean.detach().cpu()))
        self.register_buffer("std", torch.Tensor(std.detach().cpu()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


class BatchResize(nn.Module):
    """fastai's resizing of whole batches, `aug_transforms(size=...)`, as two matrix products.

    On validation photos it is linear, and rows and columns do not mix. So its matrices are what it does
    to single bright rows and to single bright columns.
    """

    def __init__(self, step: AffineCoordTfm, height: int, width: int):
        super().__init__()

        def answer(basis: torch.Tensor) -> torch.Tensor:  # a few at a time: each is a whole image
            parts = [step(TensorImage(part.contiguous()), split_idx=1) for part in basis.split(16)]
            return torch.Tensor(torch.cat(parts))[:, 0]

        rows = torch.eye(height)[:, None, :, None].expand(-1, 1, -1, width)
        columns = torch.eye(width)[:, None, None, :].expand(-1, 1, height, -1)
        self.register_buffer("rows", answer(rows)[:, :, 0].T.contiguous())
        self.register_buffer("columns", answer(columns)[:, 0, :].contiguous())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rows @ x @ self.columns


def _check_kind(learn: Learner) -> None:
    """ValueError unless this is a single-label classifier of RGB images."""
    dataset = learn.dls.valid_ds
    if not len(dataset):
        raise ValueError("The Learner has no validation photos, so its export cannot be checked.")
    image, target = dataset[0]
    if type(image) is not PILImage:
        raise ValueError(f"Only RGB image classifiers can be exported; this Learner takes {type(image).__name__}.")
    if type(target) is not TensorCategory:
        raise ValueError(
            f"Only classifiers with one label per image can be exported; this Learner predicts {type(target).__name__}."
        )
    if not isinstance(learn.loss_func, BaseLoss):
        raise ValueError(
            f"The loss function {learn.loss_func!r} does not say how outputs become probabilities; use fastai's, "
            "such as CrossEntropyLossFlat()."
        )


def _steps(loader: TfmdDL, pipeline: str) -> list[Transform]:
    """The transforms of a pipeline that act on validation photos."""
    steps = getattr(getattr(loader, pipeline), "fs", [])
    return [step for step in steps if step.split_idx != 0 and not _is_identity(step)]


def _is_identity(step: Transform) -> bool:
    # Rotation, zoom and warp leave validation photos alone; only a `size` makes it do anything to them.
    return isinstance(step, AffineCoordTfm) and step.size is None


def _resize(step: Transform) -> Resize:
    if type(step) is FastaiResize and step.mode == BILINEAR:
        width, height = step.size
        return Resize(height, width, method=step.method, pad_mode=step.pad_mode)
    if type(step) is RandomResizedCrop and step.mode == BILINEAR:
        width, height = step.size
        step.before_call(Image.new("RGB", (width, height)), 1)  # has it work out its final_size
        return Resize(height, width, method="squish", margin=(step.final_size[0] - width) // 2)
    raise _unknown(step)


def _as_module(step: Transform, side: tuple[int, int]) -> nn.Module:
    if type(step) is IntToFloatTensor:
        return Scale(torch.zeros(1), torch.full((1,), float(step.div)))
    if type(step) is Normalize:
        return Scale(step.mean, step.std)
    if isinstance(step, AffineCoordTfm):
        return BatchResize(step, *side)
    raise _unknown(step)


def _unknown(step: Any) -> ValueError:
    kind = "an augmentation that is also applied to validation photos" if isinstance(step, RandTransform) else "a step"
    return ValueError(
        f"{type(step).__name__} is {kind} and cannot be reproduced in the exported file: {step}. Can be: Resize "
        "or RandomResizedCrop (bilinear) in item_tfms; in batch_tfms Normalize, aug_transforms, and what acts on "
        "training photos alone."
    )
