"""What else is known of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from ..words import counted, quoted
from .labels import check_labels

MOST = 200  # columns


def check_metadata(
    metadata: pd.DataFrame | pd.Series | Mapping[str, Sequence] | None, count: int
) -> tuple[pd.DataFrame, list[str]]:
    """A DataFrame of `count` rows, numbered from 0, and sentences on what was done to it.

    >>> check_metadata({"year": [1995, 1979]}, 2)[0].year.tolist()
    [1995, 1979]

    Names of columns become text. Columns of numbers, truth values, dates and categories stay what they are,
    infinite numbers are missing ones; everything else becomes text, as labels do.
    Raises ValueError with a sentence for columns of another length, and for two of one name.
    """
    if metadata is None:
        return pd.DataFrame(index=range(count)), []
    table = _frame(metadata)
    if len(table) != count:
        raise ValueError(f"There are {counted(count, 'vector')} and {counted(len(table), 'row')} of metadata.")
    if table.shape[1] > MOST:
        raise ValueError(f"The metadata has {table.shape[1]:,} columns; {MOST} is the limit.")
    names = check_labels(list(table.columns), table.shape[1])[0]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"The metadata has two columns of one name: {quoted(twice)}.")
    columns, infinite = {}, []
    for name, (_, column) in zip(names, table.items(), strict=True):
        columns[name] = cleaned = _column(column)
        if types.is_float_dtype(column) and cleaned.isna().sum() > column.isna().sum():
            infinite.append(name)
    notices = [f"Infinite numbers in {quoted(infinite)} count as missing."] if infinite else []
    return pd.DataFrame(columns, index=range(count)), notices


def _frame(metadata: Any) -> pd.DataFrame:
    if isinstance(metadata, pd.DataFrame):
        return metadata
    if isinstance(metadata, pd.Series):
        return metadata.to_frame(metadata.name if metadata.name is not None else "metadata")
    if not isinstance(metadata, Mapping):
        raise ValueError(f"Metadata is a DataFrame with a row for each vector, not {type(metadata).__name__}.")
    try:
        return pd.DataFrame(dict(metadata))
    except UnicodeEncodeError:  # half of a surrogate pair, which no column of text can hold
        return pd.DataFrame({name: list(map(_whole, column)) for name, column in metadata.items()})
    except ValueError as error:  # pandas tells of lengths, not which
        raise ValueError("The columns of the metadata have different lengths, or are no lists.") from error


def _whole(value: Any) -> Any:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _column(column: pd.Series) -> pd.Series:
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = check_labels(column.cat.categories, len(column.cat.categories))[0]
        if len(set(categories)) < len(categories):  # 1 and "1"
            return pd.Series(categories[column.cat.codes], dtype=object).where(column.notna(), None)
        return column.cat.rename_categories(list(categories))
    if types.is_bool_dtype(column) or types.is_datetime64_any_dtype(column) or types.is_integer_dtype(column):
        return column
    if types.is_float_dtype(column):
        return column.where(np.isfinite(column.to_numpy(np.float64, na_value=np.nan)))
    texts = pd.Series(check_labels(column, len(column))[0], dtype=object)
    return texts.where(column.notna(), None)
