"""MovieLens from where GroupLens gives it out."""

from __future__ import annotations

from pathlib import Path

from ..data.archive import download_archive
from ..data.web import Web
from ..progress import Progress
from .movielens import Damaged, movielens
from .ratings import Ratings

SITE = "https://files.grouplens.org/datasets/movielens"
# Name: the address (fastai knows ml-100k by the same, as URLs.ML_100k) and what it is.
RELEASES = {
    "ml-100k": (f"{SITE}/ml-100k.zip", "100,000 ratings of 1,682 films by 943 users, 1997 and 1998 (5 MB)"),
    "ml-latest-small": (f"{SITE}/ml-latest-small.zip", "100,000 ratings of 9,700 films by 610 users, to 2018 (1 MB)"),
    "ml-25m": (f"{SITE}/ml-25m.zip", "25 million ratings of 59,000 films by 162,000 users, to 2019 (262 MB)"),
}
NO_NETWORK = (
    "Nothing can be downloaded: this kernel has no network. Read a file of ratings that is here already, or start "
    "with the built-in example."
)


def download_ratings(
    name: str, folder: str | Path, *, web: Web | None = None, progress: Progress | None = None
) -> Ratings:
    """A MovieLens release by name, downloaded once into `folder`.

    >>> download_ratings("ml-latest-small", "data")
    <ml-latest-small: 100,836 ratings of 9,724 items by 610 users>

    The zip is kept there as it is and read without unpacking it; a download that broke off goes on where it
    was. Research use, and not to be given on but under the same terms: see the README in the zip.
    Raises ValueError for a name that is not in `RELEASES`; RuntimeError, a sentence, for what does not arrive
    whole; Cancelled.
    """
    if name not in RELEASES:
        raise ValueError(f"There are no ratings called {name!r} here. Choose one of {', '.join(RELEASES)}.")
    archive = Path(folder) / f"{name}.zip"
    if not archive.is_file():
        url, _ = RELEASES[name]
        download_archive(
            url, archive, name=name, no_network=NO_NETWORK, max_bytes=2_000_000_000, web=web, progress=progress
        )
    try:
        return movielens(archive, progress=progress)
    except Damaged as error:
        archive.unlink()
        raise RuntimeError(f"{name} arrived damaged, and was not used. Try again.") from error
