"""Where ratings come from: chosen, fetched, and told what came."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import traitlets

from ...models.collab.download import RELEASES, download_ratings
from ...models.collab.example import example_ratings
from ...models.collab.folders import ratings_folders
from ...models.collab.movielens import movielens
from ...models.collab.ratings import Ratings
from ...models.collab.ratings_file import read_ratings
from ...models.progress import Progress
from ...models.words import counted
from ..composite import Composite
from ..data.findings import Findings
from ..data.offers import DATA_ROOT
from ..file_upload import FileUpload
from ..form import Field, Form
from ..job import Job
from ..uploads import Upload

EXAMPLE, DOWNLOAD, UPLOAD, FOLDER = "Built-in example", "MovieLens", "Upload a file", "Server folder"
ABOUT = {
    EXAMPLE: "15,000 generated ratings of 200 invented films. Needs no network.",
    DOWNLOAD: "Downloaded from GroupLens, for research; not to be given on but under the same terms.",
}


class RatingsUpload(FileUpload):
    """A drop zone for one file of ratings.

    >>> RatingsUpload(max_mb=300)
    """

    noun = "file of ratings"


class RatingsSource(Composite):
    """Get ratings: the built-in example, MovieLens from GroupLens, a file of one's own, or a folder of the server.

    >>> source = RatingsSource()
    >>> source.observe(lambda change: print(change.new), "value")

    `value` is the `Ratings`, None before; it stays until others have come. A file is a table of user, item and
    rating (CSV and its like), or a zip of a MovieLens release. Folders of the server are offered below `data_root`
    (else IPYFASTAI_DATA_ROOT) only. Downloads are kept in `folder`; None: until this is closed.
    """

    value = traitlets.Any(None, allow_none=True, read_only=True, help="the Ratings, or None")

    def __init__(
        self,
        *,
        data_root: str | os.PathLike | None = None,
        folder: str | os.PathLike | None = None,
        max_mb: float = 1000,
        **kwargs,
    ):
        root = data_root or os.environ.get(DATA_ROOT)
        self._root = Path(root) if root and Path(root).is_dir() else None
        self._folders = ratings_folders(self._root) if self._root else []
        self._names = [EXAMPLE, DOWNLOAD, UPLOAD, *([FOLDER] if self._folders else [])]
        self._temporary: tempfile.TemporaryDirectory | None = None
        self._folder = None if folder is None else Path(folder)
        self._taken: Upload | None = None
        self.form = Form(label="Where the ratings come from", changed=self._changed, pressed=self._pressed)
        label = "Add a table of user, item and rating (CSV), or a MovieLens zip"
        accept = ".csv,.tsv,.txt,.dat,.data,.zip"
        self.upload = RatingsUpload(label=label, accept=accept, multiple=False, max_mb=max_mb)
        self.job, self.findings = Job(), Findings()
        self.parts = self.form, self.upload, self.job, self.findings
        super().__init__(self.parts, **kwargs)
        self.upload.observe(self._uploaded, "value")
        self._draw()

    def fetch(self, work: Callable[[Progress], Ratings]) -> bool:
        """Get ratings by any function; False while others are being fetched."""
        return self.job.run(work, then=self._fetched, ended=self._rest)

    def close(self) -> None:
        """Stop, and delete what was downloaded unless it lies in `folder`."""
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        super().close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _home(self) -> Path:
        if self._folder is not None:
            return self._folder
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-ratings-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    @property
    def _source(self) -> str:
        return self._names[self.form.get("source", 0)]

    def _draw(self) -> None:
        fields = [Field("source", "Where are the ratings?", "choice", options=self._names)]
        if self._source == DOWNLOAD:
            options = [f"{name}: {about}" for name, (_, about) in RELEASES.items()]
            fields.append(Field("release", "Release", "select", 1, options=options))
            fields.append(Field("get", "Download", "button", hint=ABOUT[DOWNLOAD]))
        elif self._source == FOLDER:
            fields.append(Field("folder", "Folder", "select", options=self._folders))
            fields.append(Field("get", "Use this folder", "button"))
        elif self._source == EXAMPLE:
            fields.append(Field("get", "Use the example", "button", hint=ABOUT[EXAMPLE]))
        self.form.show(fields)
        shown = [self.form, *([self.upload] if self._source == UPLOAD else []), self.job, self.findings]
        if list(self.children) != shown:
            self.children = shown

    def _changed(self, name: str) -> None:
        if name == "source":
            self.job.say("")
            self._draw()

    def _pressed(self, _name: str) -> None:
        if self._source == EXAMPLE:
            self.fetch(lambda progress: example_ratings())
        elif self._source == DOWNLOAD:
            name, home = list(RELEASES)[self.form["release"]], self._home()
            self.fetch(lambda progress: download_ratings(name, home, progress=progress))
        elif self._source == FOLDER:
            # A place in the list that was made here: a page never names a folder.
            place = self._root / self._folders[self.form["folder"]]
            self.fetch(lambda progress: movielens(place, progress=progress))

    def _uploaded(self, change) -> None:
        if change["new"] and change["new"][0] is not self._taken and not self.job.busy:
            [self._taken] = change["new"]
            upload = self._taken
            self.fetch(lambda progress: _read(upload, progress))

    def _rest(self) -> None:
        """One fetch has ended: what was read is let go of, and what arrived meanwhile is taken."""
        if self.upload.value and self.upload.value[0] is self._taken:
            self.upload.clear()
        self._taken = None
        self._uploaded({"new": self.upload.value})

    def _fetched(self, ratings: Ratings) -> None:
        low, high = ratings.scale
        what = f"{counted(len(ratings), 'rating')} of {counted(ratings.n_items, 'title')}"
        said = f"{what} by {counted(ratings.n_users, 'user')}, from {low:g} to {high:g}."
        self.findings.show([("good", said), *(("warn", notice) for notice in ratings.notices)], [])
        self.set_trait("value", ratings)


def _read(upload: Upload, progress: Progress | None = None) -> Ratings:
    """A zip by what it is, not by what it is called."""
    name = Path(upload.name).stem or "ratings"
    with upload.path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    if zipped:
        return replace(movielens(upload.path, progress=progress), name=name)
    return read_ratings(upload.path, name=name, progress=progress)
