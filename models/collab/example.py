"""Generated ratings whose factors are known: an example that needs no download."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .ratings import Ratings
from .titles import distinct

USERS, ITEMS, RATINGS = 300, 200, 15_000
FEWEST = 15  # ratings of a user
# What the factors mean: the lesson's three (fastai book, chapter 8) and two more.
FACTORS = ("science fiction", "action", "old", "romance", "comedy")
GENRES = ("Sci-Fi", "Action", None, "Romance", "Comedy")
MEAN, NOISE = 3.2, 0.55
USER_BIAS, ITEM_BIAS = 0.35, 0.4  # standard deviations
TASTE = 0.65  # the standard deviation of what factors add to a rating
YEARS = (1948, 2014)
FIRST, LAST = 1_420_070_400, 1_735_689_600  # 2015-01-01 and 2025-01-01, UTC

# Invented places, so that no title is a real film's.
PLACES = (
    "Velmoor Ysholm Tarnwick Ozeral Quillane Brascombe Ardovia Hesket Lumora Pellingdon Sarnesk Orrowby Mirefen "
    "Castavel Thornyk Dunmarrow Elvaston Vashti Korbeny Wexmere"
).split()
ROLES = (
    "Clockmaker Ferryman Botanist Postmistress Cellist Baker Surveyor Beekeeper Stationmaster Weaver Glassblower "
    "Archivist"
).split()
PATTERNS = {
    "science fiction": "Beyond {place} Station|The Android of {place}|Signal from {place} IX|{place} Protocol|"
    "The Last Starship to {place}|Orbit of {place}|Clones of the {place} {role}|The {place} Anomaly",
    "action": "Siege at {place}|{place} Countdown|The {place} Heist|Bullets over {place}|Escape from {place} Harbour|"
    "The {role} Strikes Back at {place}|Convoy to {place}|Eleven Hours in {place}",
    "romance": "A Letter to the {role} of {place}|Midsummer in {place}|Dancing in {place}|The Roses of {place}|"
    "The {role} and the {place} Lighthouse|Last Train to {place}|Love, {place}|An April in {place}",
    "comedy": "Who Invited the {role} of {place}?|The Mayor of {place} Is Missing|My Aunt from {place}|"
    "Trouble at the {place} Hotel|The {place} {role} Cannot Drive|Goats over {place}|Nine Weddings in {place}|"
    "The Worst {role} in {place}",
    "drama": "The Winters of {place}|The {role} of {place}|A House in {place}|The Trial of the {place} {role}|"
    "Rain on {place}|Salt and {place}|The Bells of {place}|Nobody Leaves {place}",
}


@dataclass(frozen=True, eq=False, repr=False)
class ExampleRatings(Ratings):
    """Ratings, and the numbers that they were made from.

    `rating = mean + user_bias[u] + item_bias[i] + user_factors[u] @ item_factors[i] + noise`, rounded to half
    stars: biases (n_users,) and (n_items,), factors (n_users, 5) and (n_items, 5), named by `factor_names`.
    """

    factor_names: tuple[str, ...] = field(default=FACTORS, kw_only=True)
    mean: float = field(default=MEAN, kw_only=True)
    user_factors: np.ndarray = field(kw_only=True)
    item_factors: np.ndarray = field(kw_only=True)
    user_bias: np.ndarray = field(kw_only=True)
    item_bias: np.ndarray = field(kw_only=True)

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What the ratings would be without noise and rounding: the best that any model can predict."""
        taste = np.einsum("nk,nk->n", self.user_factors[users], self.item_factors[items])
        return (self.mean + self.user_bias[users] + self.item_bias[items] + taste).astype(np.float32)

    def scores(self, users: np.ndarray) -> np.ndarray:
        """`predict` for all items: float32 (len(users), n_items)."""
        taste = self.user_factors[users] @ self.item_factors.T
        return (self.mean + self.user_bias[users, None] + self.item_bias + taste).astype(np.float32)


def example_ratings(seed: int = 0) -> ExampleRatings:
    """15,000 ratings of 200 invented films by 300 users, the same for the same seed.

    >>> ratings = example_ratings()
    >>> ratings.titles[0], ratings.genres[0], ratings.factor_names[0], ratings.item_factors[0, 0]

    Made like ratings in life: a film has more or less of each factor and a user likes that or not; some films are
    rated often and most seldom, some users busy and most not; users rate rather what they like, and films
    that somebody likes are rated by more. Times are of the years 2015 to 2024, a user's in a few sittings.
    """
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, len(FACTORS), ITEMS)  # the factor that a film has most of; for "old" a drama
    item_factors = np.clip(rng.normal(-0.25, 0.35, (ITEMS, len(FACTORS))), -1, 1)
    item_factors[np.arange(ITEMS), kind] = rng.uniform(0.6, 1, ITEMS)
    old = FACTORS.index("old")
    item_factors[:, old] = np.where(kind == old, item_factors[:, old], rng.uniform(-1, 1, ITEMS))
    user_factors = rng.normal(0, 1, (USERS, len(FACTORS)))
    user_factors *= TASTE / (user_factors @ item_factors.T).std()
    user_bias, item_bias = rng.normal(0, USER_BIAS, USERS), rng.normal(0, ITEM_BIAS, ITEMS)

    taste = user_factors @ item_factors.T
    liked = MEAN + user_bias[:, None] + item_bias + taste
    popularity = rng.permutation(-0.8 * np.log(np.arange(1, ITEMS + 1))) + 0.8 * item_bias
    counts = _counts(rng)
    # The top of log-weights with Gumbel noise is a draw without replacement by those weights.
    keys = popularity + 0.6 * taste + rng.gumbel(size=taste.shape)
    rank = np.argsort(np.argsort(-keys, axis=1), axis=1)
    users, items = np.nonzero(rank < counts[:, None])
    values = liked[users, items] + rng.normal(0, NOISE, len(users))
    values = np.clip(np.round(2 * values) / 2, 0.5, 5)
    titles, genres = _films(rng, kind, item_factors)
    item_ids = [str(number) for number in range(1, ITEMS + 1)]
    return ExampleRatings(
        users,
        items,
        values,
        times=_times(rng, users),
        user_ids=[str(number) for number in range(1, USERS + 1)],
        item_ids=item_ids,
        titles=distinct(titles, item_ids),
        genres=genres,
        name="example",
        user_factors=user_factors,
        item_factors=item_factors,
        user_bias=user_bias,
        item_bias=item_bias,
    )


def _counts(rng: np.random.Generator) -> np.ndarray:
    """How many films each user rated, 15,000 in all."""
    weights = np.clip(rng.lognormal(0, 0.6, USERS), None, 3)
    counts = FEWEST + np.floor(weights / weights.sum() * (RATINGS - FEWEST * USERS)).astype(int)
    counts[: RATINGS - counts.sum()] += 1
    return counts


def _times(rng: np.random.Generator, users: np.ndarray) -> np.ndarray:
    """Seconds: each user has one to five sittings, and a minute or so between two ratings."""
    starts = np.sort(rng.integers(FIRST, LAST - 86_400, (USERS, 5)), axis=1)
    sitting = rng.integers(0, rng.integers(1, 6, USERS)[users])
    return starts[users, sitting] + rng.permutation(len(users)) % 86_400


def _films(rng: np.random.Generator, kind: np.ndarray, factors: np.ndarray) -> tuple[list[str], list[tuple[str, ...]]]:
    """Titles with years, and genres, that go with what a film has of each factor."""
    old = factors[:, FACTORS.index("old")]
    first, last = YEARS
    years = np.round(last - (old + 1) / 2 * (last - first)).astype(int)
    combinations = {what: _names(rng, patterns) for what, patterns in PATTERNS.items()}
    titles, genres = [], []
    for index, year in enumerate(years):
        what = FACTORS[kind[index]]
        name = combinations["drama" if what == "old" else what].pop()
        named = tuple(
            genre for genre, factor in zip(GENRES, factors[index], strict=True) if genre is not None and factor > 0.3
        )
        titles.append(f"{name} ({year})")
        genres.append(tuple(sorted(named)) or ("Drama",))
    return titles, genres


def _names(rng: np.random.Generator, patterns: str) -> list[str]:
    """What the patterns give with every place and role, each pattern as often as the others; none twice."""
    each = [
        rng.permutation(sorted({pattern.format(place=place, role=role) for place in PLACES for role in ROLES}))
        for pattern in patterns.split("|")
    ]
    return [str(name) for round_ in zip(*(names[: len(PLACES)] for names in each), strict=True) for name in round_]
