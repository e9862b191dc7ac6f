"""Counts, shares and names as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "photo"), counted(1200, "photo")
    ('1 photo', '1,200 photos')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float, decimals: int = 0) -> str:
    """A share in [0, 1].

    >>> percent(0.354), percent(0.354, 1)
    ('35 %', '35.4 %')
    """
    return f"{100 * share:.{decimals}f} %"


def megabytes(count: int) -> str:
    """A number of bytes, to the nearest megabyte.

    >>> megabytes(46_830_452)
    '47 MB'
    """
    return f"{max(1, round(count / 1e6)):,} MB"


def quoted(names: Sequence[str], most: int = 5) -> str:
    """Names in quotation marks, and how many more there are.

    >>> quoted(["black", "grizzly", "teddy"], most=2)
    "'black', 'grizzly' and 1 more"
    """
    shown = ", ".join(map(repr, list(names)[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def apart(names: Sequence[str]) -> list[str]:
    """Names of which no two are the same: the later ones get a number.

    >>> apart(["label", "year", "label"])
    ['label', 'year', 'label 2']
    """
    given, made = set(names), []
    for name in names:
        one, number = name, 1
        while one in made or (number > 1 and one in given):
            number += 1
            one = f"{name} {number}"
        made.append(one)
    return made


def readable(name: str) -> str:
    """The name of a file as text that can be written anywhere: bytes that are no UTF-8 are spelt out.

    >>> readable(os.fsdecode(b"b\xe4r"))
    'b\\udce4r'

    Python has such bytes as lone surrogates (PEP 383), which neither UTF-8 holds nor pandas' columns of text.
    """
    return name.encode("utf-8", "backslashreplace").decode()


def inert(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula, made text again (OWASP, "CSV Injection").

    >>> inert("=1+1"), inert(-1)
    ("'=1+1", -1)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
