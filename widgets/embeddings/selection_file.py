"""Rows to keep as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from ...models.words import inert
from ..file_download import FileDownload
from ..job import Job

PLENTY = 5_000  # rows, from which a file takes so long that it is made in the background


class SelectionFile(FileDownload):
    """A table as a CSV file that no spreadsheet takes for formulas.

    >>> file = SelectionFile(job)
    >>> file.make(table, "selection")

    The index becomes the column "position". More than 5,000 rows are written in the background, told of by `job`.
    """

    def __init__(self, job: Job, **kwargs):
        super().__init__(**kwargs)
        self._job = job
        self._folder: tempfile.TemporaryDirectory | None = None

    def make(self, table: pd.DataFrame, name: str) -> None:
        """Write the table and offer it under this name."""
        self.label = f"CSV of the {name}"
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ipyfastai-embedding-", ignore_cleanup_errors=True)
        path = Path(self._folder.name) / f"{name}.csv"
        if len(table) <= PLENTY:
            _write(table, path)
            return self.offer(path)
        self._job.run(lambda _progress: _write(table, path), then=lambda _done: self.offer(path))

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        super().close()


def _write(table: pd.DataFrame, path: Path) -> None:
    safe = table.map(inert).set_axis(list(map(inert, table.columns)), axis=1)
    safe.to_csv(path, index_label="position", encoding="utf-8-sig")
