"""Rows found by a pattern, in time that grows with the text and not with the pattern's malice."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from ..progress import Progress

LONGEST = 1000  # characters of a pattern
PART = 100_000  # rows that are worth a thread
FIRST = 64  # rows that are looked through before the next, twice as many, while that goes quickly
QUICK, SECONDS = 0.05, 10.0  # for so many at a time, and for all


class Search:
    """Which rows match a regular expression, in any case of letters.

    >>> search = Search(embedding.labels, embedding.metadata)
    >>> embedding.labels[search("^star (wars|trek)")]
    >>> search("drama", column="genre")

    A call returns positions in their order, int64. Labels are searched, or the metadata's `column`: numbers as they
    are written, each category once; what is missing matches nothing. An empty pattern finds nothing.
    The expressions are RE2's (https://github.com/google/re2/wiki/Syntax): linear in the text for every pattern,
    for which look-around and references back are left out. Some are slow all the same, in proportion to what their
    counted repetitions come to: they are given up after ten seconds.
    Raises ValueError with a sentence for a pattern that is none or too slow, and for a column that is not there;
    Cancelled.
    """

    def __init__(self, labels: Sequence[str], metadata: pd.DataFrame | None = None):
        self._metadata = metadata if metadata is not None else pd.DataFrame()
        self._texts: dict[str | None, pa.Array] = {None: pa.array(labels, pa.large_string())}

    def __call__(self, pattern: str, column: str | None = None, *, progress: Progress | None = None) -> np.ndarray:
        if not isinstance(pattern, str):
            raise ValueError("A search is for text.")
        if len(pattern) > LONGEST:
            raise ValueError(f"A search has at most {LONGEST:,} characters, and this has {len(pattern):,}.")
        texts, progress = self._column(column), progress or Progress()
        if not pattern:
            return np.empty(0, np.int64)
        if isinstance(texts, pa.DictionaryArray):
            found = np.append(_matches(texts.dictionary, pattern, progress), False)  # the last for what is missing
            codes = texts.indices.fill_null(len(found) - 1).to_numpy(zero_copy_only=False)
            return np.flatnonzero(found[codes])
        return np.flatnonzero(_matches(texts, pattern, progress))

    def _column(self, column: str | None) -> pa.Array:
        if column is not None and (not isinstance(column, str) or column not in self._metadata):
            raise ValueError(f"There is no column {str(column)[:40]!r}.")
        if column not in self._texts:
            self._texts[column] = _arrow(self._metadata[column])
        return self._texts[column]


def _arrow(column: pd.Series) -> pa.Array:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = pa.array(column.cat.codes.to_numpy(np.int32), mask=column.isna().to_numpy())
        return pa.DictionaryArray.from_arrays(codes, _text(pa.array(column.cat.categories)))
    return _text(pa.Array.from_pandas(column))


def _text(values: pa.Array) -> pa.Array:
    return values.cast(pa.large_string())


def _matches(texts: pa.Array, pattern: str, progress: Progress) -> np.ndarray:
    """Whether each text matches; the parts of a long column by threads, since Arrow lets go of Python's lock."""
    parts = max(1, min(os.cpu_count() or 1, len(texts) // PART))
    size = -(-len(texts) // parts)
    pieces = [texts.slice(part * size, size) for part in range(parts)]
    if parts == 1:
        return _part(pieces[0], pattern, progress)
    with ThreadPoolExecutor(parts, thread_name_prefix="ipyfastai-search") as threads:
        return np.concatenate(list(threads.map(partial(_part, pattern=pattern, progress=progress), pieces)))


def _part(texts: pa.Array, pattern: str, progress: Progress) -> np.ndarray:
    found, place, size, begun = [], 0, FIRST, time.monotonic()
    while not found or place < len(texts):
        progress.report(0, None, "Searching")
        before = time.monotonic()
        if found and before - begun > SECONDS:
            raise ValueError("This expression takes too long: use fewer or smaller repetitions.")
        try:
            matches = compute.match_substring_regex(texts.slice(place, size), pattern, ignore_case=True)
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            raise ValueError(f"This is no regular expression: {_why(error)}.") from error
        found.append(matches.fill_null(False).to_numpy(zero_copy_only=False))
        place += size
        size *= 2 if time.monotonic() - before < QUICK else 1
    return np.concatenate(found)


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "it holds half of a character"
    return str(error).removeprefix("Invalid regular expression: ").strip().rstrip(".")
