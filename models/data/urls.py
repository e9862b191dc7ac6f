"""Pictures from a list of web addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..progress import Cancelled, Progress
from .downloads import Wanted, download_images
from .items import folder_name
from .sources import Fetched
from .web import Web

MAX_URLS = 5000


class UrlSource:
    """Downloads the pictures at given web addresses, under a label for each.

    >>> UrlSource({"teddy": ["https://example.org/1.jpg"], "grizzly": ["https://example.org/2.jpg"]})
    >>> UrlSource("teddy\\nhttps://example.org/1.jpg\\ngrizzly\\nhttps://example.org/2.jpg")

    In a text each line is an address, or the label of the addresses below it. Raises ValueError where
    there is no address, or more than 5,000; `fetch` where none of them gave a picture. What else goes
    wrong with one stands in `failures`. `options` go to `download_images`.
    """

    def __init__(self, urls: str | Mapping[str, Iterable[str]], *, web: Web | None = None, **options):
        self.urls = read_urls(urls) if isinstance(urls, str) else {label: list(some) for label, some in urls.items()}
        count = sum(map(len, self.urls.values()))
        if not count:
            raise ValueError("There is no web address in that.")
        if count > MAX_URLS:
            raise ValueError(f"That is {count:,} addresses; the limit is {MAX_URLS:,} at a time.")
        self._web, self._options = web, options

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        wanted = [
            Wanted(url, into / folder / f"{index:05}")
            for folder, urls in one_folder_each(self.urls).items()
            for index, url in enumerate(urls)
        ]
        done = download_images(wanted, web=self._web, progress=progress, **self._options)
        if progress is not None and progress.cancelled and not done.files:
            raise Cancelled
        if not done.files:
            raise ValueError(f"None of the {len(wanted)} addresses gave a photo. The first: {done.failures[0][1]}")
        return Fetched(into, done.files, done.failures)


def read_urls(text: str) -> dict[str, list[str]]:
    """Label -> addresses, from lines that are an address or the label of those below; each address once.

    >>> read_urls("teddy\\nhttps://example.org/1.jpg")
    {'teddy': ['https://example.org/1.jpg']}

    Addresses above the first label are "unlabelled".
    """
    label, found, seen = "unlabelled", {}, set()
    for line in map(str.strip, text.splitlines()):
        if "://" not in line:
            label = line.rstrip(":") or label
        elif line not in seen:
            seen.add(line)
            found.setdefault(label, []).append(line)
    return found


def one_folder_each(labels: Mapping[str, list]) -> dict[str, list]:
    """The same values by folder name: labels that make one name share a folder.

    >>> one_folder_each({"cat/dog": [1], "cat-dog": [2]})
    {'cat-dog': [1, 2]}
    """
    folders: dict[str, list] = {}
    for label, values in labels.items():
        folders.setdefault(folder_name(label), []).extend(values)
    return folders
