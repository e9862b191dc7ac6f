"""Learning rate and momentum of every batch, before any is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fastai.callback.schedule import combined_cos
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastcore.foundation import L

from .settings import Phase, TrainingSettings

DIVISION_AT_END = 1e5  # fit_one_cycle's and fit_flat_cos's div_final
FLAT = 0.75  # fit_flat_cos's pct_start
Momenta = tuple[float, float, float]
MOMENTA: Momenta = (0.95, 0.85, 0.95)  # what a Learner gives to fit_one_cycle unless it is told otherwise


@dataclass(frozen=True)
class Schedule:
    """Arrays (n,), a value for each batch: rate of the last layers (the highest), of the first, and momentum.

    `epochs` (total + 1,) are the batches at which an epoch begins, with the end; `frozen` how many epochs of
    them train the last layers only. While these are frozen, `first_rate` is that of what stays free in the
    first group: its batch norms. `momentum` is NaN where the optimizer's own is left alone.
    """

    rate: np.ndarray
    first_rate: np.ndarray
    momentum: np.ndarray
    epochs: np.ndarray
    frozen: int


def schedule(settings: TrainingSettings, batches: int, *, groups: int = 2, momenta: Momenta = MOMENTA) -> Schedule:
    """The schedule of a training with `batches` batches an epoch, by fastai's own functions.

    >>> plan = schedule(TrainingSettings(epochs=2), batches=20)
    >>> plan.rate.shape, plan.epochs
    ((60,), array([ 0, 20, 40, 60]))

    ValueError unless there is a batch.
    """
    if batches < 1:
        raise ValueError("There is no batch to train on: fewer photos than the batch size, or none.")
    parts = [_phase(phase, batches, groups, momenta) for phase in settings.phases()]
    rate, first, momentum = (np.concatenate(values) for values in zip(*parts, strict=True))
    epochs = np.arange(settings.total_epochs + 1) * batches
    return Schedule(rate, first, momentum, epochs, settings.frozen_epochs)


def preview(source: Learner | DataLoaders, settings: TrainingSettings) -> Schedule:
    """The schedule that training this learner, or one built from these DataLoaders, so will follow.

    >>> preview(learn, TrainingSettings(epochs=4)).rate.max()
    0.002
    """
    loader = (source.dls if isinstance(source, Learner) else source).train
    batches = len(loader)
    if settings.batch_size and settings.batch_size != getattr(loader, "bs", None):
        check_batch_size(loader)
        batches = loader.n // settings.batch_size if loader.drop_last else -(-loader.n // settings.batch_size)
    if isinstance(source, DataLoaders):
        return schedule(settings, batches)
    return schedule(settings, batches, groups=group_count(source), momenta=source.moms)


def check_batch_size(loader: object) -> None:
    """ValueError for a loader that no other can be made of with batches of another size: PyTorch's own."""
    if not hasattr(loader, "new"):
        raise ValueError(f"The batch size of these data ({type(loader).__name__}) cannot be changed: leave it empty.")


def group_count(learn: Learner) -> int:
    """How many groups of layers the learner's splitter makes, each with a learning rate of its own."""
    groups = L(learn.splitter(learn.model))
    return len(groups) if groups and isinstance(groups[0], L | list) else 1


def _phase(phase: Phase, batches: int, groups: int, momenta: Momenta) -> tuple[np.ndarray, ...]:
    first, last = phase.rates
    first = last / 10 if first is None else first
    rates = np.array([first if groups > 1 else last, last])
    # As TrainEvalCallback counts: from each epoch's beginning on, in steps of one batch.
    places = (np.arange(phase.epochs)[:, None] / phase.epochs + _steps(batches, phase.epochs)).ravel()
    if phase.schedule == "fixed":
        curve, momentum = np.tile(rates, (len(places), 1)), np.full(len(places), np.nan)
    elif phase.schedule == "flat_cosine":
        cosine = combined_cos(FLAT, rates, rates, rates / DIVISION_AT_END)
        curve, momentum = np.stack([cosine(place) for place in places]), np.full(len(places), np.nan)
    else:
        cosine = combined_cos(phase.warmup, rates / phase.division, rates, rates / DIVISION_AT_END)
        pace = combined_cos(phase.warmup, *momenta)
        curve, momentum = np.stack([cosine(place) for place in places]), np.array([pace(place) for place in places])
    return curve[:, 1], curve[:, 0], momentum


def _steps(batches: int, epochs: int) -> np.ndarray:
    return np.arange(batches) / (batches * epochs)
