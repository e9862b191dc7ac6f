"""Why a recommender predicts what it does, in parts that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .link import Link

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Explanation:
    """The parts of one prediction: `average + item + user + pulls.sum() + rest`, through `link`, is the rating.

    >>> print(recommender.explain("42", "Alien (1979)").table)

    `average`: a typical rating; `item`: how the average user likes this one more; `user`: how much higher
    this person rates; `pulls` (n,): what each of their ratings, `ratings` (n,) of `titles` (n,), says of their
    taste in it; `rest`: what training knows of their taste beyond that, 0 for a person who was folded in.
    All in the link's space, where they add up exactly.
    """

    title: str
    link: Link
    average: float
    item: float
    user: float
    rest: float
    titles: list[str]
    ratings: np.ndarray
    pulls: np.ndarray

    @property
    def sum(self) -> float:
        return self.average + self.item + self.user + float(self.pulls.sum()) + self.rest

    @property
    def predicted(self) -> float:
        """The rating."""
        return float(self.link(self.sum))

    @property
    def points(self) -> float:
        """Points of the rating for a unit of the link's space.

        One figure for all parts, from the average to the prediction, so that they add up in points too.
        """
        apart = self.sum - self.average
        if abs(apart) < 1e-6:
            return float(self.link.slope(np.float64(self.sum)))
        return float(self.link(self.sum) - self.link(self.average)) / apart

    @property
    def table(self) -> pd.DataFrame:
        """A row for each part, the strongest rating first: part, title, rating, value (link's space), points."""
        import pandas as pd

        order = np.argsort(-np.abs(self.pulls), kind="stable")
        parts = [("average", None, None, self.average), ("item", self.title, None, self.item)]
        parts.append(("user", None, None, self.user))
        parts += [("rating", self.titles[at], self.ratings[at], self.pulls[at]) for at in order]
        parts.append(("rest", None, None, self.rest))
        table = pd.DataFrame(parts, columns=["part", "title", "rating", "value"])
        table["points"] = table["value"] * self.points
        table.loc[0, "points"] = float(self.link(self.average))
        return table
