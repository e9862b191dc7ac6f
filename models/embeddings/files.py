"""Vectors and metadata from files, as a stranger uploads them."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib import format as npy

from ..words import counted
from .table_file import read_table

NAMES = ("label", "name", "title", "word", "token", "item", "id")  # of a column of labels, the likeliest first
KINDS = (".npy", ".csv", ".tsv", ".txt")
MOST = 5_000_000  # vectors: labels, places and an index of so many take 100 bytes for each, whatever their file takes
FORMAT = "Vectors are a .npy file with a table of numbers, or a CSV or TSV file with a row for each."


@dataclass(frozen=True)
class VectorsFile:
    """What a file of vectors holds: (n, d) numbers, labels and metadata where it has some."""

    vectors: np.ndarray
    labels: list[str] | None = None
    metadata: pd.DataFrame | None = None


def read_vectors(file: bytes | str | Path, name: str) -> VectorsFile:
    """The vectors in a `.npy`, `.csv`, `.tsv` or `.txt` file (its bytes or path) that was called `name`.

    >>> read_vectors("words.tsv", "words.tsv").labels[:2]
    ['king', 'queen']

    A table may have a header or none, and commas, semicolons, tabs, bars or blanks between its cells. Its columns of
    text are the labels (that called label, name, title, word, token, item or id, else the first) and metadata;
    one of numbers that is called id, or nameless and counts the rows, is no part of the vectors.
    Raises ValueError with a sentence for what is no such file, and for more than 5,000,000 rows. Nothing is unpickled.
    """
    if Path(name).suffix.lower() == ".npy":
        return VectorsFile(_read_npy(file))
    table = read_table(file)
    _refuse_many(len(table.frame))
    frame = table.frame
    texts = [column for column in frame if column in table.texts]
    labels, frame = _labels(frame, texts)
    numbers = frame.drop(columns=[column for column in texts if column in frame])
    if not numbers.shape[1]:
        raise ValueError(f"The file has no columns of numbers. {FORMAT}")
    others = frame[[column for column in texts if column in frame]]
    vectors = numbers.to_numpy(np.float32, na_value=np.nan)
    return VectorsFile(vectors, labels, others if others.shape[1] else None)


def read_metadata(file: bytes | str | Path, count: int) -> pd.DataFrame:
    """The metadata of `count` vectors in a CSV or TSV file (its bytes or path).

    >>> read_metadata(b"title\\tyear\\nHeat\\t1995\\nAlien\\t1979\\n", 2).year.tolist()
    [1995, 1979]

    A file of as many lines as vectors has no header, as TensorFlow's projector writes it for one column; then
    columns are called "column 1" and so on. Columns of numbers are numbers, whole ones integers. Raises
    ValueError with a sentence.
    """
    table = read_table(file, rows=count)
    if len(table.frame) != count:
        raise ValueError(f"There are {counted(count, 'vector')}, and {counted(len(table.frame), 'row')} of metadata.")
    return table.frame.apply(_integers)


def label_column(metadata: pd.DataFrame) -> str | None:
    """The column that names the rows: one of the usual names, else the first of text; None without any.

    >>> label_column(pd.DataFrame({"year": [1995], "title": ["Heat"]}))
    'title'
    """
    texts = [name for name, column in metadata.items() if not pd.api.types.is_numeric_dtype(column)]
    return next((one for name in NAMES for one in texts if one.lower() == name), texts[0] if texts else None)


def _labels(frame: pd.DataFrame, texts: list[str]) -> tuple[list[str] | None, pd.DataFrame]:
    chosen = label_column(frame[texts])
    whole = np.arange(len(frame))
    for name in frame.columns:  # the numbers of rows, as pandas writes them in front
        if name in texts or name.lower() not in ("", "id", "index") or not len(frame):
            continue
        if name.lower() == "id" or np.array_equal(frame[name], whole) or np.array_equal(frame[name], whole + 1):
            if chosen is None:
                chosen = name
            else:
                frame = frame.drop(columns=name)
    if chosen is None:
        return None, frame
    column = _integers(frame[chosen])
    return [str(label) if label is not None else "" for label in column.tolist()], frame.drop(columns=chosen)


def _integers(column: pd.Series) -> pd.Series:
    """A column of whole numbers as such: a year is 1995, not 1995.0."""
    if column.dtype.kind != "f" or not (column.abs() < 2**53).all() or (column != column.round()).any():
        return column
    return column.astype(np.int64)


def _read_npy(file: bytes | str | Path) -> np.ndarray:
    """An array of numbers; its size is checked against its header before anything of that size is made."""
    with io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        head = source.read(8)
        source.seek(0)
        _refuse_others(head, size)
        shape, fortran, dtype = _header(source)
        if dtype.hasobject:
            raise ValueError(
                "This .npy file holds Python objects (a pickle), which could run code: save numbers instead."
            )
        if dtype.kind not in "fiub":
            raise ValueError(f"This .npy file holds {dtype}, and vectors are real numbers.")
        if not all(type(side) is int and side < 2**48 for side in shape):
            raise ValueError("This .npy file is damaged: its header tells of a shape that none has.")
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"Vectors are a table of n rows and d columns; this array has the shape {shape}.")
        there, needed = size - source.tell(), math.prod(shape) * dtype.itemsize
        if there != needed:
            raise ValueError(
                f"This .npy file is damaged: its header tells of {needed:,} bytes of numbers, and {there:,} are there."
            )
        _refuse_many(shape[0])
        data = np.frombuffer(source.read(), dtype) if isinstance(file, bytes) else np.fromfile(source, dtype)
    return data.reshape(shape[::-1]).T if fortran else data.reshape(shape)


def _refuse_others(head: bytes, size: int) -> None:
    if not size:
        raise ValueError("This file is empty (0 bytes).")
    if head.startswith(b"PK"):
        raise ValueError("This is a zip or .npz file, whatever its name says: save one array with np.save.")
    if head.startswith(b"\x80"):
        raise ValueError("This is a pickle, which could run code, so it is not opened: save the array with np.save.")
    if not head.startswith(npy.MAGIC_PREFIX):
        raise ValueError("This is no .npy file, whatever its name says: save the array with np.save.")


def _refuse_many(rows: int) -> None:
    if rows > MOST:
        raise ValueError(f"Vectors are at most {MOST:,}, and these are {rows:,}: take a part of them.")


def _header(source: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = npy.read_magic(source)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError("an unknown version")
        return read(source)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, EOFError, TokenError) as error:
        raise ValueError("This .npy file is damaged: its header cannot be read.") from error
