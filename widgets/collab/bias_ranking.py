"""What is liked and disliked beyond taste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from ...models.collab.chart import best
from ...models.collab.recommender import Recommender
from ...models.words import counted
from ..assets import joined
from .reasons import signed
from .title_search import code_in, found, named

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 100  # of each end
FLOORS = (1, 5, 10, 20, 50, 100, 500, 1000, 5000)  # ratings


class BiasRanking(anywidget.AnyWidget):
    """The items most liked and most disliked beyond what factors explain, and the kindest and severest users.

    >>> BiasRanking(recommender, k=10, at_least=20)

    A bias is what a model adds for an item whoever rates it: people whose taste it meets dislike some all the
    same, and people whose taste it does not meet like others (fastai book, chapter 8). It is shown in points of
    the rating, for the average user and the item of a typical rating. Users have no names here, only figures; a
    model without users shows items alone. `k` are shown of each end, of what has `at_least` ratings.

    `value` is a DataFrame of the ranking, the most liked first: item (id) and title, or user (id); bias, points,
    ratings (how many), mean (of items). Raises TypeError for what is no Recommender.
    """

    _esm = joined("dom.js", "collab/title_box.js", "collab/bias_ranking.js")
    _css = joined("base.css", "collab/title_box.css", "collab/bias_ranking.css")

    value = traitlets.Any(read_only=True, help="the ranking as a DataFrame")

    # Written here and never read back: a page can set any synced trait.
    _shown = traitlets.Dict(help="both ends, what was chosen, and the choices").tag(sync=True)

    def __init__(self, recommender: Recommender, *, k: int = 10, at_least: int = 20, **kwargs):
        if not isinstance(recommender, Recommender):
            raise TypeError(f"BiasRanking takes a Recommender, not {type(recommender).__name__}")
        if not 1 <= k <= MOST_SHOWN:
            raise ValueError(f"k must be from 1 to {MOST_SHOWN}, not {k}")
        self.recommender = recommender
        self._k = self._page = k
        self._of = "items"
        most = max(1, int(recommender.item_counts.max()))
        self._floors = sorted({*(floor for floor in FLOORS if floor <= most), min(max(1, int(at_least)), most)})
        self._at_least = min(max(1, int(at_least)), most)
        self._chosen: int | None = None
        super().__init__(**kwargs)
        self.on_msg(self._receive)
        self._show()

    # `value` costs pandas: it is made when somebody looks at it, and from then on kept up to date.

    @traitlets.default("value")
    def _table(self) -> pd.DataFrame:
        import pandas as pd

        model, points, allowed = self.recommender, self._points(), self._allowed()
        codes = best(points, len(points), allowed)
        if self._of == "users":
            columns: dict[str, Any] = {"user": [model.user_ids[code] for code in codes], "bias": model.user_bias[codes]}
            return pd.DataFrame({**columns, "points": points[codes], "ratings": self._counts()[codes]})
        columns = {
            "item": [model.item_ids[code] for code in codes],
            "title": [model.titles[code] for code in codes],
            "bias": model.item_bias[codes],
            "points": points[codes],
            "ratings": model.item_counts[codes],
            "mean": model.item_means[codes],
        }
        return pd.DataFrame(columns)

    def observe(self, handler, names=traitlets.All, type="change"):
        if names is traitlets.All or "value" in names:
            self.value  # noqa: B018
        super().observe(handler, names=names, type=type)

    # What is ranked.

    def _points(self) -> np.ndarray:
        """Points of the rating that each bias is worth."""
        model = self.recommender
        biases = (model.user_bias if self._of == "users" else model.item_bias).astype(np.float64)
        counts = self._counts()
        typical = float(np.average(biases, weights=counts if counts.any() else None))
        return model.link(model.average + biases - typical) - model.link(model.average)

    def _counts(self) -> np.ndarray:
        if self._of == "items":
            return self.recommender.item_counts
        histories = self.recommender.histories
        return np.zeros(self.recommender.n_users, np.int64) if histories is None else np.diff(histories.starts)

    def _allowed(self) -> np.ndarray:
        counts = self._counts()
        return counts >= self._at_least if self._of == "items" and counts.any() else np.ones(len(counts), bool)

    def _show(self) -> None:
        points, allowed = self._points(), self._allowed()
        ranked = best(points, len(points), allowed)
        half = min(self._k, len(ranked) // 2 if len(ranked) > 1 else 1)  # none stands at both ends
        most, least = ranked[:half], ranked[::-1][: min(half, len(ranked) - half)]
        self._shown = {
            "of": self._of,
            "users": self.recommender.n_users > 1,
            "total": len(ranked),
            "most": [self._row(code, points) for code in most],
            "least": [self._row(code, points) for code in least],
            "widest": float(np.abs(points[ranked]).max()) if len(ranked) else 0.0,
            "more": half == self._k < MOST_SHOWN,
            "floors": self._floors,
            "floor": self._floors.index(self._at_least),
            "chosen": {} if self._chosen is None else self._figures(self._chosen, points, ranked),
        }
        if self.trait_has_value("value"):
            self.set_trait("value", self._table())

    def _row(self, code: int, points: np.ndarray) -> dict:
        if self._of == "items":
            row = named(self.recommender, code)
        else:
            count = int(self._counts()[code])
            row = {"item": int(code), "title": f"Somebody with {counted(count, 'rating')}" if count else "Somebody"}
        return {**row, "points": round(float(points[code]), 2)}

    def _figures(self, code: int, points: np.ndarray, ranked: np.ndarray) -> dict:
        """What there is to know of one, in words: name and text of each figure."""
        model = self.recommender
        rank = np.flatnonzero(ranked == code)
        place = f"{rank[0] + 1:,} of {len(ranked):,}" if len(rank) else f"not ranked: under {self._at_least} ratings"
        figures = [("Place, the most liked first" if self._of == "items" else "Place, the kindest first", place)]
        if self._of == "items":
            biases = model.item_bias
            who = "The average user, all in all, would give it"
            figures.append((who, f"{float(model.link(float(model.sums(None)[code]))):.2f} ★"))
            if count := int(model.item_counts[code]):
                figures.append(("Mean of its ratings", f"{model.item_means[code]:.2f} ★, {counted(count, 'rating')}"))
            factors = model.item_factors[code]
        else:
            biases, factors = model.user_bias, model.user_factors[code]
            if model.histories is not None and len(given := model.histories.by(code)[1]):
                figures.append(("Mean of their ratings", f"{given.mean():.2f} ★, {counted(len(given), 'rating')}"))
        figures.append(("Bias in the model's own units", signed(float(biases[code]), 3)))
        figures.append(("How much taste matters (length of the factors)", f"{np.linalg.norm(factors):.2f}"))
        return {**self._row(code, points), "figures": [list(pair) for pair in figures]}

    # The page.

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "search":
            if answer := found(self.recommender, content):
                self.send(answer)
        elif kind == "of" and content.get("of") in ("items", "users") and self.recommender.n_users > 1:
            self._of, self._chosen, self._k = content["of"], None, self._page
            self._show()
        elif kind == "floor" and type(place := content.get("place")) is int and 0 <= place < len(self._floors):
            self._at_least, self._k = self._floors[place], self._page
            self._show()
        elif kind == "more":
            self._k = min(self._k + self._page, MOST_SHOWN)
            self._show()
        elif kind == "choose":
            self._choose(content)

    def _choose(self, content: dict) -> None:
        code = content.get("item")
        if self._of == "items":
            self._chosen = code_in(self.recommender, content)
        else:
            self._chosen = code if type(code) is int and 0 <= code < self.recommender.n_users else None
        self._show()
