"""Positions as ranges: what a page and its kernel say of many pictures in few numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

AT_ONCE = 2000  # pictures that one message may ask for; a screen shows some fifty


def ranges_of(positions: Iterable[int]) -> list[list[int]]:
    """Ascending positions as [begin, end) pairs: a hundred thousand selected ones are one pair.

    >>> ranges_of((2, 3, 4, 9))
    [[2, 5], [9, 10]]
    """
    ranges: list[list[int]] = []
    for position in positions:
        if ranges and ranges[-1][1] == position:
            ranges[-1][1] += 1
        else:
            ranges.append([position, position + 1])
    return ranges


def checked_ranges(ranges: Any, count: int, *, ascending: bool = False) -> list[tuple[int, int]] | None:
    """Pairs [begin, end) within `count` as a page sent them, or None; not ascending: no more than AT_ONCE in all."""
    if not isinstance(ranges, list) or len(ranges) > (count if ascending else AT_ONCE):
        return None
    checked, last, total = [], 0, 0
    for pair in ranges:
        if not isinstance(pair, list) or len(pair) != 2 or not all(type(one) is int for one in pair):
            return None
        begin, end = pair
        if not (last if ascending else 0) <= begin < end <= count:
            return None
        last, total = end, total + end - begin
        checked.append((begin, end))
    return checked if ascending or total <= AT_ONCE else None
