"""Which ratings to train on and which to keep for measuring, and the protocol in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..words import counted, percent
from .ratings import Ratings


@dataclass(frozen=True, eq=False)
class Split:
    """Ratings to train on and ratings to measure with, of the same users and items by the same codes.

    >>> split = random_split(ratings)
    >>> len(split.train), len(split.valid)
    (80669, 20167)

    `protocol` says in sentences how they were parted: figures of different protocols are not comparable.
    """

    train: Ratings
    valid: Ratings
    protocol: str


def random_split(ratings: Ratings, *, valid_share: float = 0.2, seed: int = 42, cold: str = "keep") -> Split:
    """Hold back ratings drawn at random, as the lessons do.

    >>> random_split(ratings, valid_share=0.1).protocol
    'Random split: 10,084 of 100,836 ratings (10 %), drawn with seed 42, are held back for validation. ...'

    Easier than what a recommender does in life, since a user's later ratings are among those trained on.
    Ratings held back of users or items that training never sees are `cold`: "keep" or "drop" them.
    Raises ValueError, a sentence, for a share that leaves either side without ratings.
    """
    count = _count(ratings, valid_share)
    held = np.zeros(len(ratings), dtype=bool)
    held[np.random.default_rng(seed).permutation(len(ratings))[:count]] = True
    share = f"{count:,} of {counted(len(ratings), 'rating')} ({percent(count / len(ratings))})"
    return _split(ratings, held, f"Random split: {share}, drawn with seed {seed}, are held back for validation.", cold)


def time_split(ratings: Ratings, *, valid_share: float = 0.2, cold: str = "keep") -> Split:
    """Train on the past: hold back the latest ratings of all.

    >>> time_split(ratings).protocol
    'Split by time: what was rated from 2016-03-22 08:27:17 UTC on, 20,167 ratings (20 %), is held back ...'

    Ratings of one second stay together, so that the share may differ a little. Most users who are held back
    may be new, hence `cold` (see `random_split`).
    Raises ValueError, a sentence, without times, or where all are of one second.
    """
    times = _times(ratings)
    cut = np.sort(times)[len(ratings) - _count(ratings, valid_share)]
    if cut == times.min():  # the share's border lies within the first second
        later = times[times > cut]
        if not later.size:
            raise ValueError("All ratings are of one second: they cannot be split by time.")
        cut = later.min()
    held = times >= cut
    when = np.datetime_as_string(np.datetime64(int(cut), "s")).replace("T", " ")
    share = f"{counted(int(held.sum()), 'rating')} ({percent(held.mean())})"
    text = f"Split by time: what was rated from {when} UTC on, {share}, is held back for validation."
    return _split(ratings, held, text, cold)


def leave_last_out(ratings: Ratings, *, last: int = 1, cold: str = "keep") -> Split:
    """Hold back the latest ratings of each user: what would they have liked next?

    >>> leave_last_out(ratings).protocol
    "Leave last out: each user's latest rating is held back for validation, 610 ratings of 610 users. ..."

    A user needs more than `last` ratings to have some held back, and is trained on else. Ratings of one second
    count in the order they stand.
    Raises ValueError, a sentence, without times, or where nobody has that many ratings.
    """
    times = _times(ratings)
    if last < 1:
        raise ValueError("At least one rating of each user is held back.")
    order = np.lexsort((times, ratings.users))  # stable: among equal times, the order they stand in
    counts = ratings.user_counts
    behind = np.repeat(np.cumsum(counts), counts) - np.arange(len(ratings))  # 1 for a user's latest
    held = np.zeros(len(ratings), dtype=bool)
    held[order] = (behind <= last) & np.repeat(counts > last, counts)
    if not held.any():
        raise ValueError(f"No user has more than {counted(last, 'rating')}: nothing can be held back.")
    asked, few = np.count_nonzero(counts > last), np.count_nonzero((counts > 0) & (counts <= last))
    what = "latest rating is" if last == 1 else f"{last} latest ratings are"
    text = (
        f"Leave last out: each user's {what} held back for validation, {counted(int(held.sum()), 'rating')} of "
        f"{counted(asked, 'user')}."
    )
    if few:
        text += f" Trained on only, having no more than {counted(last, 'rating')}: {counted(few, 'user')}."
    return _split(ratings, held, text, cold)


SPLITS: dict[str, Callable[..., Split]] = {"random": random_split, "time": time_split, "last": leave_last_out}


def split_ratings(ratings: Ratings, how: str = "random", **options) -> Split:
    """One of the splits by its name: "random", "time" or "last".

    >>> split_ratings(ratings, "time", valid_share=0.1)
    """
    if how not in SPLITS:
        raise ValueError(f"Ratings are split in one of these ways: {', '.join(SPLITS)}; not {how!r}.")
    return SPLITS[how](ratings, **options)


def _count(ratings: Ratings, share: float) -> int:
    count = round(share * len(ratings)) if 0 < share < 1 else 0
    if not 0 < count < len(ratings):
        raise ValueError(f"A share of {share:g} of {counted(len(ratings), 'rating')} leaves one side without ratings.")
    return count


def _times(ratings: Ratings) -> np.ndarray:
    if ratings.times is None:
        raise ValueError("These ratings have no times: split them at random.")
    if not len(ratings):
        raise ValueError("There are no ratings to split.")
    return ratings.times


def _split(ratings: Ratings, held: np.ndarray, text: str, cold: str) -> Split:
    """Part the ratings, and say what becomes of users and items that training does not see."""
    if cold not in ("keep", "drop"):
        raise ValueError(f"Ratings of unseen users and items are to keep or to drop, not {cold!r}.")
    train = ratings.take(~held)
    new_user = train.user_counts[ratings.users] == 0
    new_item = train.item_counts[ratings.items] == 0
    new = held & (new_user | new_item)
    if count := int(new.sum()):
        users, items = len(np.unique(ratings.users[held & new_user])), len(np.unique(ratings.items[held & new_item]))
        done = "measured too" if cold == "keep" else "left out"
        text += (
            f" Of users or items that training never sees ({users:,} and {items:,}): {counted(count, 'rating')} held "
            f"back, {done}."
        )
    else:
        text += " Training sees every user and item of them."
    if cold == "drop":
        held = held & ~new
        if not held.any():
            raise ValueError("Training sees none of the users and items of the ratings held back: nothing is left.")
    return Split(train, ratings.take(held), text)
