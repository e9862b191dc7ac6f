"""The crosstab of ratings, with its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anywidget
import numpy as np
import traitlets

from ...models.collab.ratings import Ratings
from ...models.words import counted, percent
from ..assets import joined

if TYPE_CHECKING:
    import pandas as pd

MOST = 100  # rows, and columns


class RatingsTable(anywidget.AnyWidget):
    """What the busiest users gave the busiest items; each gap is a rating that a model is to predict.

    >>> table = RatingsTable(ratings, users=15, items=15)
    >>> table.predictor = run.predictor  # or a Recommender: whoever points at a gap reads what it would give

    `predictor` is anything with `predict(users, items)` on the codes of `ratings`; None: gaps stay gaps. Set it anew
    when it has learned more. Ratings show their colour and number; with a predictor, what it says of them too.

    `value` is a DataFrame of the ratings, a row for each user's id and a column for each title, NaN in the gaps;
    `predictions` one of the same shape, or None. Raises TypeError for what are no Ratings, ValueError for none,
    TraitError for a predictor that cannot predict these. Source: Howard and Gugger (2020), chapter 8, "A First Look at
    the Data".
    """

    _esm = joined("dom.js", "collab/crosstab.js", "collab/ratings_table.js")
    _css = joined("base.css", "collab/crosstab.css", "collab/ratings_table.css")

    value = traitlets.Any(read_only=True, help="the crosstab as a DataFrame")
    predictor = traitlets.Any(None, allow_none=True, help="what predicts ratings, or None")

    # Written here and never read back: a page can set any synced trait.
    _shown = traitlets.Dict(help="users, titles, ratings and what is predicted").tag(sync=True)

    def __init__(self, ratings: Ratings, *, predictor=None, users: int = 15, items: int = 15, **kwargs):
        if not isinstance(ratings, Ratings):
            raise TypeError(f"RatingsTable takes Ratings, not {type(ratings).__name__}")
        if not len(ratings):
            raise ValueError("There are no ratings to show.")
        for count, what in ((users, "users"), (items, "items")):
            if not 1 <= count <= MOST:
                raise ValueError(f"{what} must be from 1 to {MOST}, not {count}")
        self.ratings = ratings
        self._users, self._items = ratings.busiest_users(users), ratings.busiest_items(items)
        self.predictions: pd.DataFrame | None = None
        super().__init__(**kwargs)
        self.set_trait("value", ratings.busiest(users, items))
        self.predictor = predictor
        self._show()

    @traitlets.validate("predictor")
    def _check_predictor(self, proposal):
        self.predictions = self._predict(proposal.value)
        return proposal.value

    @traitlets.observe("predictor")
    def _predictor_changed(self, change) -> None:
        if change.new is None:  # which no validator is asked about
            self.predictions = None
        self._show()

    def _predict(self, predictor) -> pd.DataFrame:
        import pandas as pd

        users, items = (codes.ravel() for codes in np.meshgrid(self._users, self._items, indexing="ij"))
        if not hasattr(predictor, "predict"):
            raise traitlets.TraitError(f"{type(predictor).__name__} has no `predict`: it is no predictor of ratings")
        try:
            given = np.asarray(predictor.predict(users.astype(np.int32), items.astype(np.int32)), dtype=np.float32)
        except (ValueError, IndexError) as error:
            raise traitlets.TraitError(f"The predictor is not one of these ratings: {error}") from error
        if given.shape != users.shape:
            raise traitlets.TraitError("The predictor gives not one number for each rating")
        return pd.DataFrame(given.reshape(self.value.shape), index=self.value.index, columns=self.value.columns)

    def _show(self) -> None:
        cells, ratings = self.value.to_numpy(), self.ratings
        known, of = int(np.isfinite(cells).sum()), ratings.n_users * ratings.n_items
        self._shown = {
            "users": [f"{user}" for user in self.value.index],
            "titles": [f"{title}" for title in self.value.columns],
            "ratings": plain(cells),
            "predictions": None if self.predictions is None else plain(self.predictions.to_numpy(), 2),
            "scale": list(ratings.scale),
            "text": (
                f"{counted(known, 'rating')} and {counted(cells.size - known, 'gap')} of the {len(self._users)} users "
                f"and {len(self._items)} titles with the most ratings. Of all {of:,} pairs of a user and a title, "
                f"{share(len(ratings) / of)} are rated."
            ),
        }


def share(part: float) -> str:
    return percent(part, 0 if part >= 0.1 else 1 if part >= 0.001 else 3)


def plain(cells: np.ndarray, decimals: int = 3) -> list[list[float | None]]:
    """Rows of numbers as JSON can carry them: None for what is no number."""
    return [[round(float(cell), decimals) if np.isfinite(cell) else None for cell in row] for row in cells]
