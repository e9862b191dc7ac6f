"""Many files moved as one: all of them or none, also when the machine stops half-way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ..progress import Cancelled, Progress
from .changes import DATA, LOGS, STATE, TRASH, Logs, Step, Transaction
from .dataset import Dataset, reason
from .locks import locked
from .moving import Tree, identity, move


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
        self.state, self.logs = state, Logs(state)
        self._trees = trees

    def stage(self, id: str, data: bytes, to: str) -> Step:
        """The way of a new file into the data set. Raises RuntimeError where it cannot be written."""
        try:
            name, what = self.logs.stage(id, data)
        except OSError as error:
            self.logs.tidy()
            raise RuntimeError(f"Nothing was changed: {reason(error)}.") from error
        return Step(STATE, name, DATA, to, *what)

    def carry_out(self, transaction: Transaction, *, progress: Progress | None = None) -> Transaction:
        """Do every step or none; what was done, with `skipped` filled.

        The log is on the disk before the first file is touched. A step whose file has changed meanwhile is
        left out. When the disk is full or a folder cannot be written, or the work is cancelled, what was
        done is taken back: RuntimeError with a sentence, or Cancelled.
        """
        try:
            self.logs.begin(transaction)
        except OSError as error:
            self.logs.forget(transaction)
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
        self.logs.tidy()
        finished = []
        for transaction in self.logs.begun():
            done: list[int] = []
            try:
                finished.append(self._finish(transaction, done, Progress(), again=True))
            except OSError as error:
                self._take_back(transaction, sorted({*done, *self._done(transaction)}))
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
        self._sync(transaction)
        if len(skipped) == total:  # nothing came of it, so there is nothing to take back
            self._remove_folders(transaction)
            self.logs.forget(transaction)
        else:
            self.logs.end(transaction, skipped)
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
        if before.st_size == there.st_size and self._same_content(step):
            return "copied"
        return "to do"

    def _done(self, transaction: Transaction) -> Iterator[int]:
        for index in range(len(transaction.steps)):
            with suppress(ValueError):  # the way there is not ours any more
                if self._stage(transaction, index) == "done":
                    yield index

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
        self.logs.forget(transaction)

    def _remove_folders(self, transaction: Transaction) -> None:
        for folder in sorted(transaction.made, reverse=True):
            self._trees[DATA].remove_empty(folder)
