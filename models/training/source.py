"""A learner to train: one that is there, or one built for the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from fastai.callback.fp16 import MixedPrecision
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.torch_core import set_seed

from ..data.randomness import RandomState
from ..vision import transfer_learner
from .lr_finder import check_finite
from .schedule import check_batch_size, group_count
from .settings import TrainingSettings

DEFAULT_ARCH = "mobilenet_v2"
Source = Learner | DataLoaders | Callable[[TrainingSettings], Learner]


def check_source(source: object) -> None:
    """TypeError for what no learner can be had of."""
    if not isinstance(source, Learner | DataLoaders) and not callable(source):
        raise TypeError(
            "Training takes a fastai Learner, DataLoaders, or a function settings -> Learner, "
            f"not {type(source).__name__}."
        )


def build(source: Source, settings: TrainingSettings) -> Learner:
    """The learner of a source, the seed set before: ValueError if it cannot be trained.

    >>> learn = build(dls, TrainingSettings(arch="resnet18", seed=1))

    A Learner is taken as it is, its data loaders with the random generator that they have. DataLoaders get
    `models.vision.transfer_learner` and, with a seed, a generator from it, so that runs can be compared.
    """
    if settings.seed is not None:
        set_seed(settings.seed)
    if isinstance(source, Learner):
        learn = source
    elif isinstance(source, DataLoaders):
        if settings.seed is not None:
            for loader in source.loaders:
                loader.rng = Random(settings.seed)
        import torchvision.models

        arch = getattr(torchvision.models, settings.arch or DEFAULT_ARCH)
        learn = transfer_learner(source, arch, pretrained=settings.pretrained)
    else:
        learn = source(settings)
        if not isinstance(learn, Learner):
            raise ValueError(f"The function that builds the learner gave {type(learn).__name__}, no fastai Learner.")
    check_finite(learn)
    return learn


@contextmanager
def adapted(learn: Learner, settings: TrainingSettings) -> Iterator[list[str]]:
    """Inside, the learner has the batch size and the precision of the settings; gives sentences on what it has not.

    ValueError if it cannot be trained so.

    >>> with adapted(learn, settings) as remarks:
    ...     learn.fit(1)
    """
    remarks, added, dls = [], [], learn.dls
    if settings.batch_size and settings.batch_size != getattr(dls.train, "bs", None):
        learn.dls = _with_batch_size(dls, settings.batch_size)
    if settings.mixed_precision and not hasattr(learn, "mixed_precision"):
        if str(getattr(dls, "device", "cpu")).startswith("cuda"):
            added.append(MixedPrecision())
        else:
            remarks.append("Mixed precision needs a GPU of NVIDIA's or AMD's: this run goes without it.")
    try:
        if settings.frozen_epochs and group_count(learn) < 2:
            raise ValueError("This learner has one group of layers, so none can be frozen: set frozen epochs to 0.")
        if not len(learn.dls.train):
            raise ValueError("There is no batch to train on: fewer photos than the batch size, or none.")
        with learn.added_cbs(added):
            yield remarks
    finally:
        learn.dls = dls


def _with_batch_size(dls: DataLoaders, size: int) -> DataLoaders:
    """The same loaders with other batches; validation batches keep their ratio to those of the training."""
    check_batch_size(dls.train)
    sizes = [max(1, round(loader.bs * size / dls.train.bs)) for loader in dls.loaders]
    generators = RandomState.capture(dls)
    loaders = [loader.new(bs=bs) for loader, bs in zip(dls.loaders, sizes, strict=True)]
    new = type(dls)(*loaders, path=dls.path, device=getattr(dls, "device", None))
    generators.restore(new)  # making a loader draws a number
    return new
