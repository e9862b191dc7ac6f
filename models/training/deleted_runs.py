"""Training runs that were deleted and can be brought back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .run_folder import RunFolder

ASIDE = ".deleted"


class DeletedRuns:
    """Runs moved aside within the folder that holds them, until they are brought back or removed for good.

    >>> deleted = DeletedRuns("runs")
    >>> deleted.add("2026-11-21 09.30.12")
    >>> deleted.restore("2026-11-21 09.30.12")

    Each method takes the name of a run, ValueError with a sentence where there is none such, where it is being
    trained, or where one of that name is in the way; OSError where the files cannot be moved.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self.aside = self.folder / ASIDE

    def names(self) -> list[str]:
        """The deleted runs, the newest first."""
        return sorted((path.parent.name for path in self.aside.glob("*/settings.json")), reverse=True)

    def bytes(self) -> int:
        """What the deleted runs still take."""
        return sum(path.stat().st_size for path in self.aside.rglob("*") if path.is_file())

    def add(self, name: str) -> None:
        """Delete a run: move it aside."""
        if RunFolder(self.folder / name).is_held():
            raise ValueError(f"The run {name} is being trained: stop it first.")
        self.aside.mkdir(exist_ok=True)
        _move(self.folder, self.aside, name)

    def restore(self, name: str) -> None:
        """Bring a deleted run back."""
        _move(self.aside, self.folder, name)

    def empty(self) -> None:
        """Remove all deleted runs for good."""
        if self.aside.is_dir():
            shutil.rmtree(self.aside)


def _move(source: Path, target: Path, name: str) -> None:
    if not name or Path(name).name != name or not (source / name / "settings.json").is_file():
        raise ValueError(f"There is no run {name}.")
    if (target / name).exists():
        raise ValueError(f"There is a run {name} already.")
    os.rename(source / name, target / name)
