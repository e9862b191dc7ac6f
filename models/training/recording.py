"""What a training leaves behind as it goes: a row for each batch, a row for each epoch, and its pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .settings import TrainingSettings

COLUMNS = ("iteration", "learning_rate", "raw", "smoothed")


@dataclass(frozen=True)
class Losses:
    """Arrays (n,), a value for each batch that was trained: its number, its learning rate, the training loss as
    it was, and smoothed as fastai does (an exponential mean over about 50 batches)."""

    iteration: np.ndarray
    learning_rate: np.ndarray
    raw: np.ndarray
    smoothed: np.ndarray


class LossRecord:
    """Losses that one thread appends while others read.

    >>> record = LossRecord(1000)
    >>> record.append(2e-3, 0.7, 0.7)
    >>> record.losses().raw
    array([0.7])
    """

    def __init__(self, size: int):
        self._values = np.empty((size, 3))
        self.count = 0

    def append(self, learning_rate: float, raw: float, smoothed: float) -> None:
        if self.count == len(self._values):
            self._values = np.vstack([self._values, np.empty((self.count + 1, 3))])
        self._values[self.count] = learning_rate, raw, smoothed
        self.count += 1  # last, so that nobody reads a row that is not there yet

    def fill(self, values: np.ndarray) -> None:
        """Begin with rows (n, 3) of an earlier part of the run."""
        self._values = np.vstack([values, self._values])
        self.count = len(values)

    def cut(self, count: int) -> None:
        """Forget all but the first `count`."""
        self.count = min(self.count, count)

    def rows(self, start: int = 0) -> np.ndarray:
        """(n, 4), as COLUMNS names them."""
        end = self.count
        return np.column_stack([np.arange(start, end), self._values[start:end]])

    def losses(self) -> Losses:
        """As they are now, without copying: what is there never changes."""
        end, values = self.count, self._values
        return Losses(np.arange(end), *values[:end].T)


class Clock:
    """Where a training is, how long a batch takes, and from both what is left.

    >>> clock = Clock(settings, {"train": 20, "valid": 5})
    >>> clock.begin(phase=0, epoch=1)
    >>> clock.note("train", batch=1, seconds=0.5)
    >>> clock.progress()["seconds_left"]
    39.5
    """

    def __init__(self, settings: TrainingSettings, batches: dict[str, int] | None = None):
        self._phases = settings.phases()
        self._batches = batches or {"train": 0, "valid": 0}
        self._measured: dict[tuple[int, str], tuple[int, float]] = {}
        self._place = (0, 0, "train", 0)  # phase, epoch of the run from 1, split, batches done of it

    def begin(self, phase: int, epoch: int) -> None:
        self._place = (phase, epoch, "train", 0)

    def note(self, split: str, batch: int, seconds: float) -> None:
        """A batch is done, the `batch`-th of its split."""
        phase, epoch, *_ = self._place
        count, spent = self._measured.get((phase, split), (0, 0.0))
        self._measured[phase, split] = count + 1, spent + seconds
        self._place = (phase, epoch, split, batch)

    def progress(self) -> dict:
        phase, epoch, split, batch = self._place
        epochs, train = sum(one.epochs for one in self._phases), self._batches["train"]
        trained = batch if split == "train" else train
        return {
            "epoch": epoch,
            "epochs": epochs,
            "frozen": self._phases[phase].frozen,
            "split": split,
            "batch": batch,
            "batches": self._batches[split],
            "iteration": max(0, epoch - 1) * train + (trained if epoch else 0),
            "iterations": epochs * train,
            "seconds_left": self._left(phase, epoch, split, batch),
        }

    def _left(self, phase: int, epoch: int, split: str, batch: int) -> float | None:
        """Seconds; None as long as nothing is measured."""
        measured = dict(self._measured)
        if not measured or not epoch:
            return None
        left, first = 0.0, 1
        for number, one in enumerate(self._phases):
            # This epoch counts as one still to be trained, less what is done of it.
            epochs = max(0, first + one.epochs - max(epoch, first))
            first += one.epochs
            train, valid = (_seconds(measured, number, kind) for kind in ("train", "valid"))
            valid = train / 2 if valid is None else valid  # about: there is no way back through the network
            left += epochs * (self._batches["train"] * train + self._batches["valid"] * valid)
            if number == phase:
                left -= batch * train if split == "train" else self._batches["train"] * train + batch * valid
        return max(0.0, left)


def _seconds(measured: dict[tuple[int, str], tuple[int, float]], phase: int, split: str) -> float | None:
    """Seconds for a batch: as measured in this phase, or else in the one nearest to it."""
    known = [number for number, kind in measured if kind == split]
    if not known:
        return None
    count, spent = measured[min(known, key=lambda number: abs(number - phase)), split]
    return spent / count
