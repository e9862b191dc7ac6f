"""Changes to a data set as their logs tell them: what is under way, what was done."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from .dataset import FULL, Dataset, check_name, sync_folder, write_all
from .moving import Identity, identity

DATA, STATE = "data", "state"  # below the data set, and below the folder of its trash and logs
LOGS, TRASH = "changes", "trash"
WRITTEN, BEGUN, DONE = ".part", ".begun", ".done"  # a log's name says how far its changes are
VERSION = 1


class Step(NamedTuple):
    """One file's way, and what the file was when it was planned (`moving.Identity`)."""

    source: str  # DATA or STATE
    name: str
    target: str
    to: str
    size: int
    modified: int


@dataclass(frozen=True)
class Transaction:
    """What is to be done as one.

    `kind` is "apply", "undo" or "restore"; `of` is the transaction that this one undoes; `made` are folders
    that come with it, `emptied` those that go if nothing is left in them; `labels` the labels.csv that it
    writes, as [name, size, modified]; `skipped` says for positions in `steps` why nothing was done there.
    """

    id: str
    kind: str
    steps: list[Step]
    of: str | None = None
    made: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    labels: list | None = None
    skipped: dict[int, str] = field(default_factory=dict)

    @property
    def done(self) -> list[Step]:
        return [step for index, step in enumerate(self.steps) if index not in self.skipped]

    def part(self, index: int) -> str:
        """The name of a half copied file."""
        return f".ipyfastai-{self.id}-{index}.part"


def new_id() -> str:
    """A name that no other transaction has; they sort by time."""
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"


class Logs:
    """The logs in a folder, one file each: a line of JSON for the transaction, then one for each step.

    >>> logs = Logs(Dataset("data/bears").state())
    >>> [transaction.kind for transaction in logs.done()]
    ['apply', 'undo']

    A log is written under another name and renamed when it is on the disk, so it is whole or not there; it is
    renamed again when its changes are done, which needs no room on a full disk.
    """

    def __init__(self, state: Path):
        self.folder = state / LOGS

    def begin(self, transaction: Transaction) -> None:
        """Write down what will be done."""
        header = {**asdict(replace(transaction, steps=[])), "version": VERSION}
        lines = [json.dumps(line, separators=(",", ":")) for line in (header, *transaction.steps)]
        path = self._path(transaction, WRITTEN)
        _write(path, "\n".join([*lines, ""]).encode())
        os.rename(path, path.with_suffix(BEGUN))
        sync_folder(self.folder)

    def end(self, transaction: Transaction, skipped: dict[int, str]) -> None:
        """Note that it was done, but for what was skipped."""
        path = self._path(transaction, BEGUN)
        if skipped:
            try:
                _write(path, json.dumps({"skipped": skipped}).encode() + b"\n", os.O_APPEND)
            except OSError as error:
                if error.errno not in FULL:  # where the files are tells it too
                    raise
        os.rename(path, path.with_suffix(DONE))
        sync_folder(self.folder)

    def forget(self, transaction: Transaction) -> None:
        """Remove the log of what never came to be, or was taken back."""
        for end in (WRITTEN, BEGUN, DONE, ".csv"):
            with suppress(FileNotFoundError):
                os.unlink(self._path(transaction, end))
        sync_folder(self.folder)

    def stage(self, id: str, data: bytes) -> tuple[str, Identity]:
        """Write a file that a transaction will bring: its name in the state folder, and what it is."""
        path = self.folder / f"{id}.csv"
        _write(path, data)
        return f"{LOGS}/{path.name}", identity(os.lstat(path))

    def tidy(self) -> None:
        """Remove what was written before a crash by a transaction that had not begun."""
        for path in self.folder.iterdir():
            known = any(path.with_suffix(end).exists() for end in (BEGUN, DONE))
            if path.suffix == WRITTEN or (path.suffix == ".csv" and not known):
                path.unlink()

    def begun(self) -> list[Transaction]:
        """What was interrupted, or is under way in another process."""
        return [self._read(path) for path in sorted(self.folder.glob(f"*{BEGUN}"))]

    def done(self) -> list[Transaction]:
        """What was done, the earliest first, without the steps."""
        return [self._read(path, steps=False) for path in sorted(self.folder.glob(f"*{DONE}"))]

    def read(self, id: str) -> Transaction:
        """One that was done, with its steps."""
        return self._read(self.folder / f"{id}{DONE}")

    def last_apply(self, id: str | None = None) -> str | None:
        """The id of the last "apply" that was not taken back, or `id` itself if it is one; else None."""
        done = self.done()
        undone = {one.of for one in done if one.kind == "undo"}
        left = [one.id for one in done if one.kind == "apply" and one.id not in undone and id in (None, one.id)]
        return left[-1] if left else None

    def _path(self, transaction: Transaction, end: str) -> Path:
        return self.folder / f"{transaction.id}{end}"

    def _read(self, path: Path, *, steps: bool = True) -> Transaction:
        with open(path, encoding="utf-8") as file:
            header = json.loads(file.readline())
            if header.pop("version", None) != VERSION:
                raise ValueError(f"The log of changes {path.name!r} is of another version of ipyfastai.")
            transaction = Transaction(**{**header, "skipped": {}})
            for line in file if steps else ():
                _take(transaction, line, path.name)
        return transaction


def _take(transaction: Transaction, line: str, log: str) -> None:
    if line.startswith("{"):
        with suppress(ValueError):  # cut off by a crash: where the files are tells it too
            skipped = json.loads(line)["skipped"]
            transaction.skipped.update({int(index): why for index, why in skipped.items()})
        return
    step = Step(*json.loads(line))
    check_name(step.name), check_name(step.to)
    if {step.source, step.target} - {DATA, STATE}:
        raise ValueError(f"The log of changes {log!r} is damaged.")
    transaction.steps.append(step)


def _write(path: Path, data: bytes, how: int = os.O_CREAT | os.O_EXCL) -> None:
    file = os.open(path, os.O_WRONLY | how, 0o660)
    try:
        write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def logs_of(dataset: Dataset) -> Logs:
    return Logs(dataset.state())
