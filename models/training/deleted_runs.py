"""Training runs that were deleted and can be brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..deleted import Deleted
from .run_folder import RunFolder


class DeletedRuns(Deleted):
    """Runs moved aside, not while they are trained.

    >>> deleted = DeletedRuns("runs")
    >>> deleted.add("2026-11-21 09.30.12")
    >>> deleted.restore("2026-11-21 09.30.12")
    """

    noun, mark = "run", "settings.json"

    @contextmanager
    def unused(self, path: Path) -> Iterator[None]:
        if RunFolder(path).is_held():
            raise ValueError(f"The run {path.name} is being trained: stop it first.")
        yield
