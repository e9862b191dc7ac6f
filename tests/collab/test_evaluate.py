"""Errors and rankings against plain Python, scikit-learn and figures worked out by hand."""

import math
from itertools import permutations

import numpy as np
import pytest
from drawings import DATA
from ipyfastai.models import Ratings, evaluate, example_ratings, movielens, split_ratings
from ipyfastai.models.collab import ranking
from ipyfastai.models.collab.baselines import GlobalMean, Means, MostPopular
from ipyfastai.models.collab.ranking import rank
from ipyfastai.models.collab.splits import Split, random_split
from ipyfastai.models.progress import Cancelled, Progress
from sklearn.metrics import mean_absolute_error, mean_squared_error, ndcg_score


class Table:
    """A predictor that knows each user's prediction of each item."""

    def __init__(self, table):
        self.table = np.asarray(table, dtype=np.float32)

    def predict(self, users, items):
        return self.table[users, items]

    def scores(self, users):
        return self.table[users]


def ratings(triples, users, items):
    columns = list(zip(*triples, strict=True)) or [[], [], []]
    return Ratings(
        np.array(columns[0], int), np.array(columns[1], int), columns[2],
        user_ids=range(users), item_ids=range(items),
    )  # fmt: skip


def drawn(seed=0, users=23, items=31):
    """A split of random ratings with unlucky users, and a predictor, both with and without equal scores."""
    random = np.random.default_rng(seed)
    given = np.argwhere(random.random((users, items)) < 0.4)
    given = given[(given[:, 0] != 4) & (given[:, 1] != 9)]  # a user and an item without ratings
    values = random.integers(1, 11, len(given)) / 2
    whole = Ratings(*given.T, values, user_ids=range(users), item_ids=range(items))
    return random_split(whole, valid_share=0.4, seed=seed), random.normal(3, 1, (users, items)).astype(np.float32)


def likers(split):
    return len({user for user, value in zip(split.valid.users, split.valid.values, strict=True) if value >= 4})


def by_hand(table, split, k, threshold=4.0):
    """Precision, recall and NDCG, one user after the other, in plain Python; scores without equals."""
    seen, liked = {}, {}
    for user, item in zip(split.train.users, split.train.items, strict=True):
        seen.setdefault(int(user), set()).add(int(item))
    for user, item, value in zip(split.valid.users, split.valid.items, split.valid.values, strict=True):
        if value >= threshold:
            liked.setdefault(int(user), set()).add(int(item))
    figures = []
    for user, likes in liked.items():
        unseen = [item for item in range(table.shape[1]) if item not in seen.get(user, ())]
        top = sorted(unseen, key=lambda item: -table[user][item])[:k]
        hits = [item in likes for item in top]
        best = sum(1 / math.log2(place + 2) for place in range(min(k, len(likes))))
        gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits))
        figures.append((sum(hits) / k, sum(hits) / len(likes), gain / best))
    return [sum(column) / len(figures) for column in zip(*figures, strict=True)]


@pytest.mark.parametrize("k", [1, 5, 10, 31, 50])
@pytest.mark.parametrize("cells", [16_000_000, 70])
def test_rankings_are_those_of_plain_python(k, cells, monkeypatch):
    monkeypatch.setattr(ranking, "CELLS", cells)  # the second looks at two users at a time
    split, table = drawn()
    figures = evaluate(Table(table), split, k, baselines=False).loc["model"]
    assert figures.index.tolist() == ["mse", "rmse", "mae", f"precision@{k}", f"recall@{k}", f"ndcg@{k}"]
    np.testing.assert_allclose(figures[3:].astype(float), by_hand(table, split, k), rtol=1e-9)


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_ndcg_is_scikit_learn_s_with_equal_scores_too(k, levels):
    split, table = drawn(1)
    table = np.round(table * levels) / levels if levels < 1000 else table
    got = evaluate(Table(table), split, k, baselines=False).loc["model", f"ndcg@{k}"]
    wanted = []
    for user in range(table.shape[0]):
        valid = (split.valid.users == user) & (split.valid.values >= 4)
        if valid.any():
            relevance = np.zeros(table.shape[1])
            relevance[split.valid.items[valid]] = 1
            unseen = np.setdiff1d(np.arange(table.shape[1]), split.train.items[split.train.users == user])
            wanted.append(ndcg_score([relevance[unseen]], [table[user, unseen]], k=k, ignore_ties=False))
    assert got == pytest.approx(np.mean(wanted), rel=1e-9)


def test_equal_scores_count_as_the_mean_over_all_orders():
    scores, liked, k = [3, 2, 2, 2, 1], {1, 4}, 2
    split = Split(ratings([(1, 0, 1)], 2, 5), ratings([(0, item, 5) for item in liked], 2, 5), "")
    figures = rank(Table([scores, scores]).scores, split.train, split.valid, np.array([0]), k=k)
    wanted = []
    for order in permutations(range(5)):
        if [scores[item] for item in order] == sorted(scores, reverse=True):
            hits = [item in liked for item in order[:k]]
            gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits))
            wanted.append((sum(hits) / k, sum(hits) / 2, gain / (1 + 1 / math.log2(3))))
    np.testing.assert_allclose(list(figures.values()), np.mean(wanted, axis=0), rtol=1e-12)


def test_figures_worked_out_by_hand():
    # User 0 saw item 0; likes item 3, held back, which is ranked second of the three unseen.
    split = Split(ratings([(0, 0, 5)], 1, 4), ratings([(0, 3, 4), (0, 1, 2)], 1, 4), "")
    figures = evaluate(Table([[9, 3, 5, 4]]), split, 2, baselines=False).loc["model"]
    assert figures.to_dict() == pytest.approx(
        {"mse": 0.5, "rmse": 0.5**0.5, "mae": 0.5, "precision@2": 0.5, "recall@2": 1, "ndcg@2": 1 / math.log2(3)}
    )
    perfect = evaluate(Table([[0, 2, 0, 4]]), split, 1, baselines=False).loc["model"]
    assert perfect.to_dict() == {"mse": 0, "rmse": 0, "mae": 0, "precision@1": 1, "recall@1": 1, "ndcg@1": 1}


def test_errors_are_scikit_learn_s(monkeypatch):
    monkeypatch.setattr("ipyfastai.models.collab.evaluate.ROWS", 7)
    split, table = drawn(2)
    figures = evaluate(Table(table), split, baselines=False).loc["model"]
    told = split.valid.values, table[split.valid.users, split.valid.items]
    assert figures.mse == pytest.approx(mean_squared_error(*told), rel=1e-6)
    assert figures.rmse == pytest.approx(figures.mse**0.5)
    assert figures.mae == pytest.approx(mean_absolute_error(*told), rel=1e-6)


def test_baselines_stand_beside_the_model():
    split = split_ratings(movielens(DATA / "movielens" / "ml-latest-small"))
    figures = evaluate({"one": GlobalMean(split.train), "two": Means(split.train)}, split)
    assert figures.index.tolist() == ["one", "two", "global mean", "user + item means", "most popular"]
    assert figures.loc["one"].equals(figures.loc["global mean"].rename("one"))
    assert figures.loc["two"].equals(figures.loc["user + item means"].rename("two"))
    assert figures.isna().sum().to_dict() == {
        "mse": 1, "rmse": 1, "mae": 1, "precision@10": 2, "recall@10": 2, "ndcg@10": 2,
    }  # fmt: skip
    assert figures.mse["global mean"] == pytest.approx(
        np.mean((split.valid.values - split.train.values.mean()) ** 2), rel=1e-5
    )
    assert figures.mse["user + item means"] < 0.8 < figures.mse["global mean"]
    assert figures["ndcg@10"]["most popular"] > 0.1


def test_means_are_shrunken_as_their_source_says():
    triples = [(0, 0, 5), (0, 1, 3), (1, 0, 4), (2, 1, 1)]
    means = Means(ratings(triples, 4, 3))
    mean = 13 / 4
    items = [(5 + 4 - 2 * mean) / (25 + 2), (3 + 1 - 2 * mean) / (25 + 2), 0]
    users = [
        (5 - mean - items[0] + 3 - mean - items[1]) / 12,
        (4 - mean - items[0]) / 11,
        (1 - mean - items[1]) / 11,
        0,
    ]
    np.testing.assert_allclose(means.item_bias, items)
    np.testing.assert_allclose(means.user_bias, users)
    np.testing.assert_allclose(
        means.predict(np.array([0, 3]), np.array([1, 2])), [mean + users[0] + items[1], mean], rtol=1e-6
    )
    plain = Means(ratings(triples, 4, 3), item_shrinkage=0, user_shrinkage=0)
    np.testing.assert_allclose(plain.item_bias, [4.5 - mean, 2 - mean, 0])


def test_the_most_popular_is_the_most_often_rated():
    assert MostPopular(ratings([(0, 1, 1), (1, 1, 1), (1, 2, 5)], 2, 3)).scores([0]).tolist() == [[0, 2, 1]]


def test_the_true_factors_beat_the_baselines_and_the_protocol_is_told():
    example = example_ratings()
    split = split_ratings(example)
    figures = evaluate(example, split)
    assert figures.mse.idxmin() == "model" and figures.mse["model"] < 0.35
    protocol = figures.attrs["protocol"]
    assert protocol.startswith(split.protocol)
    assert f"for each of {likers(split)} users with a rating of 4 or more held back" in protocol
    assert "all of 200 items are ranked but those that the user rated in training" in protocol
    assert "equal scores count as in random order" in protocol
    assert "shrunken to the mean (25 ratings for an item, 10 for a user)" in protocol
    stricter = evaluate(example, split, 5, threshold=5, users=20, baselines=False)
    assert "for each of 20 users with a rating of 5 or more" in stricter.attrs["protocol"]
    assert "The users are drawn from" in stricter.attrs["protocol"] and "ndcg@5" in stricter


def test_users_and_items_in_another_order_change_nothing():
    split, table = drawn(3)
    table = np.round(table)  # with many equal scores, where an order of codes could show
    random = np.random.default_rng(0)
    users, items = random.permutation(table.shape[0]), random.permutation(table.shape[1])

    def mixed(part):
        return Ratings(
            users[part.users], items[part.items], part.values, user_ids=range(len(users)), item_ids=range(len(items))
        )

    other = Split(mixed(split.train), mixed(split.valid), split.protocol)
    moved = np.empty_like(table)
    moved[np.ix_(users, items)] = table
    one, two = evaluate(Table(table), split), evaluate(Table(moved), other)
    np.testing.assert_allclose(one.to_numpy(), two.to_numpy(), rtol=1e-6)
    assert one.attrs == two.attrs


def test_an_item_held_back_that_training_has_too_is_no_like():
    split = Split(ratings([(0, 0, 5)], 1, 3), ratings([(0, 0, 5), (0, 2, 5)], 1, 3), "")
    assert evaluate(Table([[9, 1, 2]]), split, 1, baselines=False).loc["model", "recall@1"] == 1


def test_without_likes_nothing_is_ranked():
    split = Split(ratings([(0, 0, 5)], 1, 3), ratings([(0, 1, 1)], 1, 3), "")
    figures = evaluate(Table([[1, 1, 1]]), split, baselines=False).loc["model"]
    assert figures.mse == 0 and np.isnan(figures["ndcg@10"])


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_a_model_whose_training_failed(fault):
    split, table = drawn()
    with pytest.raises(ValueError, match="not one finite number for each rating"):
        evaluate(Table(np.full_like(table, fault)), split)
    broken = Table(table)
    broken.scores = lambda users: np.full((len(users), table.shape[1]), fault)
    with pytest.raises(ValueError, match=f"not finite numbers for each of {likers(split)} users and 31 items"):
        evaluate(broken, split)


def test_scores_of_another_shape_names_and_places():
    split, table = drawn()
    broken = Table(table)
    broken.scores = lambda users: table[users, :5]
    with pytest.raises(ValueError, match="scores are not finite numbers for each"):
        evaluate(broken, split)
    with pytest.raises(ValueError, match="'global mean' is the name of a baseline"):
        evaluate({"global mean": Table(table)}, split)
    with pytest.raises(ValueError, match="first place at least"):
        evaluate(Table(table), split, 0)


def test_progress_and_cancel():
    split, table = drawn()
    progress = Progress()
    evaluate({"bias": Table(table)}, split, baselines=False, progress=progress)
    assert progress.text == f"bias: ranking for {likers(split)} users"
    progress.cancel()
    with pytest.raises(Cancelled):
        evaluate(Table(table), split, progress=progress)
