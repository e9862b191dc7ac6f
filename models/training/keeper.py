"""Saves a run epoch by epoch, and loses nothing where the disk fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import pandas as pd

from . import faults
from .recording import LossRecord
from .run_folder import RunFolder


class Saveable(Protocol):
    """A checkpoint of any kind of training, `epochs` being how many are done."""

    epochs: int

    def save(self, path: Path) -> None: ...


Saved = TypeVar("Saved", bound=Saveable)


class Keeper:
    """Writes a run's files at the end of an epoch; what could not be written stays in memory.

    >>> keeper = Keeper(RunFolder.new(Path("runs")))
    >>> keeper.save(Checkpoint.capture(learn, ...), history, losses, best=True)  # None, or the problem

    `last(load)` is the newest checkpoint, wherever it is; `load` reads one from a file.
    """

    def __init__(self, folder: RunFolder, *, losses: int = 0):
        self.folder = folder
        self._losses = losses  # how many are on the disk
        self._unsaved: Saveable | None = None

    def save(self, checkpoint: Saveable, history: pd.DataFrame, losses: LossRecord, *, best: bool) -> dict | None:
        count = losses.count
        try:
            self.folder.write_history(history)
            self.folder.append_losses(losses.rows(self._losses))
            checkpoint.save(self.folder.last)
            if best:
                self.folder.keep_best()
        except OSError as error:
            self._unsaved = checkpoint
            return faults.unsaved(error, checkpoint.epochs)
        self._losses, self._unsaved = count, None
        return None

    def last(self, load: Callable[[Path], Saved]) -> Saved:
        return self._unsaved or load(self.folder.last)
