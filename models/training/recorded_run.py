"""What a training tells of itself and leaves on disk, whatever it trains."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import faults
from .background_run import BackgroundRun
from .keeper import Keeper
from .recording import Clock, Losses, LossRecord
from .run_folder import RunFolder, StoredRun
from .summary import Summary


class RecordedRun(BackgroundRun):
    """A run with a history by epoch, losses by batch, progress, advice, and a folder of its own below `folder`.

    `settings` has `phases()` and `total_epochs`, as `TrainingSettings`. The work calls `_batch_trained`,
    `_epoch_trained` and `_save` as it goes.
    """

    baseline_name = "always the most frequent label"  # what gives the figures of `baseline`

    def __init__(self, settings: Any, *, folder: str | os.PathLike):
        super().__init__()
        self.settings, self.folder = settings, Path(folder)
        self.baseline: dict[str, float] = {}
        self._keeper: Keeper | None = None
        self._rows: list[dict] = []
        self._summary = Summary.of([], {}, epochs=0)
        self._remarks: list[str] = []
        self._losses = LossRecord(0)
        self._clock = Clock(settings)
        self._epoch_began = 0.0
        self._diverged = False

    @property
    def name(self) -> str | None:
        """The name of the run and of its folder; None before it is there."""
        return self._keeper and self._keeper.folder.path.name

    @property
    def history(self) -> pd.DataFrame:
        return self._summary.history.copy()

    @property
    def losses(self) -> Losses:
        return self._losses.losses()

    @property
    def progress(self) -> dict:
        """Where it is: epoch (from 1; 0 before the first) of epochs, frozen or not, split ("train", "valid"),
        batch of batches in it, iteration of iterations, and seconds_left (None while unknown)."""
        return self._clock.progress()

    @property
    def advice(self) -> list[str]:
        return [*self._remarks, *self._summary.advice]

    @property
    def best(self) -> int | None:
        """The best epoch by now, by the first metric."""
        return self._summary.best

    def _go_on_from(self, stored: StoredRun, files: RunFolder, *, epochs: int, iteration: int) -> None:
        """Begin with what an earlier run left behind, up to the checkpoint it goes on from."""
        self._rows = stored.history.to_dict("records")[:epochs]
        values = stored.losses.learning_rate, stored.losses.raw, stored.losses.smoothed
        self._losses.fill(np.column_stack(values)[:iteration])
        self._keeper = Keeper(files, losses=iteration)
        self._summarise()

    def _gone_on(self, epochs: int) -> None:
        """Put the files right for a run that goes on after its `epochs`-th epoch."""
        self._keeper.folder.cut_losses(self._losses.count)
        if self.best and self.best == epochs:  # it may have died just before
            self._keeper.folder.keep_best()
        self._write_state()

    def _best_checkpoint(self, load: Callable[[Path], Any]) -> Any:
        """What `load` reads of the best epoch. RuntimeError while it trains, or if that was not kept."""
        if self.state not in ("stopped", "finished", "failed"):
            raise RuntimeError("The weights of the best epoch can be had when the training has ended.")
        if self._keeper is None or not self._keeper.folder.best.is_file():
            raise RuntimeError("No epoch was finished and saved, so there is no best one.")
        checkpoint = load(self._keeper.folder.best)
        if checkpoint.epochs != self.best:  # the disk was full just then
            raise RuntimeError(f"Epoch {self.best}, the best, could not be saved.")
        return checkpoint

    def _epoch_begins(self, phase: int) -> None:
        self._epoch_began = time.perf_counter()
        self._clock.begin(phase, len(self._rows) + 1)

    def _batch_trained(self, learning_rate: float, loss: float, smoothed: float) -> None:
        self._losses.append(learning_rate, loss, smoothed)
        self._diverged = not math.isfinite(loss)

    def _epoch_trained(self, *, frozen: bool, values: dict[str, float]) -> None:
        seconds = round(time.perf_counter() - self._epoch_began, 3)
        self._rows.append({"epoch": len(self._rows) + 1, "frozen": frozen, **values, "seconds": seconds})
        self._summarise()

    def _may_go_on(self) -> bool:
        self._epoch_began += self._held_up()
        return super()._may_go_on() and not self._diverged

    def _summarise(self) -> None:
        self._summary = Summary.of(self._rows, self.baseline, epochs=self.settings.total_epochs)

    def _save(self, checkpoint: Any) -> None:
        best = checkpoint.epochs > 0 and self.best == checkpoint.epochs
        self.problem = self._keeper.save(checkpoint, self.history, self._losses, best=best)
        self._write_state()

    def _end(self, fault: dict | None) -> None:
        super()._end(fault)
        self._write_state()

    def _write_state(self) -> None:
        if self._keeper is None:  # it failed before it had a folder
            return
        values = {"state": self.state, "problem": self.problem, "advice": self.advice, "best_epoch": self.best}
        try:
            self._keeper.folder.write_state(values)
        except OSError as error:
            self.problem = self.problem or faults.unsaved(error, len(self._rows))
