"""The built-in example: what it is made of can be found in it again."""

import numpy as np
import pytest
from drawings import DATA
from ipyfastai.models import example_ratings, movielens


@pytest.fixture(scope="module")
def example():
    return example_ratings()


def test_what_it_is(example):
    assert repr(example) == "<example: 15,000 ratings of 200 items by 300 users>"
    assert set(np.unique(example.values)) == set(np.arange(1, 11) / 2)
    assert example.user_counts.min() >= 15 and example.item_counts.min() >= 5
    assert len(set(zip(example.users, example.items, strict=True))) == 15_000, "nobody rates a film twice"
    assert len(set(example.titles)) == 200
    years = example.years
    assert ((years >= 1948) & (years <= 2014)).all() and example.times.min() > 1_420_000_000


def test_the_same_for_the_same_seed(example):
    again, other = example_ratings(0), example_ratings(1)
    for name in ("users", "items", "values", "times", "titles", "item_factors"):
        assert (getattr(again, name) == getattr(example, name)).all()
    assert (other.titles != example.titles).any() and (other.values != example.values).any()


def test_the_factors_are_in_the_ratings(example):
    """Least squares on the known item factors, user by user, finds the users' tastes again."""
    rest = example.values - example.mean - example.item_bias[example.items]
    starts, order = example.by_user()
    found = []
    for user in np.argsort(-example.user_counts)[:50]:
        mine = order[starts[user] : starts[user + 1]]
        design = np.column_stack([np.ones(len(mine)), example.item_factors[example.items[mine]]])
        found.append(np.linalg.lstsq(design, rest[mine], rcond=None)[0][1:])
    true = example.user_factors[np.argsort(-example.user_counts)[:50]]
    assert np.corrcoef(np.ravel(found), true.ravel())[0, 1] > 0.8


def test_factors_mean_what_they_are_called(example):
    by_name = dict(zip(example.factor_names, example.item_factors.T, strict=True))
    old = by_name["old"]
    assert np.corrcoef(old, example.years)[0, 1] < -0.99
    for factor, genre in (
        ("science fiction", "Sci-Fi"),
        ("action", "Action"),
        ("romance", "Romance"),
        ("comedy", "Comedy"),
    ):
        has = np.array([genre in genres for genres in example.genres])
        assert 10 < has.sum() < 120 and by_name[factor][has].min() > by_name[factor][~has].max()


def test_it_predicts_itself_as_well_as_the_noise_allows(example):
    gap = example.predict(example.users, example.items) - example.values
    assert 0.25 < np.mean(gap**2) < 0.35 < example.values.var() / 2
    scores = example.scores(np.array([3, 7]))
    assert scores.shape == (2, 200)
    np.testing.assert_allclose(scores[1, 5], example.predict(np.array([7]), np.array([5]))[0], rtol=1e-6)


def test_some_films_are_popular_and_users_rate_what_they_like(example):
    counts = np.sort(example.item_counts)
    assert counts[-20:].sum() > 4 * counts[:20].sum()
    everything = example.scores(np.arange(300))
    assert everything[example.users, example.items].mean() > everything.mean() + 0.1


def test_no_title_is_a_real_film_s(example):
    real = {title.rsplit(" (", 1)[0].lower() for title in movielens(DATA / "movielens" / "ml-latest-small").titles}
    assert not real & {title.rsplit(" (", 1)[0].lower() for title in example.titles}


def test_some_of_it_is_still_an_example(example):
    part = example.take(example.values > 4)
    assert len(part) < 15_000 and part.item_factors is example.item_factors
