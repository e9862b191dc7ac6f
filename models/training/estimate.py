"""What a training will cost, measured on a few batches."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fastai.callback.core import Callback, CancelFitException, CancelTrainException, CancelValidException
from fastai.learner import Learner

from ..progress import Progress
from .fitting import fit, prepare
from .registry import borrowed
from .settings import TrainingSettings
from .source import adapted
from .state import quiet, restored
from .workers import own_workers


@dataclass(frozen=True)
class Estimate:
    """Seconds for an epoch with frozen layers, for one of the whole network (0 where there are none), and for all.

    `images_per_second` is the speed of training in the longest part; `measured` the batches timed in each.
    """

    frozen_epoch: float
    epoch: float
    total: float
    images_per_second: float
    measured: int


def estimate(
    learn: Learner, settings: TrainingSettings, *, batches: int = 5, progress: Progress | None = None
) -> Estimate:
    """Train and validate a few batches of each part, and reckon from them; the learner is as before afterwards.

    >>> estimate(learn, TrainingSettings(epochs=4)).total
    61.3

    The first batch of a part, which warms up, is timed only if there is no other. Cancelling the progress
    raises `Cancelled`; ValueError for settings that this learner cannot be trained with.
    """
    progress = progress or Progress()
    phases = settings.phases()
    seconds, speeds = [], []
    with borrowed(learn), restored(learn), quiet(learn), adapted(learn, settings), own_workers():
        train, valid = len(learn.dls.train), len(learn.dls.valid)
        for number, phase in enumerate(phases):
            sample = _Sample(batches, progress, number, len(phases))
            prepare(learn, phase)
            fit(learn, phase, weight_decay=settings.weight_decay, cbs=[sample, _OneEpoch()])
            seconds.append(sample.start + train * sample.seconds("train") + valid * sample.seconds("valid"))
            speeds.append(learn.dls.train.bs / sample.seconds("train"))
    total = sum(phase.epochs * one for phase, one in zip(phases, seconds, strict=True))
    each = {phase.frozen: one for phase, one in zip(phases, seconds, strict=True)}
    return Estimate(each.get(True, 0.0), each.get(False, 0.0), total, speeds[-1], min(batches, train))


class _Sample(Callback):
    """Times the first batches of an epoch and of its validation, and leaves out the rest."""

    order = 59  # a batch is over when the other callbacks are through with it

    def __init__(self, batches: int, progress: Progress, part: int, parts: int):
        self.wanted, self.watch, self.part, self.parts = batches, progress, part, parts
        self.times: dict[str, list[float]] = {"train": [], "valid": []}

    @property
    def start(self) -> float:
        """Seconds that an epoch takes to get going, beyond its batches: workers that start."""
        return max(0.0, self.times["train"][0] - self.seconds("train"))

    def seconds(self, split: str) -> float:
        """Seconds for a batch."""
        times = self.times[split][1:] or self.times[split]
        return sum(times) / len(times) if times else 0.0

    def before_train(self):
        self.since = time.perf_counter()

    before_validate = before_train

    def after_batch(self):
        times = self.times["train" if self.training else "valid"]
        times.append(time.perf_counter() - self.since)
        self.watch.report(self.part * 2 + (not self.training), 2 * self.parts, "Timing a few batches")
        if len(times) >= self.wanted:
            raise (CancelTrainException if self.training else CancelValidException)()
        self.since = time.perf_counter()


class _OneEpoch(Callback):
    """Ends the fit after its first epoch."""

    order = 60

    def after_epoch(self):
        raise CancelFitException()
