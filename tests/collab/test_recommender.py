"""The recommender in use: against computations by hand, on real ratings, and properties that hold for any."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from factorise import factorise, movielens_recommender, sigmoid, small_recommender
from ipyfastai.models.collab.histories import Histories
from ipyfastai.models.collab.ratings import Ratings
from ipyfastai.models.collab.recommender import Recommender

MINE = {
    "Alien (1979)": 5,
    "Aliens (1986)": 4.5,
    "Titanic (1997)": 1.5,
    "Blade Runner (1982)": 5,
    "Notting Hill (1999)": 2,
}


@pytest.fixture(scope="module")
def movies():
    return movielens_recommender()[0]


def ranks(scores):
    return np.argsort(np.argsort(scores))


def test_it_needs_no_torch():
    code = (
        "import sys; from ipyfastai.models import Recommender; r = Recommender.shipped(); "
        "r.recommend({r.titles[0]: 5}); r.similar(r.titles[0]); r.explain(1, 1).table; "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'torch', 'fastai', 'ipywidgets', 'scipy', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_prediction_is_the_sum_of_its_parts_through_the_sigmoid():
    plain, ranged = small_recommender(), small_recommender(rating_range=(0, 5.5), offset=0.5)
    assert plain.predict([0, 1], [1, 2]) == pytest.approx([3.5 + 0 + 0.2 + 0.9, 3.5 + 0.2 - 0.3 + 1])
    assert ranged.predict([2], [3]) == pytest.approx([5.5 * sigmoid(0.5 - 0.2 + 0 + 1)])
    assert ranged.scores([0, 2])[1, 3] == pytest.approx(ranged.predict([2], [3])[0])


def test_what_a_user_would_rate_highest_comes_first_without_what_they_have_rated():
    movies, ratings = movielens_recommender()
    table = movies.recommend("42", k=20)
    user = list(ratings.user_ids).index("42")
    predicted = movies.scores([user])[0]
    predicted[ratings.items[ratings.users == user]] = -np.inf
    assert table["title"].tolist() == ratings.titles[np.argsort(-predicted, kind="stable")[:20]].tolist()
    assert table["predicted"].to_numpy() == pytest.approx(np.sort(predicted)[::-1][:20], abs=1e-5)
    assert table.attrs["note"] == ""
    everything = movies.recommend("42", k=movies.n_items, exclude_seen=False)
    assert len(everything) == movies.n_items


def test_a_genre_and_the_well_known_only():
    table = movielens_recommender()[0].recommend(MINE, k=30, genre="Comedy", at_least=100)
    assert len(table) == 30 and table["ratings"].min() >= 100
    assert table["genres"].str.contains("Comedy").all()


@pytest.mark.parametrize(
    "person, said", [("nobody", "no user 'nobody'"), ({}, "Nothing is rated"), ({"Xyz": 5}, "'Xyz'")]
)
def test_for_somebody_unknown_it_is_what_is_popular_and_said_so(movies, person, said):
    table = movies.recommend(person, k=5)
    assert said in table.attrs["note"] and "popular" in table.attrs["note"]
    assert "Shawshank Redemption, The (1994)" in table["title"].tolist()
    assert table["ratings"].min() > 100  # no film that two people gave 5 stars
    assert table["predicted"].is_monotonic_decreasing


def test_what_is_unknown_among_the_ratings_is_left_out_and_named(movies):
    table = movies.recommend({**MINE, "A Film That Never Was": 5})
    assert table.attrs["note"] == "Not in this model: 'A Film That Never Was'."
    assert table["title"].tolist() == movies.recommend(MINE)["title"].tolist()


def test_who_has_rated_nothing_in_training_gets_what_is_popular_too():
    histories = Histories(np.array([0, 2, 2, 3]), np.array([0, 1, 2]), np.array([5, 4, 3]))
    model = small_recommender(histories=histories)
    assert "'bob' has rated nothing" in model.recommend("bob").attrs["note"]
    assert model.recommend("bob").drop(columns="predicted").equals(model.recommend({}).drop(columns="predicted"))
    assert model.recommend("ann").attrs["note"] == ""


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_a_list_has_one_item_at_least(k):
    model = small_recommender()
    for make in (lambda: model.recommend({}, k=k), lambda: model.similar("7", k)):
        with pytest.raises(ValueError, match="The number of items is a whole number from 1"):
            make()


@pytest.mark.parametrize("rating", [0, 5.5, float("nan"), float("inf"), True, "5", None])
def test_a_rating_off_the_scale_is_refused(movies, rating):
    with pytest.raises(ValueError, match="a number from 0.5 to 5"):
        movies.fold_in({"Alien (1979)": rating})


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_similar_items_are_the_nearest_by_brute_force(movies, metric):
    table = movies.similar("Alien (1979)", 10, metric=metric, at_least=20)
    code = movies.find("Alien (1979)")
    vectors = movies.item_factors.astype(np.float64)
    if metric == "cosine":
        far = 1 - vectors @ vectors[code] / np.linalg.norm(vectors, axis=1).clip(1e-12) / np.linalg.norm(vectors[code])
        figures = 1 - table["similarity"]
    else:
        far = np.linalg.norm(vectors - vectors[code], axis=1)
        figures = table["distance"]
    far[(movies.item_counts < 20) | (np.arange(len(far)) == code)] = np.inf
    assert table["item"].tolist() == [movies.item_ids[at] for at in np.argsort(far)[:10]]
    assert figures.to_numpy() == pytest.approx(np.sort(far)[:10], abs=1e-5)
    assert "Aliens (1986)" in table["title"].tolist()


def test_similar_to_nothing_known_is_what_is_popular(movies):
    table = movies.similar("Xyz", 3)
    assert "There is no item 'Xyz'" in table.attrs["note"] and table["similarity"].isna().all() and len(table) == 3
    with pytest.raises(ValueError, match="cosine"):
        movies.similar("Alien (1979)", metric="manhattan")


def test_near_what_is_seldom_rated_or_has_no_factors():
    model = small_recommender(item_counts=[10, 20, 30, 4], item_factors=[[1, 0], [0.9, 0.1], [0, 0], [-1, 0]])
    assert model.similar("10").attrs["note"] == "'Solaris (1972)' has 4 ratings: what is near it is mostly chance."
    nowhere = model.similar("9")
    assert "no taste. This is what is popular" in nowhere.attrs["note"] and nowhere["similarity"].isna().all()
    assert len(model.nearest(2, 3)[0]) == 0
    assert model.similar("9", metric="euclidean")["distance"].tolist() == pytest.approx([0.82**0.5, 1])
    assert model.similar("7")["item"].tolist() == ["8", "9"], "to factors of 0 the angle counts as a right one"


def test_folding_in_without_a_range_is_ridge_regression():
    model = small_recommender(noise=0.4)
    folded = model.fold_in({"Alien (1979)": 5, "Amélie (2001)": 2})
    users = np.column_stack([model.user_factors, model.user_bias]).astype(float)
    known = np.column_stack([model.item_factors[[0, 2]], [1, 1]]).astype(float)
    target = np.array([5, 2]) - 3.5 - np.array([0.1, -0.3])
    # The same as least squares on rows that ask for the average user, each with its weight.
    weights = np.sqrt(0.5 * 0.4 / users.var(0))
    rows, wanted = np.vstack([known, np.diag(weights)]), np.concatenate([target, weights * users.mean(0)])
    person = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    assert [*folded.factors, folded.bias] == pytest.approx(person, abs=1e-5)


def test_folding_in_through_a_sigmoid_finds_the_lowest_penalised_error(movies):
    folded = movies.fold_in(MINE)
    mean, variance = movies.prior
    penalty = 0.5 * movies.noise / variance
    known = np.column_stack([movies.item_factors[folded.items], np.ones(len(folded.items))]).astype(float)
    base = movies.offset + movies.item_bias[folded.items].astype(float)

    def misfit(person):
        wrong = folded.ratings - 5.5 * sigmoid(base + known @ person)
        return (wrong**2).sum() + (penalty * (person - mean) ** 2).sum()

    person = np.array([*folded.factors, folded.bias], dtype=float)
    random = np.random.default_rng(0)
    least = misfit(person)
    for size in (0.3, 0.1, 0.03):
        nearby = person + random.normal(0, size, (300, len(person)))
        assert min(map(misfit, nearby)) > least - 1e-4


@pytest.mark.parametrize("rating_range", [(0, 5.5), None])
def test_folding_in_a_known_users_own_ratings_ranks_like_the_model(rating_range):
    model, _ = movielens_recommender(rating_range)
    popular = np.flatnonzero(model.item_counts >= 20)
    agreement = []
    for user in range(0, model.n_users, 15):
        folded = model.fold_in_codes(*model.seen(user))
        agreement.append(np.corrcoef(ranks(model.sums(user)[popular]), ranks(model.sums(folded)[popular]))[0, 1])
    assert np.median(agreement) > 0.92 and np.min(agreement) > 0.6


def test_ratings_of_a_stranger_predict_their_others_better_than_the_average_user_does():
    """Half of the ratings of users that the model has never seen, from the other half."""
    _, ratings = movielens_recommender()
    strangers = np.arange(0, ratings.n_users, 10)
    hidden = np.isin(ratings.users, strangers)
    seen = ratings.take(~hidden)
    model = Recommender.of(seen, **factorise(seen)).without_users()
    wrong, wrong_of_average = [], []
    for user in strangers:
        mine = np.flatnonzero(ratings.users == user)
        given, asked = mine[::2], mine[1::2]
        folded = model.fold_in_codes(ratings.items[given], ratings.values[given])
        wrong += [model.link(model.sums(folded))[ratings.items[asked]] - ratings.values[asked]]
        wrong_of_average += [model.link(model.sums(None))[ratings.items[asked]] - ratings.values[asked]]
    errors = [np.sqrt(np.mean(np.concatenate(each) ** 2)) for each in (wrong, wrong_of_average)]
    assert errors[0] < 0.91 < 0.95 < errors[1]


@pytest.mark.parametrize("rating_range", [(0, 5.5), None])
@pytest.mark.parametrize("person", ["7", MINE, "nobody"], ids=["user", "stranger", "nobody"])
def test_the_parts_of_an_explanation_add_up_to_the_prediction(rating_range, person):
    model, _ = movielens_recommender(rating_range)
    who = model.person(person)[0]
    for title in ("Star Wars: Episode IV - A New Hope (1977)", "Grumpier Old Men (1995)", "Alien (1979)"):
        code = model.find(title)
        explanation = model.explain(person, title)
        assert explanation.sum == pytest.approx(model.sums(who)[code], abs=1e-4)
        table = explanation.table
        assert table["value"].sum() == pytest.approx(explanation.sum, abs=1e-9)
        assert table["points"].sum() == pytest.approx(explanation.predicted, abs=1e-6)
        if person == "7":
            assert explanation.predicted == pytest.approx(model.predict([who], [code])[0], abs=1e-4)
        else:
            assert explanation.rest == pytest.approx(0, abs=1e-6)


def test_what_a_rating_pulls_is_what_is_lost_without_it_when_there_is_only_one():
    model = small_recommender(noise=0.4)
    one, none = model.fold_in({"Alien (1979)": 5}), model.fold_in({})
    explanation = model.explain({"Alien (1979)": 5}, "Aliens (1986)")
    lost = model.item_factors[1] @ (one.factors - none.factors)
    assert explanation.pulls == pytest.approx([lost], abs=1e-5) and lost > 0
    assert explanation.titles == ["Alien (1979)"]


def test_permuting_users_and_items_changes_nothing():
    ratings = movielens_recommender()[1].take(np.arange(3000))
    fitted = factorise(ratings, factors=4, rounds=2)
    random = np.random.default_rng(0)
    users, items = random.permutation(ratings.n_users), random.permutation(ratings.n_items)
    place_of_user, place_of_item = np.argsort(users), np.argsort(items)
    shuffled = Ratings(
        place_of_user[ratings.users],
        place_of_item[ratings.items],
        ratings.values,
        user_ids=ratings.user_ids[users],
        item_ids=ratings.item_ids[items],
        titles=ratings.titles[items],
        genres=[ratings.genres[item] for item in items],
    )
    moved = {
        **{name: fitted[name][users] for name in ("user_factors", "user_bias")},
        **{name: fitted[name][items] for name in ("item_factors", "item_bias")},
    }
    one, other = Recommender.of(ratings, **fitted), Recommender.of(shuffled, **{**fitted, **moved})
    for person in ("1", "7", MINE):
        first, second = one.recommend(person), other.recommend(person)
        assert first["predicted"].to_numpy() == pytest.approx(second["predicted"].to_numpy(), abs=1e-4)
    assert one.explain("7", "Alien (1979)").sum == pytest.approx(other.explain("7", "Alien (1979)").sum, abs=1e-4)


def test_no_rating_about_a_film_can_pull_with_infinite_force():
    model = small_recommender(rating_range=(0, 5.5), offset=0, item_bias=[40, -40, 30, 0], noise=0.0)
    folded = model.fold_in({"Alien (1979)": 0.5, "Aliens (1986)": 5})
    assert np.isfinite(folded.factors).all() and np.isfinite(model.sums(folded)).all()


def test_without_users_a_stranger_gets_the_same(movies):
    alone = movies.without_users()
    assert alone.n_users == 0 and alone.histories is None
    assert alone.recommend(MINE).equals(movies.recommend(MINE))


def test_items_of_one_title_mean_the_most_rated_one():
    model = small_recommender(titles=["Emma (1996)", "Emma (1996)", "9", "Solaris (1972)"])
    assert model.find("Emma (1996)") == 1
    assert model.find("9") == 2 and model.find(9) == 2  # an id comes before a title


def test_steps_follow_the_scale():
    assert small_recommender(scale=(1, 5), step=1).steps == [1, 2, 3, 4, 5]
    assert small_recommender().steps == [0.5 * step for step in range(1, 11)]
    assert len(small_recommender(scale=(-10, 10), step=0.01).steps) == 11


@pytest.mark.parametrize(
    "scale, values, step", [((1, 5), [4, 5], 1), ((0.5, 5), [4, 5], 0.5), ((0.5, 5), [0.5, 4.5], 0.5)]
)
def test_every_rating_that_was_given_can_be_given_again(scale, values, step):
    ratings = Ratings([0, 1], [0, 0], values, user_ids=["ann", "bob"], item_ids=["7"], scale=scale)
    model = Recommender.of(ratings, item_factors=[[0.0]], user_factors=[[0.0], [0.0]])
    assert model.step == step and {*values, *scale} <= {*model.steps}


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("item_factors", [[1, 0], [np.nan, 0], [0, 1], [0, 0]], "finite"),
        ("item_factors", [[1e30, 0], [0, 0], [0, 1], [0, 0]], "none beyond"),
        ("item_factors", np.zeros((0, 2)), "without items"),
        ("item_factors", np.zeros((4, 0)), "factors"),
        ("item_factors", [["a", "b"]] * 4, "array of numbers"),
        ("item_bias", [0, 0, 0], "shape"),
        ("user_factors", [[1, 0, 0]] * 3, "shape"),
        ("item_ids", ["1", "1", "2", "3"], "same id"),
        ("item_ids", ["\ud800", "1", "2", "3"], "a text of at most 200"),
        ("titles", ["a", "b"], "4 titles"),
        ("titles", "abcd", "4 titles"),
        ("genres", [["a"], ["b"], "c", ["d"]], "list of texts"),
        ("scale", (5, 1), "the lower first"),
        ("scale", (float("nan"), 5), "two numbers"),
        ("step", 0, "within"),
        ("rating_range", (5.5, 0), "the lower first"),
        ("offset", float("inf"), "offset"),
        ("item_counts", [1, 2, 3, -1], "whole number"),
        ("noise", -1, "noise"),
        ("prior", (np.zeros(3), [-1, 1, 1]), "negative"),
        ("prior", (np.zeros(4), np.ones(4)), "shape"),
        ("histories", ([0, 1, 1, 2], [0, 9], [5, 5]), "beyond"),
        ("histories", ([0, 2, 1, 2], [0, 1], [5, 5]), "up to their number"),
        ("histories", ([0, 1, 2], [0, 1], [5, 5]), "where each user"),
        ("card", "a card", "ModelCard"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_sentence(field, value, said):
    with pytest.raises(ValueError, match=said):
        small_recommender(**{field: value})


def test_titles_are_one_line_without_what_cannot_be_printed():
    model = small_recommender(titles=["A\nlien\u202e", "", "Amélie", "S"])
    assert model.titles == ("A lien", "8", "Amélie", "S")
    assert replace(model, titles=None).titles == ("7", "8", "9", "10")


def test_an_unknown_item_cannot_be_explained(movies):
    with pytest.raises(ValueError, match="There is no item 'Xyz'"):
        movies.explain("1", "Xyz")
