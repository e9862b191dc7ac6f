"""What the arrays of a recommender must be like, whoever made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..card import ModelCard
from .fold_in import Prior
from .histories import Histories
from .titles import clean

if TYPE_CHECKING:
    from .factor_model import FactorModel

LARGEST = 1e4  # of any factor or bias: no fitted model has one near it, and no product of two overflows
MOST_FACTORS = 2048
MOST_GENRES = 100  # of one item
MOST_STEPS = 40  # ratings to choose from
TYPICAL_VARIANCE = 0.05  # of a factor among users, where nothing is known of any


def check(model: FactorModel) -> dict[str, Any]:
    """The fields of a recommender as they are kept; ValueError, a sentence, for what does not fit."""
    factors = _numbers(model.item_factors, "item factors", (None, None))
    items, k = factors.shape
    if not 1 <= k <= MOST_FACTORS:
        raise ValueError(f"An item has 1 to {MOST_FACTORS:,} factors, not {k:,}.")
    if not items:
        raise ValueError("A recommender without items can recommend nothing.")
    users = len(model.user_bias) if np.ndim(model.user_bias) == 1 else 0
    (low, high), step = _scale(model.scale, model.step)
    if not isinstance(model.card, ModelCard):
        raise ValueError("The card of a recommender is a ModelCard.")
    counts = np.zeros(items, np.int64) if model.item_counts is None else _counts(model.item_counts, items)
    means = np.full(items, (low + high) / 2) if model.item_means is None else model.item_means
    kept = {
        "item_factors": factors,
        "item_bias": _numbers(model.item_bias, "item biases", (items,)),
        "user_factors": _numbers(model.user_factors, "user factors", (users, k)),
        "user_bias": _numbers(model.user_bias, "user biases", (users,)),
        "item_ids": _ids(model.item_ids, items, "item"),
        "user_ids": _ids(model.user_ids, users, "user"),
        "offset": _number(model.offset, "The offset", -LARGEST),
        "rating_range": None if model.rating_range is None else _ends(model.rating_range, "range of predictions"),
        "scale": (low, high),
        "step": step,
        "item_counts": counts,
        "item_means": _numbers(means, "item means", (items,)),
        "histories": None if model.histories is None else _histories(model.histories, users, items),
        "genres": None if model.genres is None else _genres(model.genres, items),
    }
    kept["titles"] = kept["item_ids"] if model.titles is None else _titles(model.titles, kept["item_ids"])
    noise = ((high - low) / 7) ** 2 if model.noise is None else model.noise  # 0.41 for ratings from 0.5 to 5
    kept["noise"] = _number(noise, "The noise", 0)
    kept["prior"] = _prior(model.prior, kept["user_factors"], kept["user_bias"])
    return kept


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and abs(value) <= LARGEST


def _number(value: Any, what: str, low: float) -> float:
    if not _is_number(value) or value < low:
        raise ValueError(f"{what} must be a number from {low:g} to {LARGEST:g}.")
    return float(value)


def _ends(ends: Any, what: str) -> tuple[float, float]:
    """Two numbers, the lower first."""
    two = isinstance(ends, tuple | list) and len(ends) == 2 and all(map(_is_number, ends))
    if not two or not ends[0] < ends[1]:
        raise ValueError(f"The {what} must be two numbers, the lower first.")
    return float(ends[0]), float(ends[1])


def _numbers(values: Any, what: str, shape: tuple[int | None, ...]) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.ndim != len(shape):
        raise ValueError(f"The {what} must be an array of numbers with {len(shape)} dimensions.")
    if any(wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True)):
        raise ValueError(f"The {what} have the shape {array.shape}; it takes {shape}.")
    if array.size and not np.abs(array).max() <= LARGEST:  # not: NaN is neither
        raise ValueError(f"The {what} must be finite numbers, none beyond {LARGEST:g}.")
    return np.ascontiguousarray(array, dtype=np.float32)


def _counts(values: Any, items: int) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or array.shape != (items,) or array.min() < 0 or array.max() > 2**40:
        raise ValueError("The counts of ratings must be a whole number from 0 for each item.")
    return array.astype(np.int64)


def _scale(scale: Any, step: Any) -> tuple[tuple[float, float], float]:
    low, high = _ends(scale, "scale of ratings")
    step = _number(step, "The step between two ratings", 0)
    if not 0 < step <= high - low:
        raise ValueError("The step between two ratings must lie within their scale.")
    # Nobody chooses among hundreds, as of jokes rated from -10 to 10.
    return (low, high), (high - low) / 10 if (high - low) / step > MOST_STEPS else step


def _list(values: Any, count: int, what: str) -> Sequence:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or len(values) != count:
        raise ValueError(f"There must be {count:,} {what}, one for each.")
    return values


def _ids(values: Any, count: int, what: str) -> tuple[str, ...]:
    ids = tuple(map(str, _list(values, count, f"{what} ids")))
    if len(set(ids)) < count:
        raise ValueError(f"Two {what}s have the same id.")
    if any(len(identity) > 200 or not _is_whole(identity) for identity in ids):
        raise ValueError(f"An id of {what}s must be a text of at most 200 characters.")
    return ids


def _is_whole(text: str) -> bool:
    """Whether it has no half of a character, which no message and no file can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _titles(values: Any, ids: tuple[str, ...]) -> tuple[str, ...]:
    titles = _list(values, len(ids), "titles")
    if not all(isinstance(title, str) for title in titles):
        raise ValueError("Titles must be texts.")
    return tuple(clean(title) or clean(identity) or "?" for title, identity in zip(titles, ids, strict=True))


def _genres(values: Any, items: int) -> tuple[tuple[str, ...], ...]:
    known: dict[str, str] = {}  # one text for each genre, however many have it

    def own(names: Any) -> tuple[str, ...]:
        if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
            raise ValueError("The genres of an item must be a list of texts.")
        if len(names) > MOST_GENRES:
            raise ValueError(f"An item has at most {MOST_GENRES} genres, not {len(names):,}.")
        return tuple(known.setdefault(name, clean(name)) for name in names)

    return tuple(map(own, _list(values, items, "lists of genres")))


def _histories(histories: Any, users: int, items: int) -> Histories:
    starts, codes, ratings = (np.asarray(part) for part in histories)
    whole = all(part.dtype.kind in "iu" for part in (starts, codes))
    if not whole or starts.shape != (users + 1,) or codes.ndim != 1:
        raise ValueError("The ratings of users must be given by where each user's begin, and by codes of items.")
    if starts[0] != 0 or starts[-1] != len(codes) or (np.diff(starts.astype(np.int64)) < 0).any():
        raise ValueError("Where the ratings of each user begin must go from 0 up to their number.")
    if codes.size and not (codes.min() >= 0 and codes.max() < items):
        raise ValueError(f"Users have rated items with codes beyond the {items:,} there are.")
    values = _numbers(ratings, "ratings of users", (len(codes),))
    return Histories(starts.astype(np.int64), codes.astype(np.int32), values)


def _prior(given: Any, user_factors: np.ndarray, user_bias: np.ndarray) -> Prior:
    width = user_factors.shape[1] + 1
    if given is None:
        if len(user_bias) > 1:
            return Prior.of(user_factors, user_bias)
        return Prior(np.zeros(width), np.full(width, TYPICAL_VARIANCE))
    mean, variance = given
    mean, variance = _numbers(mean, "average user", (width,)), _numbers(variance, "variances of users", (width,))
    if (variance < 0).any():
        raise ValueError("The variances of users must not be negative.")
    return Prior(mean.astype(np.float64), variance.astype(np.float64))
