"""One phase of a training, by fastai's own methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastai.callback.core import Callback, CancelEpochException
from fastai.learner import Learner

from .settings import Phase


def prepare(learn: Learner, phase: Phase) -> None:
    """Freeze or unfreeze the layers for a phase, as `fine_tune` does; the optimizer begins anew."""
    if phase.frozen:
        learn.freeze()
    else:
        learn.unfreeze()


def fit(
    learn: Learner, phase: Phase, *, weight_decay: float | None, cbs: Sequence[Callback], first_epoch: int = 0
) -> None:
    """Train a prepared phase, from an epoch of it on.

    >>> prepare(learn, phase)
    >>> fit(learn, phase, weight_decay=None, cbs=[])
    """
    first, last = phase.rates
    rate = last if first == last else slice(first, last)
    options = {"wd": weight_decay, "cbs": cbs}
    with _from_epoch(learn, first_epoch):
        if phase.schedule == "one_cycle":
            learn.fit_one_cycle(phase.epochs, rate, pct_start=phase.warmup, div=phase.division, **options)
        elif phase.schedule == "flat_cosine":
            learn.fit_flat_cos(phase.epochs, rate, **options)
        else:
            learn.fit(phase.epochs, rate, **options)


@contextmanager
def _from_epoch(learn: Learner, first: int) -> Iterator[None]:
    """Leave out the epochs before `first`, with the schedule as if they had been.

    fastai's own `start_epoch` calls the callbacks for epochs that it skips, which finds empty records, and
    `fit_flat_cos` does not pass it on.
    """
    if not first:
        yield
        return

    def epochs() -> None:
        for epoch in range(first, learn.n_epoch):
            learn.epoch = epoch
            learn._with_events(learn._do_epoch, "epoch", CancelEpochException)

    learn._do_fit = epochs
    try:
        yield
    finally:
        del learn._do_fit
