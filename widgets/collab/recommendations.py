"""Rate a few, and see what else you would like."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import anywidget
import numpy as np
import traitlets

from ...models.collab.recommender import FLOOR, Recommender
from ...models.words import counted, inert
from ..assets import joined
from .reasons import parts, reason, stars
from .title_search import code_in, found, named

if TYPE_CHECKING:
    import pandas as pd

    from ...models.collab.fold_in import FoldedUser

MOST_SHOWN = 200  # recommendations
MOST_RATED = MOST_HIDDEN = 1000  # by one visitor
MOST_GENRES = 60  # to choose from
UNDO = 100  # steps back
SIMILAR = 6  # titles


class State(NamedTuple):
    """What a visitor has said: ratings by code, the newest last, and what they do not want to see."""

    ratings: dict[int, float]
    hidden: frozenset[int] = frozenset()


class Recommendations(anywidget.AnyWidget):
    """Search and rate a few titles; a ranked list answers at once, with a reason for each.

    >>> Recommendations(Recommender.shipped())
    >>> Recommendations(recommender, ratings={"Alien (1979)": 5, "Titanic (1997)": 1.5}, k=20)

    `recommender` has never seen this person: their ratings are folded in. `ratings` are those to begin with,
    of items by id or title. `k` are shown at first. What has fewer than `at_least` ratings is not recommended.

    `value` is a DataFrame of the list: item (id), title, genres, predicted, ratings (how many), reason. `ratings`
    is {item id: rating} of what the visitor has said; `rate` and `undo` say it from Python.
    Raises TypeError for what is no Recommender, ValueError for a rating off its scale, an unknown item, or more than
    1,000 ratings; a visitor who rates or hides more than that is told so.
    """

    _esm = joined(
        "dom.js", "collab/stars.js", "collab/title_box.js", "collab/title_row.js", "collab/recommendations.js"
    )
    _css = joined("base.css", "collab/title_box.css", "collab/recommendations.css")

    value = traitlets.Any(read_only=True, help="the list as a DataFrame")
    ratings = traitlets.Dict(read_only=True, help="item id -> rating")

    # Written here and never read back: a page can set any synced trait.
    _shown = traitlets.Dict(help="what was rated, what is recommended, and the choices").tag(sync=True)

    def __init__(
        self,
        recommender: Recommender,
        *,
        ratings: Mapping[str | int, float] | None = None,
        k: int = 10,
        at_least: int = FLOOR,
        **kwargs,
    ):
        if not isinstance(recommender, Recommender):
            raise TypeError(f"Recommendations takes a Recommender, not {type(recommender).__name__}")
        if not 1 <= k <= MOST_SHOWN:
            raise ValueError(f"k must be from 1 to {MOST_SHOWN}, not {k}")
        if len(ratings or ()) > MOST_RATED:
            raise ValueError(f"Recommendations takes at most {MOST_RATED:,} ratings, not {len(ratings):,}.")
        self.recommender = recommender
        self._at_least = int(min(at_least, recommender.item_counts.max()))  # else nothing were left
        self._k = self._page = k
        self._state, self._past = State({}), []
        self._said = ""
        self._genres = _genres(recommender)
        self._genre = -1
        self._person: FoldedUser | None = None
        self._codes = np.empty(0, np.int64)
        self._predicted = np.empty(0)
        super().__init__(**kwargs)
        self.on_msg(self._receive)
        begin = {self._known(item): self.recommender.on_scale(rating) for item, rating in (ratings or {}).items()}
        self._set(State(begin), said="", remember=False)

    # From Python.

    def rate(self, item: str | int, rating: float | None) -> None:
        """Rate an item (id or title), or take its rating away with None."""
        self._rate(self._known(item), None if rating is None else self.recommender.on_scale(rating))

    def undo(self) -> None:
        """Take the last change back."""
        if self._past:
            self._set(self._past.pop(), said="Taken back.", remember=False)

    def _known(self, item: str | int) -> int:
        code = self.recommender.find(item)
        if code is None:
            raise ValueError(f"There is no item {str(item)!r} in this model.")
        return code

    # `value` costs pandas: it is made when somebody looks at it, and from then on kept up to date.

    @traitlets.default("value")
    def _table(self) -> pd.DataFrame:
        import pandas as pd

        rows = [self._row(place) for place in range(len(self._codes))]
        columns = {"item": [self.recommender.item_ids[code] for code in self._codes]}
        columns |= {name: [row[name] for row in rows] for name in ("title", "genres")}
        columns |= {"predicted": self._predicted, "ratings": self.recommender.item_counts[self._codes]}
        return pd.DataFrame({**columns, "reason": [row["reason"] for row in rows]})

    def observe(self, handler, names=traitlets.All, type="change"):
        if names is traitlets.All or "value" in names:
            self.value  # noqa: B018
        super().observe(handler, names=names, type=type)

    # What a visitor has said, and what follows.

    def _rate(self, code: int, rating: float | None) -> None:
        kept = {item: given for item, given in self._state.ratings.items() if item != code}
        title = self.recommender.titles[code]
        if rating is None:
            if code in self._state.ratings:
                self._set(State(kept, self._state.hidden), said=f"{title} taken away.")
        elif self._state.ratings.get(code) != rating:
            if len(kept) >= MOST_RATED:
                raise ValueError(f"{MOST_RATED:,} titles are rated, the most there can be: take a rating away first.")
            if code in self._state.ratings:  # stays in its place
                kept = {**self._state.ratings, code: rating}
            else:
                kept[code] = rating
            self._set(State(kept, self._state.hidden), said=f"{title} rated {stars(rating)}")

    def _hide(self, code: int) -> None:
        if code in self._state.hidden:
            return
        if len(self._state.hidden) >= MOST_HIDDEN:
            raise ValueError(
                f"{MOST_HIDDEN:,} titles are hidden, the most there can be: “Start over” shows them again."
            )
        self._set(
            State(self._state.ratings, self._state.hidden | {code}),
            said=f"{self.recommender.titles[code]} will not be shown.",
        )

    def _clear(self) -> None:
        if self._state.ratings or self._state.hidden:
            self._set(State({}), said="All ratings taken away.")

    def _set(self, state: State, *, said: str, remember: bool = True) -> None:
        if remember:
            self._past = [*self._past[-UNDO + 1 :], self._state]
        self._state, self._said, self._k = state, said, self._page
        ratings = self._state.ratings
        items, given = np.array(list(ratings), np.int32), np.array(list(ratings.values()))
        self._person = self.recommender.fold_in_codes(items, given) if ratings else None
        self._show()
        named = {self.recommender.item_ids[code]: rating for code, rating in ratings.items()}
        self.set_trait("ratings", named)

    def _show(self) -> None:
        self._codes, self._predicted = self.recommender.ranked(
            self._person,
            self._k,
            genre=self._genres[self._genre] if self._genre >= 0 else None,
            at_least=self._at_least,
            without=tuple(self._state.hidden),
        )
        low, high = self.recommender.scale
        self._shown = {
            "rated": [
                {**named(self.recommender, code), "rating": rating}
                for code, rating in reversed(self._state.ratings.items())
            ],
            "rows": [self._row(place) for place in range(len(self._codes))],
            "personal": self._person is not None,
            "genres": self._genres,
            "genre": self._genre,
            "more": len(self._codes) == self._k < min(MOST_SHOWN, self.recommender.n_items),
            "hidden": len(self._state.hidden),
            "undo": len(self._past),
            "said": self._said,
            "about": self.recommender.card.summary,
            "steps": self.recommender.steps,
            "scale": [low, high],
        }
        if self.trait_has_value("value"):
            self.set_trait("value", self._table())

    def _row(self, place: int) -> dict[str, Any]:
        """A line of the list: what is predicted, within the scale, and why."""
        code = int(self._codes[place])
        row = named(self.recommender, code)
        if self._person is None:
            count = int(self.recommender.item_counts[code])
            mean = float(self.recommender.item_means[code])
            return {**row, "reason": f"{mean:.1f} ★ on average, of {counted(count, 'rating')}." if count else ""}
        low, high = self.recommender.scale
        predicted = round(min(max(float(self._predicted[place]), low), high), 1)
        why = reason(self.recommender.explained(self._person, code))
        return {**row, "predicted": predicted, "reason": why}

    # The page.

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, code = content.get("type"), code_in(self.recommender, content)
        if kind == "search":
            if answer := found(self.recommender, content):
                self.send(answer)
        elif kind in ("rate", "hide") and code is not None:
            try:
                self._hide(code) if kind == "hide" else self._rate_step(code, content.get("step"))
            except ValueError as error:
                self.send({"type": "refused", "item": code, "text": str(error)})
        elif kind in ("similar", "why") and code is not None and isinstance(content.get("token"), str):
            answer = {"type": kind, "token": content["token"][:64], "item": code}
            self.send({**answer, "rows": self._similar(code) if kind == "similar" else self._why(code)})
        elif kind == "genre" and type(place := content.get("place")) is int and -1 <= place < len(self._genres):
            self._genre, self._k, self._said = place, self._page, ""
            self._show()
        elif kind == "more":
            self._k, self._said = min(self._k + self._page, MOST_SHOWN), ""
            self._show()
        elif kind == "csv" and isinstance(content.get("token"), str):
            self.send({"type": "csv", "token": content["token"][:64], "text": self._csv()})
        elif kind == "undo":
            self.undo()
        elif kind == "clear":
            self._clear()

    def _rate_step(self, code: int, step: Any) -> None:
        steps = self.recommender.steps
        if step is None:
            self._rate(code, None)
        elif type(step) is int and 0 <= step < len(steps):
            self._rate(code, steps[step])

    def _similar(self, code: int) -> list[dict]:
        codes, figures = self.recommender.nearest(code, SIMILAR, at_least=self._at_least)
        return [
            {**named(self.recommender, near), "similarity": round(float(figure), 2)}
            for near, figure in zip(codes, figures, strict=True)
        ]

    def _why(self, code: int) -> list[dict]:
        return parts(self.recommender.explained(self._person, code), self.recommender.scale)

    def _csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["title", "genres", "predicted", "reason"])
        for place in range(len(self._codes)):
            row = self._row(place)
            writer.writerow([inert(row.get(name, "")) for name in ("title", "genres", "predicted", "reason")])
        return out.getvalue()


def _genres(recommender: Recommender) -> list[str]:
    """Those of most items, by their names."""
    counts = Counter(name for names in recommender.genres or () for name in names)
    return sorted(name for name, _ in counts.most_common(MOST_GENRES))
