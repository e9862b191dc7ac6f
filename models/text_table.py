"""Tables in text files, as their first lines tell: in which letters they are written, and what parts the cells."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .text_encoding import text_encoding

QUOTED = (",", ";")  # between other separators, a quotation mark is only that


@dataclass(frozen=True)
class TableHead:
    """`lines` are the first that have anything in them, after `skipped` that are none of the table's."""

    encoding: str
    lines: list[str]
    skipped: int


def table_head(head: bytes, *, cut: bool) -> TableHead:
    """The first lines of a table; `cut` says that the file goes on after these bytes.

    >>> table_head(b"user;item\\n1;2\\n", cut=False).lines
    ['user;item', '1;2']

    Raises ValueError, a sentence, for what is no text, for a web page, and where nothing is written.
    """
    encoding = text_encoding(head)
    lines = head.decode(encoding, "replace").lstrip("\ufeff").splitlines()
    if cut and len(lines) > 1:
        lines.pop()  # the rest of it may be missing
    skipped = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    if skipped < len(lines) and lines[skipped].lower().startswith("sep="):  # as Excel writes it
        skipped += 1
    lines = [line for line in lines[skipped:] if line.strip()]
    if not lines:
        raise ValueError("This file is empty: it has no lines with anything in them.")
    if lines[0].lstrip().lower().startswith(("<!doctype", "<html")):
        raise ValueError("This is a web page, not a table: download the file itself.")
    return TableHead(encoding, lines, skipped)


def separator_of(lines: Sequence[str], separators: Sequence[str], *, least: int = 2) -> str:
    """The separator that parts the most lines into equally many cells, `least` or more; "" if none does.

    >>> separator_of(["1;4,5", "2;3,5"], (";", ","))
    ';'

    Among equals the earlier one.
    """
    best, chosen = 0, ""
    for separator in separators:
        widths = Counter(len(cells(line, separator)) for line in lines)
        agreeing, width = max((count, width) for width, count in widths.items())
        if width >= least and agreeing > best:
            best, chosen = agreeing, separator
    return chosen


def cells(line: str, separator: str) -> list[str]:
    """The cells of one line, without blanks around them."""
    if separator not in QUOTED:
        return [cell.strip() for cell in line.strip("\r\n ").split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:  # a cell without end
        return [line]
