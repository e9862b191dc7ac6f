"""What each user has rated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .ratings import Ratings


class Histories(NamedTuple):
    """Ratings sorted by user: those of user u stand from `starts[u]` to `starts[u + 1]`.

    >>> items, values = Histories.of(ratings).by(3)

    `starts` int64 (u + 1,), `items` int32 codes (n,), `ratings` float32 (n,).
    """

    starts: np.ndarray
    items: np.ndarray
    ratings: np.ndarray

    @classmethod
    def of(cls, ratings: Ratings) -> Histories:
        starts, order = ratings.by_user()
        return cls(starts.astype(np.int64), ratings.items[order], ratings.values[order])

    def by(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the items that this user has rated, and the ratings."""
        own = slice(self.starts[user], self.starts[user + 1])
        return self.items[own], self.ratings[own]
