"""A factor model by alternating least squares, in NumPy: the tests recommend with it, without any training of ours."""

from functools import cache

import numpy as np
import pytest
from drawings import DATA
from ipyfastai.models.collab.movielens import movielens
from ipyfastai.models.collab.recommender import Recommender

MOVIELENS = DATA / "movielens" / "ml-latest-small"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def factorise(ratings, *, factors=12, rating_range=(0, 5.5), rounds=4, seed=0):
    """Keyword arguments of `Recommender.of`: factors and biases of users and items fitted to the ratings.

    Each side in turn is a ridge regression on the other (Koren, Bell and Volinsky, 2009), on what a step of
    Gauss and Newton makes of the sigmoid where there is one.
    """
    random = np.random.default_rng(seed)
    users = np.column_stack([random.normal(0, 0.1, (ratings.n_users, factors)), np.zeros(ratings.n_users)])
    items = np.column_stack([random.normal(0, 0.1, (ratings.n_items, factors)), np.zeros(ratings.n_items)])
    values = ratings.values.astype(np.float64)
    mean = values.mean()
    offset = mean if rating_range is None else np.log((mean - rating_range[0]) / (rating_range[1] - mean))
    for _ in range(rounds):
        for own, other, codes, others in (
            (users, items, ratings.users, ratings.items),
            (items, users, ratings.items, ratings.users),
        ):
            of_user, of_item = users[ratings.users], items[ratings.items]
            x = offset + of_user[:, -1] + of_item[:, -1] + np.sum(of_user[:, :-1] * of_item[:, :-1], 1)
            if rating_range is None:
                slope, wrong = np.ones_like(x), values - x
            else:
                low, width = rating_range[0], rating_range[1] - rating_range[0]
                slope = width * sigmoid(x) * (1 - sigmoid(x))
                wrong = values - low - width * sigmoid(x)
            known = np.column_stack([other[others, :-1], np.ones(len(values))])
            target = slope * wrong + slope**2 * np.sum(known * own[codes], 1)
            order = np.argsort(codes, kind="stable")
            for mine in np.split(order, np.cumsum(np.bincount(codes, minlength=len(own)))[:-1]):
                if len(mine):
                    weighted = known[mine].T * slope[mine] ** 2
                    penalty = np.diag([8.0] * factors + [2.0])
                    own[codes[mine[0]]] = np.linalg.solve(
                        weighted @ known[mine] + penalty, known[mine].T @ target[mine]
                    )
    return {
        "user_factors": users[:, :-1],
        "item_factors": items[:, :-1],
        "user_bias": users[:, -1],
        "item_bias": items[:, -1],
        "offset": offset,
        "rating_range": rating_range,
    }


@cache
def movielens_recommender(rating_range=(0, 5.5)):
    """One for all tests of a run, of real ratings, and those ratings. Do not change it."""
    if not MOVIELENS.is_dir():
        pytest.skip(f"no ratings in {MOVIELENS}")
    ratings = movielens(MOVIELENS)
    return Recommender.of(ratings, **factorise(ratings, rating_range=rating_range)), ratings


def small_recommender(**options):
    """Three users and four items, by hand; no ratings."""
    return Recommender(
        **{
            "item_factors": [[1, 0], [0.9, 0.1], [0, 1], [-1, 0]],
            "item_bias": [0.1, 0.2, -0.3, 0],
            "item_ids": ["7", "8", "9", "10"],
            "titles": ["Alien (1979)", "Aliens (1986)", "Amélie (2001)", "Solaris (1972)"],
            "genres": [("Horror", "Sci-Fi"), ("Action", "Sci-Fi"), ("Comedy",), ("Sci-Fi",)],
            "user_factors": [[1, 0], [0, 1], [-1, 0.5]],
            "user_bias": [0, 0.2, -0.2],
            "user_ids": ["ann", "bob", "cy"],
            "offset": 3.5,
            "item_counts": [10, 20, 30, 5],
            "item_means": [4.0, 3.5, 3.0, 3.0],
            **options,
        }
    )
