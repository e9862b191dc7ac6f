"""What items are called: titles and genres from a file, each title that of one item."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..text_table import QUOTED
from .table_layout import Layout, Source, cells, layout

LONGEST = 200  # characters of a title
LARGEST = 200_000_000  # bytes of a file of titles
MOST = 2_000_000  # titles
NO_GENRES = ("", "(no genres listed)", "unknown")
# The flags that end a line of ml-100k's u.item, in their order (its u.genre).
FLAGS = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|Musical|"
    "Mystery|Romance|Sci-Fi|Thriller|War|Western"
).split("|")


def read_titles(file: str | Path | bytes | Source) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Title and genres by item id, from GroupLens' movies.csv, movies.dat and u.item, and from the like.

    >>> read_titles("movies.csv")["1"]
    ('Toy Story (1995)', ('Adventure', 'Animation', 'Children', 'Comedy', 'Fantasy'))

    Where an id stands twice, the first is taken. Raises ValueError, a sentence, for what is no such file.
    """
    source = Source.of(file)
    if source.size > LARGEST:
        raise ValueError(f"This file of titles is larger than {LARGEST / 1e6:g} MB, the limit.")
    found = layout(source, ["item", "title"], ["genres"])
    flags = found.width - len(FLAGS) if not found.headed and found.width == 5 + len(FLAGS) else None
    titles: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in _rows(source, found):
        if len(row) <= max(found.places["item"], found.places["title"]):
            continue
        if flags is not None:
            genres = [name for name, flag in zip(FLAGS, row[flags:], strict=False) if flag.strip() == "1"]
        else:
            place = found.places.get("genres", len(row))
            genres = row[place].split("|") if place < len(row) else []
        named = tuple(clean(name) for name in genres if name.strip().lower() not in NO_GENRES)
        titles.setdefault(row[found.places["item"]].strip(), (clean(row[found.places["title"]]), named))
        if len(titles) > MOST:
            raise ValueError(f"The file has more than {MOST:,} titles, which is the limit.")
    if not titles:
        raise ValueError("The file of titles has a header and no titles.")
    return titles


def clean(text: str) -> str:
    """One line of printable characters, of no more than 200.

    >>> clean("Nine\\n\\u202eLanterns")
    'Nine Lanterns'
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 10 * LONGEST]).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def distinct(titles: Sequence[str], ids: Sequence[str]) -> np.ndarray:
    """The titles, those that several items have with the id behind them; the id alone where there is no title.

    >>> distinct(["Emma (1996)", "Emma (1996)", ""], ["838", "26958", "7"]).tolist()
    ['Emma (1996) [838]', 'Emma (1996) [26958]', '7']
    """
    named = [title or clean(identity) or "?" for title, identity in zip(titles, ids, strict=True)]
    counts = Counter(named)
    result = np.array(named, dtype=object)
    taken = {title for title, count in counts.items() if count == 1}
    for index, (title, identity) in enumerate(zip(named, ids, strict=True)):
        if counts[title] > 1:
            name, again = f"{title} [{clean(identity)}]", 1
            while name in taken:  # another item is called just so, or ids differ in what cannot be printed
                again += 1
                name = f"{title} [{clean(identity)}, {again}]"
            taken.add(name)
            result[index] = name
    return result


def _rows(source: Source, found: Layout) -> Iterator[list[str]]:
    with source.open() as file:
        raw = file.read(LARGEST)
    encoding = found.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:  # a name beyond the head of the file is not of UTF-8
        text = raw.decode("cp1252", "replace")
    lines = io.StringIO(text.lstrip("\ufeff"), newline="")
    for _ in range(found.skipped):
        lines.readline()
    if found.separator not in QUOTED:
        yield from (cells(line, found.separator) for line in lines if line.strip())
        return
    reader = csv.reader(lines, delimiter=found.separator, skipinitialspace=True)
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise ValueError(
            f"The file of titles cannot be read near line {reader.line_num + found.skipped}: is a quote missing there?"
        ) from error
