"""Who likes what, what is like what, and why: a fitted model of ratings in use, on a CPU, without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..training.fields import whole
from ..words import counted, quoted
from .chart import best
from .explain import Explanation
from .factor_model import FactorModel
from .fold_in import FoldedUser, fold_in
from .title_search import TitleSearch

if TYPE_CHECKING:
    import pandas as pd

SERVED = "IPYFASTAI_RECOMMENDER"  # the file that a publisher serves
Person = str | int | FoldedUser | Mapping
MOST = 1_000_000  # items in a list
FLOOR = 5  # ratings below which what is near an item is chance


class Recommender(FactorModel):
    """Recommends items to people, whether the model has seen them or not, and says why.

    >>> recommender = Recommender.load("films.safetensors")
    >>> recommender.recommend({"Alien (1979)": 5, "Amélie (2001)": 2}, k=3)  # a DataFrame
    >>> recommender.similar("Alien (1979)")
    >>> recommender.explain({"Alien (1979)": 5}, "Aliens (1986)").table

    Users and items are named by their ids, items by their titles too; where several have one title, the most
    rated is meant. A person may also be a mapping from items to ratings, or what `fold_in` made of one. Who is
    unknown or has rated nothing gets what is popular, and `attrs["note"]` of the result says so, a sentence;
    it is "" where there is nothing to say. Arrays and options: see `FactorModel`.
    """

    @classmethod
    def served(cls) -> Recommender:
        """The file that `$IPYFASTAI_RECOMMENDER` names, or else the example that travels with the package."""
        path = os.environ.get(SERVED)
        return cls.load(path) if path else cls.shipped()

    # People and items by their names.

    def find(self, item: str | int) -> int | None:
        """The code of an item by its id, or else its title; None if it is unknown."""
        return self._codes.get(str(item))

    @cached_property
    def _codes(self) -> dict[str, int]:
        order = np.argsort(self.item_counts, kind="stable")  # of those with one title, the most rated comes last
        codes = {self.titles[code]: int(code) for code in order}
        return codes | {identity: code for code, identity in enumerate(self.item_ids)}

    @cached_property
    def _users(self) -> dict[str, int]:
        return {identity: code for code, identity in enumerate(self.user_ids)}

    @cached_property
    def search(self) -> TitleSearch:
        """Finds titles by what somebody types."""
        return TitleSearch(self.titles, self.item_counts)

    def fold_in(self, ratings: Mapping[str | int, float]) -> FoldedUser:
        """A person the model has never seen, by a few ratings of items (ids or titles), see `fold_in.fold_in`.

        What the model does not know is left out and named in `unknown`. ValueError for a rating off the scale.
        """
        codes: dict[int, float] = {}
        unknown = []
        for item, rating in ratings.items():
            given, code = self.on_scale(rating), self.find(item)
            if code is None:
                unknown.append(str(item))
            else:
                codes[code] = given
        return self.fold_in_codes(np.array(list(codes), np.int32), np.array(list(codes.values())), tuple(unknown))

    def on_scale(self, rating: float) -> float:
        """The rating, if it is one; else ValueError, a sentence."""
        low, high = self.scale
        number = isinstance(rating, Real) and not isinstance(rating, bool)
        if not number or not low <= rating <= high:  # not: NaN is neither
            raise ValueError(f"A rating must be a number from {low:g} to {high:g}, not {rating!r}.")
        return float(rating)

    def fold_in_codes(self, items: np.ndarray, ratings: np.ndarray, unknown: tuple[str, ...] = ()) -> FoldedUser:
        """The same of items by their codes (n,) and ratings (n,)."""
        return fold_in(
            items,
            ratings,
            item_factors=self.item_factors[items],
            base=self.offset + self.item_bias[items],
            link=self.link,
            prior=self.prior,
            noise=self.noise,
            unknown=unknown,
        )

    def person(self, person: Person) -> tuple[FoldedUser | int | None, str]:
        """Who is meant, a folded person or a user's code, None if nothing is known of them; and why, or "".

        >>> recommender.person("nobody")
        (None, "There is no user 'nobody' in this model.")
        """
        if isinstance(person, Mapping):
            person = self.fold_in(person)
        if isinstance(person, FoldedUser):
            missing = f"Not in this model: {quoted(person.unknown)}." if person.unknown else ""
            if len(person.items):
                return person, missing
            return None, missing or "Nothing is rated yet."
        code = self._users.get(str(person))
        if code is None:
            return None, f"There is no user {str(person)!r} in this model."
        if self.histories is not None and not len(self.seen(code)[0]):  # their factors are those training began with
            return None, f"The user {str(person)!r} has rated nothing that this model was trained on."
        return code, ""

    # What there is to recommend.

    def recommend(
        self, person: Person, k: int = 10, *, exclude_seen: bool = True, genre: str | None = None, at_least: int = 0
    ) -> pd.DataFrame:
        """The `k` items that a person would rate highest: item (id), title, genres, predicted, ratings (how many).

        >>> recommender.recommend("42", k=5, genre="Comedy")

        Without those they have rated, unless `exclude_seen` is False; of one `genre`; with `at_least` so many
        ratings. For somebody of whom nothing is known: what is popular, `predicted` being the shrunken mean.
        ValueError for fewer than one item.
        """
        whole(k, "The number of items", 1, MOST)
        who, note = self.person(person)
        codes, predicted = self.ranked(who, k, exclude_seen=exclude_seen, genre=genre, at_least=at_least)
        return self._frame(codes, _popular(note) if who is None else note, predicted=predicted)

    def ranked(
        self,
        who: FoldedUser | int | None,
        k: int,
        *,
        exclude_seen: bool = True,
        genre: str | None = None,
        at_least: int = 0,
        without: Sequence[int] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same as codes and ratings, for what `person` gave; also `without` some codes."""
        allowed = self.item_counts >= at_least
        if genre is not None and self.genres is not None:
            allowed &= np.fromiter((genre in names for names in self.genres), dtype=bool, count=self.n_items)
        if exclude_seen:
            allowed[self.seen(who)[0]] = False
        allowed[list(without)] = False
        if who is None:
            codes = best(self.popularity, k, allowed)
            return codes, self.popularity[codes]
        codes = best(self.sums(who), k, allowed)
        return codes, self.link(self.sums(who)[codes])

    def seen(self, who: FoldedUser | int | None) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the items that somebody has rated, and the ratings."""
        if isinstance(who, FoldedUser):
            return who.items, who.ratings
        if who is None or self.histories is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        return self.histories.by(who)

    def sums(self, who: FoldedUser | int | None) -> np.ndarray:
        """The prediction for each item (m,) before the link; None is the average user."""
        factors, bias = self._taste(who)
        return self.item_factors @ factors.astype(np.float32) + self.item_bias + np.float32(self.offset + bias)

    def _taste(self, who: FoldedUser | int | None) -> tuple[np.ndarray, float]:
        if who is None:
            return self.prior.mean[:-1], float(self.prior.mean[-1])
        if isinstance(who, FoldedUser):
            return who.factors, who.bias
        return self.user_factors[who], float(self.user_bias[who])

    def similar(
        self,
        item: str | int,
        k: int = 10,
        *,
        metric: Literal["cosine", "euclidean"] = "cosine",
        at_least: int = FLOOR,
    ) -> pd.DataFrame:
        """The `k` items whose factors are nearest: item (id), title, genres, similarity or distance, ratings.

        >>> recommender.similar("Alien (1979)", metric="euclidean")

        Items with fewer ratings than `at_least` are left out, for their factors are mostly chance; the note says
        so of the item itself. For an unknown item, and for the angle to factors that are all 0: what is popular,
        with NaN for the similarity. ValueError for another metric and for fewer than one item.
        """
        whole(k, "The number of items", 1, MOST)
        code, note = self.find(item), ""
        if code is None:
            note = f"There is no item {str(item)!r} in this model."
        elif metric == "cosine" and not self._lengths[code]:
            note = f"Of {self.titles[code]!r} the model knows no taste."
        name = "similarity" if metric == "cosine" else "distance"
        if note:
            codes = best(self.popularity, k)
            return self._frame(codes, _popular(note), **{name: np.full(len(codes), np.nan)})
        codes, figures = self.nearest(code, k, metric=metric, at_least=at_least)
        if self.item_counts[code] < at_least:
            few = counted(int(self.item_counts[code]), "rating")
            note = f"{self.titles[code]!r} has {few}: what is near it is mostly chance."
        return self._frame(codes, note, **{name: figures})

    def nearest(
        self, code: int, k: int, *, metric: str = "cosine", at_least: int = FLOOR
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same as codes and figures, for the code of an item; none by the angle to factors that are all 0."""
        if metric not in ("cosine", "euclidean"):
            raise ValueError(f'metric must be "cosine" or "euclidean", not {metric!r}')
        allowed = self.item_counts >= at_least
        allowed[code] = False
        own = self.item_factors[code]
        if metric == "euclidean":
            distances = np.linalg.norm(self.item_factors - own, axis=1)
            codes = best(-distances, k, allowed)
            return codes, distances[codes]
        allowed &= self._lengths[code] > 0
        lengths = self._lengths * self._lengths[code]
        cosines = np.divide(self.item_factors @ own, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        codes = best(cosines, k, allowed)
        return codes, cosines[codes]

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.linalg.norm(self.item_factors, axis=1)

    # Why.

    def explain(self, person: Person, item: str | int) -> Explanation:
        """The parts of the rating that somebody would give an item; they add up to it (see `Explanation`).

        >>> recommender.explain("42", "Alien (1979)").table

        Of somebody of whom nothing is known: how everybody likes it. ValueError for an unknown item.
        """
        code = self.find(item)
        if code is None:
            raise ValueError(f"There is no item {str(item)!r} in this model.")
        return self.explained(self.person(person)[0], code)

    def explained(self, who: FoldedUser | int | None, code: int) -> Explanation:
        """The same for what `person` gave and the code of an item."""
        items, ratings = self.seen(who)
        folded = who if isinstance(who, FoldedUser) else self.fold_in_codes(items, ratings)
        factors, bias = self._taste(who)
        own, mean = self.item_factors[code].astype(np.float64), self.prior.mean
        pulls = own @ folded.pulls[:-1]
        return Explanation(
            title=self.titles[code],
            link=self.link,
            average=self.average,
            item=self.offset + float(self.item_bias[code]) + own @ mean[:-1] + mean[-1] - self.average,
            user=bias - mean[-1],
            rest=own @ (factors - mean[:-1]) - pulls.sum(),
            titles=[self.titles[at] for at in items],
            ratings=ratings,
            pulls=pulls,
        )

    @cached_property
    def average(self) -> float:
        """The average user's prediction for the item of a typical rating, before the link."""
        weights = self.item_counts if self.item_counts.any() else np.ones(self.n_items)
        return float(np.average(self.sums(None).astype(np.float64), weights=weights))

    def _frame(self, codes: np.ndarray, note: str, **figures: np.ndarray) -> pd.DataFrame:
        import pandas as pd

        columns = {"item": [self.item_ids[code] for code in codes], "title": [self.titles[code] for code in codes]}
        if self.genres is not None:
            columns["genres"] = [", ".join(self.genres[code]) for code in codes]
        table = pd.DataFrame({**columns, **figures, "ratings": self.item_counts[codes]})
        table.attrs["note"] = note
        return table


def _popular(why: str) -> str:
    return f"{why} This is what is popular with everybody."
