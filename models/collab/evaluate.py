"""How good a recommender is: errors of its ratings and quality of its rankings, beside what anybody could do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..progress import Progress
from ..words import counted
from .baselines import ITEM_SHRINKAGE, USER_SHRINKAGE, GlobalMean, Means, MostPopular, Predictor
from .ranking import rank
from .ratings import Ratings
from .splits import Split

ROWS = 1_000_000  # ratings predicted together
ERRORS = ("mse", "rmse", "mae")


def evaluate(
    model: Predictor | Mapping[str, Predictor],
    split: Split,
    k: int = 10,
    *,
    threshold: float | None = None,
    users: int | None = None,
    seed: int = 42,
    baselines: bool = True,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Measure a model, or several by name, on the ratings held back, with trivial baselines in the same table.

    >>> figures = evaluate(run.predictor, split)
    >>> figures.columns.tolist()
    ['mse', 'rmse', 'mae', 'precision@10', 'recall@10', 'ndcg@10']
    >>> figures.attrs["protocol"]
    'Random split: 20,167 of 100,836 ratings (20 %), drawn with seed 42, ... Ranking: ...'

    A row is a model; then come "global mean", "user + item means" and "most popular", fitted to `split.train`.
    NaN stands where a measure says nothing: the most popular predicts no ratings, one mean ranks no items.
    Errors are in stars, of predictions as they come, not clipped to the scale. A rating held back from `threshold`
    on is a like (None: four fifths of the scale's top, 4 of 5 stars); users with one are ranked for, or `users` of
    them, drawn with `seed`, where all would take too long. How rankings are judged: see `rank`.
    Raises ValueError, a sentence, for predictions that are no finite numbers, or not one for each rating; Cancelled.
    """
    models = dict(model) if isinstance(model, Mapping) else {"model": model}
    fitted = {}
    if baselines:
        fitted = {
            "global mean": GlobalMean(split.train),
            "user + item means": Means(split.train),
            "most popular": MostPopular(split.train),
        }
        if same := fitted.keys() & models.keys():
            raise ValueError(f"{sorted(same)[0]!r} is the name of a baseline: give the model another.")
    threshold = 0.8 * split.valid.scale[1] if threshold is None else float(threshold)
    liked = split.valid.take(split.valid.values >= threshold)
    asked = np.unique(liked.users)
    of = len(asked)
    if users is not None and users < of:
        asked = np.sort(np.random.default_rng(seed).choice(asked, users, replace=False))
    rows = {}
    for name, one in {**models, **fitted}.items():
        stage = _Stage(progress, name) if progress is not None else None
        figures = (
            dict.fromkeys(ERRORS, np.nan)
            if isinstance(one, MostPopular)
            else prediction_errors(one, split.valid, progress=stage)
        )
        ranked = rank(one.scores, split.train, liked, asked, k=k, progress=stage)
        rows[name] = {**figures, **(dict.fromkeys(ranked, np.nan) if isinstance(one, GlobalMean) else ranked)}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.attrs["protocol"] = _protocol(split, k, threshold, len(asked), of, seed, baselines)
    return table


class _Stage(Progress):
    """Reports of one part of the work, which the whole one passes on with the part's name."""

    def __init__(self, whole: Progress, name: str):
        super().__init__()
        self._whole, self._name = whole, name

    def report(self, done: int, total: int | None = None, text: str = "") -> None:
        self._whole.report(done, total, f"{self._name}: {text[:1].lower()}{text[1:]}")


def prediction_errors(model: Predictor, ratings: Ratings, *, progress: Progress | None = None) -> dict[str, float]:
    """Mean squared error, its root, and mean absolute error of a model's predictions of these ratings.

    >>> prediction_errors(Means(split.train), split.valid)
    {'mse': 0.79, 'rmse': 0.889, 'mae': 0.686}

    Not a number without ratings. Raises ValueError, a sentence, for predictions that are no finite numbers.
    """
    squares = absolutes = 0.0
    for begin in range(0, len(ratings), ROWS):
        if progress is not None:
            progress.report(begin, len(ratings), f"Predicting {counted(len(ratings), 'rating')}")
        part = slice(begin, begin + ROWS)
        predicted = np.asarray(model.predict(ratings.users[part], ratings.items[part]), dtype=np.float64)
        if predicted.shape != ratings.values[part].shape or not np.isfinite(predicted).all():
            raise ValueError("The model's predictions are not one finite number for each rating: has training failed?")
        gap = predicted - ratings.values[part]
        squares += float(np.square(gap).sum())
        absolutes += float(np.abs(gap).sum())
    mse, mae = (total / len(ratings) if len(ratings) else np.nan for total in (squares, absolutes))
    return {"mse": mse, "rmse": mse**0.5, "mae": mae}


def _protocol(split: Split, k: int, threshold: float, asked: int, of: int, seed: int, baselines: bool) -> str:
    text = (
        f"{split.protocol} Errors: of {counted(len(split.valid), 'rating')}, predictions as they come. "
        f"Ranking: for each of {counted(asked, 'user')} with a rating of {threshold:g} or more held back, which makes "
        f"an item relevant, all of {counted(split.train.n_items, 'item')} are ranked but those that the user rated in "
        f"training; items held back with a lower rating, and items nobody rated in training, are ranked too. Means "
        f"over users of the first {k} places; precision is divided by {k}; NDCG has gain 1 for each relevant item; "
        "equal scores count as in random order."
    )
    if asked < of:
        text += f" The users are drawn from {of:,} with seed {seed}."
    if baselines:
        text += (
            f" Baselines: user + item means are shrunken to the mean ({ITEM_SHRINKAGE} ratings for an item, "
            f"{USER_SHRINKAGE} for a user); the most popular is the most often rated."
        )
    return text
