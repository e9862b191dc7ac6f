"""Colours and sizes for the values of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from ...models.words import counted

# The first six are Okabe and Ito's, "Color Universal Design", 2008: told apart with every kind of colour vision;
# without black and yellow, which a dark or a light page would swallow. The others are for whoever has more kinds.
CATEGORIES = (
    *("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7"),
    *("#7d4fd0", "#86b817", "#c2255c", "#8a5a2b"),
)
OTHER, MISSING, ONE = "#8c8c8c", "#bdbdbd", "#3b7dd8"
# Nine steps of viridis (van der Walt and Smith, 2015), from which all others are mixed.
SCALE = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725")
STEPS = 64
LEVELS = 8  # sizes
SMALLEST, LARGEST = 0.6, 2.4  # times the usual size
NAME_LENGTH = 80


@dataclass(frozen=True)
class Encoding:
    """A code for each row, what a code stands for, and what a legend says of it.

    `codes` float32 (n,) whole numbers, `values` a colour ("#rrggbb") or a size for each code. `legend` is a dict for
    the page: a title, and "entries" of [name, colour or None, count], or "low" and "high" of a scale of colours.
    """

    codes: np.ndarray
    values: list
    legend: dict

    def of(self, rows: np.ndarray) -> Encoding:
        """The codes of these rows alone; what they stand for stays."""
        whole = len(rows) == len(self.codes) or not len(self.codes)
        return self if whole else Encoding(self.codes[rows], self.values, self.legend)


def colours(column: pd.Series | None) -> Encoding:
    """Colours for a column, or one for all without a column.

    >>> colours(movies["genre"]).legend["entries"]
    [['Drama', '#0072b2', 725], ['Comedy', '#e69f00', 505], ...]

    Text, categories, truth values and columns of at most ten whole numbers are categories: the ten most
    frequent have a colour each, and the others share one. Other numbers and dates
    follow a scale between their 1st and 99th percentile, so that one stray value does not take all contrast.
    """
    if column is None:
        return Encoding(np.empty(0, np.float32), [ONE], {})
    if is_categorical(column):
        return _categories(column)
    share, low, high, clipped = _share(column)
    codes = np.where(np.isnan(share), STEPS, np.nan_to_num(share) * (STEPS - 1)).round()
    missing = int(np.isnan(share).sum())
    legend = {
        "title": _short(column.name),
        "low": f"{'≤ ' if clipped[0] else ''}{_written(low, column)}",
        "high": f"{'≥ ' if clipped[1] else ''}{_written(high, column)}",
        "scale": list(SCALE),
        "entries": [["missing", MISSING, missing]] if missing else [],
    }
    return Encoding(codes.astype(np.float32), [*_mixed(), MISSING], legend)


def sizes(column: pd.Series | None, usual: float) -> Encoding:
    """Sizes in pixels for a column: numbers in eight steps, categories in as many as they have, the rarest largest.

    >>> sizes(movies["ratings"], usual=6).values
    [3.6, 5.14, ..., 14.4]

    What is missing is smallest.
    """
    if column is None:
        return Encoding(np.empty(0, np.float32), [usual], {})
    title = {"title": _short(column.name)}
    if is_categorical(column):
        found = _categories(column)
        names = [[name, None, count] for name, _, count in found.legend["entries"]]
        return Encoding(
            found.codes, _steps(usual, max(len(names), LEVELS))[: len(names) or 1], {**title, "entries": names}
        )
    share, low, high, _ = _share(column)
    codes = (np.nan_to_num(share) * (LEVELS - 1)).round()
    written = {"low": _written(low, column), "high": _written(high, column)}
    return Encoding(codes.astype(np.float32), _steps(usual, LEVELS), {**title, **written})


def _steps(usual: float, count: int) -> list[float]:
    return [round(float(usual * step), 2) for step in np.linspace(SMALLEST, LARGEST, count)]


def is_categorical(column: pd.Series) -> bool:
    """Whether its values are kinds, and not amounts."""
    if types.is_datetime64_any_dtype(column) or types.is_float_dtype(column):
        return False
    if types.is_integer_dtype(column):
        return len(pd.unique(column.dropna())) <= len(CATEGORIES)
    return True


def _categories(column: pd.Series) -> Encoding:
    places, names = pd.factorize(column)
    counts = np.bincount(places[places >= 0], minlength=len(names))
    ranked = np.argsort(-counts, kind="stable")
    own = ranked[: len(CATEGORIES)]
    rest, missing = len(names) - len(own), int((places < 0).sum())
    entries = [[_short(names[at]), colour, int(counts[at])] for at, colour in zip(own, CATEGORIES, strict=False)]
    if rest:
        entries.append([counted(rest, "other"), OTHER, int(counts.sum() - counts[own].sum())])
    if missing:
        entries.append(["missing", MISSING, missing])
    table = np.full(len(names) + 1, len(own), np.float32)
    table[own] = np.arange(len(own))
    table[-1] = len(own) + bool(rest)  # the place -1: missing
    legend = {"title": _short(column.name), "entries": entries}
    return Encoding(table[places], [colour for _, colour, _ in entries] or [ONE], legend)


def _share(column: pd.Series) -> tuple[np.ndarray, float, float, tuple[bool, bool]]:
    """How far between low and high each value is, NaN where missing; low, high, and what lies beyond them."""
    if types.is_datetime64_any_dtype(column):
        numbers = column.astype("int64").to_numpy(np.float64)
        numbers[column.isna().to_numpy()] = np.nan
    else:
        numbers = column.to_numpy(np.float64, na_value=np.nan)
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        return numbers, np.nan, np.nan, (False, False)
    low, high = np.quantile(present, [0.01, 0.99])
    if not low < high:
        low, high = present.min(), present.max()
    beyond = (bool(present.min() < low), bool(present.max() > high))
    if low == high:
        return np.where(np.isnan(numbers), np.nan, 0.5), low, high, beyond
    with np.errstate(over="ignore"):
        return ((numbers - low) / (high - low)).clip(0, 1), low, high, beyond


def _mixed() -> list[str]:
    """`STEPS` colours of the scale."""
    anchors = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in SCALE])
    at = np.linspace(0, len(SCALE) - 1, STEPS)
    mixed = np.stack([np.interp(at, range(len(SCALE)), anchors[:, part]) for part in range(3)], axis=1)
    return ["#" + "".join(f"{int(part):02x}" for part in colour.round()) for colour in mixed]


def _written(value: float, column: pd.Series) -> str:
    if value != value:
        return "–"
    if types.is_datetime64_any_dtype(column):
        unit = np.datetime_data(column.dt.tz_localize(None).dtype)[0]
        return str(np.datetime64(int(value), unit).astype("datetime64[D]"))
    if types.is_integer_dtype(column):
        return str(round(value))
    return f"{value:.3g}"


def _short(name: object) -> str:
    text = str(name)
    return text if len(text) <= NAME_LENGTH else f"{text[: NAME_LENGTH - 1]}…"
