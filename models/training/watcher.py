"""The callback by which a training run sees every batch and can be paused or stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastai.callback.core import Callback, CancelFitException

if TYPE_CHECKING:
    from .run import TrainingRun


class Watcher(Callback):
    """Tells the run of each batch and epoch. A pause or stop takes hold after a batch, when nothing is half done."""

    # After the recorder (50), before early stopping and its like (60 and above), which may end the fit.
    order, remove_on_fetch = 55, True

    def __init__(self, run: TrainingRun):
        self.watched = run

    def before_fit(self):
        self.watched._fit_begins(self.learn)

    def before_epoch(self):
        self.watched._epoch_begins(self.watched._phase[0])

    def before_train(self):
        self._begin("train")

    def before_validate(self):
        self._begin("valid")

    def after_batch(self):
        self.watched._batch_done(self.learn, self.split, time.perf_counter() - self.since)
        if not self.watched._may_go_on():
            raise CancelFitException()
        self.since = time.perf_counter()

    def after_epoch(self):
        self.watched._epoch_done(self.learn)

    def _begin(self, split: str) -> None:
        self.split, self.since = split, time.perf_counter()
