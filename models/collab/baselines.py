"""What a model has to beat: predictions that anybody could make."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .ratings import Ratings

# Ratings of the mean that each item's and user's deviation is mixed with (Koren, "Factor in the Neighbors", 2010).
ITEM_SHRINKAGE, USER_SHRINKAGE = 25, 10


class Predictor(Protocol):
    """Anything that predicts ratings of codes: a fitted model, a `Recommender`, a baseline."""

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Ratings, float32 (n,), of `items` (n,) by `users` (n,)."""

    def scores(self, users: np.ndarray) -> np.ndarray:
        """A float32 (len(users), n_items) by which the items are ranked for each user, the highest first."""


class GlobalMean:
    """Predicts the mean of all ratings, whoever the user and whatever the item.

    >>> GlobalMean(split.train).predict([0, 1], [5, 5])
    array([3.5, 3.5], dtype=float32)
    """

    def __init__(self, ratings: Ratings):
        self.mean = float(ratings.values.mean(dtype=np.float64))
        self._items = ratings.n_items

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.full(len(users), self.mean, dtype=np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return np.full((len(users), self._items), self.mean, dtype=np.float32)


class Means:
    """Predicts the mean, plus how far the item's ratings lie above it, plus how far the user's lie above that.

    >>> Means(split.train).item_bias  # (n_items,)

    Both are shrunken, as if 25 and 10 ratings more lay at the mean: few ratings say little, none say 0.
    Source: Koren, "Factor in the Neighbors: Scalable and Accurate Collaborative Filtering" (2010), section 2.1.
    """

    def __init__(
        self, ratings: Ratings, *, item_shrinkage: float = ITEM_SHRINKAGE, user_shrinkage: float = USER_SHRINKAGE
    ):
        self.mean = float(ratings.values.mean(dtype=np.float64))
        rest = ratings.values - self.mean
        sums = np.bincount(ratings.items, rest, ratings.n_items)
        self.item_bias = _shrunken(sums, ratings.item_counts, item_shrinkage)
        rest = rest - self.item_bias[ratings.items]
        sums = np.bincount(ratings.users, rest, ratings.n_users)
        self.user_bias = _shrunken(sums, ratings.user_counts, user_shrinkage)

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return (self.mean + self.user_bias[users] + self.item_bias[items]).astype(np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        # The user's own part is the same for each item: without it, the order does not hang on how it is rounded.
        return np.broadcast_to(self.item_bias.astype(np.float32), (len(users), len(self.item_bias)))


class MostPopular:
    """Ranks items by how many ratings they got; it predicts no ratings.

    >>> MostPopular(split.train).scores([0])[0, :3]
    array([215., 110., 52.], dtype=float32)
    """

    def __init__(self, ratings: Ratings):
        self.counts = ratings.item_counts.astype(np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.counts, (len(users), len(self.counts)))


def _shrunken(sums: np.ndarray, counts: np.ndarray, shrinkage: float) -> np.ndarray:
    return np.divide(sums, counts + shrinkage, out=np.zeros(len(sums)), where=counts + shrinkage > 0)
