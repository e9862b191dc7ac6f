"""MovieLens as GroupLens gives it out: a folder or a zip."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..progress import Progress
from .ratings import Ratings
from .ratings_file import read_ratings
from .table_layout import Source

# The file of ratings, that of titles, and the scale: the releases since 2015, those of 2003 and 2009, and ml-100k.
FILES = (
    ("ratings.csv", "movies.csv", (0.5, 5.0)),
    ("ratings.dat", "movies.dat", None),  # whole stars in ml-1m, half ones in ml-10m
    ("u.data", "u.item", (1.0, 5.0)),
)
LARGEST = 4_000_000_000  # bytes of a file within a zip; the largest release has 0.9 GB


class Damaged(ValueError):
    """A zip that is none, or not as it was made; `str` is a sentence."""


def movielens(place: str | Path, *, progress: Progress | None = None) -> Ratings:
    """The ratings of a MovieLens release, with titles and genres, from its folder or its zip as downloaded.

    >>> movielens("ml-latest-small")
    <ml-latest-small: 100,836 ratings of 9,724 items by 610 users>

    Any release from ml-100k to ml-32m; a folder without titles gives ids. A zip is read as it is and
    not unpacked. F. M. Harper and J. A. Konstan, "The MovieLens Datasets" (2015); research use, and not to be given
    on but under the same terms: see the README in each.
    Raises ValueError, a sentence, for what is no such folder or zip, or damaged; Cancelled.
    """
    place = Path(place)
    if place.is_dir():
        folders = [place, *sorted(inner for inner in place.iterdir() if inner.is_dir())]
        for folder in folders:
            there = {file.name: Source.of(file) for file in folder.iterdir() if file.is_file()}
            if _is_release(there):
                return _read(there, folder.resolve().name, progress)
        raise ValueError(f"There are no ratings in this folder: neither {' nor '.join(one[0] for one in FILES)}.")
    if not place.is_file():
        raise ValueError(f"There is no folder and no zip called {place.name!r}.")
    try:
        with zipfile.ZipFile(place) as archive:
            there = {
                entry.filename.rsplit("/", 1)[-1]: Source(_opener(archive, entry), entry.file_size)
                for entry in archive.infolist()
                if not entry.is_dir() and entry.filename.count("/") <= 1
            }
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise ValueError("This zip is locked with a password. Make one without.")
            if not _is_release(there):
                raise ValueError(f"There are no ratings in this zip: neither {' nor '.join(one[0] for one in FILES)}.")
            try:
                return _read(there, place.stem, progress)
            except ValueError:
                _read_to_the_end(there)  # what is damaged may be no ratings before its end tells
                raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Damaged("This is not a whole zip file: download it again.") from error


def _is_release(there: dict[str, Source]) -> bool:
    return any(ratings in there for ratings, *_ in FILES)


def _read(there: dict[str, Source], name: str, progress: Progress | None) -> Ratings:
    ratings, titles, scale = next(one for one in FILES if one[0] in there)
    return read_ratings(there[ratings], there.get(titles), scale=scale, name=name, progress=progress)


def _read_to_the_end(there: dict[str, Source]) -> None:
    """Raises what `zipfile` does for a damaged file of ratings or titles; others in the zip are nobody's business."""
    for name in next(one for one in FILES if one[0] in there)[:2]:
        if name in there:
            with there[name].open() as file:
                while file.read(1 << 20):
                    pass


def _opener(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    if entry.file_size > LARGEST:
        raise ValueError(f"A file in this zip is larger than {LARGEST / 1e9:g} GB, the limit.")
    return lambda: archive.open(entry)  # gives no more bytes than the entry says it has
