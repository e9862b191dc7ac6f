"""A training run on disk: plain files that anything can read, and a table of all runs."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .files import read_json, write_json, write_whole
from .metrics import best_epoch
from .recording import COLUMNS, Losses
from .settings import TrainingSettings

if TYPE_CHECKING:
    from ..collab.settings import CollabSettings

    Settings = TrainingSettings | CollabSettings

# Numbers are read as they were written, bit for bit; from pandas 3.1 on they are anyway, and it warns who asks for it.
EXACT = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
UNFINISHED = ("running", "paused", "stopping")  # what the file of a run whose process died says for ever


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder tells it: settings, what is known about it, state, history and losses."""

    name: str
    settings: Settings
    about: dict
    state: str
    problem: dict | None
    advice: list[str]
    history: pd.DataFrame
    losses: Losses


class RunFolder:
    """The files of one run: settings.json, state.json, history.csv, losses.csv, last and best .safetensors.

    >>> folder = RunFolder.new(Path("runs"))
    >>> with folder.held():
    ...     folder.write_state({"state": "running"})

    While a process holds it, no other can train there, and `state` tells a run that goes on from one whose
    process died: the system lets go of the lock with the process, however it ends.
    """

    def __init__(self, path: Path):
        self.path = path
        self.last, self.best = path / "last.safetensors", path / "best.safetensors"

    @classmethod
    def new(cls, parent: Path) -> RunFolder:
        """A new folder below `parent`, named by the time."""
        name = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            path = parent / (name if number == 1 else f"{name} ({number})")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return cls(path)
        raise RuntimeError("A thousand runs in one second: something starts them by itself.")

    @contextmanager
    def held(self) -> Iterator[None]:
        """RuntimeError if another run, of this process or any, is training in this folder."""
        with open(self.path / "lock", "w") as file:
            if not _lock(file):
                raise RuntimeError("This run is being trained already, by this kernel or another one.")
            yield

    def is_held(self) -> bool:
        try:
            with open(self.path / "lock", "r+") as file:
                return not _lock(file)
        except FileNotFoundError:
            return False

    def write_settings(self, settings: Settings, about: dict) -> None:
        write_json(self.path / "settings.json", {"settings": settings.to_dict(), "about": about})

    def write_state(self, values: dict) -> None:
        write_json(self.path / "state.json", values)

    def write_history(self, history: pd.DataFrame) -> None:
        write_whole(self.path / "history.csv", lambda part: history.to_csv(part, index=False))

    def keep_best(self) -> None:
        """The last checkpoint is the best one too: the same file under two names, until the next replaces the last."""
        part = self.best.with_name(f".{self.best.name}.part")
        part.unlink(missing_ok=True)
        try:
            os.link(self.last, part)
        except OSError:  # a file system without such links
            write_whole(self.best, lambda new: shutil.copyfile(self.last, new))
        else:
            os.replace(part, self.best)

    def append_losses(self, rows: np.ndarray) -> None:
        """Add rows (n, 4) of COLUMNS; a file that is not there yet gets its head."""
        path = self.path / "losses.csv"
        with open(path, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if not file.tell():
                writer.writerow(COLUMNS)
            writer.writerows([int(row[0]), *row[1:].tolist()] for row in rows)

    def cut_losses(self, count: int) -> None:
        """Forget the batches after the first `count`: those of an epoch that is trained anew."""
        rows = self._losses()[:count]
        write_whole(self.path / "losses.csv", lambda part: part.write_text(",".join(COLUMNS) + "\n"))
        self.append_losses(rows)

    def read(self) -> StoredRun:
        """ValueError if this is no folder of a run, or a damaged one."""
        try:
            stored = read_json(self.path / "settings.json")
            state = read_json(self.path / "state.json")
            settings, name = _settings(stored["settings"]), state["state"]
            history = _read_table(self.path / "history.csv")
            rows = self._losses()
        except FileNotFoundError as error:
            raise ValueError(
                f"{self.path.name} holds no training run: {Path(error.filename).name} is missing."
            ) from error
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError, pd.errors.ParserError) as error:
            raise ValueError(f"The files of the run {self.path.name} are damaged.") from error
        if name in UNFINISHED and not self.is_held():
            name = "interrupted"
        losses = Losses(rows[:, 0].astype(int), *rows[:, 1:].T)
        about, fault, advice = stored["about"], state.get("problem"), state.get("advice", [])
        return StoredRun(self.path.name, settings, about, name, fault, advice, history, losses)

    def _losses(self) -> np.ndarray:
        table = _read_table(self.path / "losses.csv", COLUMNS)
        # Where the disk was full, a row may be cut off, and written again later.
        table = table[list(COLUMNS)].dropna().drop_duplicates("iteration", keep="last")
        return table.to_numpy(float).reshape(-1, len(COLUMNS))


def load_run(folder: str | os.PathLike) -> StoredRun:
    """One run's settings, state and curves.

    >>> load_run("runs/2026-11-21 09.30.12").history["valid_loss"].min()
    0.21

    ValueError if the folder holds no run, or a damaged one.
    """
    return RunFolder(Path(folder)).read()


def unfinished(folder: Path, kind: type) -> tuple[StoredRun, RunFolder]:
    """A run with settings of this kind that can go on from its last checkpoint; ValueError for any other."""
    stored, files = load_run(folder), RunFolder(folder)
    if not isinstance(stored.settings, kind):
        raise ValueError(f"The run {stored.name} is a training of another kind.")
    if stored.state not in ("interrupted", "stopped", "failed"):
        raise ValueError(f"The run {stored.name} is {stored.state}: there is nothing to go on with.")
    if not files.last.is_file():
        raise ValueError(f"The run {stored.name} has no checkpoint to go on from.")
    return stored, files


def runs(folder: str | os.PathLike) -> pd.DataFrame:
    """All runs below a folder, the newest first: state, figures of the best epoch, seed and settings.

    >>> runs("runs")[["state", "best_epoch", "error_rate", "learning_rate"]]

    The index is the run's name, its folder's. `state` is "interrupted" where the process died, "damaged"
    where the files cannot be read. An empty table where there is no run, or no folder.
    """
    rows = []
    for path in sorted(Path(folder).glob("*/settings.json"), reverse=True):
        try:
            rows.append(_row(load_run(path.parent)))
        except ValueError:
            rows.append({"run": path.parent.name, "state": "damaged"})
    empty = {"run": [], "state": [], "epochs_done": [], "best_epoch": [], "seconds": []}
    return (pd.DataFrame(rows) if rows else pd.DataFrame(empty)).set_index("run")


def _row(run: StoredRun) -> dict:
    best = best_epoch(run.history)
    row = {"run": run.name, "state": run.state, "epochs_done": len(run.history), "best_epoch": best}
    if best is not None:
        skipped = ("epoch", "frozen", "seconds")
        row |= run.history.set_index("epoch").loc[best].drop(list(skipped), errors="ignore").to_dict()
    row |= {"seconds": run.history["seconds"].sum() if len(run.history) else 0.0, "network": run.about.get("network")}
    row |= {f"baseline {name}": value for name, value in run.about.get("baseline", {}).items()}
    return row | run.settings.to_dict()


def _settings(values: dict) -> Settings:
    """Of a model of ratings if they name its rung."""
    if isinstance(values, dict) and "rung" in values:
        from ..collab.settings import CollabSettings  # most runs do without

        return CollabSettings.from_dict(values)
    return TrainingSettings.from_dict(values)


def _read_table(path: Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    if not path.is_file() or not path.stat().st_size:
        return pd.DataFrame(columns=list(columns))
    # What a killed process was writing may end in half a row.
    return pd.read_csv(path, on_bad_lines="skip", **EXACT)


def _lock(file: object) -> bool:
    """Take the lock of an open file for as long as it is open; False if somebody else has it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
