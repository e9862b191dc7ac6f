"""Many files moved as one: all of them or none, also when the machine stops half-way."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from ..progress import Cancelled, Progress
from .dataset import FULL, Dataset, check_name, reason, sync_folder, write_all
from .locks import locked
from .moving import Tree, identity, move

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
    """What is to be done as one, as its log on the disk says it.

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


@contextmanager
def workplace(dataset: Dataset) -> Iterator[Workplace]:
    """The data set and the folder beside it, in the hands of this process alone.

    >>> with workplace(Dataset("data/bears")) as place:
    ...     place.carry_out(Transaction(new_id(), "apply", steps))

    Raises RuntimeError with a sentence where another process has it, or nothing can be written.
    """
    with ExitStack() as stack:
        try:
            state = dataset.state(make=True)
            lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o660)
            stack.callback(os.close, lock)
            stack.enter_context(locked(lock))
            for folder in (LOGS, TRASH):
                (state / folder).mkdir(exist_ok=True)
            trees = {base: stack.enter_context(Tree(path)) for base, path in ((DATA, dataset.path), (STATE, state))}
        except OSError as error:
            raise RuntimeError(f"Nothing can be changed here: {reason(error)}.") from error
        yield Workplace(state, trees)


class Workplace:
    """Carries transactions out; see `workplace`."""

    def __init__(self, state: Path, trees: dict[str, Tree]):
        self.state = state
        self._logs, self._trees = state / LOGS, trees

    def stage(self, transaction_id: str, data: bytes) -> Step:
        """A new file that a transaction brings: the start of its way, to be completed by `_replace(to=...)`."""
        path = self._logs / f"{transaction_id}.csv"
        try:
            _write(path, data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise RuntimeError(f"Nothing was changed: {reason(error)}.") from error
        return Step(STATE, f"{LOGS}/{path.name}", DATA, "", *identity(os.lstat(path)))

    def carry_out(self, transaction: Transaction, *, progress: Progress | None = None) -> Transaction:
        """Do every step or none; what was done, with `skipped` filled.

        The log is on the disk before the first file is touched. A step whose file has changed meanwhile is
        left out. When the disk is full or a folder cannot be written, or the work is cancelled, what was
        done is taken back: RuntimeError with a sentence, or Cancelled.
        """
        try:
            self._write_log(transaction)
        except OSError as error:
            self._remove_log(transaction)
            raise RuntimeError(f"Nothing was changed: {reason(error)}.") from error
        done: list[int] = []
        try:
            return self._finish(transaction, done, progress or Progress())
        except OSError as error:
            self._take_back(transaction, done)
            raise RuntimeError(f"Nothing was changed: {reason(error)}.") from error
        except Cancelled:
            self._take_back(transaction, done)
            raise

    def recover(self) -> list[Transaction]:
        """Finish what a crash has interrupted, or take it back where that cannot be finished."""
        for path in self._logs.iterdir():
            begun = path.suffix != ".csv" or any(path.with_suffix(end).exists() for end in (BEGUN, DONE))
            if path.suffix == WRITTEN or not begun:  # nothing was touched yet
                path.unlink()
        finished = []
        for path in sorted(self._logs.glob(f"*{BEGUN}")):
            transaction = _read(path)
            done: list[int] = []
            try:
                finished.append(self._finish(transaction, done, Progress(), again=True))
            except OSError as error:
                later = [index for index in range(len(transaction.steps)) if self._stage(transaction, index) == "done"]
                self._take_back(transaction, sorted({*done, *later}))
                skipped = dict.fromkeys(range(len(transaction.steps)), f"It was taken back: {reason(error)}.")
                finished.append(replace(transaction, skipped=skipped))
        return finished

    def way_back(self, steps: list[Step]) -> tuple[list[Step], list[tuple[str, str]]]:
        """Steps that take others back, and (name, reason) of those that nothing takes back.

        A name that is taken by now gets a number.
        """
        back, problems, free, taken = [], [], set(), set()
        for step in reversed(steps):
            status = self._trees[step.target].status(step.to)
            if status is None:
                problems.append((step.name, "The file is no longer where it was put."))
                continue
            name, number = step.name, 1
            stem, suffix = os.path.splitext(step.name)
            while (step.source, name) in taken or (
                (step.source, name) not in free and self._trees[step.source].status(name) is not None
            ):
                number += 1
                name = f"{stem}-{number}{suffix}"
            taken.add((step.source, name))
            free.add((step.target, step.to))
            back.append(Step(step.target, step.to, step.source, name, *identity(status)))
        return back, problems

    def transactions(self) -> list[Transaction]:
        """All that were done, the earliest first, without their steps."""
        return _done(self.state)

    def transaction(self, id: str) -> Transaction:
        return _read(self._logs / f"{id}{DONE}")

    # Forwards.

    def _finish(
        self, transaction: Transaction, done: list[int], progress: Progress, *, again: bool = False
    ) -> Transaction:
        """Do what is to be done; `done` grows by the positions of the steps. `again`: some may be done already."""
        skipped, total = {}, len(transaction.steps)
        for index, step in enumerate(transaction.steps):
            progress.report(index, total, f"Moving {step.name.rpartition('/')[2]}")
            try:
                if not again or self._go_on(transaction, index):
                    self._move(transaction, index)
                done.append(index)
            except ValueError as error:
                skipped[index] = str(error)
        for folder in transaction.emptied:
            self._trees[DATA].remove_empty(folder)
        if len(skipped) == total:  # nothing came of it
            self._remove_folders(transaction)
        self._sync(transaction)
        self._end(transaction, skipped)
        return replace(transaction, skipped=skipped)

    def _move(self, transaction: Transaction, index: int) -> None:
        step = transaction.steps[index]
        source, target = self._trees[step.source], self._trees[step.target]
        expected = step.size, step.modified
        move(source, step.name, target, step.to, expected=expected, part=transaction.part(index))

    def _go_on(self, transaction: Transaction, index: int) -> bool:
        """Tidy up what a crash has left of a step; whether the step is still to be done."""
        step, stage = transaction.steps[index], self._stage(transaction, index)
        source, target = self._trees[step.source], self._trees[step.target]
        folder = step.to.rpartition("/")[0]
        target.remove(f"{folder}/{transaction.part(index)}".lstrip("/"))
        if stage == "reserved":
            target.remove(step.to)
        elif stage in ("linked", "copied"):
            source.remove(step.name)
        return stage in ("to do", "reserved")

    def _stage(self, transaction: Transaction, index: int) -> str:
        """How far a step is, as its files tell."""
        step = transaction.steps[index]
        before, there = self._trees[step.source].status(step.name), self._trees[step.target].status(step.to)
        if there is None:
            return "to do"
        if before is None or identity(before) != (step.size, step.modified):
            return "done" if there.st_size == step.size else "to do"
        if (before.st_dev, before.st_ino) == (there.st_dev, there.st_ino):
            return "linked"
        if not there.st_size and step.size:
            return "reserved"
        if before.st_dev != there.st_dev and self._same_content(step):
            return "copied"
        return "to do"

    def _same_content(self, step: Step) -> bool:
        with ExitStack() as stack:
            files = []
            for base, name in ((step.source, step.name), (step.target, step.to)):
                folder, last = stack.enter_context(self._trees[base].parent(name))
                files.append(stack.enter_context(os.fdopen(os.open(last, os.O_RDONLY, dir_fd=folder), "rb")))
            while True:
                one, other = (file.read(1 << 20) for file in files)
                if one != other:
                    return False
                if not one:
                    return True

    def _sync(self, transaction: Transaction) -> None:
        folders = {(step.source, step.name.rpartition("/")[0]): step.name for step in transaction.steps}
        folders |= {(step.target, step.to.rpartition("/")[0]): step.to for step in transaction.steps}
        for (base, _), name in folders.items():
            self._trees[base].sync(name)

    # Backwards.

    def _take_back(self, transaction: Transaction, done: list[int]) -> None:
        """Undo steps. The log stays where that does not succeed, and the next `recover` tries again."""
        stuck = 0
        for index in reversed(done):
            step = transaction.steps[index]
            source, target = self._trees[step.target], self._trees[step.source]
            try:
                move(source, step.to, target, step.name, part=transaction.part(index))
            except (OSError, ValueError):
                stuck += 1
        if stuck:
            raise RuntimeError(
                f"The work was interrupted, and {stuck} of {len(done)} files could not be put back yet: "
                "when there is room and the folders can be written, this is finished at the next start."
            )
        self._remove_folders(transaction)
        self._sync(transaction)
        self._remove_log(transaction)

    def _remove_folders(self, transaction: Transaction) -> None:
        for folder in sorted(transaction.made, reverse=True):
            self._trees[DATA].remove_empty(folder)

    # The log.

    def _write_log(self, transaction: Transaction) -> None:
        header = {**asdict(replace(transaction, steps=[])), "version": VERSION}
        lines = [json.dumps(line, separators=(",", ":")) for line in (header, *transaction.steps)]
        path = self._logs / f"{transaction.id}{WRITTEN}"
        _write(path, "\n".join([*lines, ""]).encode())
        os.rename(path, path.with_suffix(BEGUN))
        sync_folder(self._logs)

    def _end(self, transaction: Transaction, skipped: dict[int, str]) -> None:
        path = self._logs / f"{transaction.id}{BEGUN}"
        if skipped:
            try:
                _write(path, json.dumps({"skipped": skipped}).encode() + b"\n", os.O_APPEND)
            except OSError as error:
                if error.errno not in FULL:  # the files themselves tell it too
                    raise
        os.rename(path, path.with_suffix(DONE))
        sync_folder(self._logs)

    def _remove_log(self, transaction: Transaction) -> None:
        for end in (WRITTEN, BEGUN, DONE, ".csv"):
            with suppress(FileNotFoundError):
                os.unlink(self._logs / f"{transaction.id}{end}")
        sync_folder(self._logs)


def past(dataset: Dataset) -> list[Transaction]:
    """All transactions on a data set that were done, the earliest first, without their steps."""
    return _done(dataset.state())


def interrupted(dataset: Dataset) -> bool:
    """Whether a transaction was begun and not ended, by a crash or because it is still running."""
    return any((dataset.state() / LOGS).glob(f"*{BEGUN}"))


def _done(state: Path) -> list[Transaction]:
    return [_read(path, steps=False) for path in sorted((state / LOGS).glob(f"*{DONE}"))]


def _write(path: Path, data: bytes, how: int = os.O_CREAT | os.O_EXCL) -> None:
    file = os.open(path, os.O_WRONLY | how, 0o660)
    try:
        write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def _read(path: Path, *, steps: bool = True) -> Transaction:
    """A log; ValueError for one that no transaction of ours has written."""
    with open(path, encoding="utf-8") as file:
        header = json.loads(file.readline())
        if header.pop("version", None) != VERSION:
            raise ValueError(f"The log of changes {path.name!r} is of another version of ipyfastai.")
        transaction = Transaction(**{**header, "skipped": {}})
        if steps:
            for line in file:
                value = json.loads(line)
                if isinstance(value, dict):
                    transaction.skipped.update({int(index): why for index, why in value["skipped"].items()})
                else:
                    transaction.steps.append(Step(*value))
    for step in transaction.steps:
        if {step.source, step.target} - {DATA, STATE}:
            raise ValueError(f"The log of changes {path.name!r} is damaged.")
        check_name(step.name), check_name(step.to)
    return transaction
