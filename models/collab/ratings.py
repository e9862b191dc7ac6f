"""Ratings: who gave which item how much, as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

# "Cosmos (1980)", "Doctor Who (1963-1989)", "Emma (1996) [838]"
YEAR = re.compile(r"\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)\s*(?:\[[^]]*\])?$")


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of items by users, good for tens of millions: no Python object for a rating.

    >>> ratings = Ratings([0, 0, 1], [0, 1, 1], [4, 2.5, 5], user_ids=["ann", "bob"], item_ids=["7", "9"],
    ...                   titles=["Beyond Velmoor (1987)", "Nine Lanterns (2003)"])
    >>> ratings.n_users, ratings.n_items, len(ratings)
    (2, 2, 3)

    `users` and `items` are int32 codes (n,): the user `user_ids[users[i]]` gave the item `item_ids[items[i]]`,
    called `titles[items[i]]`, the rating `values[i]`, float32 within `scale`, at `times[i]`, int64 seconds
    since 1970, UTC. Without titles, items are called by their ids. `genres` has a tuple of names for each
    item. `notices` are sentences on what a file's reader left out or took for granted.
    Raises ValueError, a sentence, for lengths, codes or ratings that do not fit together.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    times: np.ndarray | None = field(default=None, kw_only=True)
    user_ids: np.ndarray = field(kw_only=True)
    item_ids: np.ndarray = field(kw_only=True)
    titles: np.ndarray | None = field(default=None, kw_only=True)
    genres: Sequence[tuple[str, ...]] | None = field(default=None, kw_only=True)
    scale: tuple[float, float] = field(default=(0.5, 5.0), kw_only=True)
    name: str = field(default="", kw_only=True)
    notices: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self):
        def keep(name: str, value: object) -> None:
            object.__setattr__(self, name, value)  # the way that a frozen dataclass leaves

        keep("user_ids", _ids(self.user_ids, "user"))
        keep("item_ids", _ids(self.item_ids, "item"))
        keep("titles", self.item_ids if self.titles is None else texts(self.titles))
        keep("users", _codes(self.users, len(self.user_ids), "user"))
        keep("items", _codes(self.items, len(self.item_ids), "item"))
        keep("values", np.ascontiguousarray(self.values, dtype=np.float32))
        if self.times is not None:
            keep("times", np.ascontiguousarray(self.times, dtype=np.int64))
        if self.genres is not None:
            keep("genres", [tuple(names) for names in self.genres])
        low, high = map(float, self.scale)
        keep("scale", (low, high))
        for name in ("items", "values", "times"):
            if (column := getattr(self, name)) is not None and column.shape != self.users.shape:
                raise ValueError(f"There are {len(self.users):,} users of ratings, but {len(column):,} {name}.")
        for name in ("titles", "genres"):
            if (column := getattr(self, name)) is not None and len(column) != self.n_items:
                raise ValueError(f"There are {self.n_items:,} items, but {len(column):,} {name}.")
        if not low < high:
            raise ValueError(f"A scale from {low:g} to {high:g} has no room for ratings.")
        if len(self) and not (self.values.min() >= low and self.values.max() <= high):  # not: NaN is neither
            raise ValueError(f"Some ratings are not numbers from {low:g} to {high:g}, the scale.")

    def __len__(self) -> int:
        return len(self.users)

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        return f"<{name}{len(self):,} ratings of {self.n_items:,} items by {self.n_users:,} users>"

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def user_counts(self) -> np.ndarray:
        """How many ratings each user gave: int64 (n_users,)."""
        return np.bincount(self.users, minlength=self.n_users)

    @property
    def item_counts(self) -> np.ndarray:
        """How many ratings each item got: int64 (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    @property
    def years(self) -> np.ndarray:
        """The year that ends an item's title, "(1995)": float (n_items,), NaN where there is none."""
        found = map(YEAR.search, self.titles)
        return np.array([float(match[1]) if match else np.nan for match in found])

    @property
    def table(self) -> pd.DataFrame:
        """A row for each rating: user (id), item (id), title, rating, timestamp if known; ids as categories."""
        columns = {
            "user": pd.Categorical.from_codes(self.users, self.user_ids),
            "item": pd.Categorical.from_codes(self.items, self.item_ids),
            "title": self.titles[self.items],
            "rating": self.values,
        }
        if self.times is not None:
            columns["timestamp"] = pd.to_datetime(self.times, unit="s")
        return pd.DataFrame(columns)

    def take(self, which: np.ndarray) -> Ratings:
        """Some of the ratings, by a mask or by positions; codes keep their meaning, so that users and items remain."""
        times = None if self.times is None else self.times[which]
        return replace(self, users=self.users[which], items=self.items[which], values=self.values[which], times=times)

    def by_user(self) -> tuple[np.ndarray, np.ndarray]:
        """The ratings of each user: those of user u are at the positions `order[starts[u]:starts[u + 1]]`.

        Returns `starts`, int64 (n_users + 1,), and `order`, int64 (n,); a user's own come in the order they stand.
        """
        return np.concatenate([[0], np.cumsum(self.user_counts)]), np.argsort(self.users, kind="stable")

    def busiest_users(self, count: int = 15) -> np.ndarray:
        """Codes of the users with the most ratings, the most first; among equals the lower code."""
        return np.argsort(-self.user_counts, kind="stable")[:count]

    def busiest_items(self, count: int = 15) -> np.ndarray:
        """Codes of the items with the most ratings, the most first; among equals the lower code."""
        return np.argsort(-self.item_counts, kind="stable")[:count]

    def busiest(self, users: int = 15, items: int = 15) -> pd.DataFrame:
        """What the busiest users gave the busiest items: a row for each user's id, a column for each title,
        NaN where there is no rating (fastai book, chapter 8)."""
        rows, columns = self.busiest_users(users), self.busiest_items(items)
        row, column = np.full(self.n_users, -1), np.full(self.n_items, -1)
        row[rows], column[columns] = np.arange(len(rows)), np.arange(len(columns))
        among = np.flatnonzero((row[self.users] >= 0) & (column[self.items] >= 0))
        cells = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        cells[row[self.users[among]], column[self.items[among]]] = self.values[among]
        return pd.DataFrame(
            cells,
            index=pd.Index(self.user_ids[rows], name="user"),
            columns=pd.Index(self.titles[columns], name="title"),
        )


def texts(values: Sequence) -> np.ndarray:
    """An array of `str` objects, which takes no more memory for the short ones because one is long."""
    array = np.empty(len(values), dtype=object)
    array[:] = [str(value) for value in values]
    return array


def _ids(ids: Sequence, what: str) -> np.ndarray:
    array = texts(ids)
    if len(set(array)) < len(array):
        raise ValueError(f"Two {what}s have the same id.")
    return array


def _codes(codes: Sequence[int], known: int, what: str) -> np.ndarray:
    given = np.asarray(codes)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"The {what}s of ratings are codes: whole numbers from 0, one for each rating.")
    if given.size and not (given.min() >= 0 and given.max() < known):
        raise ValueError(f"There are {known:,} {what}s, with codes from 0 to {known - 1:,}; a rating has another.")
    return np.ascontiguousarray(given, dtype=np.int32)
