"""Batches as pictures, from the DataLoaders of any vision task."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from ..progress import Progress
from .batch_pictures import Picture, picture
from .samples import Samples


@dataclass(frozen=True)
class Batch:
    """Pictures of one batch, and a remark where their colours are a guess."""

    pictures: tuple[Picture, ...]
    remark: str = ""


class Batches:
    """What a model is fed, decoded to pictures with their labels.

    >>> batches = Batches(dls)
    >>> [picture.label for picture in batches.batch("train", 0, 9).pictures]

    `loaders` are fastai `DataLoaders`, one loader of fastai or torch, a sequence of them (training first)
    or a dict of them by name. `vocab` names classes that are plain numbers (default: the data set's
    `classes`); `stats`, (means, standard deviations) of the channels, undoes the normalisation of a torch
    loader; fastai's transforms undo their own. The same `seed` gives the same batches. Reading changes
    nothing: not the loaders and their transforms, not the global random numbers; no worker is started.
    Raises TypeError for anything else, ValueError where there is no loader.
    """

    def __init__(self, loaders: Any, *, vocab: Sequence[str] | None = None, stats: Any = None, seed: int = 0):
        named = _by_name(loaders)
        if not named:
            raise ValueError("There is no loader to look at.")
        self._readers = {name: _reader(loader, stats) for name, loader in named.items()}
        self._vocab = vocab
        self._seed = seed

    @property
    def splits(self) -> list[str]:
        return list(self._readers)

    def count(self, split: str) -> int | None:
        """How many batches there are, None where a stream does not tell."""
        try:
            return len(self._readers[split].loader)
        except TypeError:
            return None

    def size(self, split: str) -> int | None:
        """How many items are in a batch."""
        loader = self._readers[split].loader
        return getattr(loader, "bs", None) or getattr(loader, "batch_size", None)

    def batch(self, split: str, number: int = 0, count: int = 9, *, progress: Progress | None = None) -> Batch:
        """The first `count` pictures of batch `number`; only these are loaded.

        Raises ValueError with a sentence where the batches hold no pictures, where items do not fit into
        one batch, and where there is no such batch.
        """
        samples = self._readers[split].read(number, count, seed=self._seed, progress=progress)
        if not samples.rows:
            raise ValueError(f"There is no batch {number + 1} in {split}.")
        return self._show(split, samples)

    def variants(
        self, split: str, item: int, count: int = 9, *, draw: int = 0, progress: Progress | None = None
    ) -> Batch:
        """One item of a data set as training would see it `count` times; another `draw` gives others.

        `item` is a `Picture.item`. What is done at random is what the training loader does.
        """
        dataset = self._readers[split].dataset
        return self._show(
            split, self._training.variants(dataset, item, count, seed=self._seed + draw, progress=progress)
        )

    def variants_of(
        self, image: Image.Image, count: int = 9, *, draw: int = 0, progress: Progress | None = None
    ) -> Batch:
        """A photo from elsewhere as training would see it. ValueError where the data set opens no photos."""
        samples = self._training.variants_of(image, count, seed=self._seed + draw, progress=progress)
        return self._show(self.splits[0], samples)

    @property
    def _training(self) -> Any:
        return next(iter(self._readers.values()))

    def _show(self, split: str, samples: Samples) -> Batch:
        vocab = self._vocab or self._readers[split].vocab
        rows = zip(samples.rows, samples.items, strict=True)
        pictures = tuple(picture(row, vocab=vocab, item=item) for row, item in rows)
        if None in pictures:
            raise ValueError("What these batches decode to are no pictures.")
        return Batch(pictures, samples.remark)


def _by_name(loaders: Any) -> dict[str, Any]:
    if isinstance(loaders, Mapping):
        return {str(name): loader for name, loader in loaders.items()}
    several = getattr(loaders, "loaders", loaders)  # fastai's DataLoaders
    if isinstance(several, list | tuple):
        names = ["train", "valid", *(f"valid {n}" for n in range(2, len(several)))]
        return dict(zip(names, several, strict=False))
    return {"train": loaders}


def _reader(loader: Any, stats: Any) -> Any:
    fastai = sys.modules.get("fastai.data.load")  # who has such a loader has imported it
    if fastai is not None and isinstance(loader, fastai.DataLoader):
        from .fastai_reader import FastaiReader

        return FastaiReader(loader)
    if isinstance(loader, torch.utils.data.DataLoader):
        from .torch_reader import TorchReader

        return TorchReader(loader, stats=stats)
    raise TypeError(f"expected DataLoaders of fastai or torch, got {type(loader).__name__}")
