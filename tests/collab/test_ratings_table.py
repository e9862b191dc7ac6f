"""The crosstab of ratings: what is in it, what is predicted, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models import Ratings, example_ratings, movielens
from ipyfastai.models.collab.baselines import Means
from ipyfastai.widgets import RatingsTable
from traitlets import TraitError


def made(values=((0, 0, 4), (0, 1, 2.5), (1, 1, 5)), **options):
    users, items, ratings = zip(*values, strict=True)
    options = {"user_ids": ["ann", "bob"], "item_ids": ["7", "9"]} | options
    return Ratings(users, items, ratings, **options)


def test_busiest_of_movielens_as_pandas_counts_them():
    folder = DATA / "movielens" / "ml-latest-small"
    if not folder.is_dir():
        pytest.skip("no MovieLens here")
    table = RatingsTable(movielens(folder))
    file = pd.read_csv(folder / "ratings.csv")
    users, items = (file[name].value_counts() for name in ("userId", "movieId"))
    assert table.value.shape == (15, 15)
    rows = [int(user) for user in table.value.index]
    assert [users[user] for user in rows] == users.nlargest(15).tolist()
    titles = pd.read_csv(folder / "movies.csv").set_index("title")["movieId"]
    columns = [titles[title] for title in table.value.columns]
    assert [items[item] for item in columns] == items.nlargest(15).tolist()
    truth = file.pivot(index="userId", columns="movieId", values="rating").loc[rows, columns]
    assert np.array_equal(table.value.to_numpy(), truth.to_numpy(np.float32), equal_nan=True)
    gaps = int(truth.isna().to_numpy().sum())
    assert table._shown["text"].startswith(f"{225 - gaps} ratings and {gaps} gaps")


def test_predictions_are_those_of_the_same_users_and_titles():
    ratings = example_ratings()
    table = RatingsTable(ratings, users=4, items=3)
    assert table.predictions is None and table._shown["predictions"] is None
    means = Means(ratings)
    table.predictor = means
    user, item = list(ratings.user_ids).index(table.value.index[2]), list(ratings.titles).index(table.value.columns[1])
    expected = means.mean + means.user_bias[user] + means.item_bias[item]
    assert table.predictions.iloc[2, 1] == pytest.approx(expected, abs=1e-5)
    assert table._shown["predictions"][2][1] == pytest.approx(expected, abs=0.006)
    table.predictor = None
    assert table.predictions is None and table._shown["predictions"] is None


def test_fewer_users_than_asked_for_and_titles_that_are_markup():
    table = RatingsTable(made(titles=["<img src=x>", "Nine Lanterns"]))
    assert table._shown["users"] == ["ann", "bob"] and set(table._shown["titles"]) == {"<img src=x>", "Nine Lanterns"}
    assert sorted(sum(table._shown["ratings"], []), key=lambda rating: rating or 0) == [None, 2.5, 4.0, 5.0]


class Wrong:
    def __init__(self, answer):
        self.answer = answer

    def predict(self, users, items):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "predictor, why",
    [
        (object(), "no predictor"),
        (Wrong(np.ones(3)), "not one number"),
        (Wrong(ValueError("codes to 1")), "codes to 1"),
        (Wrong(IndexError("out of bounds")), "not one of these"),
    ],
)
def test_what_cannot_predict_is_refused_and_the_old_one_stays(predictor, why):
    table = RatingsTable(made(), predictor=Means(made()))
    before = table.predictor
    with pytest.raises(TraitError, match=why):
        table.predictor = predictor
    assert table.predictor is before and table.predictions is not None


def test_a_prediction_that_is_no_number_is_a_gap():
    table = RatingsTable(made(), predictor=Wrong(np.array([np.nan, 1, np.inf, 2])))
    assert sum(table._shown["predictions"], []) == [None, 1.0, None, 2.0]


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="takes Ratings, not DataFrame"):
        RatingsTable(pd.DataFrame())
    with pytest.raises(ValueError, match="no ratings"):
        RatingsTable(made().take(np.array([], int)))
    for options in ({"users": 0}, {"items": 101}):
        with pytest.raises(ValueError, match="from 1 to 100"):
            RatingsTable(made(), **options)
