"""Ratings from a file, however it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..progress import Progress
from ..words import counted
from .columns import FORMAT, Texts, read_columns
from .ratings import Ratings, texts
from .table_layout import Source, layout, number
from .titles import clean, distinct, read_titles

OUTLIERS = 0.01  # the share of ratings that a scale found from the ratings themselves may leave out
LARGEST = 1_000_000  # a rating: squares of larger ones are no numbers any more in single precision
TOPS = (1, 5, 7, 10, 20, 100)  # where scales of stars, points and percents end
NOTHING = {"", "na", "n/a", "nan", "null", "none", "-", "?"}
MILLISECONDS = 1e11  # as seconds, the year 5138


def read_ratings(
    file: str | Path | bytes | Source,
    movies: str | Path | bytes | Source | None = None,
    *,
    columns: Sequence[str] | None = None,
    scale: tuple[float, float] | None = None,
    name: str = "",
    progress: Progress | None = None,
) -> Ratings:
    """Ratings from a CSV file and the like; titles and genres from `movies` (see `read_titles`).

    >>> read_ratings("ml-latest-small/ratings.csv", "ml-latest-small/movies.csv")
    <100,836 ratings of 9,724 items by 610 users>
    >>> read_ratings("ml-100k/u.data", "ml-100k/u.item").scale
    (1.0, 5.0)

    Commas, semicolons, tabs, bars, `::` or blanks part the cells; with a header the columns may stand in any
    order, without one they are user, item, rating, time, or what `columns` says ("user", "item", "rating", "time",
    "title"; other names are left out). UTF-8, UTF-16 or Windows' Latin letters. Times are seconds or milliseconds
    since 1970, or dates.

    Left out, and told in `.notices`: rows without a user, item or rating; ratings beyond `scale` (None: found from
    the ratings themselves); what a user gave an item before they rated it again.
    Raises ValueError, a sentence, for what is no such file, a rating that is no number, or ratings by one user or
    of one item only; Cancelled.
    """
    source = Source.of(file)
    found = layout(source, ["user", "item", "rating"], ["time", "title"], columns)
    return _Reading(read_columns(source, found, progress), found, movies, scale, name).ratings()


class _Reading:
    """From columns of a file to ratings, with what is left out on the way."""

    def __init__(self, table, found, movies, scale, name):
        self._table, self._movies, self._scale, self._name = table, movies, scale, name
        self.notices: list[str] = []
        if not found.headed:
            order = sorted(found.places, key=found.places.__getitem__)
            self.notices.append(f"The file has no header: its columns were taken as {', '.join(order)}.")

    def ratings(self) -> Ratings:
        values = self._values()
        users, user_ids = _coded(self._table["user"])
        items, item_ids = _coded(self._table["item"])
        whole = ~np.isnan(values) & (users >= 0) & (items >= 0)
        if lost := int(np.count_nonzero(~whole)):
            self.notices.append(f"{counted(lost, 'row')} without a user, an item or a rating: left out.")
        times = self._times(whole)
        rows = self._last(*self._within(np.flatnonzero(whole), values), users, items, len(item_ids), times)
        if not rows.size:
            raise ValueError("No row of the file has a user, an item and a rating on the scale.")
        users, user_ids = _used(users[rows], user_ids)
        items_before = items[rows]
        items, item_ids = _used(items_before, item_ids)
        for ids, what in ((user_ids, "user"), (item_ids, "item")):
            if len(ids) < 2:
                raise ValueError(
                    f"All ratings are of one {what}, {ids[0][:60]!r}: to compare, it takes at least two {what}s."
                )
        titles, genres = self._titles(item_ids, items, rows)
        return Ratings(
            users,
            items,
            values[rows],
            times=None if times is None else times[rows],
            user_ids=user_ids,
            item_ids=item_ids,
            titles=titles,
            genres=genres,
            scale=self._scale,
            name=self._name,
            notices=tuple(self.notices),
        )

    def _values(self) -> np.ndarray:
        """Each row's rating, NaN where there is none."""
        column = self._table["rating"]
        if not isinstance(column, Texts):
            return column
        numbers = [number(text) for text in column.texts]
        wrong = [
            code
            for code, (text, value) in enumerate(zip(column.texts, numbers, strict=True))
            if value is None and text.lower() not in NOTHING
        ]
        if wrong:
            row = int(np.isin(column.codes, wrong).argmax())
            said = column.texts[column.codes[row]][:40]
            raise ValueError(f"Row {row + 1:,} has {said!r} where a rating should be, a number. {FORMAT}")
        each = [*(np.nan if value is None else value for value in numbers), np.nan]  # the last for code -1
        return np.array(each, dtype=np.float32)[column.codes]

    def _within(self, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows whose rating is on the scale."""
        if not rows.size:
            return rows, values
        kept = values[rows]
        if self._scale is None:
            self._scale = _scale(kept)
            low, high = self._scale
            self.notices.append(f"Ratings are taken to run from {low:g} to {high:g}, by those in the file.")
        low, high = self._scale
        inside = (kept >= low) & (kept <= high)
        if not inside.all():
            beyond = kept[~inside]
            self.notices.append(
                f"{counted(len(beyond), 'rating')} not from {low:g} to {high:g}, such as {beyond[0]:g}: left out."
            )
        return rows[inside], values

    def _last(self, rows, values, users, items, n_items, times) -> np.ndarray:
        """The rows without those that the same user's later rating of the same item replaces."""
        pairs = users[rows].astype(np.int64) * n_items + items[rows]
        ordered = np.sort(pairs)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not twice.size:
            return rows
        double = np.flatnonzero(np.isin(pairs, twice))
        among = (double, pairs[double]) if times is None else (double, times[rows[double]], pairs[double])
        order = double[np.lexsort(among)]
        is_last = np.append(pairs[order[1:]] != pairs[order[:-1]], True)
        what = "the last in the file" if times is None else "the last by time"
        self.notices.append(
            f"{counted(int((~is_last).sum()), 'rating')} of an item by a user who rated it again: "
            f"{what} is kept, {counted(len(twice), 'rating')}."
        )
        return np.delete(rows, order[~is_last])

    def _times(self, whole: np.ndarray) -> np.ndarray | None:
        """Seconds since 1970, or None where not every rating has a time that can be read."""
        if "time" not in self._table:
            return None
        column = self._table["time"]
        if isinstance(column, Texts):
            seconds = _seconds(pd.Series([*column.texts, ""], dtype=object))[column.codes]
        else:
            seconds = column.astype(float)
        usable = np.isfinite(seconds) & (np.abs(seconds) < 1e16)
        if lost := int(np.count_nonzero(whole & ~usable)):
            self.notices.append(
                f"{counted(lost, 'rating')} without a time that can be read: the times of all are left out."
            )
            return None
        if not whole.any():
            return None
        if np.median(np.abs(seconds[whole])) > MILLISECONDS:
            self.notices.append("Times are taken as milliseconds.")
            seconds = seconds / 1000
        return np.where(usable, seconds, 0).astype(np.int64)

    def _titles(self, item_ids, items, rows) -> tuple[np.ndarray | None, list[tuple[str, ...]] | None]:
        if self._movies is not None:
            known = read_titles(self._movies)
            found = [known.get(identity) or known.get(identity.lstrip("0"), ("", ())) for identity in item_ids]
            without = sum(not title for title, _ in found)
            if without == len(found):
                raise ValueError("The file of titles has none of the items that were rated: is it another data set's?")
            if without:
                self.notices.append(f"{counted(without, 'item')} without a title: called by the id.")
            genres = [names for _, names in found]
            return distinct([title for title, _ in found], item_ids), genres if any(genres) else None
        if "title" in self._table:
            column = self._table["title"]
            _, first = np.unique(items, return_index=True)
            names = [*map(clean, column.texts), ""]
            return distinct([names[code] for code in column.codes[rows[first]]], item_ids), None
        return distinct(item_ids, item_ids), None


def _seconds(texts: pd.Series) -> np.ndarray:
    """Seconds since 1970 of numbers and dates, NaN of what is neither."""
    seconds = pd.to_numeric(texts, errors="coerce").to_numpy(float, copy=True)
    for form in ("ISO8601", "mixed"):  # the second takes any form, and many times as long
        left = np.flatnonzero(np.isnan(seconds))
        dates = pd.to_datetime(texts.iloc[left], errors="coerce", utc=True, format=form)
        known = dates.notna().to_numpy()
        instants = dates[known].dt.tz_localize(None).to_numpy("datetime64[s]")
        seconds[left[known]] = instants.astype(np.int64)
    return seconds


def _scale(values: np.ndarray) -> tuple[float, float]:
    """Where ratings can lie, judged by where all but a few do. ValueError for what no scale has."""
    values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError("No rating of the file is a number.")
    if np.mean(values < 0) > OUTLIERS:
        low, high = float(values.min()), float(values.max())
        _refuse_large(low, high)
        return low, high if high > low else low + 1
    top = next((top for top in TOPS if np.mean(values > top) <= OUTLIERS), float(values.max()))
    _refuse_large(top)
    least = values[(values >= 0) & (values <= top)].min()
    return (0.0 if least < 0.5 or top == 1 else 0.5 if least < 1 else 1.0), float(top)


def _refuse_large(*ends: float) -> None:
    for end in ends:
        if abs(end) > LARGEST:
            raise ValueError(f"Ratings lie between -{LARGEST:,} and {LARGEST:,}, and one is {end:g}. {FORMAT}")


def _coded(column: np.ndarray | Texts) -> tuple[np.ndarray, np.ndarray]:
    """Codes, -1 for none, and ids in order: by number where all are numbers, else by letters."""
    if not isinstance(column, Texts):
        least, most = int(column.min()), int(column.max())
        if most - least > 4 * len(column) + 1_000_000:
            ids, codes = np.unique(column, return_inverse=True)
        else:  # no need to sort
            codes, ids = _used(column - least, np.arange(least, most + 1))
        return codes.astype(np.int32), texts(ids.tolist())
    written = column.texts
    if all(re.fullmatch(r"\d+(\.0)?", text) for text in written if text):  # that went through a table with gaps
        written = [text.removesuffix(".0") for text in written]
    ids = sorted({text for text in written if text})
    if all(text.isascii() and text.isdigit() and len(text) < 19 for text in ids):
        ids.sort(key=lambda text: (int(text), text))
    code_of = {identity: code for code, identity in enumerate(ids)} | {"": -1}
    codes = np.array([*(code_of[text] for text in written), -1], dtype=np.int32)
    return codes[column.codes], texts(ids)


def _used(codes: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes without gaps, after rows were left out."""
    there = np.bincount(codes, minlength=len(ids)) > 0
    return (np.cumsum(there, dtype=np.int32) - 1)[codes], ids[there]
