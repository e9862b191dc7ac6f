"""A table of numbers and texts in a text file, however it is written."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..text_table import QUOTED, cells, separator_of, table_head
from ..words import quoted

SEPARATORS = ("\t", ";", ",", "|", " ")
MISSING = ("", "nan", "NaN", "NAN", "NA", "N/A", "null", "None")
HEAD = 1 << 20  # bytes that tell how a file is written
WIDEST = 20_000  # columns


@dataclass(frozen=True)
class Table:
    """`frame` with text as names of columns; `texts` are those that are not numbers."""

    frame: pd.DataFrame
    texts: tuple[str, ...]


def read_table(file: bytes | str | Path, *, rows: int | None = None) -> Table:
    """The table in a file, given as bytes or as a path.

    >>> read_table(b"word,x,y\\nking,1,2\\nqueen,1,3\\n").texts
    ('word',)

    Tabs, semicolons, commas, bars or blanks part the cells; blanks only where that makes a column of numbers, and
    not where `rows` are wanted, for names have some too: "Apollo 13". Decimal commas are numbers where cells are not
    parted by commas. The first line is a header where a column of numbers begins with another word; where `rows`
    are wanted and there are as many lines, it is none. A column is text if its first cells are. UTF-8, UTF-16 or
    Windows' Latin letters. Raises ValueError with a sentence for what is no table, naming the row for a person.
    """
    head = file[:HEAD] if isinstance(file, bytes) else _head(file)
    if head.startswith(b"\x93NUMPY"):
        raise ValueError("This is NumPy's format: call the file .npy.")
    opened = table_head(head, cut=len(head) == HEAD)
    encoding, skipped, sample = opened.encoding, opened.skipped, opened.lines[:100]
    separator = separator_of(sample, SEPARATORS)
    if separator == " " and (rows is not None or not any(_kinds(sample, separator)[0])):
        separator = separator_of(sample, SEPARATORS[:-1])
    separator = separator or "\t"  # a single column
    kinds, comma = _kinds(sample, separator)
    first = cells(sample[0], separator)
    headed = _is_header(first, kinds, comma) if rows is None else _count_lines(file, encoding) != rows
    names = _names(first if headed else [], len(kinds))
    texts = tuple(name for name, number in zip(names, kinds, strict=True) if not number)
    return Table(_parse(file, names, texts, encoding, separator, skipped, headed, comma), texts)


def _parse(file, names, texts, encoding, separator, skipped, headed, comma) -> pd.DataFrame:
    options = {
        "sep": separator,
        "names": names,
        "header": None,
        "skiprows": skipped + headed,
        "index_col": False,
        "encoding": encoding,
        "encoding_errors": "replace",
        "keep_default_na": False,
        "na_values": {name: [*MISSING] for name in names if name not in texts},
        "skipinitialspace": True,
        "quoting": csv.QUOTE_MINIMAL if separator in QUOTED else csv.QUOTE_NONE,
        "decimal": "," if comma else ".",
        "engine": "c",
    }
    kinds = {name: object if name in texts else np.float64 for name in names}

    def read(dtype) -> pd.DataFrame:
        source = io.BytesIO(file) if isinstance(file, bytes) else file
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # longer rows would be cut off
            return pd.read_csv(source, dtype=dtype, **options)

    try:
        return read(kinds)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found:
            raise ValueError(f"Line {found[2]} has {found[3]} cells, and the first {found[1]}.") from error
        raise ValueError("Some rows have more cells than the first, or a quote is missing.") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError("The file has a header and no rows.") from error
    except ValueError as error:
        raise _bad_cell(read(object), names, texts, comma) or error from error


def _bad_cell(frame: pd.DataFrame, names: list[str], texts: tuple[str, ...], comma: bool) -> ValueError | None:
    for name in names:
        if name in texts:
            continue
        cells = frame[name].astype(str).str.replace(",", ".") if comma else frame[name]
        bad = np.flatnonzero(pd.to_numeric(cells, errors="coerce").isna() & frame[name].notna())
        if bad.size:
            return ValueError(
                f"Row {bad[0] + 1:,} of column {name[:40]!r} has {str(frame[name].iloc[bad[0]])[:40]!r} "
                "where a number should be."
            )
    return None


def _head(path: str | Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD)


def _kinds(lines: list[str], separator: str) -> tuple[list[bool], bool]:
    """Whether each column is one of numbers, and whether these have decimal commas."""
    split = [cells(line, separator) for line in lines]
    [(width, _)] = Counter(map(len, split[1:] or split)).most_common(1)
    width = max(width, len(split[0]))
    if width > WIDEST:
        raise ValueError(f"The file has {width:,} columns; {WIDEST:,} is the limit.")
    comma = separator != "," and any(re.fullmatch(r"[-+]?\d+,\d+", cell) for row in split[1:] for cell in row)
    kinds = [_is_number([row[place] for row in split[1:] if place < len(row)], comma) for place in range(width)]
    return kinds, comma


def _is_number(cells: list[str], comma: bool) -> bool:
    """Whether cells are numbers but for a few; missing ones do not count."""
    cells = [cell.replace(",", ".") if comma else cell for cell in cells if cell not in MISSING]
    return bool(cells) and sum(map(_parses, cells)) > len(cells) / 2


def _parses(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_header(first: list[str], kinds: list[bool], comma: bool) -> bool:
    if len(first) < len(kinds):  # R leaves out the name of the rows' names
        return True
    if not any(kinds):
        return True
    numbers = [cell.replace(",", ".") if comma else cell for cell, number in zip(first, kinds, strict=False) if number]
    if not all(map(_parses, numbers)):
        return not any(map(_parses, numbers)) or sum(map(_parses, numbers)) < len(numbers) / 2
    return len(numbers) > 2 and numbers in ([*map(str, range(len(numbers)))], [*map(str, range(1, len(numbers) + 1))])


def _names(header: list[str], width: int) -> list[str]:
    if not header:
        return [f"column {place}" for place in range(1, width + 1)]
    names = [""] * (width - len(header)) + header[:width]
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise ValueError(f"The header has columns of one name: {quoted(twice)}.")
    return [name if name or place == 0 else f"column {place + 1}" for place, name in enumerate(names)]


def _count_lines(file: bytes | str | Path, encoding: str) -> int:
    source = io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb")
    with source, io.TextIOWrapper(source, encoding, errors="replace") as text:
        return sum(1 for line in text if line.strip())
