"""What is left of a fitted model of ratings: arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..card import ModelCard
from .chart import shrunken_means
from .factor_arrays import check
from .fold_in import Prior
from .histories import Histories
from .link import Link

if TYPE_CHECKING:
    from .ratings import Ratings

CHUNK = 1_000_000  # ratings at a time


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorModel:
    """The arrays of a factor model of ratings, and what it predicts, on codes of users and items.

    >>> model = FactorModel.load("films.safetensors")
    >>> model.predict(np.array([0, 0]), np.array([17, 4]))

    A prediction is `offset + user_bias + item_bias + user_factors @ item_factors`, and with a `rating_range` its
    sigmoid between the two.

    float32 arrays: `user_factors` (u, k), `item_factors` (m, k), `user_bias` (u,), `item_bias` (m,),
    `item_means` (m,), each item's mean rating; `item_counts` (m,), of its ratings, int64. `titles` fall back to
    ids, `genres` are a tuple of names for each item. Ratings lie on `scale`, lowest and highest, in steps of
    `step`. `histories` hold what each user has rated. `noise` is the variance of ratings about their
    predictions, `prior` what the average user is: where users were taken out, the file still knows that.
    Raises ValueError, a sentence, for arrays that do not fit together or numbers that are not finite.
    """

    item_factors: np.ndarray
    item_bias: np.ndarray
    item_ids: Sequence[str]
    user_factors: np.ndarray
    user_bias: np.ndarray
    user_ids: Sequence[str]
    offset: float = 0.0
    rating_range: tuple[float, float] | None = None
    titles: Sequence[str] | None = None
    genres: Sequence[tuple[str, ...]] | None = None
    scale: tuple[float, float] = (0.5, 5.0)
    step: float = 0.5
    item_counts: np.ndarray | None = None
    item_means: np.ndarray | None = None
    histories: Histories | None = None
    noise: float | None = None
    prior: Prior | None = None
    card: ModelCard = field(default_factory=lambda: ModelCard("Recommender"))

    def __post_init__(self):
        for name, value in check(self).items():
            object.__setattr__(self, name, value)  # the way that a frozen dataclass leaves

    @classmethod
    def of(
        cls,
        ratings: Ratings,
        *,
        item_factors: np.ndarray,
        user_factors: np.ndarray,
        item_bias: np.ndarray | None = None,
        user_bias: np.ndarray | None = None,
        offset: float = 0.0,
        rating_range: tuple[float, float] | None = None,
        card: ModelCard | None = None,
    ) -> FactorModel:
        """From what was fitted to these ratings; a model without biases leaves them out.

        >>> Recommender.of(ratings, item_factors=q, user_factors=p, item_bias=b, user_bias=c, rating_range=(0, 5.5))
        """
        counts = np.bincount(ratings.items, minlength=ratings.n_items)
        sums = np.bincount(ratings.items, weights=ratings.values, minlength=ratings.n_items)
        made = cls(
            item_factors=item_factors,
            item_bias=np.zeros(ratings.n_items) if item_bias is None else item_bias,
            item_ids=ratings.item_ids,
            user_factors=user_factors,
            user_bias=np.zeros(ratings.n_users) if user_bias is None else user_bias,
            user_ids=ratings.user_ids,
            offset=float(offset),
            rating_range=rating_range,
            titles=ratings.titles,
            genres=ratings.genres,
            scale=ratings.scale,
            step=_step(ratings),
            item_counts=counts,
            item_means=sums / np.maximum(counts, 1),
            histories=Histories.of(ratings),
            card=card or ModelCard(ratings.name or "Recommender"),
        )
        wrong = [
            np.sum(
                (made.predict(ratings.users[part], ratings.items[part]) - ratings.values[part]) ** 2, dtype=np.float64
            )
            for part in (slice(at, at + CHUNK) for at in range(0, len(ratings), CHUNK))
        ]
        return replace(made, noise=sum(wrong) / len(ratings)) if wrong else made

    @classmethod
    def load(cls, source: str | os.PathLike | bytes) -> FactorModel:
        """From a `.safetensors` file that `save` wrote: its path, or its bytes.

        Nothing in it is executed, and everything is checked, so that a stranger's file may be passed.
        FileNotFoundError where there is none; ValueError, a sentence, for one that is no recommender.
        """
        from .recommender_file import read

        return cls(**read(source))

    @classmethod
    def shipped(cls, name: str = "example_films") -> FactorModel:
        """The model that travels with the package: its films, people and ratings are generated."""
        folder = Path(__file__).parents[1]
        names = sorted(path.stem for path in folder.glob("*.safetensors"))
        if name not in names:
            raise ValueError(f"No shipped recommender {name!r}; there is {', '.join(names) or 'none'}.")
        return cls.load(folder / f"{name}.safetensors")

    def save(self, path: str | os.PathLike) -> Path:
        """Write one `.safetensors` file with JSON in its header; never a pickle."""
        from .recommender_file import write

        return write(self, Path(path))

    def without_users(self) -> FactorModel:
        """The same for people it has not seen: smaller, and no one's ratings are in it."""
        return replace(
            self,
            user_factors=np.empty((0, self.n_factors), np.float32),
            user_bias=np.empty(0, np.float32),
            user_ids=(),
            histories=None,
        )

    def __repr__(self) -> str:
        return f"<{self.card.name}: {self.n_items:,} items, {self.n_users:,} users, {self.n_factors} factors>"

    @property
    def n_items(self) -> int:
        return len(self.item_bias)

    @property
    def n_users(self) -> int:
        return len(self.user_bias)

    @property
    def n_factors(self) -> int:
        return self.item_factors.shape[1]

    @property
    def link(self) -> Link:
        return Link(*(self.rating_range or ()))

    @property
    def steps(self) -> list[float]:
        """The ratings that can be given, the lowest first."""
        low, high = self.scale
        return [round(low + self.step * at, 6) for at in range(int((high - low) / self.step + 1e-6) + 1)]

    # A predictor, on codes.

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Ratings (n,) that the users with these codes would give the items with these."""
        taste = np.einsum("nk,nk->n", self.user_factors[users], self.item_factors[items])
        return self.link(self.offset + self.user_bias[users] + self.item_bias[items] + taste).astype(np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        """Ratings (n, m) of all items by the users with these codes."""
        taste = self.user_factors[users] @ self.item_factors.T
        return self.link(self.offset + self.user_bias[users][:, None] + self.item_bias + taste)

    @cached_property
    def popularity(self) -> np.ndarray:
        """How much everybody likes each item (m,): the mean of its ratings, shrunken where they are few."""
        return shrunken_means(self.item_means.astype(np.float64), self.item_counts)


def _step(ratings: Ratings) -> float:
    """Whole ones where these lead from the lowest rating to the highest and to every one that was given."""
    low, high = ratings.scale
    above = ratings.values - np.float32(low)
    return 1.0 if (high - low).is_integer() and np.array_equal(above, np.round(above)) else 0.5
