"""Marks on files, kept on disk step by step."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from ..progress import Progress
from .dataset import FORBIDDEN, Dataset, check_name, reason, sync_folder, write_all
from .locks import locked
from .marks import ACTIONS, History, Mark

NAME = "marks.jsonl"
HEADER = b'{"ipyfastai": "marks", "version": 1}\n'
SYNC_SECONDS = 1.0
STEP = 1000  # files between two looks at Cancel
NOT_KEPT = "The marks are not on the disk: {}. They last while this kernel runs, and are written as soon as that works."
DAMAGED = "A part of the marks on the disk was damaged. What came before it is here; the rest lies beside it in {!r}."


class Journal:
    """What somebody wants done with each file, with undo and redo all the way, in a file that survives a crash.

    >>> journal = Journal.of("data/bears")
    >>> journal.mark(["black/1.jpg", "black/2.jpg"], "delete")
    ['black/1.jpg', 'black/2.jpg']
    >>> journal.mark(["teddy/7.jpg"], "move", "grizzly")
    ['teddy/7.jpg']
    >>> journal.undo(), len(journal.marks)
    (['teddy/7.jpg'], 2)

    `marks` maps names below the data set (`Dataset.name`) to a `Mark` each. Several names in one call are one
    step. With `root`, a mark notes the file's size and time, so that `plan` can tell one that has changed.
    Every change returns the names whose marks differ now, and calls each function in `listeners` with them.

    A step is one line of JSON, handed to the system at once: the end of the kernel loses nothing, a loss of
    power what was marked in the last second or so (`sync` waits for the disk). A last line that was cut off
    is dropped. Journals on one file, also in several processes, share its steps; `refresh` reads the others'.
    Where the file cannot be written, `problem` is a sentence; the marks stay in memory and are written with
    the next step for which that works. `Journal(None)` never writes.
    Raises ValueError for a file that is something else, a name that leads elsewhere, an unknown action.
    """

    def __init__(self, path: str | os.PathLike | None, *, root: str | os.PathLike | None = None):
        self.listeners: list[Callable[[list[str]], None]] = []
        self.problem = ""
        self._path = None if path is None else Path(path)
        self._dataset = None if root is None else Dataset(root)
        self._history = History()
        self._marks = self._history.marks  # as they are for others while a thread writes
        self._unwritten: list[dict] = []
        self._inode: int | None = None  # of the file as it was read
        self._offset = 0  # how far
        self._damage = ""
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self.refresh()

    @classmethod
    def of(cls, root: str | os.PathLike) -> Journal:
        """The journal that belongs to a data set. Its file is made with the first mark."""
        return cls(Dataset(root).state() / NAME, root=root)

    @property
    def marks(self) -> Mapping[str, Mark]:
        return MappingProxyType(self._marks)

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    def mark(self, names: Iterable[str], action: str, label: str | None = None) -> list[str]:
        """Mark files as "keep", "delete" or "move" (to `label`), in one step."""
        return self.set(self.look(names, action, label))

    def look(
        self, names: Iterable[str], action: str, label: str | None = None, *, progress: Progress | None = None
    ) -> dict[str, Mark]:
        """The marks that `mark` sets. It asks the disk for each file: a thread may do that where they are many.

        >>> journal.set(journal.look(names, "delete", progress=progress))
        """
        if action not in ACTIONS:
            raise ValueError(f"A mark is one of {', '.join(ACTIONS)}, not {action!r}.")
        if (action == "move") != isinstance(label, str):
            raise ValueError('"move" needs a label to move to, and nothing else has one.')
        names, marks = list(names), {}
        for index, name in enumerate(names):
            if progress is not None and not index % STEP:
                progress.report(index, len(names), "Looking at the files")
            marks[name] = Mark(action, label, *self._identity(name))
        return marks

    def unmark(self, names: Iterable[str]) -> list[str]:
        """Take marks away, in one step."""
        return self.set(dict.fromkeys(names))

    def set(self, marks: Mapping[str, Mark | None]) -> list[str]:
        """Any marks, None to take one away, in one step."""
        changed = self.write(marks)
        self.tell(changed)
        return changed

    def write(self, marks: Mapping[str, Mark | None]) -> list[str]:
        """What `set` does, in any thread: nobody is told before the kernel's own calls `tell`.

        >>> changed = await offload(journal.write, marks)
        >>> journal.tell(changed)
        """
        for name in marks:
            check_name(name)
        step = {"do": [[name, *(mark or [None])] for name, mark in marks.items()]}
        with self._lock:
            self._history.marks = self._history.marks.copy()  # nobody sees half of it
            return self._take_and_keep(step)

    def tell(self, changed: list[str]) -> None:
        """Call each listener with these names, if there are any."""
        for listener in [*self.listeners] if changed else []:
            listener(changed)

    def undo(self) -> list[str]:
        """Take the last step back; nothing where there is none."""
        self.refresh()
        return self._play({"undo": 1}) if self.can_undo else []

    def redo(self) -> list[str]:
        self.refresh()
        return self._play({"redo": 1}) if self.can_redo else []

    def settle(self, names: Iterable[str]) -> list[str]:
        """Forget marks that have been carried out: no undo brings them back."""
        return self._play({"settle": list(names)})

    def refresh(self, *, wait: bool = True) -> list[str]:
        """Read what another notebook has marked meanwhile, and write what could not be written before.

        `wait=False`: not while a thread writes, whose changes are told of anyway.
        """
        if not self._lock.acquire(blocking=wait):
            return []
        try:
            changed = [] if self._path is None or self._up_to_date() else self._take_and_keep(None)
        finally:
            self._lock.release()
        self.tell(changed)
        return changed

    def sync(self) -> None:
        """Wait until everything is on the disk; what prevents that stands in `problem`."""
        self.refresh()
        self._to_disk()

    def close(self) -> None:
        self.listeners.clear()
        self.sync()

    def _to_disk(self) -> None:
        """What a timer does in its own thread: it tells nobody anything."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if self._inode is not None:
            try:
                with _opened(self._path, os.O_RDONLY) as file:
                    os.fsync(file)
            except OSError as error:
                self.problem = NOT_KEPT.format(reason(error))

    # One step.

    def _play(self, step: dict) -> list[str]:
        with self._lock:
            changed = self._take_and_keep(step)
        self.tell(changed)
        return changed

    def _take_and_keep(self, step: dict | None) -> list[str]:
        changed = self._history.play(step) if self._path is None else self._exchange(step)
        self._marks = self._history.marks
        return changed

    def _identity(self, name: str) -> tuple[int | None, int | None]:
        check_name(name)
        if self._dataset is None:
            return None, None
        try:
            status = os.lstat(f"{self._dataset.path}/{name}")
        except OSError:  # `plan` says that it is gone
            return None, None
        return status.st_size, status.st_mtime_ns

    # The file.

    def _exchange(self, step: dict | None) -> list[str]:
        """Read what others have written, take this step and write it, while nobody else writes."""
        changed: list[str] = []
        try:
            with self._writable() as file, locked(file):
                changed += self._read(file)
                changed += self._take(step)
                step = None
                self._write(file)
            self.problem = self._damage
        except OSError as error:
            if self._inode is None and error.errno in FORBIDDEN and os.access(self._path, os.R_OK):
                with _opened(self._path, os.O_RDONLY) as file:
                    changed += self._read(file, repair=False)
            changed += self._take(step)
            self.problem = NOT_KEPT.format(reason(error))
        return list(dict.fromkeys(changed))

    def _take(self, step: dict | None) -> list[str]:
        changed = [] if step is None else self._history.play(step)
        if changed or (step and "settle" in step):  # which changes what can be undone even where no mark is left
            self._unwritten.append(step)
        return changed

    def _up_to_date(self) -> bool:
        if self._unwritten:
            return False
        try:
            status = os.stat(self._path)
        except OSError:
            return self._inode is None and not self._history.marks  # there is nothing to read yet
        return (status.st_ino, status.st_size) == (self._inode, self._offset)

    @contextmanager
    def _writable(self) -> Iterator[int]:
        if self._dataset is not None and not self._path.parent.exists():
            self._path = self._dataset.state(make=True) / self._path.name
        existed = self._path.exists()
        with _opened(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
            if not existed:
                sync_folder(self._path.parent)
            yield file

    def _read(self, file: int, *, repair: bool = True) -> list[str]:
        """Take the steps that are new in the file; the names whose marks differ now."""
        status = os.fstat(file)
        if self._inode is not None and (status.st_ino != self._inode or status.st_size < self._offset):
            # Removed or replaced under our hands: what is known here goes into the new file, as one step.
            self._unwritten = [{"do": [[name, *mark] for name, mark in self._history.marks.items()]}]
            self._offset = 0
        elif self._unwritten and status.st_size > self._offset:
            self._offset = 0  # what others wrote comes first, then what has waited here
        self._inode = status.st_ino
        if self._offset:
            return self._replay(file, repair)
        before, self._history = self._history.marks, History()
        self._replay(file, repair)
        for step in self._unwritten:
            self._history.play(step)
        now = self._history.marks
        return [name for name in {**before, **now} if before.get(name) != now.get(name)]

    def _replay(self, file: int, repair: bool) -> list[str]:
        """Play the lines from `_offset` on, and take out what a crash cut off or a disk has damaged."""
        data = os.pread(file, os.fstat(file).st_size - self._offset, self._offset)
        good, changed = 0, []
        if not self._offset and data:
            if not data.startswith(HEADER) and not HEADER.startswith(data):
                raise ValueError(f"{self._path.name!r} holds something else than marks: choose another file.")
            good = len(HEADER) if data.startswith(HEADER) else 0
        for line in data[good:].split(b"\n")[:-1]:
            try:
                changed += self._history.play(json.loads(line))
            except (ValueError, TypeError, LookupError):
                break
            good += len(line) + 1
        if good < len(data) and repair:
            if b"\n" in data[good:]:  # not only the last line, which a crash may cut off
                self._put_aside(data[good:])
            os.ftruncate(file, self._offset + good)
        self._offset += good
        return changed

    def _put_aside(self, data: bytes) -> None:
        aside = self._path.with_name(f"{self._path.stem}.damaged")
        with _opened(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as file:
            write_all(file, data)
        self._damage = DAMAGED.format(aside.name)

    def _write(self, file: int) -> None:
        if not self._unwritten:
            return
        lines = b"".join(json.dumps(step, separators=(",", ":")).encode() + b"\n" for step in self._unwritten)
        data = lines if self._offset else HEADER + lines
        try:
            write_all(file, data)
        except OSError:
            os.ftruncate(file, self._offset)
            raise
        self._offset += len(data)
        self._unwritten.clear()
        if self._timer is None:
            self._timer = threading.Timer(SYNC_SECONDS, self._to_disk)
            self._timer.daemon = True
            self._timer.start()


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        yield file
    finally:
        os.close(file)
