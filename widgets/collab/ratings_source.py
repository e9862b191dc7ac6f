"""Where ratings come from: chosen, fetched, and told what came."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...models.collab.download import RELEASES, download_ratings
from ...models.collab.example import example_ratings
from ...models.collab.folders import ratings_folders
from ...models.collab.movielens import movielens
from ...models.collab.ratings import Ratings
from ...models.collab.ratings_file import read_ratings
from ...models.progress import Progress
from ...models.words import counted
from ..data.source_form import Offer, SourceForm, server_root
from ..file_upload import FileUpload
from ..form import Field
from ..uploads import Upload

Work = Callable[[Progress], Ratings]

GENERATED = "15,000 generated ratings of 200 invented films. Needs no network."
LICENCE = "Downloaded from GroupLens, for research; not to be given on but under the same terms."


class RatingsUpload(FileUpload):
    """A drop zone for one file of ratings.

    >>> RatingsUpload(max_mb=300)
    """

    noun = "file of ratings"


class RatingsSource(SourceForm):
    """Get ratings: the built-in example, MovieLens from GroupLens, a file of one's own, or a folder of the server.

    >>> source = RatingsSource()
    >>> source.observe(lambda change: print(change.new), "value")

    `value` is the `Ratings`, None before; it stays until others have come. A file is a table of user, item and
    rating, with title and time if known (CSV and its like), or a zip of a MovieLens release. Folders of the server
    are offered below `data_root` (else IPYFASTAI_DATA_ROOT) only. Downloads are kept in `folder`; None: until this is
    closed. `then(progress)` is called where the ratings were fetched, in the background, before they are handed over:
    for what else takes long.
    """

    noun, question = "ratings", "Where are the ratings?"

    def __init__(
        self,
        *,
        data_root: str | os.PathLike | None = None,
        folder: str | os.PathLike | None = None,
        max_mb: float = 1000,
        then: Callable[[Progress], Any] | None = None,
        **kwargs,
    ):
        self._then = then
        label = "Add a table (CSV) of user, item and rating, with title and time if known, or a MovieLens zip"
        accept = ".csv,.tsv,.txt,.dat,.data,.zip"
        upload = RatingsUpload(label=label, accept=accept, multiple=False, max_mb=max_mb)
        offers = [
            Offer("Built-in example", lambda form: _example, about=GENERATED, button="Use the example"),
            Offer("MovieLens", self._download, [_releases()], LICENCE, "Download"),
            Offer("Upload a file"),
        ]
        root = server_root(data_root)
        if root is not None and (folders := ratings_folders(root)):
            offers.append(_folder(root, folders))
        super().__init__(offers, upload, folder=folder, **kwargs)

    def fetch(self, work: Work) -> bool:
        """Get ratings by any function; False while others are being fetched."""

        def fetched(progress: Progress) -> Ratings:
            ratings = work(progress)
            if self._then is not None:
                self._then(progress)
            return ratings

        return self._run(fetched)

    def _download(self, form: Mapping[str, Any]) -> Work:
        name = list(RELEASES)[form["release"]]
        return lambda progress: download_ratings(name, self._home(), progress=progress)

    def _filled_in(self, made: Work, name: str) -> None:
        self.fetch(made)

    def _arrived(self, upload: Upload) -> None:
        self.fetch(lambda progress: _read(upload, progress))

    def _fetched(self, ratings: Ratings) -> None:
        low, high = ratings.scale
        what = f"{counted(len(ratings), 'rating')} of {counted(ratings.n_items, 'title')}"
        said = f"{what} by {counted(ratings.n_users, 'user')}, from {low:g} to {high:g}."
        self.findings.show([("good", said), *(("warn", notice) for notice in ratings.notices)], [])
        self.set_trait("value", ratings)


def _example(progress: Progress) -> Ratings:
    return example_ratings()


def _releases() -> Field:
    options = [f"{name}: {about}" for name, (_, about) in RELEASES.items()]
    return Field("release", "Release", "select", 1, options=options)


def _folder(root: Path, folders: list[str]) -> Offer:
    # A place in the list that was made here: a page never names a folder.
    def make(form: Mapping[str, Any]) -> Work:
        return lambda progress: movielens(root / folders[form["folder"]], progress=progress)

    return Offer("Server folder", make, [Field("folder", "Folder", "select", options=folders)], "", "Use this folder")


def _read(upload: Upload, progress: Progress | None = None) -> Ratings:
    """A zip by what it is, not by what it is called."""
    name = Path(upload.name).stem or "ratings"
    with upload.path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    if zipped:
        return replace(movielens(upload.path, progress=progress), name=name)
    return read_ratings(upload.path, name=name, progress=progress)
