"""Single batches out of a torch DataLoader, which is as it was afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from PIL import Image

from ..progress import Progress
from .randomness import own_randomness, reseed
from .samples import Samples, check_pictures, columns, explain, is_picture_batch, nth


class TorchReader:
    """Reads a torch `DataLoader` in this process, without its workers.

    `stats` are the (means, standard deviations) to undo for each channel. Random generators that a data
    set keeps for itself go on; those of the loader and of its samplers are put back.
    """

    def __init__(self, loader: torch.utils.data.DataLoader, *, stats=None):
        self.loader = loader
        self.dataset = loader.dataset
        self.vocab = getattr(_innermost(loader.dataset), "classes", None)
        self._stats = stats
        self._indexed = not isinstance(loader.dataset, torch.utils.data.IterableDataset)

    def read(self, number: int, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """The first `count` samples of batch `number` in the order that `seed` gives."""
        with own_randomness(seed), self._generators_kept():
            if not self._indexed:
                return self._stream(number, count)
            batches = self.loader.batch_sampler
            chunk = nth(iter(batches if batches is not None else self.loader.sampler), number)
            if chunk is None:
                return Samples([], [])
            reseed(seed + 1 + number)
            if batches is None:  # the data set gives whole batches
                return self._split(self.loader.collate_fn(self.dataset[chunk]), count, [])
            return self._make(self.dataset, list(chunk)[:count], progress)

    def variants(self, dataset: Any, item: int, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """`dataset[item]` read `count` times: the transforms are the data set's own."""
        with own_randomness(seed):
            return self._make(dataset, [item] * count, progress)

    def variants_of(self, image: Image.Image, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """A picture from elsewhere, `count` times through the data set's `transform`."""
        transform = getattr(_innermost(self.dataset), "transform", None)
        if not callable(transform):
            raise ValueError("This data set has no `transform`, so another photo cannot go through it.")
        with own_randomness(seed):
            made = [transform(image.copy()) for _ in range(count)]
            return self._split(torch.utils.data.default_collate(made), count, [None] * count)

    def _make(self, dataset: Any, chunk: list[int], progress: Progress | None) -> Samples:
        made = []
        for index in chunk:
            if progress is not None:
                progress.report(len(made), len(chunk), "Loading pictures")
            made.append(dataset[index])
        try:
            batch = self.loader.collate_fn(made)
        except (RuntimeError, TypeError, ValueError) as error:
            if problem := explain(made, dataset, chunk):
                raise ValueError(problem) from error
            raise
        return self._split(batch, len(chunk), chunk)

    def _stream(self, number: int, count: int) -> Samples:
        items = iter(self.dataset)
        if self.loader.batch_size is None:
            batch = nth(items, number)
        else:
            start = number * self.loader.batch_size
            made = list(islice(items, start, start + min(count, self.loader.batch_size)))
            batch = self.loader.collate_fn(made) if made else None
        return Samples([], []) if batch is None else self._split(batch, count, [])

    def _split(self, batch: Any, count: int, items: Sequence[int | None]) -> Samples:
        check_pictures(batch)
        parts = columns(batch)
        place = next(place for place, part in enumerate(parts) if is_picture_batch(part))
        parts[place], remark = _in_range(parts[place], self._stats)
        rows = list(islice(zip(*parts, strict=True), count))
        return Samples(rows, list(items) or [None] * len(rows), remark)

    @contextmanager
    def _generators_kept(self) -> Iterator[None]:
        samplers = [self.loader, self.loader.sampler, self.loader.batch_sampler]
        samplers.append(getattr(self.loader.batch_sampler, "sampler", None))
        found = {id(g): g for g in (getattr(one, "generator", None) for one in samplers) if g is not None}
        states = [(generator, generator.get_state()) for generator in found.values()]
        try:
            yield
        finally:
            for generator, state in states:
                generator.set_state(state)


def _in_range(column: torch.Tensor, stats: Any) -> tuple[torch.Tensor, str]:
    """Pictures with values from 0 to 1 (or integers), and what had to be done for that if it was a guess."""
    if not column.is_floating_point():
        return column, ""
    if stats is not None:
        mean, std = (torch.as_tensor(values, dtype=column.dtype, device=column.device) for values in stats)
        return column * std.view(-1, 1, 1) + mean.view(-1, 1, 1), ""
    low, high = column.min().item(), column.max().item()
    if 0 <= low and high <= 1:
        return column, ""
    if 0 <= low and 1.5 < high <= 255:
        return column / 255, ""
    return (column - low) / max(high - low, 1e-6), (
        f"Values from {low:.2g} to {high:.2g} were stretched to what a screen shows: "
        "with stats=(means, standard deviations) the true colours come back."
    )


def _innermost(dataset: Any) -> Any:
    """The data set inside `Subset`s."""
    while isinstance(dataset, torch.utils.data.Subset):
        dataset = dataset.dataset
    return dataset
