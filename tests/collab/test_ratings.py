"""Ratings as arrays: what fits together, what is taken of them, and the lesson's crosstab."""

import numpy as np
import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models import Ratings, movielens

IDS = {"user_ids": ["ann", "bob", "cy"], "item_ids": ["7", "9"]}


def some(**options):
    return Ratings([0, 0, 1], [0, 1, 1], [4, 2.5, 5], **{**IDS, "times": [30, 20, 10], **options})


def test_what_it_is():
    ratings = some(titles=["Orbit of Velmoor (1987)", "Convoy to Ozeral"], genres=[["Sci-Fi"], ()], name="tiny")
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (3, 2, 3)
    assert ratings.users.dtype == ratings.items.dtype == np.int32
    assert ratings.values.dtype == np.float32 and ratings.times.dtype == np.int64
    assert repr(ratings) == "<tiny: 3 ratings of 2 items by 3 users>"
    assert ratings.genres == [("Sci-Fi",), ()]
    assert ratings.user_counts.tolist() == [2, 1, 0] and ratings.item_counts.tolist() == [1, 2]
    np.testing.assert_array_equal(ratings.years, [1987, np.nan])
    with pytest.raises(AttributeError):
        ratings.name = "another"


def test_items_without_titles_are_called_by_their_ids():
    assert some().titles.tolist() == ["7", "9"] and some().genres is None


@pytest.mark.parametrize(
    "title, year",
    [
        ("Emma (1996)", 1996),
        ("Emma (1996) [838]", 1996),
        ("2001: A Year", np.nan),
        ("A (1963-1989)", 1963),
        ("", np.nan),
    ],
)
def test_the_year_ends_the_title(title, year):
    np.testing.assert_equal(some(titles=[title, "B"]).years[0], year)


def test_the_table():
    table = some().table
    assert table.columns.tolist() == ["user", "item", "title", "rating", "timestamp"]
    assert table.user.tolist() == ["ann", "ann", "bob"] and table.item.tolist() == ["7", "9", "9"]
    assert table.rating.tolist() == [4, 2.5, 5] and table.timestamp[0] == pd.Timestamp("1970-01-01 00:00:30")
    assert "timestamp" not in some(times=None).table


@pytest.mark.parametrize("which", [np.array([False, True, True]), np.array([1, 2]), slice(1, 3)])
def test_taking_some_keeps_users_and_items(which):
    part = some().take(which)
    assert part.users.tolist() == [0, 1] and part.values.tolist() == [2.5, 5] and part.times.tolist() == [20, 10]
    assert (part.n_users, part.n_items) == (3, 2)


def test_the_ratings_of_each_user():
    starts, order = Ratings([2, 0, 2, 0], [1, 0, 0, 1], [1, 2, 3, 4], **IDS).by_user()
    assert [order[starts[user] : starts[user + 1]].tolist() for user in range(3)] == [[1, 3], [], [0, 2]]


def test_the_crosstab_is_pandas_own_with_its_gaps():
    ratings = movielens(DATA / "movielens" / "ml-latest-small")
    shown = ratings.busiest(users=15, items=12)
    raw = pd.read_csv(DATA / "movielens" / "ml-latest-small" / "ratings.csv")
    titles = pd.read_csv(DATA / "movielens" / "ml-latest-small" / "movies.csv").set_index("movieId").title
    users, items = raw.userId.value_counts()[:15], raw.movieId.value_counts()[:12]
    assert ratings.user_counts[ratings.busiest_users(15)].tolist() == users.tolist()
    assert ratings.item_counts[ratings.busiest_items(12)].tolist() == items.tolist()
    wanted = raw.pivot(index="userId", columns="movieId", values="rating")
    wanted = wanted.loc[shown.index.astype(int), [titles[titles == title].index[0] for title in shown.columns]]
    np.testing.assert_array_equal(shown.to_numpy(), wanted.to_numpy())
    assert shown.isna().to_numpy().any() and shown.index.name == "user" and shown.columns.name == "title"


def test_the_crosstab_of_few_is_all_of_them():
    assert some().busiest().shape == (3, 2)


@pytest.mark.parametrize(
    "arguments, options, sentence",
    [
        (([0], [0, 1], [4, 5]), {}, "There are 1 users of ratings, but 2 items"),
        (([0, 0], [0, 1], [4]), {}, "but 1 values"),
        (([0], [0], [4]), {"times": [1, 2]}, "but 2 times"),
        (([3], [0], [4]), {}, "codes from 0 to 2; a rating has another"),
        (([-1], [0], [4]), {}, "codes from 0 to 2"),
        (([0.5], [0], [4]), {}, "The users of ratings are codes: whole numbers"),
        (([0], [0], [6]), {}, "Some ratings are not numbers from 0.5 to 5"),
        (([0], [0], [np.nan]), {}, "Some ratings are not numbers"),
        (([0], [0], [4]), {"scale": (5, 1)}, "A scale from 5 to 1 has no room"),
        (([0], [0], [4]), {"titles": ["one"]}, "There are 2 items, but 1 titles"),
        (([0], [0], [4]), {"genres": [()]}, "There are 2 items, but 1 genres"),
        (([0], [0], [4]), {"item_ids": ["7", 7]}, "Two items have the same id"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Ratings(*arguments, **{**IDS, **options})
