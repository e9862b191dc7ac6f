"""How a file of ratings is written: encoding, separator, header, and which column is which."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .. import text_table
from ..text_table import QUOTED, separator_of, table_head
from ..words import quoted

HEAD = 1 << 16  # bytes that tell how a file is written
SEPARATORS = ("::", "\t", ";", ",", "|", " ")
WIDEST = 1000  # columns
# What a column may be called, by lower-case letters and digits; the earlier name wins.
NAMES = {
    "user": ("userid", "user", "uid", "userids", "username", "reviewerid", "customerid", "visitorid"),
    "item": (
        "movieid",
        "itemid",
        "item",
        "movie",
        "iid",
        "isbn",
        "bookid",
        "productid",
        "asin",
        "animeid",
        "id",
        "title",
    ),
    "rating": ("rating", "ratings", "score", "stars", "bookrating", "value", "overall"),
    "time": ("timestamp", "time", "unixtime", "unixreviewtime", "datetime", "date", "ts"),
    "title": ("title", "movietitle", "name", "moviename", "booktitle", "movie"),
    "genres": ("genres", "genre", "categories", "category", "tags"),
}
SPOKEN = {
    "user": "the user (such as userId)",
    "item": "the item (such as movieId)",
    "rating": "the rating",
    "title": "the title",
}


@dataclass(frozen=True)
class Source:
    """Bytes that can be opened anew: `open()` gives a file that is read from its beginning."""

    open: Callable[[], BinaryIO]
    size: int

    @classmethod
    def of(cls, file: str | Path | bytes | Source) -> Source:
        """From a path, bytes, or another source. Raises ValueError, a sentence, for a path without a file."""
        if isinstance(file, Source):
            return file
        if isinstance(file, bytes | bytearray | memoryview):
            return cls(lambda: io.BytesIO(file), len(file))
        path = Path(file)
        if not path.is_file():
            raise ValueError(f"There is no file {path.name!r}.")
        return cls(lambda: path.open("rb"), path.stat().st_size)


@dataclass(frozen=True)
class Layout:
    """`places` maps what a column is, such as "user", to its position; `skipped` lines come before the first row;
    `padded` are those of user and item in which some number begins with a 0."""

    encoding: str
    separator: str
    places: dict[str, int]
    width: int
    skipped: int
    headed: bool
    padded: frozenset[str]


def layout(
    source: Source, needed: Sequence[str], optional: Sequence[str], columns: Sequence[str] | None = None
) -> Layout:
    """Find out how a table is written from its first lines.

    >>> layout(Source.of("u.data"), ["user", "item", "rating"], ["time"]).separator
    '\\t'

    Without a header, the columns are `columns`, else those needed and the first optional one, in that order.
    Raises ValueError, a sentence, for what is no such table.
    """
    with source.open() as file:
        head = file.read(HEAD)
    opened = table_head(head, cut=len(head) == HEAD)
    encoding, skipped, rows = opened.encoding, opened.skipped, opened.lines
    lines = rows[:50]
    separator = _separator(lines, len(needed))
    first = cells(lines[0], separator)
    if len(first) > WIDEST:
        raise ValueError(f"The file has {len(first):,} columns; {WIDEST:,} is the limit. Is it one rating in each row?")
    headed = columns is None and not any(map(_is_number, first))
    if headed:
        places = _by_names(first, needed, optional)
        return Layout(encoding, separator, places, len(first), skipped + 1, True, _padded(rows[1:], separator, places))
    names = list(columns) if columns is not None else [*needed, *optional[:1]]
    if missing := [name for name in needed if name not in names]:
        raise ValueError(f"The columns must have a name each, {quoted(needed)} among them; {quoted(missing)} is not.")
    places = {name: place for place, name in enumerate(names) if name in (*needed, *optional) and place < len(first)}
    if missing := [name for name in needed if name not in places]:
        spoken = ", ".join(SPOKEN[name] for name in missing)
        raise ValueError(f"The file has {len(first)} columns and no header: there is none for {spoken}.")
    return Layout(encoding, separator, places, len(first), skipped, False, _padded(rows, separator, places))


def _padded(rows: list[str], separator: str, places: dict[str, int]) -> frozenset[str]:
    split = [cells(row, separator) for row in rows]
    return frozenset(
        what
        for what in {"user", "item"} & places.keys()
        if any(len(row) > places[what] and re.match(r"0\d", row[places[what]]) for row in split)
    )


def cells(line: str, separator: str) -> list[str]:
    """The cells of one line, without blanks around them, nor marks where no separator can stand between any."""
    found = text_table.cells(line, separator)
    return found if separator in QUOTED else [cell.strip('"') for cell in found]


def _separator(lines: list[str], needed: int) -> str:
    if not (found := separator_of(lines, SEPARATORS, least=needed)):
        raise ValueError(
            f"The file has no {needed} columns that are parted by commas, semicolons, tabs, bars, :: or blanks. "
            f"Its first line is {lines[0][:60]!r}."
        )
    return found


def _by_names(header: list[str], needed: Sequence[str], optional: Sequence[str]) -> dict[str, int]:
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    places: dict[str, int] = {}
    for what in (*needed, *optional):
        found = next((plain.index(name) for name in NAMES[what] if name in plain), None)
        if found is not None and found not in places.values():
            if plain.count(plain[found]) > 1:
                raise ValueError(f"The column {header[found][:40]!r} stands in the file twice.")
            places[what] = found
    if missing := [SPOKEN[what] for what in needed if what not in places]:
        raise ValueError(
            f"The file has no column for {' and none for '.join(missing)}. Its columns are "
            f"{quoted([name[:40] for name in header], 8)}."
        )
    return places


def _is_number(cell: str) -> bool:
    return number(cell) is not None


def number(cell: str) -> float | None:
    """What a cell says, with a point or a comma before the decimals; None if that is no number.

    >>> number("4,5"), number("good")
    (4.5, None)
    """
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None
