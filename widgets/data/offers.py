"""What an image source offers: forms that become sources."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...models.data.fastai_data import DATASETS, FastaiSource
from ...models.data.search import FolderSearch, Search, SearchSource
from ...models.data.sources import DigitsSource, FolderSource, Source, folder_choices
from ...models.data.urls import UrlSource
from ..form import Field
from .source_form import Offer, server_root


def standard_offers(
    *, data_root: str | Path | None = None, search: Search | None = None, copy: bool = False
) -> list[Offer]:
    """The sources that can be used here: a folder on the server only where there is a root for them, fastai's data
    sets and the digits only where their packages are installed."""
    root = server_root(data_root)
    offers = [] if root is None else [_folder(root, copy)]
    offers += [_addresses(), _search(search)]
    if root is not None:
        offers.append(_folder_search(root))
    if find_spec("fastai"):
        offers.append(_fastai())
    if find_spec("sklearn"):
        offers.append(_digits())
    return offers


def _folder(root: Path, copy: bool) -> Offer:
    # A place in the list that was made here: a page never names a folder.
    choices = folder_choices(root)

    def make(form: Mapping[str, Any]) -> Source:
        if not choices:
            raise ValueError("There are no folders with photos on this server.")
        return FolderSource(choices[form["folder"]], root, copy=copy)

    about = "A copy of it is made: what you do to it changes nothing for others." if copy else ""
    field = Field("folder", "Folder", "select", options=choices or ["(none with photos)"], disabled=not choices)
    return Offer("Server folder", make, [field], about, "Use this folder")


def _addresses() -> Offer:
    hint = "One on each line. A line that is no address is the label of those below it."
    field = Field("urls", "Web addresses of photos", "lines", hint=hint)
    return Offer("Web addresses", lambda form: UrlSource(form["urls"]), [field], button="Download")


def _search(search: Search | None) -> Offer:
    about = "Photos of Wikimedia Commons, free to use under their licences." if search is None else ""
    return Offer(
        "Photo search",
        lambda form: SearchSource(form["terms"].splitlines(), per_term=form["per_term"], search=search),
        _terms(),
        about,
        "Search and download",
    )


def _folder_search(root: Path) -> Offer:
    return Offer(
        "Search the server",
        lambda form: SearchSource(form["terms"].splitlines(), per_term=form["per_term"], search=FolderSearch(root)),
        _terms(),
        "Photos of this server on whose path all words of the term stand; they are copied.",
        "Search",
    )


def _terms() -> list[Field]:
    return [
        Field("terms", "What to search for", "lines", hint="One on each line. Each becomes the label of its photos."),
        Field("per_term", "Photos for each", "number", 50, low=1, high=500),
    ]


def _fastai() -> Offer:
    names = list(DATASETS)
    field = Field("dataset", "Data set", "select", options=[f"{name}: {about}" for name, about in DATASETS.items()])
    return Offer("fastai data set", lambda form: FastaiSource(names[form["dataset"]]), [field], button="Download")


def _digits() -> Offer:
    return Offer(
        "Handwritten digits",
        lambda form: DigitsSource(form["per_class"]),
        [Field("per_class", "Pictures of each digit", "number", 60, low=2, high=170)],
        "A built-in example that needs no network: scikit-learn's digits 0 to 9.",
        "Use the digits",
    )
