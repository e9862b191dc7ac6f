"""What is liked and disliked beyond taste: figures against the model's own, and what a page may send."""

import numpy as np
import pytest
from factorise import movielens_recommender, sigmoid, small_recommender
from ipyfastai.widgets import BiasRanking


@pytest.fixture
def widget():
    made = BiasRanking(movielens_recommender()[0])
    yield made
    made.close()


def say(widget, **content):
    widget._handle_custom_msg(content, [])


def test_the_ends_are_those_of_the_biases(widget):
    model = widget.recommender
    known = np.flatnonzero(model.item_counts >= 20)
    order = known[np.argsort(-model.item_bias[known], kind="stable")]
    assert [row["item"] for row in widget._shown["most"]] == order[:10].tolist()
    assert [row["item"] for row in widget._shown["least"]] == order[::-1][:10].tolist()
    assert widget.value["title"].tolist() == [model.titles[code] for code in order]
    assert widget.value["bias"].is_monotonic_decreasing


def test_points_are_what_the_bias_adds_to_a_typical_rating(widget):
    model = widget.recommender
    typical = np.average(model.item_bias, weights=model.item_counts)
    everyone = model.offset + model.item_factors @ model.prior.mean[:-1] + model.prior.mean[-1] + model.item_bias
    average = np.average(everyone, weights=model.item_counts)
    bias = widget.value["bias"].to_numpy()
    expected = 5.5 * (sigmoid(average + bias - typical) - sigmoid(average))
    assert widget.value["points"].to_numpy() == pytest.approx(expected, abs=1e-4)


def test_people_have_no_names_on_the_page(widget):
    say(widget, type="of", of="users")
    model = widget.recommender
    assert widget._shown["most"][0]["item"] == int(np.argmax(model.user_bias))
    assert widget._shown["most"][0]["title"].startswith("Somebody with ")
    assert widget.value["user"][0] == model.user_ids[int(np.argmax(model.user_bias))]
    say(widget, type="choose", item=0)
    assert widget._shown["chosen"]["title"] == "Somebody with 232 ratings"
    assert ["Mean of their ratings", "4.37 ★, 232 ratings"] in widget._shown["chosen"]["figures"]


def test_a_title_has_its_figures(widget):
    code = widget.recommender.find("Shawshank Redemption, The (1994)")
    say(widget, type="choose", item=code)
    figures = dict(widget._shown["chosen"]["figures"])
    assert figures["Mean of its ratings"] == "4.43 ★, 317 ratings"
    assert figures["Place, the most liked first"].endswith(f" of {len(widget.value):,}")
    say(widget, type="choose", item=int(np.argmin(widget.recommender.item_counts)))
    assert dict(widget._shown["chosen"]["figures"])["Place, the most liked first"] == "not ranked: under 20 ratings"
    say(widget, type="choose", item=None)
    assert widget._shown["chosen"] == {}


def test_the_floor_and_more(widget):
    floors = widget._shown["floors"]
    say(widget, type="floor", place=floors.index(100))
    assert widget.value["ratings"].min() >= 100
    say(widget, type="more")
    assert len(widget._shown["most"]) == len(widget._shown["least"]) == 20
    for _ in range(50):
        say(widget, type="more")
    both = [row["item"] for end in ("most", "least") for row in widget._shown[end]]
    assert len(both) == len(set(both))  # nothing stands at both ends


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"type": "of", "of": "films"},
        {"type": "of", "of": None},
        {"type": "floor", "place": 99},
        {"type": "floor", "place": True},
        {"type": "choose", "item": 10**9},
        {"type": "choose", "item": -1},
        {"type": "choose", "item": "0"},
        {"type": "search", "text": "a"},
    ],
)
def test_what_no_page_of_ours_sends_is_ignored(widget, content):
    before = widget._shown
    widget._handle_custom_msg(content, [])
    assert widget._shown == before


def test_a_model_without_users_or_counts():
    model = small_recommender(item_counts=None, item_means=None).without_users()
    widget = BiasRanking(model)
    assert not widget._shown["users"] and widget._shown["total"] == 4
    say(widget, type="of", of="users")
    assert widget._shown["of"] == "items"
    assert widget.value["title"].tolist()[0] == "Aliens (1986)"
    widget.close()


def test_a_single_item():
    model = small_recommender(
        item_factors=[[1, 0]],
        item_bias=[0.1],
        item_ids=["7"],
        titles=None,
        genres=None,
        item_counts=[3],
        item_means=[4],
    )
    widget = BiasRanking(model)
    assert len(widget._shown["most"]) == 1 and widget._shown["least"] == []
    widget.close()


def test_what_is_no_recommender():
    with pytest.raises(TypeError, match="Recommender"):
        BiasRanking([1])
    with pytest.raises(ValueError, match="k must be"):
        BiasRanking(small_recommender(), k=1000)
