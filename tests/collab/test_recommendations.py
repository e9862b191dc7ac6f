"""The recommendations as Python sees them, and what a page may send."""

import csv
import io

import numpy as np
import pytest
from factorise import movielens_recommender, small_recommender
from ipyfastai.models.collab.explain import Explanation
from ipyfastai.models.collab.link import Link
from ipyfastai.widgets import Recommendations
from ipyfastai.widgets.collab import recommendations as module
from ipyfastai.widgets.collab.reasons import parts, reason

ALIEN, MATRIX = "Alien (1979)", "Matrix, The (1999)"


@pytest.fixture
def widget():
    made = Recommendations(movielens_recommender()[0])
    made.sent = []
    made.send = lambda content, buffers=None: made.sent.append(content)
    yield made
    made.close()


def say(widget, **content):
    """What a page sends."""
    widget._handle_custom_msg(content, [])


def code(widget, title):
    return widget.recommender.find(title)


def test_rating_changes_the_list_and_the_value(widget):
    seen = []
    before = widget.value["title"].tolist()
    widget.observe(lambda change: seen.append(change.new), "value")
    widget.rate(ALIEN, 5)
    widget.rate(MATRIX, 4.5)
    assert widget.value["title"].tolist() != before and len(seen) == 2
    assert widget.ratings == {"1214": 5, "2571": 4.5}
    expected = widget.recommender.recommend({ALIEN: 5, MATRIX: 4.5}, at_least=5)
    assert widget.value["title"].tolist() == expected["title"].tolist()
    assert widget.value["predicted"].to_numpy() == pytest.approx(expected["predicted"].to_numpy())
    assert widget.value["reason"].str.len().min() > 0
    assert ALIEN not in widget.value["title"].tolist()


def test_taking_one_away_and_undoing(widget):
    say(widget, type="rate", item=code(widget, ALIEN), step=9)
    say(widget, type="rate", item=code(widget, MATRIX), step=0)
    both = widget.value["title"].tolist()
    say(widget, type="rate", item=code(widget, MATRIX), step=None)
    assert widget.ratings == {"1214": 5} and widget.value["title"].tolist() != both
    assert widget._shown["said"] == "Matrix, The (1999) taken away."
    say(widget, type="undo")
    assert widget.ratings == {"1214": 5, "2571": 0.5} and widget.value["title"].tolist() == both
    say(widget, type="clear")
    assert widget.ratings == {} and not widget._shown["personal"]
    for _ in range(9):
        say(widget, type="undo")
    assert widget.ratings == {} and widget._shown["undo"] == 0


def test_what_is_hidden_does_not_come_back_until_undone(widget):
    first = widget._shown["rows"][0]
    say(widget, type="hide", item=first["item"])
    assert first["title"] not in widget.value["title"].tolist() and len(widget.value) == 10
    widget.undo()
    assert widget.value["title"][0] == first["title"]


def test_without_ratings_what_is_popular_is_there_to_begin_with(widget):
    assert not widget._shown["personal"] and len(widget._shown["rows"]) == 10
    assert widget._shown["rows"][0]["title"] == "Shawshank Redemption, The (1994)"
    assert widget._shown["rows"][0]["reason"] == "4.4 ★ on average, of 317 ratings."


def test_genre_and_more(widget):
    place = widget._shown["genres"].index("Western")
    say(widget, type="genre", place=place)
    assert widget.value["genres"].str.contains("Western").all() and len(widget.value) == 10
    say(widget, type="more")
    assert len(widget.value) == 20
    say(widget, type="genre", place=-1)
    assert len(widget.value) == 10


def test_search_similar_and_why_are_answered_to_who_asked(widget):
    say(widget, type="search", token="t", text="the matrix")
    assert widget.sent[-1]["token"] == "t" and widget.sent[-1]["rows"][0]["title"] == MATRIX
    say(widget, type="similar", token="s", item=code(widget, ALIEN))
    assert "Aliens (1986)" in [row["title"] for row in widget.sent[-1]["rows"]]
    widget.rate(ALIEN, 5)
    say(widget, type="why", token="w", item=code(widget, MATRIX))
    rows = [row["points"].replace("−", "-") for row in widget.sent[-1]["rows"]]
    assert sum(map(float, rows[:-1])) == pytest.approx(float(rows[-1].split(",")[0]), abs=0.03)


def test_the_download_holds_no_formula():
    model = small_recommender(titles=["=1+1", "@x", "Amélie", "-2"])
    widget = Recommendations(model, ratings={"Amélie": 4})
    answers = []
    widget.send = lambda content, buffers=None: answers.append(content)
    say(widget, type="csv", token="x")
    rows = list(csv.DictReader(io.StringIO(answers[0]["text"])))
    assert {row["title"] for row in rows} == {"'=1+1", "'@x", "'-2"}
    assert all(row["reason"] and row["genres"] for row in rows)
    widget.close()


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"type": "rate", "item": -1, "step": 1},
        {"type": "rate", "item": 10**9, "step": 1},
        {"type": "rate", "item": True, "step": 1},
        {"type": "rate", "item": "1", "step": 1},
        {"type": "rate", "item": 1, "step": 99},
        {"type": "rate", "item": 1, "step": 1.5},
        {"type": "rate", "item": 1, "step": True},
        {"type": "hide", "item": None},
        {"type": "genre", "place": 10**9},
        {"type": "genre", "place": -2},
        {"type": "genre", "place": "Comedy"},
        {"type": "search", "token": 1, "text": "a"},
        {"type": "search", "token": "a", "text": None},
        {"type": "similar", "token": None, "item": 1},
        {"type": "why", "token": "a", "item": {}},
        {"type": "csv", "token": 5},
        {"type": "nothing"},
    ],
)
def test_what_no_page_of_ours_sends_is_ignored(widget, content):
    before = widget._shown
    widget._handle_custom_msg(content, [])
    assert widget._shown == before and widget.sent == []


def test_a_page_cannot_make_things_up(widget):
    widget.set_state({"_shown": {"rated": [{"item": 1, "rating": 5}], "rows": []}, "ratings": {"1": 5}})
    assert widget.ratings == {}
    widget.rate(ALIEN, 5)
    assert [row["title"] for row in widget._shown["rated"]] == [ALIEN]


def test_a_page_can_ask_for_only_so_much(widget):
    for _ in range(100):
        say(widget, type="more")
    assert len(widget._shown["rows"]) == 200 and not widget._shown["more"]
    say(widget, type="search", token="x" * 10_000, text="the " * 10_000)
    assert len(widget.sent[-1]["token"]) == 64


def test_hiding_has_an_end_that_is_told(widget, monkeypatch):
    monkeypatch.setattr(module, "MOST_HIDDEN", 3)
    for code in (0, 0, 1, 2, 0):
        say(widget, type="hide", item=code)
    assert widget._shown["hidden"] == 3 and widget._shown["undo"] == 3 and not widget.sent
    say(widget, type="hide", item=7)
    assert widget._shown["hidden"] == 3 and widget._shown["undo"] == 3
    [told] = widget.sent
    assert told["type"] == "refused" and told["item"] == 7 and told["text"].startswith("3 titles are hidden, the most")


def test_rating_has_an_end_that_is_told(widget, monkeypatch):
    monkeypatch.setattr(module, "MOST_RATED", 2)
    for code in (0, 1, 0):
        say(widget, type="rate", item=code, step=4)
    say(widget, type="rate", item=1, step=8)  # another rating of one that has one
    assert len(widget.ratings) == 2 and not widget.sent
    say(widget, type="rate", item=7, step=4)
    [told] = widget.sent
    assert told["type"] == "refused" and told["item"] == 7 and told["text"].startswith("2 titles are rated, the most")
    with pytest.raises(ValueError, match="2 titles are rated, the most there can be: take a rating away first"):
        widget.rate(ALIEN, 5)
    assert len(widget.ratings) == 2 and widget._shown["undo"] == 3
    say(widget, type="rate", item=0, step=None)
    widget.rate(ALIEN, 5)
    assert len(widget.ratings) == 2
    with pytest.raises(ValueError, match="at most 2 ratings, not 3"):
        Recommendations(widget.recommender, ratings={ALIEN: 5, MATRIX: 5, "1": 4})


def test_ratings_to_begin_with():
    model = movielens_recommender()[0]
    widget = Recommendations(model, ratings={ALIEN: 5, 2571: 4}, k=3)
    assert widget.ratings == {"1214": 5, "2571": 4} and len(widget.value) == 3
    with pytest.raises(ValueError, match="no item 'Xyz'"):
        Recommendations(model, ratings={"Xyz": 4})
    with pytest.raises(ValueError, match="from 0.5 to 5"):
        widget.rate(ALIEN, 6)
    with pytest.raises(TypeError, match="Recommender"):
        Recommendations({})
    with pytest.raises(ValueError, match="k must be"):
        Recommendations(model, k=0)
    widget.close()


def explained(item, pulls, ratings=(5, 1)):
    titles = ["Alien", "Titanic"][: len(pulls)]
    return Explanation("X", Link(), 3.5, item, 0.1, 0.0, titles, np.array(ratings[: len(pulls)]), np.array(pulls))


@pytest.mark.parametrize(
    "item, pulls, sentence",
    [
        (0.4, [0.5, 0.4], "Because you rated Alien 5 ★ and Titanic 1 ★; people like it anyway: +0.4."),
        (0.4, [0.5, 0.1], "Because you rated Alien 5 ★; people like it anyway: +0.4."),
        (-0.3, [0.5, -0.1], "Because you rated Alien 5 ★, though people like it less than most: −0.3."),
        (0.0, [0.5, 0.0], "Because you rated Alien 5 ★."),
        (0.8, [0.01, 0.0], "People like it: +0.8; your ratings say little about it."),
        (0.8, [0.1, -0.4], "People like it: +0.8, though it is less to your taste: −0.3, as you rated Titanic 1 ★."),
        (0.0, [0.0], "People like it as much as most; your ratings say little about it."),
    ],
)
def test_a_reason_says_what_speaks_for_it(item, pulls, sentence):
    assert reason(explained(item, pulls)) == sentence


def test_the_sum_on_the_page_says_what_lies_beyond_the_scale():
    rows = parts(explained(1.0, [0.9, 0.2]), (0.5, 5.0))
    assert rows[-1] == {"name": "What you would rate it", "points": "5.70, shown as 5"}
    assert [row["name"] for row in rows[3:5]] == ["You rated Alien 5 ★", "You rated Titanic 1 ★"]


def test_the_figures_on_the_page_add_up_as_they_are_shown():
    pulls = np.random.default_rng(0).normal(0, 0.2, 9)
    explanation = Explanation("X", Link(0, 5.5), 0.6, 0.204, -0.104, 0.0, [*"abcdefghi"], np.full(9, 4.0), pulls)
    *figures, total = (float(row["points"].replace("−", "-")) for row in parts(explanation, (0.5, 5.0)))
    assert len(figures) == 3 + 6 + 1 and sum(figures) == pytest.approx(total, abs=1e-9)
    assert total == pytest.approx(explanation.predicted, abs=0.005)
