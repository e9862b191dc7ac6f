"""Ratings held back: the right ones, none twice, and in words."""

import numpy as np
import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models import Ratings, example_ratings, movielens, split_ratings
from ipyfastai.models.collab.splits import SPLITS, leave_last_out, random_split, time_split


@pytest.fixture(scope="module")
def films():
    return movielens(DATA / "movielens" / "ml-latest-small")


def tiny(times=(1, 2, 3, 4, 5, 6), users=(0, 0, 0, 1, 1, 2)):
    return Ratings(
        users, [0, 1, 2, 0, 1, 3], [1, 2, 3, 4, 5, 5], times=times, user_ids="abc", item_ids="wxyz"
    )  # fmt: skip


def pairs(ratings):
    return set(zip(ratings.users.tolist(), ratings.items.tolist(), strict=True))


@pytest.mark.parametrize("how", SPLITS)
def test_every_rating_is_on_one_side(films, how):
    split = split_ratings(films, how)
    assert len(split.train) + len(split.valid) == len(films)
    assert pairs(split.train) | pairs(split.valid) == pairs(films)
    assert split.train.n_items == split.valid.n_items == films.n_items


def test_random_is_a_share_the_same_for_a_seed(films):
    split, again, other = random_split(films), random_split(films), random_split(films, seed=1)
    assert len(split.valid) == 20_167
    assert (split.valid.items == again.valid.items).all() and (split.valid.items != other.valid.items).any()
    assert split.protocol == (
        "Random split: 20,167 of 100,836 ratings (20 %), drawn with seed 42, are held back for validation. Of users or "
        "items that training never sees (0 and 728): 798 ratings held back, measured too."
    )
    assert abs(split.valid.times.mean() / films.times.mean() - 1) < 0.01, "drawn from all times"


def test_by_time_trains_on_the_past(films):
    split = time_split(films, valid_share=0.1)
    assert split.train.times.max() < split.valid.times.min()
    assert abs(len(split.valid) / len(films) - 0.1) < 0.001
    first = pd.Timestamp(split.valid.times.min(), unit="s")
    assert f"what was rated from {first} UTC on, {len(split.valid):,} ratings (10 %), is held back" in split.protocol


def test_ratings_of_one_second_stay_together():
    assert time_split(tiny((1, 2, 5, 5, 5, 5)), valid_share=0.2).valid.times.tolist() == [5, 5, 5, 5]
    assert time_split(tiny((1, 1, 1, 1, 1, 5)), valid_share=0.5).valid.times.tolist() == [5]


def test_the_last_of_each_user_is_as_pandas_has_it(films):
    split = leave_last_out(films)
    table = pd.DataFrame({"user": films.users, "item": films.items, "time": films.times})
    last = table.sort_values("time", kind="stable").groupby("user").tail(1)
    assert pairs(split.valid) == set(zip(last.user, last.item, strict=True))
    assert split.protocol.startswith(
        "Leave last out: each user's latest rating is held back for validation, 610 ratings of 610 users."
    )


def test_users_with_too_few_ratings_are_trained_on():
    split = leave_last_out(tiny(), last=2)
    assert pairs(split.valid) == {(0, 1), (0, 2)}
    assert "2 latest ratings are held back for validation, 2 ratings of 1 user." in split.protocol
    assert "Trained on only, having no more than 2 ratings: 2 users." in split.protocol


def test_users_and_items_that_training_never_sees():
    kept, dropped = time_split(tiny()), time_split(tiny(), cold="drop", valid_share=0.4)
    assert pairs(kept.valid) == {(2, 3)}
    assert kept.protocol.endswith("that training never sees (1 and 1): 1 rating held back, measured too.")
    assert pairs(dropped.valid) == {(1, 1)}
    assert dropped.protocol.endswith("that training never sees (1 and 1): 1 rating held back, left out.")
    with pytest.raises(ValueError, match="nothing is left"):
        time_split(tiny(), cold="drop")


def test_where_training_sees_all_it_says_so():
    assert random_split(example_ratings()).protocol.endswith("Training sees every user and item of them.")


@pytest.mark.parametrize(
    "split, sentence",
    [
        (lambda: random_split(tiny(), valid_share=0), "A share of 0 of 6 ratings leaves one side without ratings"),
        (lambda: random_split(tiny(), valid_share=0.99), "leaves one side without"),
        (lambda: random_split(tiny(), valid_share=float("nan")), "leaves one side without"),
        (lambda: time_split(tiny(times=None)), "have no times: split them at random"),
        (lambda: leave_last_out(tiny(times=None)), "have no times"),
        (lambda: time_split(tiny((7,) * 6)), "All ratings are of one second"),
        (lambda: leave_last_out(tiny(), last=3), "No user has more than 3 ratings"),
        (lambda: leave_last_out(tiny(), last=0), "At least one rating of each user"),
        (lambda: time_split(tiny().take(slice(0))), "There are no ratings to split"),
        (lambda: random_split(tiny(), cold="guess"), "are to keep or to drop, not 'guess'"),
        (lambda: split_ratings(tiny(), "magic"), "one of these ways: random, time, last; not 'magic'"),
    ],
)
def test_what_cannot_be_split(split, sentence):
    with pytest.raises(ValueError, match=sentence):
        split()


def test_items_in_another_order_change_nothing(films):
    mixed = np.random.default_rng(0).permutation(films.n_items)
    other = Ratings(films.users, mixed[films.items], films.values, times=films.times, user_ids=films.user_ids,
                    item_ids=films.item_ids[np.argsort(mixed)])  # fmt: skip
    for how in SPLITS:
        assert split_ratings(other, how).protocol == split_ratings(films, how).protocol
