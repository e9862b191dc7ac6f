"""What a DataBlock does to its items, step by step, and where it fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch

from ..progress import Cancelled, Progress
from .collate import CollateProblem, explain_collate_error
from .names import item_name, reason, short, without_paths
from .parts import Part, describe
from .randomness import own_randomness
from .samples import TRAINING

__all__ = ["CollateProblem", "Part", "Step", "explain_collate_error", "summarise"]


@dataclass(frozen=True)
class Step:
    """One step: the `stage` it belongs to, its `name` and `settings`, and the `parts` it leaves behind.

    `problem` says what went wrong, with the code to add in `remedy` where that is known; no step follows.
    """

    stage: str
    name: str
    settings: str = ""
    parts: tuple[Part, ...] = ()
    problem: str = ""
    remedy: str = ""


def summarise(
    dblock: Any, source: Any = None, *, bs: int = 4, look: int = 32, progress: Progress | None = None
) -> list[Step]:
    """Each step of a `DataBlock` with what it makes of the first sample and of one batch.

    >>> for step in summarise(dblock, path):
    ...     print(step.stage, step.name, step.problem or step.parts)

    Like fastai's `DataBlock.summary`, but returned instead of printed, and it goes on where that stops: a
    step that fails is the last, and its `problem` names the item and the reason. For `DataLoaders`, of
    fastai or torch, `source` is left out and the steps begin at their items. `bs` items make the batch;
    `look` more, spread over the training set, are checked for whether they would fit into one with
    these. Transforms are set up as for training; global random numbers stay as they were.
    """
    steps: list[Step] = []
    try:
        with own_randomness(0):
            if hasattr(dblock, "datasets") and hasattr(dblock, "get_items"):
                _block(dblock, source, steps, bs, look, progress)
            else:
                loader = getattr(dblock, "loaders", [dblock])[0]
                if hasattr(getattr(loader, "after_item", None), "fs"):
                    from .fastai_reader import FastaiReader

                    twin = FastaiReader(loader).twin(0)
                    if hasattr(twin.dataset, "tls"):
                        _samples(twin.dataset, steps)
                    _batch(twin, steps, bs, look, progress)
                else:
                    _plain_batch(loader, steps, bs, look, progress)
    except _Failed:
        pass  # the last step says why
    return steps


class _Failed(Exception):
    """The step that was noted last has failed."""


@contextmanager
def _attempt(steps: list[Step], stage: str, name: str, settings: str = "", *, item: str = "") -> Iterator[None]:
    """An error inside becomes the problem of a last step."""
    try:
        yield
    except (Cancelled, _Failed):
        raise
    except Exception as error:
        where = f" at {item}" if item else ""
        steps.append(Step(stage, name, settings, problem=f"This step failed{where}: {reason(error)}"))
        raise _Failed from error


def _fail(steps: list[Step], problem: str, remedy: str = "") -> None:
    """The last step is where it ends."""
    steps[-1] = replace(steps[-1], problem=problem, remedy=remedy)
    raise _Failed


def _block(dblock: Any, source: Any, steps: list[Step], bs: int, look: int, progress: Progress | None) -> None:
    from fastai.data.core import Datasets
    from fastai.data.transforms import RandomSplitter
    from fastai.torch_core import default_device

    _tell(progress, 0, "Collecting items")
    getter, splitter = dblock.get_items, dblock.splitter or RandomSplitter()
    name = _name(getter) if getter else "the source as it is"
    with _attempt(steps, "Items", name):
        items = getter(source) if getter else source
        count = len(items)
        first = f"the first: {short(_first(items))}" if count else ""
    steps.append(Step("Items", name, parts=(Part(type(items).__name__, (count,), first),)))
    if not count:
        _fail(steps, "The source holds no items.")
    with _attempt(steps, "Split", _name(splitter)):
        splits = splitter(items)
    sizes = (Part(split, (len(indices),)) for split, indices in zip(("train", "valid"), splits, strict=False))
    steps.append(Step("Split", _name(splitter), parts=tuple(sizes)))
    if not len(splits[0]):
        _fail(steps, "Nothing is left to train on.")
    chains = dblock._combine_type_tfms()
    try:
        made = Datasets(items, tfms=chains, splits=splits, dl_type=dblock.dl_type, n_inp=dblock.n_inp)
    except Exception as error:
        _search(chains, items, splits, dblock.n_inp, steps, error, progress)
        raise _Failed from error
    _samples(made.train, steps)
    options = {"after_item": dblock.item_tfms, "after_batch": dblock.batch_tfms, "device": default_device()}
    options |= {**dblock.dls_kwargs, "bs": min(bs, len(splits[0])), "num_workers": 0}
    try:
        loader = dblock.dl_type(made.train, **options)
    except Exception as error:
        # `Normalize()` measures a batch while it is set up: what stops that shows step by step.
        _batch(dblock.dl_type(made.train, do_setup=False, **options), steps, bs, look, progress)
        steps.append(Step("Batch transforms", "setting up", problem=f"This step failed: {reason(error)}"))
        raise _Failed from error
    _batch(loader, steps, bs, look, progress)


def _samples(dataset: Any, steps: list[Step]) -> None:
    """The first item through the chain of each part: getters, opening, encoding."""
    for place, chain in enumerate(dataset.tls):
        item = _first(chain.items)
        stage = _stage(place, len(dataset.tls), getattr(dataset, "n_inp", 1))
        steps.append(Step(stage, "the first item", parts=describe(item)))
        _through(chain.tfms, item, stage, steps, short(item))


def _through(pipeline: Any, value: Any, stage: str, steps: list[Step], item: str = "") -> Any:
    """A value through a fastai Pipeline, a step for each transform that does something."""
    for transform in pipeline.fs:
        name, settings = _transform(transform)
        with _attempt(steps, stage, name, settings, item=item):
            value = transform(value, split_idx=TRAINING)
        if name.endswith(".create"):  # it was inherited: what it makes says more than where it was written
            name = f"{type(value).__name__}.create"
        if name != "noop":
            steps.append(Step(stage, name, settings, describe(value)))
    return value


def _batch(loader: Any, steps: list[Step], bs: int, look: int, progress: Progress | None) -> None:
    """A fastai loader's transforms, on the first sample and on the first batch."""
    from fastai.torch_core import to_device

    loader.before_iter()  # tells the transforms that these are training items
    name = item_name(loader.dataset, 0)
    with _attempt(steps, "Item transforms", "the first sample", item=name):
        first = loader.dataset[0]
    steps.append(Step("Item transforms", "the first sample", parts=describe(first)))
    _through(loader.after_item, first, "Item transforms", steps, name)
    samples, names = _read(loader.dataset, loader.do_item, steps, bs, look, progress)
    together = samples[:bs]
    for transform in loader.before_batch.fs:
        with _attempt(steps, "Batch", *_transform(transform)):
            together, samples = transform(together), transform(samples)
        steps.append(Step("Batch", *_transform(transform), describe(together[0])))
    batch = _collate(lambda rows: loader.retain(loader.create_batch(rows), rows), together, samples, names, steps)
    _through(loader.after_batch, to_device(batch, loader.device), "Batch transforms", steps)


def _plain_batch(loader: Any, steps: list[Step], bs: int, look: int, progress: Progress | None) -> None:
    """A loader without transforms of its own, as torch has them."""
    dataset = loader.dataset
    if isinstance(dataset, torch.utils.data.IterableDataset):
        with _attempt(steps, "Items", type(dataset).__name__):
            samples = list(islice(dataset, bs + look))
        names = [f"item {number}" for number in range(len(samples))]
    else:
        samples, names = _read(dataset, dataset.__getitem__, steps, bs, look, progress)
    if not samples:
        steps.append(Step("Items", type(dataset).__name__, problem="The data set holds no items."))
        raise _Failed
    steps.append(Step("Items", type(dataset).__name__, parts=describe(samples[0])))
    collate = getattr(loader, "collate_fn", None) or loader.create_batch
    _collate(collate, samples[:bs], samples, names, steps)


def _read(
    dataset: Any, read: Callable[[int], Any], steps: list[Step], bs: int, look: int, progress: Progress | None
) -> tuple[list, list[str]]:
    """The first `bs` items and `look` more, and their names."""
    count, samples, names = len(dataset), [], []
    picked = list(range(min(bs, count)))
    picked += [index for index in _spread(count, look) if index >= bs]
    for number, index in enumerate(picked):
        _tell(progress, number, "Reading items", len(picked))
        name = item_name(dataset, index)
        with _attempt(steps, "Item transforms", "all of them", item=name):
            sample = read(index)
        if sample is not None:  # None: fastai's SkipItemException
            samples.append(sample)
            names.append(name)
    return samples, names


def _collate(collate: Callable, together: list, samples: list, names: Sequence[str], steps: list[Step]) -> Any:
    """The batch of the samples that go `together`; all others only have to fit to them."""
    problem = explain_collate_error(together, names=names)
    try:
        batch = collate(together)
    except Exception as error:
        steps.append(Step("Batch", "collate"))
        if problem is not None:
            _fail(steps, problem.sentence, problem.remedy)
        _fail(steps, f"The items do not make a batch: {reason(error)}")
    steps.append(Step("Batch", "collate", parts=describe(batch)))
    if problem is None and (later := explain_collate_error(samples, names=names)) is not None:
        fit = f"These {len(together)} items make a batch, but others would not fit to them."
        _fail(steps, f"{fit} {later.sentence}", later.remedy)
    return batch


def _search(chains, items, splits, n_inp: int, steps: list[Step], error: Exception, progress: Progress | None) -> None:
    """Which item and which step stopped the set-up: every training item through every chain until one fails."""
    from fastai.data.core import TfmdLists
    from fasttransform import mk_transform

    for place, chain in enumerate(chains):
        stage = _stage(place, len(chains), n_inp)
        functions = [mk_transform(function) for function in chain]
        # What has a set-up must know all items first, and so must what follows it.
        first_set_up = next((n for n, function in enumerate(functions) if hasattr(function, "setups")), len(functions))
        for number, index in enumerate(splits[0]):
            _tell(progress, number, "Looking for the item that fails", len(splits[0]))
            value = item = items.iloc[index] if hasattr(items, "iloc") else items[index]
            for function in functions[:first_set_up]:
                with _attempt(steps, stage, *_transform(function), item=short(item)):
                    value = function(value)
        if first_set_up < len(functions):
            with _attempt(steps, stage, *_transform(functions[first_set_up])):
                TfmdLists(items, chain, splits=splits)
    steps.append(Step("Set-up", "the transforms", problem=f"They cannot be set up: {reason(error)}"))


def _stage(place: int, parts: int, n_inp: int) -> str:
    noun, number, of = ("Input", place, n_inp) if place < n_inp else ("Target", place - n_inp, parts - n_inp)
    return f"{noun} {number + 1}" if of > 1 else noun


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__name__
    name = name.removesuffix(".<locals>._inner")
    return "a lambda" if "<lambda>" in name else name.split("<locals>.")[-1]


def _transform(transform: Any) -> tuple[str, str]:
    """Name and settings: fastai puts both into `name`."""
    name, _, settings = str(transform.name).partition(" -- ")
    settings = re.sub(r"'(\w+)': ", r"\1=", without_paths(settings.strip().strip("{}")))
    return ("a lambda" if "<lambda>" in name else name.strip()), settings


def _first(items: Any) -> Any:
    return items.iloc[0] if hasattr(items, "iloc") else items[0]


def _spread(count: int, look: int) -> list[int]:
    return sorted({round(step * (count - 1) / max(1, look - 1)) for step in range(look)}) if count else []


def _tell(progress: Progress | None, done: int, text: str, total: int | None = None) -> None:
    if progress is not None:
        progress.report(done, total, text)
