"""A CSV of predictions, as a stranger uploads it, into a predictions table."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import pandas as pd

from ..data.items import check_items
from ..progress import Progress
from ..text_encoding import file_encoding
from .confusion import MOST
from .predictions import COLUMNS, PROBABILITY, check_predictions

NEEDED = ("item", "label", "predicted")
SEPARATORS = (",", ";", "\t", "|")
ROWS = 1_000_000
MOST_SPLITS = 100  # each is a choice on the page
STEP = 2000  # rows between two looks at whether anybody still waits
FORMAT = "It needs a row for each picture and the columns item (its path), label and predicted."


def read_predictions(
    path: str | Path, *, needed: tuple[str, ...] = NEEDED, progress: Progress | None = None
) -> pd.DataFrame:
    """The predictions table in a CSV file, in whatever way the file is written.

    >>> read_predictions("predictions.csv").item[0]
    'black/00000000.jpg'

    UTF-8, UTF-16 or Windows' Latin letters; commas, semicolons, tabs or bars between the cells; decimal
    commas where the cells are not parted by commas. `item`, `label` and `predicted` must be there, in any
    case and order; `split`, `confidence`, `loss` and "probability of <label>" may be; further columns are
    left out. "None" and "NA" are labels like others. `item` is what the file says (see `locate`). Where
    `predicted` is not `needed` and not there either, this is an items table.
    Raises ValueError with a sentence that names the row for a person; Cancelled.
    """
    size = max(1, os.path.getsize(path))
    with open(path, "rb") as raw:
        encoding = _encoding(raw)
    with open(path, encoding=encoding, errors="replace", newline="") as file:
        separator, names = _header(file, needed)
        columns = {name: [] for name in needed} | {name: [] for name in names if name in COLUMNS}
        places = {name: names.index(name) for name in columns}
        shares = [place for place, name in enumerate(names) if name.startswith(PROBABILITY)]
        if len(shares) > MOST:
            raise ValueError(f"The file has probabilities of {len(shares):,} labels; {MOST:,} is the limit.")
        comma = separator != ","
        probability = []
        for row, cells in enumerate(_rows(file, separator), 1):
            if row % STEP == 0 and progress is not None:
                progress.report(min(size, file.buffer.tell()), size, f"Reading row {row:,}")
            if row > ROWS:
                raise ValueError(f"The file has more than {ROWS:,} rows, the limit.")
            if len(cells) != len(names):
                raise ValueError(f"Row {row} has {len(cells)} cells and the header {len(names)}: is a quote missing?")
            for name, place in places.items():
                columns[name].append(cells[place])
            if shares:
                probability.append(_numbers([cells[place] for place in shares], row, comma))
    if not columns["item"]:
        raise ValueError(f"The file has a header and no rows. {FORMAT}")
    if len(found := {*columns["label"], *columns.get("predicted", ())}) > MOST:
        raise ValueError(
            f"The file has {len(found):,} different labels; {MOST:,} is the limit. Are the columns mixed up?"
        )
    if len(found := {*columns.get("split", ())}) > MOST_SPLITS:
        raise ValueError(f"The file has {len(found):,} different splits; {MOST_SPLITS} is the limit.")
    for name in ("confidence", "loss"):
        if name in columns:
            columns[name] = [_numbers([cell], row, comma)[0] for row, cell in enumerate(columns[name], 1)]
    table = pd.DataFrame(columns)
    for name in [name for name in ("label", "predicted") if name in columns]:
        if (without := table.index[table[name] == ""]).size:
            raise ValueError(f"Row {without[0] + 1} has no {name}.")
    if "predicted" not in columns:
        return check_items(table)
    if shares:
        table = pd.concat([table, pd.DataFrame(np.stack(probability), columns=[names[i] for i in shares])], axis=1)
    return check_predictions(table)


def _encoding(file: BinaryIO) -> str:
    try:
        encoding = file_encoding(file)
    except ValueError as error:
        raise ValueError(f"{error} {FORMAT}") from error
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _header(file: TextIO, needed: tuple[str, ...]) -> tuple[str, list[str]]:
    """The separator and the names of the columns; `file` stands at the first row afterwards."""
    line = file.readline(1 << 20)
    while line and (not line.strip() or line.lower().startswith("sep=")):  # as Excel writes it
        line = file.readline(1 << 20)
    best: list[str] = []
    for separator in SEPARATORS:
        try:
            names = [_column(name) for name in next(_rows([line], separator), [])]
        except ValueError:  # by another separator it may be more than one endless cell
            continue
        if len(set(names) & set(COLUMNS)) > len(set(best) & set(COLUMNS)) or not best:
            best, chosen = names, separator
    missing = [name for name in needed if name not in best]
    if missing:
        raise ValueError(f"The file has no column {' and none '.join(missing)}. {FORMAT}")
    counts = Counter(name for name in best if name in COLUMNS or name.startswith(PROBABILITY))
    if counts and counts.most_common(1)[0][1] > 1:
        raise ValueError(f"The column {counts.most_common(1)[0][0]!r} stands in the file twice.")
    return chosen, best


def _column(name: str) -> str:
    name = name.strip()
    if name.lower() in COLUMNS:
        return name.lower()
    if name.lower().startswith(PROBABILITY):
        return PROBABILITY + name[len(PROBABILITY) :]
    return name


def _rows(file: Iterable[str], separator: str) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=separator)
    try:
        for cells in reader:
            if cells:  # an empty line is none
                yield cells
    except csv.Error as error:
        raise ValueError(f"The file cannot be read near line {reader.line_num}: is a quote missing there?") from error


def _numbers(cells: list[str], row: int, comma: bool) -> np.ndarray:
    try:
        return np.array([*map(float, cells)])
    except ValueError:  # one that is empty, has a decimal comma, or is none
        numbers = np.empty(len(cells))
    for place, cell in enumerate(cells):
        text = cell.strip()
        if comma and re.fullmatch(r"[-+]?\d+,\d+([eE][-+]?\d+)?", text):
            text = text.replace(",", ".")
        try:
            numbers[place] = float(text) if text else np.nan
        except ValueError as error:
            raise ValueError(f"Row {row} has {cell[:40]!r} where a number should be.") from error
    return numbers
