"""The columns of a file of ratings, numbers or text, without a Python object for a row."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..progress import Progress
from ..text_table import QUOTED
from ..words import counted
from .table_layout import Layout, Source

CHUNK = 1_000_000  # rows between two looks at whether anybody still waits
CELLS = 16_000_000  # of a file of many columns, at once
MOST = 50_000_000  # ratings; a zip of some kilobytes unfolds to as many as it likes
FORMAT = "A row is a user, an item, a rating and, if known, the time."


@dataclass(frozen=True)
class Texts:
    """A column of text: row i says `texts[codes[i]]`, or nothing if the code is -1."""

    codes: np.ndarray
    texts: list[str]


class _NoNumbersError(Exception):
    """A column holds something else than the numbers that it began with."""


def read_columns(source: Source, found: Layout, progress: Progress | None = None) -> dict[str, np.ndarray | Texts]:
    """The columns by what they are: numbers where all cells are, which pandas reads several times as fast, else text.

    >>> source = Source.of("u.data")
    >>> read_columns(source, layout(source, ["user", "item", "rating"], ["time"]))["user"]
    array([196, 186, ...], dtype=int32)

    Raises ValueError, a sentence, for what is no table; Cancelled.
    """
    textual = {"title"} | found.padded  # "007" is not 7; looked for in the head of the file alone
    while True:
        try:
            return _columns(source, found, textual, progress)
        except _NoNumbersError as error:
            textual = textual | {str(error)}
        except UnicodeDecodeError:  # a name beyond the head of the file is not of UTF-8
            found = replace(found, encoding="cp1252")


def _columns(
    source: Source, found: Layout, textual: set[str], progress: Progress | None
) -> dict[str, np.ndarray | Texts]:
    # pandas' fast parser takes a single character: between the two of "1::2" it sees an empty cell.
    spread = 2 if found.separator == "::" else 1
    places = {what: spread * place for what, place in found.places.items()}
    beyond = spread * (found.width - 1) + 1  # the cell after the last; asked for some columns only, pandas drops it
    parts: dict[str, list[np.ndarray]] = {what: [] for what in places}
    known: dict[str, dict[str, int]] = {what: {} for what in places}
    with source.open() as file:
        try:
            chunks = pd.read_csv(
                file,
                sep=found.separator[0],
                header=None,
                names=range(beyond + 1),
                dtype={place: object for what, place in places.items() if what in textual},
                skiprows=found.skipped,
                chunksize=min(CHUNK, max(1, CELLS // (beyond + 1))),
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
                quoting=csv.QUOTE_MINIMAL if found.separator in QUOTED else csv.QUOTE_NONE,
                encoding=found.encoding,
                encoding_errors="replace" if found.encoding == "cp1252" else "strict",
                low_memory=False,
                index_col=False,
            )
            for chunk in chunks:
                if (more := chunk[beyond].notna()).any():
                    raise ValueError(
                        f"Row {more.idxmax() + 1:,} has more cells than the first: is a quote missing there?"
                    )
                for what, place in places.items():
                    column = chunk[place]
                    parts[what].append(_added(column, known[what]) if what in textual else _numbers(column, what))
                rows = sum(map(len, parts["user"]))
                if rows > MOST:
                    raise ValueError(f"The file has more than {MOST:,} ratings, which is the limit.")
                if progress is not None:
                    progress.report(min(file.tell(), source.size), source.size, f"Read {counted(rows, 'rating')}")
        except pd.errors.EmptyDataError as error:
            raise ValueError(f"The file has a header and no ratings. {FORMAT}") from error
        except pd.errors.ParserError as error:
            raise ValueError(_why(str(error))) from error
    if not any(map(len, parts["user"])):
        raise ValueError(f"The file has a header and no ratings. {FORMAT}")
    joined = {what: np.concatenate(part) for what, part in parts.items()}
    return {what: Texts(column, list(known[what])) if what in textual else column for what, column in joined.items()}


def _added(column: pd.Series, known: dict[str, int]) -> np.ndarray:
    """The column's codes, after those of its texts that are new got one."""
    codes, texts = pd.factorize(column)
    table = np.array([*(known.setdefault(str(text).strip(), len(known)) for text in texts), -1], dtype=np.int32)
    return table[codes]


def _numbers(column: pd.Series, what: str) -> np.ndarray:
    kind = column.dtype.kind
    if what == "rating" and kind in "iuf":
        return column.to_numpy(np.float32)
    if what == "time" and kind in "iuf":
        return column.to_numpy()
    if kind == "i":
        small = len(column) and column.min() >= 0 and column.max() < 2**31
        return column.to_numpy(np.int32 if small else np.int64)
    raise _NoNumbersError(what)


def _why(error: str) -> str:
    if line := re.search(r"in line (\d+)", error):
        return f"Line {int(line[1]):,} has more cells than those before: is a quote missing there?"
    if line := re.search(r"starting at row (\d+)", error):
        return f"A quotation mark that is opened in row {int(line[1]) + 1:,} is never closed."
    return f"The file cannot be read as a table of ratings. {FORMAT}"
