"""Single batches out of a fastai DataLoader, which is as it was afterwards."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from itertools import islice
from typing import Any

from fasttransform import Pipeline
from PIL import Image

from ..progress import Progress
from .randomness import own_randomness, reseed
from .samples import TRAINING, Samples, check_pictures, columns, explain, nth


class FastaiReader:
    """Reads a fastai `DataLoader` through a twin with transforms of its own.

    A transform keeps what it drew last, so that even looking at a batch would change the loader's.
    """

    def __init__(self, loader: Any):
        self.loader = loader
        self.dataset = loader.dataset
        self.vocab = None  # decoding gives the names

    def read(self, number: int, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """The first `count` samples of batch `number` in the order that `seed` gives."""
        with own_randomness(seed):
            twin = self.twin(seed)
            if not twin.indexed or twin.prebatched:
                return self._decode(twin, nth(iter(twin), number), count, [])
            start = number * twin.bs
            chunk = list(islice(twin.get_idxs(), start, start + min(count, twin.bs)))
            reseed(seed + 1 + number)
            return self._make(twin, chunk, progress)

    def variants(self, dataset: Any, item: int, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """`dataset[item]` `count` times, transformed as for training."""
        return self._repeat(_Repeated(dataset, item), count, seed, progress)

    def variants_of(self, image: Image.Image, count: int, *, seed: int, progress: Progress | None = None) -> Samples:
        """A picture from elsewhere `count` times, transformed as for training."""
        with own_randomness(seed):
            first = self.dataset[0]
        kind = type(first[0] if isinstance(first, tuple) else first)
        if not issubclass(kind, Image.Image) or not hasattr(kind, "create"):
            raise ValueError("This data set does not open photos itself, so another photo cannot take their place.")
        made = image.convert(getattr(kind, "_open_args", {}).get("mode", "RGB"))
        return self._repeat(_Photo(lambda: kind.create(made.copy())), count, seed, progress)

    def _repeat(self, dataset: Any, count: int, seed: int, progress: Progress | None) -> Samples:
        with own_randomness(seed):
            twin = self.twin(seed)
            twin.dataset, twin.n = dataset, count
            if isinstance(dataset, _Photo):
                # No target comes with it: what was known of the samples' types holds no more, and what
                # works on the samples of a batch together (padding of boxes) has nothing to work on.
                for known in ("_types", "_n_inp"):
                    twin.__dict__.pop(known, None)
                twin.before_batch = Pipeline()
            return self._make(twin, [0] * count, progress)

    def twin(self, seed: int) -> Any:
        twin = copy.copy(self.loader)
        twin.rng = random.Random(seed)
        for name in ("after_item", "before_batch", "after_batch"):
            if isinstance(getattr(twin, name), Pipeline):
                setattr(twin, name, copy.deepcopy(getattr(twin, name)))
        engine = twin.fake_l = copy.copy(self.loader.fake_l)
        engine.d, engine.dataset, engine.num_workers = twin, engine, 0
        engine.pin_memory, engine.persistent_workers, engine.timeout = False, False, 0
        return twin

    def _make(self, twin: Any, chunk: list[int], progress: Progress | None) -> Samples:
        """The samples of these indices, by the loader's own iteration."""
        if not chunk:
            return Samples([], [])
        kind, made, items = type(twin), [], []

        def do_item(index):
            if progress is not None:
                progress.report(len(made), len(chunk), "Loading pictures")
            sample = kind.do_item(twin, index)
            if sample is not None:  # None: the data set has skipped it
                made.append(sample)
                items.append(index)
            return sample

        twin.do_item, twin.get_idxs = do_item, lambda: chunk
        twin.bs, twin.drop_last = len(chunk), False
        try:
            batch = next(iter(twin), None)
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            if len(made) == len(chunk) and (problem := explain(made, self.dataset, items)):
                raise ValueError(problem) from error
            raise
        del twin.do_item  # decoding may ask for an item to learn its types
        return self._decode(twin, batch, len(items), items)

    def _decode(self, twin: Any, batch: Any, count: int, items: list[int]) -> Samples:
        if batch is None:
            return Samples([], [])
        check_pictures(batch)
        if hasattr(twin, "show_batch"):
            decoded, _, rows = twin.show_batch(batch, max_n=count, show=False)
            rows = [(sample,) for sample in decoded] if rows is None else [tuple(row) for row in rows]
        else:
            rows = list(islice(zip(*columns(batch), strict=True), count))
        return Samples(rows, items or [None] * len(rows))


class _Repeated:
    """One item of a fastai data set over and over, as a training set: its random transforms apply."""

    split_idx = TRAINING

    def __init__(self, dataset: Any, item: int):
        self._dataset, self._item = dataset, item

    def __getitem__(self, _: int) -> Any:
        return self._dataset[self._item]

    def __getattr__(self, name: str) -> Any:  # decode, n_inp, vocab …
        return getattr(self._dataset, name)


class _Photo:
    """A picture without a target, over and over."""

    split_idx, n_inp = TRAINING, 1

    def __init__(self, make: Callable[[], Image.Image]):
        self._make = make

    def __getitem__(self, _: int) -> tuple[Image.Image]:
        return (self._make(),)
