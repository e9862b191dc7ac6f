"""Why something is recommended, in a sentence."""

from __future__ import annotations

import numpy as np

from ...models.collab.explain import Explanation
from ...models.words import counted

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


def signed(points: float, decimals: int = 1) -> str:
    """A difference with its sign, the minus as long as the plus; no sign for what is rounded to nothing.

    >>> signed(0.42), signed(-0.3), signed(-0.001)
    ('+0.4', '−0.3', '0.0')
    """
    points = round(points, decimals) or 0.0  # never -0.0
    return f"{points:{'+' if points else ''}.{decimals}f}".replace("-", "−")


def parts(explanation: Explanation, scale: tuple[float, float], most: int = 6) -> list[dict]:
    """The whole sum for a page, of a person who was folded in: name and points, the strongest ratings first.

    >>> parts(recommender.explain({"Alien (1979)": 5}, "Aliens (1986)"), recommender.scale)[0]
    {'name': 'A typical rating', 'points': '3.52'}

    The figures add up as they are shown: each is what the rounded sum grows by.
    """
    points = explanation.points
    pulls = explanation.pulls * points
    order = np.argsort(-np.abs(pulls), kind="stable")
    shown, others = order[:most], order[most:]
    rows = [
        ("A typical rating", float(explanation.link(explanation.average))),
        ("People like this one more or less", explanation.item * points),
        ("You rate higher or lower than others", explanation.user * points),
    ]
    rows += [(f"You rated {rated(explanation, at)}", pulls[at]) for at in shown]
    if len(others):
        rows.append((f"Your {counted(len(others), 'other rating')}", pulls[others].sum()))
    names, values = zip(*rows, strict=True)
    sums = np.round(np.cumsum(values), 2)
    total = f"{sums[-1]:.2f}"
    low, high = scale
    if not low <= sums[-1] <= high:
        total += f", shown as {min(max(sums[-1], low), high):g}"
    figures = [f"{sums[0]:.2f}", *(signed(float(growth), 2) for growth in np.diff(sums)), total]
    return [
        {"name": name, "points": figure}
        for name, figure in zip([*names, "What you would rate it"], figures, strict=True)
    ]
