"""Vectors with names: what every view of an embedding is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ..words import counted, quoted
from .labels import check_labels
from .metadata import check_metadata

LARGEST = 1e30  # beyond it, single precision could not add up a row
BLOCK = 8192  # rows that a core's cache holds


class Embedding:
    """Rows of numbers, a label for each, and what else is known of them; checked, and cleaned where that is safe.

    >>> embedding = Embedding(model.item_factors, titles, metadata=movies[["genre", "year"]])
    >>> embedding.vectors.shape, embedding.notices
    ((1682, 50), ())

    `vectors` is an (n, d) table of real numbers: an array, a DataFrame, a tensor, lists, a Series of either; n ≥ 2,
    d ≥ 1. `labels` are n texts, by default the rows' numbers; `metadata` is a DataFrame (or a mapping of columns) of n
    rows; `thumbnails` are n pictures as `Thumbnails` takes them: paths, PIL images, uint8 arrays.

    Rows with NaN, infinite or larger numbers than 1e30 are left out, of labels, metadata and thumbnails too. What was
    done is said by `notices`, a tuple of sentences. `vectors` is then float32, contiguous and read-only, not
    copied if it was both before; `labels` an object array of str; `metadata` a DataFrame with rows from 0;
    `thumbnails` a sequence or None; `kept` the original positions of the rows, of which `count` were given.
    Raises ValueError with a sentence for what cannot be used.
    """

    def __init__(
        self,
        vectors: Any,
        labels: Sequence[str] | None = None,
        metadata: pd.DataFrame | Mapping[str, Sequence] | None = None,
        thumbnails: Sequence | None = None,
    ):
        table = check_vectors(vectors)
        self.count = count = len(table)
        if labels is None:
            labels = range(count)
        names, notices = check_labels(labels, count)
        described, more = check_metadata(metadata, count)
        if thumbnails is not None and (isinstance(thumbnails, str) or not hasattr(thumbnails, "__len__")):
            raise ValueError("Thumbnails are a list with one for each row.")
        if thumbnails is not None and len(thumbnails) != count:
            raise ValueError(f"There are {counted(count, 'vector')} and {counted(len(thumbnails), 'thumbnail')}.")
        usable = usable_rows(table)
        self.kept = np.flatnonzero(usable)
        left_out = count - len(self.kept)
        if left_out:
            notices.insert(0, _about_rows(names[~usable], count))
            table, names = table[self.kept], names[self.kept]
            described = described.iloc[self.kept].reset_index(drop=True)
            if thumbnails is not None:
                thumbnails = [thumbnails[row] for row in self.kept]
        if len(table) < 2:
            raise ValueError(
                f"{counted(len(table), 'row')} of {count:,} can be used, and an embedding needs at least 2"
                + (": the others hold NaN, infinite or too large numbers." if left_out else ".")
            )
        constant = (table.min(axis=0) == table.max(axis=0)).sum()
        if constant == table.shape[1]:
            raise ValueError("All rows are the same, so there is nothing to see.")
        if constant:
            says = "never changes: it says" if constant == 1 else "never change: they say"
            notices.append(f"{constant:,} of {counted(table.shape[1], 'column')} {says} nothing here.")
        self.vectors = np.ascontiguousarray(table, np.float32).view()
        self.vectors.flags.writeable = False
        self.labels: np.ndarray = names
        self.metadata: pd.DataFrame = described
        self.thumbnails = thumbnails
        self.notices: tuple[str, ...] = (*notices, *more)

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        count, width = self.vectors.shape
        return f"<Embedding: {count:,} × {width:,}, {counted(self.metadata.shape[1], 'column')} of metadata>"


def check_vectors(vectors: Any) -> np.ndarray:
    """`vectors` as a two-dimensional float32 array; rows that cannot be used are still in it.

    >>> check_vectors([[1, 2], [3, 4]]).dtype
    dtype('float32')

    Raises ValueError with a sentence.
    """
    if isinstance(vectors, pd.DataFrame):
        others = [str(name) for name, column in vectors.items() if not pd.api.types.is_numeric_dtype(column)]
        if others:
            raise ValueError(f"Vectors are numbers, and these columns are none: {quoted(others)}. Are they metadata?")
        vectors = vectors.to_numpy(dtype=np.float64, na_value=np.nan)
    elif isinstance(vectors, pd.Series):  # of lists or arrays
        vectors = vectors.tolist()
    elif isinstance(vectors, np.ma.MaskedArray):
        vectors = vectors.astype(np.float64).filled(np.nan)
    elif hasattr(vectors, "detach"):  # a tensor, of whatever device; NumPy has no bfloat16
        tensor = vectors.detach().cpu()
        vectors = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    try:
        table = np.asarray(vectors)
    except ValueError as error:  # rows of different lengths
        raise ValueError("The rows of vectors have different lengths.") from error
    if table.dtype.kind == "O" and table.ndim == 2 and all(one is None or isinstance(one, Real) for one in table.flat):
        table = table.astype(np.float64)  # numbers of several kinds
    if table.dtype.kind not in "fiub":
        kind = {"O": "objects", "U": "text", "S": "text", "c": "complex numbers"}.get(table.dtype.kind, "others")
        raise ValueError(f"Vectors are real numbers; these are {kind}.")
    if table.ndim != 2:
        raise ValueError(f"Vectors are a table with a row for each label; this has the shape {table.shape}.")
    if not table.shape[0] or not table.shape[1]:
        raise ValueError(f"There are no vectors: the table has {table.shape[0]} rows and {table.shape[1]} columns.")
    if table.dtype == np.float32:
        return table
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told of as such
        return table.astype(np.float32)


def usable_rows(table: np.ndarray) -> np.ndarray:
    """Whether each row is made of finite numbers that are not too large; bool (n,).

    >>> usable_rows(np.array([[1, 2], [np.nan, 1]]))
    array([ True, False])
    """
    usable = np.empty(len(table), bool)
    for start in range(0, len(table), BLOCK):
        block = table[start : start + BLOCK]
        usable[start : start + BLOCK] = (np.abs(block) <= LARGEST).all(axis=1)  # NaN compares as false
    return usable


def _about_rows(names: np.ndarray, count: int) -> str:
    were, they = ("was", "it holds") if len(names) == 1 else ("were", "they hold")
    return (
        f"{len(names):,} of {counted(count, 'row')} {were} left out, because {they} NaN, infinite or too large "
        f"numbers: {quoted(names)}."
    )
