"""Predictions made elsewhere, with or without the pictures."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from traitlets import Any

from ...models.data.zip_file import extract_images
from ...models.interpretation.example import example_predictions
from ...models.interpretation.locate import locate
from ...models.interpretation.predictions import labels
from ...models.interpretation.predictions_file import FORMAT, NEEDED, read_predictions
from ...models.progress import Progress
from ..composite import Composite
from ..file_upload import FileUpload
from ..job import Job
from ..uploads import Upload, spool

EXAMPLE = "Try it with drawings"
EXAMPLE_SAID = (
    "A built-in example: {count:,} drawings of circles, squares and triangles, made just now, {wrong} of them with a "
    "wrong label. Each is predicted from the seven drawings that look most like it."
)
DATA_ROOT = "IPYFASTAI_DATA_ROOT"  # the folder of the server whose pictures a page may name

Reading = Callable[[Path, Progress], tuple[pd.DataFrame, Path, str]]  # the table, where its pictures lie, a sentence


class PredictionsUpload(Composite):
    """A drop zone for a CSV of predictions, or a zip with that CSV and the pictures.

    >>> upload = PredictionsUpload()
    >>> upload.observe(lambda change: print(len(change.new)), "value")

    The CSV has the columns of a predictions table: `item`, `label` and `predicted`, and as far as they
    are known `split`, `confidence`, `loss` and "probability of <label>" (see `read_predictions`). In a
    zip, an item is the picture whose path ends as the item's does; without a zip, a path below `root`,
    by default the folder that the server names in IPYFASTAI_DATA_ROOT; where there is none, pictures are
    not shown. Nothing outside of these is ever read.

    `value` is the checked predictions table, None before, and stays when a later file cannot be used;
    `root` is the folder in which its items lie. Uploaded pictures go when others take their place, and
    with `close()`. Who has nothing at hand is offered `show_example`.
    """

    value = Any(None, allow_none=True, read_only=True, help="the predictions table, None before")

    needed = NEEDED  # columns of the CSV
    lists = (".csv", ".tsv", ".txt")

    def __init__(
        self,
        *,
        root: str | os.PathLike | None = None,
        max_mb: float = 1000,
        label: str = "Add predictions (.csv, or .zip with the pictures)",
        **kwargs,
    ):
        given = root or os.environ.get(DATA_ROOT)
        self._server = None if not given else Path(os.path.abspath(given))
        self.root: Path | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self.upload = FileUpload(label=label, accept=".csv,.tsv,.txt,.zip", multiple=False, max_mb=max_mb)
        self.job = Job(button=EXAMPLE, pressed=self.show_example, primary=False)
        super().__init__([self.upload, self.job], **kwargs)
        self._waiting: Reading | None = None
        self.upload.observe(self._arrived, "value")

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        super().close()

    def _arrived(self, change) -> None:
        if not change["new"]:
            return
        [upload] = change["new"]
        self._waiting = partial(self._read, upload)
        self.job.cancel()  # what is still read is not wanted any more
        self._next()

    def show_example(self) -> None:
        """Drawings made here and now, some with a wrong label, and what a small model says of them."""
        self._waiting = _example
        self._next()

    def _next(self) -> None:
        if self._waiting is None or self.job.busy:
            return
        read, self._waiting = self._waiting, None
        folder = tempfile.TemporaryDirectory(dir=spool(), ignore_cleanup_errors=True)
        kept: list[bool] = []

        def keep(result) -> None:
            kept.append(True)
            self._keep(folder, *result)

        def end() -> None:
            if not kept:
                folder.cleanup()
            self._next()

        self.job.run(lambda progress: read(Path(folder.name), progress), then=keep, ended=end)

    def _read(self, upload: Upload, folder: Path, progress: Progress) -> tuple[pd.DataFrame, Path, str]:
        """The table, the folder of its pictures and a sentence about them; runs in a thread."""
        zipped = upload.name.lower().endswith(".zip")
        if zipped:
            files = extract_images(upload.path, folder, also=self.lists, progress=progress).files
            lists = [file for file in files if file.suffix.lower() in self.lists]
            pictures = [file for file in files if file.suffix.lower() not in self.lists]
            if not lists:
                return self._without_list(pictures, folder)
            table = read_predictions(_only(lists), needed=self.needed, progress=progress)
            root, among = folder, pictures
        else:
            table = read_predictions(upload.path, needed=self.needed, progress=progress)
            root, among = (folder, []) if self._server is None else (self._server, None)
        progress.report(0, None, "Finding the pictures")
        paths, missing = locate(table["item"], root, among)
        table["item"] = pd.Series(paths, dtype=object)
        return table, root, _about(table, missing, where="the zip" if zipped else "the server's folder of pictures")

    def _without_list(self, pictures: list[Path], folder: Path) -> tuple[pd.DataFrame, Path, str]:
        """What to make of a zip of pictures alone; a kind of upload that needs no predictions may take it."""
        raise ValueError(f"This zip holds no CSV file, so nothing says what was predicted. {FORMAT}")

    def _keep(self, folder: tempfile.TemporaryDirectory, table: pd.DataFrame, root: Path, about: str) -> None:
        before, self._folder, self.root = self._folder, folder, root
        self.set_trait("value", table)
        self.job.say(about)
        if before is not None:
            before.cleanup()


def _example(folder: Path, progress: Progress) -> tuple[pd.DataFrame, Path, str]:
    table = example_predictions(folder, progress=progress)
    wrong = len(table.attrs["wrong"])
    return table, folder, EXAMPLE_SAID.format(count=len(table), wrong=wrong)


def _only(lists: list[Path]) -> Path:
    """The one file of predictions among those of a zip."""
    named = [file for file in lists if file.stem.lower() == "predictions"] or lists
    tables = [file for file in named if file.suffix.lower() != ".txt"] or named
    if len(tables) > 1:
        names = " and ".join(file.name for file in tables[:2])
        raise ValueError(f"This zip holds several CSV files ({names}): call the one to read predictions.csv.")
    return tables[0]


def _about(table: pd.DataFrame, missing: int, *, where: str) -> str:
    what, names = ("prediction", len(labels(table))) if "predicted" in table else ("picture", table["label"].nunique())
    count = len(table)
    said = f"{count:,} {what}{'' if count == 1 else 's'} of {names:,} label{'' if names == 1 else 's'}."
    if missing == count:
        return f"{said} No picture of them is here: to see them, put the CSV and the pictures into one zip."
    return f"{said} {missing:,} of their pictures are not in {where}." if missing else said
