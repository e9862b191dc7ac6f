"""Why something is recommended, in a sentence."""

from __future__ import annotations

import numpy as np

from ...models.collab.explain import Explanation

SAID = 0.05  # points of a rating below which a part is not worth a word
MOST = 2  # ratings that are named
WEAK = 0.4  # of the strongest: what is below does not stand beside it


def reason(explanation: Explanation) -> str:
    """What speaks for it most, and what people think of it anyway.

    >>> reason(recommender.explain({"Alien (1979)": 5}, "Aliens (1986)"))
    'Because you rated Alien (1979) 5 ★; people like it anyway: +0.4.'
    """
    points = explanation.points
    pulls = explanation.pulls * points
    taste, people = float(pulls.sum()), explanation.item * points
    strongest = [at for at in np.argsort(-pulls, kind="stable")[:MOST] if pulls[at] > max(SAID, WEAK * pulls.max())]
    if strongest and taste > 0:
        named = " and ".join(rated(explanation, at) for at in strongest)
        if people < -SAID:
            return f"Because you rated {named}, though people like it less than most: {signed(people)}."
        return f"Because you rated {named}" + (f"; people like it anyway: {signed(people)}." if people > SAID else ".")
    liked = f"People like it: {signed(people)}" if people > SAID else "People like it as much as most"
    if taste < -SAID:
        at = int(np.argmin(pulls))
        return f"{liked}, though it is less to your taste: {signed(taste)}, as you rated {rated(explanation, at)}."
    return f"{liked}; your ratings say little about it."


def rated(explanation: Explanation, at: int) -> str:
    return f"{explanation.titles[at]} {stars(explanation.ratings[at])}"


def stars(rating: float) -> str:
    return f"{rating:g} ★"


def signed(points: float) -> str:
    """A difference with its sign, the minus as long as the plus.

    >>> signed(0.42), signed(-0.3)
    ('+0.4', '−0.3')
    """
    return f"{points:+.1f}".replace("-", "−")


def parts(explanation: Explanation, scale: tuple[float, float], most: int = 6) -> list[dict]:
    """The whole sum for a page: name, points, and whether it is a rating of theirs; the strongest ratings first."""
    points = explanation.points
    pulls = explanation.pulls * points
    order = np.argsort(-np.abs(pulls), kind="stable")
    shown, others = order[:most], order[most:]
    start = float(explanation.link(explanation.average))
    rows = [
        ("A typical rating", f"{start:.2f}"),
        ("People like this one more or less", _two(explanation.item * points)),
    ]
    rows.append(("You rate higher or lower than others", _two(explanation.user * points)))
    rows += [(f"You rated {rated(explanation, at)}", _two(pulls[at])) for at in shown]
    if len(others):
        rows.append((f"Your {len(others)} other ratings", _two(pulls[others].sum())))
    total = f"{explanation.predicted:.2f}"
    low, high = scale
    if not low <= explanation.predicted <= high:
        total += f", shown as {min(max(explanation.predicted, low), high):g}"
    return [{"name": name, "points": value} for name, value in [*rows, ("What you would rate it", total)]]


def _two(points: float) -> str:
    return f"{points:+.2f}".replace("-", "−")
