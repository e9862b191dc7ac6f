"""Folders that were deleted and can be brought back."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

ASIDE = ".deleted"


class Deleted(ABC):
    """Folders of one kind, moved aside within the folder that holds them, until they are brought back or removed.

    >>> deleted = DeletedRuns("runs")
    >>> deleted.add("2026-11-21 09.30.12")
    >>> deleted.restore("2026-11-21 09.30.12")

    Each method takes the name of a folder, ValueError with a sentence where there is none such, where it is in use,
    or where one of that name is in the way; OSError where the files cannot be moved. A kind gives its `noun`, the
    `mark`, a file by which such a folder is known, and `unused`, in which nobody begins to use one.
    """

    noun: str
    mark: str

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self.aside = self.folder / ASIDE

    @abstractmethod
    def unused(self, path: Path) -> AbstractContextManager:
        """ValueError where it is in use."""

    def names(self) -> list[str]:
        """The deleted ones, by name from behind: the newest first, where names begin with the time."""
        return sorted((path.parent.name for path in self.aside.glob(f"*/{self.mark}")), reverse=True)

    def bytes(self) -> int:
        """What the deleted ones still take."""
        return sum(path.stat().st_size for path in self.aside.rglob("*") if path.is_file())

    def add(self, name: str) -> None:
        """Delete: move aside."""
        self._check(self.folder, name)
        with self.unused(self.folder / name):
            self.aside.mkdir(exist_ok=True)
            self._move(self.folder, self.aside, name)

    def restore(self, name: str) -> None:
        """Bring a deleted one back."""
        self._check(self.aside, name)
        self._move(self.aside, self.folder, name)

    def remove(self, name: str) -> None:
        """Remove a deleted one for good."""
        self._check(self.aside, name)
        shutil.rmtree(self.aside / name)

    def empty(self) -> None:
        """Remove all deleted ones for good."""
        if self.aside.is_dir():
            shutil.rmtree(self.aside)

    def paths(self) -> Iterator[Path]:
        """The deleted ones, where they lie now."""
        return (self.aside / name for name in self.names())

    def _check(self, parent: Path, name: str) -> None:
        if not name or Path(name).name != name or not (parent / name / self.mark).is_file():
            raise ValueError(f"There is no {self.noun} {name}.")

    def _move(self, source: Path, target: Path, name: str) -> None:
        if (target / name).exists():
            raise ValueError(f"There is a {self.noun} {name} already.")
        os.rename(source / name, target / name)
