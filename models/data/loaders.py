"""From an items table to fastai's DataLoaders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import IndexSplitter, Normalize
from fastai.vision.augment import RandomErasing, RandomResizedCrop, Resize, ResizeMethod, aug_transforms
from fastai.vision.core import imagenet_stats
from fastai.vision.data import ImageBlock

from .items import check_items
from .split import TRAIN, VALID, random_split


def dataloaders(
    items: pd.DataFrame,
    *,
    size: int = 160,
    batch_size: int = 16,
    workers: int = 0,
    seed: int = 42,
    augment: Literal["photos", "signs"] = "photos",
    path: str | Path = ".",
) -> DataLoaders:
    """DataLoaders from an items table.

    >>> dls = dataloaders(random_split(folder_items("bears")), size=160)
    >>> dls.vocab
    ['black', 'grizzly', 'teddy']

    Without a column `split` a fifth of each label is drawn with `seed` for validation. Training photos
    are cropped, flipped, warped, relit and partly erased at random; validation photos are squished and
    centre-cropped. "signs" are digits, letters, drawings or documents, of which a part or a mirror image means
    something else: `augment="signs"` only turns, warps and relights them a little. `size` is in pixels, height
    and width; `path` is where fastai keeps its models.
    Raises ValueError for fewer than two labels, an empty side, a label that can only be tested on and
    a file that has gone since the table was made.
    """
    items = check_items(items)
    if items.label.nunique() < 2:
        raise ValueError(f"There is one label only, {items.label[0]!r}; a classifier needs at least two.")
    gone = [name for name in items.item if not Path(name).is_file()]
    if gone:
        raise ValueError(f"{len(gone)} of {len(items)} photos are not there any more, {Path(gone[0]).name} first.")
    if "split" not in items:
        items = random_split(items, seed=seed)
    _check_sides(items)
    return DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=sorted(items.label.unique()))),
        splitter=IndexSplitter(np.flatnonzero(items.split == VALID).tolist()),
        get_y=_LabelOf(items),
        **_augmentations(augment, size),
    ).dataloaders(
        [Path(item) for item in items.item], path=Path(path), bs=batch_size, val_bs=2 * batch_size, num_workers=workers
    )


def _augmentations(kind: str, size: int) -> dict[str, Any]:
    normalize = Normalize.from_stats(*imagenet_stats)
    if kind == "photos":
        varied = aug_transforms(max_rotate=15, max_zoom=1.0, max_lighting=0.4, max_warp=0.2, p_lighting=0.9)
        erased = RandomErasing(p=0.3, sh=0.3, max_count=2)
        return {"item_tfms": RandomResizedCrop(size, min_scale=0.3), "batch_tfms": [*varied, normalize, erased]}
    if kind == "signs":
        varied = aug_transforms(do_flip=False, max_rotate=8, max_zoom=1.1, max_lighting=0.2, max_warp=0.1)
        return {"item_tfms": Resize(size, ResizeMethod.Squish), "batch_tfms": [*varied, normalize]}
    raise ValueError(f'augment must be "photos" or "signs", not {kind!r}')


class _LabelOf:
    """A function from a path to its label; a class, so that fastai can export a learner that has it."""

    def __init__(self, items: pd.DataFrame):
        self._labels = dict(zip(items.item, items.label, strict=True))

    def __call__(self, path: Path) -> str:
        return self._labels[str(path)]


def _check_sides(items: pd.DataFrame) -> None:
    unknown = sorted(set(items.split.map(str)) - {TRAIN, VALID})
    if unknown:
        raise ValueError(f"The column 'split' must say {TRAIN!r} or {VALID!r}, not {unknown[0]!r}.")
    for side, what in ((TRAIN, "to learn from"), (VALID, "to be tested on")):
        if not (items.split == side).any():
            raise ValueError(f"The split leaves no photo {what}.")
    untaught = sorted(set(items.label) - set(items.label[items.split == TRAIN]))
    if untaught:
        raise ValueError(f"Label {untaught[0]!r} has photos to be tested on and none to learn from.")
