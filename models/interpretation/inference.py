"""One look of a fastai Learner at each of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from os.path import abspath, isfile
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastai.callback.core import Callback
from fastai.callback.progress import ProgressCallback
from fastai.data.core import Datasets, TfmdDL, TfmdLists
from fastai.learner import Learner
from fastai.torch_core import get_random_states, set_random_states
from fastcore.foundation import L
from PIL import Image

from ..progress import Progress
from ..training.workers import own_workers

SPLITS = ("train", "valid")  # as a Learner's DataLoaders hold them


@dataclass
class Part:
    """What a Learner says of one split: `targets` (n,) as positions in `labels`, `probabilities`
    (n, labels) and `losses` (n,), each in the order of `items`."""

    split: str
    labels: list
    items: list[Any]
    targets: np.ndarray
    probabilities: np.ndarray
    losses: np.ndarray


def infer(learn: Learner, splits: Sequence[str], progress: Progress) -> Iterator[Part]:
    """A `Part` for each of the splits.

    >>> [part] = infer(learn, ["valid"], Progress())
    >>> part.probabilities.argmax(1) == part.targets

    Raises ValueError where the Learner does not choose one label for each item.
    """
    labels, datasets = _labels(learn), {split: _as_validation(learn, split) for split in splits}
    if not datasets:
        raise ValueError("Say which split to look at: 'train', 'valid' or both.")
    items = {split: _items(dataset, split) for split, dataset in datasets.items()}
    _refuse_repeated(items)
    total, done = sum(map(len, items.values())), 0
    for split, dataset in datasets.items():
        if not items[split]:
            empty = np.zeros((0, len(labels)), np.float32)
            yield Part(split, labels, [], np.zeros(0, np.int64), empty, np.zeros(0))
            continue
        watch = _Watch(len(labels), progress, done, total)
        with _undisturbed(learn), own_workers():
            loader = learn.dls.valid.new(dataset, shuffle=False, drop_last=False)
            outputs, targets, losses = learn.get_preds(dl=loader, with_loss=True, cbs=watch)
        yield Part(split, labels, items[split], targets.numpy(), _probabilities(outputs, split), losses.numpy())
        done += len(items[split])


class _Watch(Callback):
    """Tells how far it is, stops when nobody waits, and refuses what is not one label for each item."""

    def __init__(self, labels: int, progress: Progress, done: int, total: int):
        self.labels, self.progress, self.done, self.total = labels, progress, done, total

    def before_validate(self):
        self.progress.report(self.done, self.total, "Looking at the items")

    def after_pred(self):
        one = len(self.yb) == 1 and self.y.ndim == 1 and not torch.is_floating_point(self.y)
        if not one or not isinstance(self.pred, torch.Tensor) or self.pred.shape != (len(self.y), self.labels):
            raise ValueError("This Learner does not choose one label for each item, which a predictions table needs.")

    def after_batch(self):
        self.done += len(self.y)
        self.progress.report(self.done, self.total, "Looking at the items")


@contextmanager
def _undisturbed(learn: Learner) -> Iterator[None]:
    """Leaves all as it was: `get_preds` begins and ends a fit, which empties the Recorder, among others."""
    callbacks = list(learn.cbs)
    states = [(thing, dict(vars(thing))) for thing in (learn, *callbacks)]
    modes = [(module, module.training) for module in learn.model.modules()]
    random = get_random_states()
    try:
        with learn.removed_cbs([callback for callback in callbacks if isinstance(callback, ProgressCallback)]):
            yield
    finally:
        set_random_states(**random)
        for module, training in modes:
            module.training = training
        for thing, state in states:
            vars(thing).clear()
            vars(thing).update(state)
        learn.cbs[:] = callbacks


def _labels(learn: Learner) -> list:
    vocab = getattr(learn.dls, "vocab", None)
    if vocab is not None and len(vocab) and not isinstance(vocab[-1], str) and hasattr(vocab[-1], "__len__"):
        vocab = vocab[-1]  # of the words of a text, then of the labels
    if vocab is None or not len(vocab):
        raise ValueError("This Learner knows no labels (its DataLoaders have no vocab).")
    return list(vocab)


def _as_validation(learn: Learner, split: str) -> Any:
    """A split's data with the transforms of validation, whichever split it is."""
    if split not in SPLITS:
        raise ValueError(f"A split of a Learner is 'train' or 'valid', not {split!r}.")
    if len(learn.dls.loaders) <= SPLITS.index(split) or not isinstance(learn.dls.valid, TfmdDL):
        raise ValueError(f"This Learner has no fastai DataLoader for the split {split!r}; see predictions_table.")
    dataset = learn.dls[SPLITS.index(split)].dataset
    # New lists around the same items: a Learner that is in use keeps its own.
    if isinstance(dataset, Datasets):
        return type(dataset)(tls=L(tl._new(tl.items, split_idx=1) for tl in dataset.tls), n_inp=dataset.n_inp)
    if isinstance(dataset, TfmdLists):
        return dataset._new(dataset.items, split_idx=1)
    return dataset


def _items(dataset: Any, split: str) -> list[Any]:
    """For each item its absolute path, picture or text, else a name by its place."""
    raw = getattr(dataset, "items", getattr(dataset, "samples", None))  # torchvision's folders have samples
    if raw is None or len(raw) != len(dataset):
        raw = [None] * len(dataset)
    elif isinstance(raw, pd.DataFrame):
        raw = (row for _, row in raw.iterrows())
    inputs = dataset.tls[0] if isinstance(dataset, Datasets) else dataset
    steps = inputs.tfms.fs if isinstance(inputs, TfmdLists) else [lambda pair: pair[0]]
    return [_shown(item, steps, f"{split} item {place}") for place, item in enumerate(raw, 1)]


def _shown(item: Any, steps: Sequence, name: str) -> Any:
    """What stands for an item: the first of it and what the steps make of it that can be shown."""
    if item is None:
        return name
    for step in (None, *steps):
        item = item if step is None else step(item)
        if isinstance(item, PathLike) or (isinstance(item, str) and isfile(item)):
            return abspath(item)
        if isinstance(item, str | Image.Image):
            return item
        if isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.ndim in (2, 3):
            return item
    return name


def _refuse_repeated(items: dict[str, list]) -> None:
    """Before the work rather than after it."""
    seen: dict[str, str] = {}
    for split, values in items.items():
        for item in values:
            if not isinstance(item, str):
                continue
            if item in seen and seen[item] == split:
                raise ValueError(f"{item!r} stands more than once in {split}: one row for each item.")
            if item in seen:
                raise ValueError(f"{item!r} is in {seen[item]} and in {split}: look at one of them (splits=...).")
            seen[item] = split


def _probabilities(outputs: torch.Tensor, split: str) -> np.ndarray:
    """What the loss function's activation made; logits, where it has none, by softmax."""
    outputs = outputs.float()
    sound = torch.isfinite(outputs).all(1)
    if not sound.all():
        count = int((~sound).sum())
        raise ValueError(
            f"The model answers NaN for {count:,} of {len(sound):,} items in {split}: its weights or the data "
            "are not finite, as after training with too high a learning rate."
        )
    shares = (outputs >= 0).all() and torch.isclose(outputs.sum(1), torch.ones(()), atol=0.01).all()
    return (outputs if shares else outputs.softmax(1)).numpy()
