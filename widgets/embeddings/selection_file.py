"""Rows to keep as a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pandas as pd

from ...models.progress import Progress
from ...models.words import apart, inert
from ..file_download import FileDownload
from ..job import Job

PLENTY, CELLS = 5_000, 50_000  # rows, and cells, of which writing takes so long that it is done in the background


def at_once(columns: int) -> int:
    """Rows of so many columns that are written while somebody waits.

    >>> at_once(3), at_once(200)
    (5000, 250)
    """
    return min(PLENTY, CELLS // max(1, columns))


class SelectionFile(FileDownload):
    """A table as a CSV file that no spreadsheet takes for formulas.

    >>> file = SelectionFile(job)
    >>> file.make(table, "selection")

    The index becomes the column "position"; of columns with one name the later ones get a number. More rows
    than `at_once` says are written in the background, told of by `job`.
    """

    def __init__(self, job: Job, **kwargs):
        super().__init__(**kwargs)
        self._job = job
        self._folder: tempfile.TemporaryDirectory | None = None

    def make(self, table: pd.DataFrame, name: str) -> bool:
        """Write the table and offer it under this name in place of what was offered; False where `job` is busy.

        A table that took long is not offered if anything, be it None, was offered since: it is of no use any more.
        """
        many = len(table) > at_once(table.shape[1])
        if many and self._job.busy:
            return False
        self.offer(None)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ipyfastai-embedding-", ignore_cleanup_errors=True)
        number = self._number
        path = Path(self._folder.name) / f"{number}.csv"  # its own: another may still be written

        def offer(_done: None) -> None:
            if number == self._number:
                self.label = f"CSV of the {name}"
                self.offer(path, name=f"{name}.csv")

        def tidy_up() -> None:
            if self._path != path:  # stopped, or too late
                path.unlink(missing_ok=True)

        if many:
            return self._job.run(lambda progress: _write(table, path, progress), then=offer, ended=tidy_up)
        offer(_write(table, path, Progress()))
        return True

    def offer(self, path: str | os.PathLike | None, *, name: str | None = None) -> None:
        """As every `FileDownload`; the file that was offered before is deleted."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        super().offer(path, name=name)

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        super().close()


def _write(table: pd.DataFrame, path: Path, progress: Progress) -> None:
    position, *columns = apart(["position", *map(inert, table.columns)])
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for start in range(0, len(table), PLENTY):
            progress.report(start, len(table), f"Writing {len(table):,} rows")
            safe = table.iloc[start : start + PLENTY].map(inert).set_axis(columns, axis=1)
            safe.to_csv(file, header=not start, index_label=position)
