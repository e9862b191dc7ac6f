"""The columns of a predictions table, one by one: what comes in, in the form that goes on, or a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike, fspath
from typing import Any

import numpy as np
import pandas as pd

from ..words import readable

SUM_TOLERANCE = 0.01  # half precision sums 200 probabilities to within this


def as_list(values: Iterable[Any]) -> list:
    """The values one by one, from any framework."""
    # NumPy, pandas and torch alike; but a stack of pictures stays pictures.
    flat = hasattr(values, "tolist") and getattr(values, "ndim", 1) == 1
    return values.tolist() if flat else list(values)


def check_lengths(items: list, **columns) -> None:
    """Raise ValueError where a column is not as long as the items."""
    for name, values in columns.items():
        if values is not None and not hasattr(values, "__len__"):
            raise ValueError(f"{name} must be as long as the items, and has no length.")
        if values is not None and len(values) != len(items):
            raise ValueError(f"There are {len(items):,} items, but {name} has {len(values):,}.")


def label_text(value: Any) -> str:
    """A label as text; 3.0, as pandas makes of 3 beside an empty cell, is "3"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else readable(str(value))


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def sorted_labels(*columns: list) -> list[str]:
    """All labels that occur: numbers by their size, text by its letters."""
    names = {label_text(value) for values in columns for value in values if not _missing(value)}

    def number(name: str) -> float | None:
        try:
            value = float(name)
        except ValueError:
            return None
        return value if np.isfinite(value) else None

    numbers = {name: number(name) for name in names}
    if None in numbers.values():
        return sorted(names)
    return sorted(names, key=lambda name: (numbers[name], name))


def vocabulary(labels: Iterable[Any]) -> tuple[list[str], Callable[[Any], int | None]]:
    """The labels as text, and what finds a label's place."""
    given = as_list(labels)
    vocab = [label_text(value) for value in given]
    by_name = dict(zip(vocab, range(len(vocab)), strict=True))
    if len(by_name) < len(vocab):
        twice = next(name for place, name in enumerate(vocab) if by_name[name] != place)
        raise ValueError(f"Two labels read the same: {twice!r}.")
    positions = all(isinstance(value, str) for value in given)

    def find(value: Any) -> int | None:
        if positions and isinstance(value, int | np.integer) and not isinstance(value, bool):
            return int(value) if 0 <= value < len(vocab) else None
        return by_name.get(label_text(value))

    return vocab, find


def label_codes(values: list | pd.Series, find: Callable[[Any], int | None], vocab: list[str], name: str) -> np.ndarray:
    """The place of each value in `vocab`; ValueError for one that is missing or unknown."""
    if isinstance(values, pd.Series):
        if isinstance(values.dtype, pd.CategoricalDtype) and [*values.cat.categories] == vocab and not values.hasnans:
            return values.cat.codes.to_numpy(np.int64)  # as all tables of our own are
        values = values.tolist()
    places: dict[tuple[type, Any], int] = {}
    codes = np.empty(len(values), np.int64)
    for row, value in enumerate(values):
        if isinstance(value, list | dict | set | np.ndarray):
            raise ValueError(f"Row {row + 1} has a {type(value).__name__} as its {name}: one label for each item.")
        key = (type(value), value)  # 1, 1.0 and True are one key to a dict, and three labels
        place = places.get(key)
        if place is None:
            place = find(value)
            if place is None:
                raise ValueError(_unknown(value, row, vocab, name))
            places[key] = place
        codes[row] = place
    return codes


def _unknown(value: Any, row: int, vocab: list[str], name: str) -> str:
    if _missing(value):
        return f"Row {row + 1} has no {name}."
    known = ", ".join(map(repr, vocab[:5])) + (f" and {len(vocab) - 5} more" if len(vocab) > 5 else "")
    return f"Row {row + 1} has the {name} {value!r}, which is none of the labels: {known or 'there are none'}."


def common_labels(table: pd.DataFrame, with_probability: list[str]) -> list[str]:
    """The labels of a table that may come from anywhere, in their order."""
    columns = [table["label"], table["predicted"]]
    declared = [[label_text(v) for v in c.cat.categories] if isinstance(c.dtype, pd.CategoricalDtype) else None
                for c in columns]  # fmt: skip
    if declared[0] is not None and declared[1] is not None and set(declared[0]) == set(declared[1]):
        if not with_probability or set(declared[0]) == set(with_probability):
            return vocabulary(declared[0])[0]
    return with_probability or sorted_labels(*(column.tolist() for column in columns))


def item_column(items: pd.Series) -> pd.Series:
    """Items, each once: paths as text, pictures as they are."""
    values = [fspath(item) if isinstance(item, PathLike) else item for item in items]
    for row, item in enumerate(values):
        if _missing(item) or (isinstance(item, str) and not item.strip()):
            raise ValueError(f"Row {row + 1} has no item.")
    text = pd.Series([item for item in values if isinstance(item, str)], dtype=object)
    again = text[text.duplicated()].unique()
    if len(again):
        more = f", and so do {len(again) - 1:,} more" if len(again) > 1 else ""
        raise ValueError(f"{again[0]!r} stands in the table more than once{more}: one row for each item.")
    return pd.Series(values, dtype=object)


def split_column(splits: pd.Series) -> pd.Series:
    """Splits by name."""
    for row, value in enumerate(splits):
        if not isinstance(value, str) or not value:
            raise ValueError(f"Row {row + 1} has no split, such as 'train' or 'valid'.")
    return splits.astype(object)


def number_column(values: pd.Series, name: str) -> np.ndarray:
    """Numbers, NaN where the cell is empty."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(float, na_value=np.nan)
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & ~values.map(_missing) & (values.astype(str).str.strip().str.lower() != "nan")
    wrong &= values.astype(str).str.strip() != ""
    if wrong.any():
        row = int(wrong.idxmax())
        raise ValueError(f"Row {row + 1} has the {name} {values[row]!r}, which is no number.")
    return numbers.to_numpy(float)


def probability_matrix(values: Any, rows: int, vocab: list[str]) -> np.ndarray:
    """Probabilities as float32 (rows, labels)."""
    shares = np.asarray(values, dtype=np.float32)
    if shares.ndim != 2 and not rows:
        shares = shares.reshape(0, len(vocab))
    if shares.shape != (rows, len(vocab)):
        shape = " × ".join(map(str, shares.shape))
        raise ValueError(f"The probabilities are {shape}; {rows} items and {len(vocab)} labels need {rows} × "
                         f"{len(vocab)}. Say labels= if some never occur.")  # fmt: skip
    sums = shares.sum(1, dtype=float)
    wrong = ~((shares >= -1e-6).all(1) & (abs(sums - 1) <= SUM_TOLERANCE))  # so that NaN is wrong too
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"The probabilities of row {row + 1} do not lie between 0 and 1 or do not sum to 1 (their sum is "
            f"{sums[row]:.3g}): give what comes after softmax."
        )
    return shares
