"""Pictures by search terms, which become their labels."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from ..progress import Cancelled, Progress
from ..words import inert
from .addresses import NoHost, NoNetwork
from .downloads import NO_NETWORK, Wanted, download_images
from .items import image_files
from .sources import Fetched
from .urls import one_folder_each
from .web import Again, Web

MAX_TERMS, MAX_PER_TERM = 50, 500


@dataclass(frozen=True)
class Found:
    """A picture that a search named: its address (a URL or a path), and whose it is where that is known."""

    url: str
    page: str = ""
    creator: str = ""
    licence: str = ""


Search = Callable[[str, int], Sequence[Found]]


class SearchSource:
    """Fetches `per_term` pictures for each search term; the term is their label.

    >>> SearchSource(["grizzly bear", "teddy bear"], per_term=30).fetch(Path("photos"))

    `search` is any callable from a term and a number to at most that many `Found`; `Commons()`, which needs
    no key, unless another is given. Where each picture is from, by whom and under which licence is written
    to `sources.csv` in the folder. Raises ValueError without terms, past 50 terms or 500 for each, and for
    searches that find nothing; RuntimeError without network.
    """

    def __init__(
        self,
        terms: Sequence[str],
        *,
        per_term: int = 50,
        search: Search | None = None,
        web: Web | None = None,
        **options,
    ):
        self.terms = list(dict.fromkeys(term.strip() for term in terms if term.strip()))
        if not 1 <= len(self.terms) <= MAX_TERMS:
            raise ValueError(f"Name 1 to {MAX_TERMS} things to search for, one on each line.")
        if not 1 <= per_term <= MAX_PER_TERM:
            raise ValueError(f"Between 1 and {MAX_PER_TERM} photos can be fetched for each term, not {per_term}.")
        self.per_term = per_term
        self._web = web or Web()
        self._search = search or Commons(web=self._web)
        self._options = {"workers": 4, **options}  # image archives shut out who asks for more at once

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        found: dict[str, Sequence[Found]] = {}
        for index, term in enumerate(self.terms):
            if progress is not None:
                progress.report(index, len(self.terms), f"Searching for {term}")
            found[term] = self._search(term, self.per_term)
        failures = [(term, "The search found no photos.") for term, some in found.items() if not some]
        if len(failures) == len(found):
            raise ValueError(f"The search found no photos for {', '.join(map(repr, self.terms[:5]))}.")
        by_stem = {
            into / folder / f"{index:05}": one
            for folder, some in one_folder_each({term: list(some) for term, some in found.items()}).items()
            for index, one in enumerate(some)
        }
        files = self._copy(by_stem, failures, progress) + self._download(by_stem, failures, progress)
        if progress is not None and progress.cancelled and not files:
            raise Cancelled
        if not files:
            raise ValueError(f"None of the {len(by_stem)} photos found could be fetched. The first: {failures[0][1]}")
        with (into / "sources.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["item", "url", "page", "creator", "licence"])
            for path in files:
                one = by_stem[path.with_suffix("")]
                about = [one.url if _on_the_web(one) else "", one.page, one.creator, one.licence]
                rows.writerow([path.relative_to(into), *map(inert, about)])
        return Fetched(into, files, failures)

    def _download(self, by_stem: dict[Path, Found], failures: list, progress: Progress | None) -> list[Path]:
        wanted = [Wanted(one.url, stem) for stem, one in by_stem.items() if _on_the_web(one)]
        if not wanted:
            return []
        done = download_images(wanted, web=self._web, progress=progress, **self._options)
        failures += done.failures
        return done.files

    def _copy(self, by_stem: dict[Path, Found], failures: list, progress: Progress | None) -> list[Path]:
        copied = []
        for stem, one in by_stem.items():
            if _on_the_web(one):
                continue
            path = Path(one.url)
            if progress is not None:
                progress.report(len(copied), len(by_stem), "Copying")
            target = stem.with_suffix(path.suffix.lower())
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, target)
            except OSError as error:
                failures.append((path.name, f"It could not be copied: {error.strerror}."))
            else:
                copied.append(target)
        return copied


def _on_the_web(found: Found) -> bool:
    return "://" in found.url


class Commons:
    """Searches Wikimedia Commons, which needs no key; its photos are free to use under their licences.

    >>> Commons()("grizzly bear", 3)[0].licence
    'CC BY-SA 4.0'

    Asks for pictures `width` pixels wide; Commons keeps 250, 330, 500 and 960 ready. Raises RuntimeError,
    a sentence, where it does not answer.
    Source: MediaWiki Action API, modules `search` (as a generator) and `imageinfo`.
    """

    def __init__(
        self, *, width: int = 500, web: Web | None = None, api: str = "https://commons.wikimedia.org/w/api.php"
    ):
        self._width, self._web, self._api = width, web or Web(), api

    def __call__(self, term: str, count: int) -> list[Found]:
        found: list[tuple[int, Found]] = []
        onwards: dict = {}
        while len(found) < count:
            answer = self._ask(term, min(50, count - len(found)), onwards)
            pages = answer.get("query", {}).get("pages", [])
            found += [(page.get("index", 0), one) for page in pages if (one := _found(page))]
            onwards = answer.get("continue")
            if not onwards or not pages:
                break
        return [one for _, one in sorted(found, key=lambda pair: pair[0])][:count]

    def _ask(self, term: str, count: int, onwards: dict) -> dict:
        query = {
            "action": "query", "format": "json", "formatversion": 2,
            "generator": "search", "gsrnamespace": 6, "gsrlimit": count,
            "gsrsearch": f"{term} filetype:bitmap",
            "prop": "imageinfo", "iiprop": "url|extmetadata|mime", "iiurlwidth": self._width,
            "iiextmetadatafilter": "Artist|LicenseShortName",
            **onwards,
        }  # fmt: skip
        answer = io.BytesIO()
        try:
            self._web.get(f"{self._api}?{urlencode(query)}", answer, max_bytes=20_000_000)
            return json.loads(answer.getvalue())
        except (NoNetwork, NoHost) as error:
            raise RuntimeError(NO_NETWORK) from error
        except (Again, ValueError) as error:
            raise RuntimeError(f"The photo search does not answer: {error}") from error


def _found(page: dict) -> Found | None:
    [info] = page.get("imageinfo") or [{}]
    if info.get("mime") not in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff"):
        return None
    about = info.get("extmetadata", {})
    text = {key: _plain(str(about.get(key, {}).get("value", ""))) for key in ("Artist", "LicenseShortName")}
    url = info.get("thumburl") or info.get("url")
    if not isinstance(url, str) or "://" not in url:  # a path would be one of ours
        return None
    return Found(url, info.get("descriptionurl", ""), text["Artist"], text["LicenseShortName"])


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


class FolderSearch:
    """A folder of pictures as a search: finds those on whose path all words of the term stand.

    >>> SearchSource(["grizzly", "teddy"], search=FolderSearch("/srv/photos"))

    Words are compared without regard to case, with the names of the file and of the folders below `root`.
    Links that lead out of it are left out.
    """

    def __init__(self, root: str | Path):
        self._root = Path(root)

    def __call__(self, term: str, count: int) -> list[Found]:
        words = term.casefold().split()
        files, _ = image_files(self._root)
        return [
            Found(str(file))
            for file in files
            if all(word in str(file.relative_to(self._root)).casefold() for word in words)
        ][:count]
