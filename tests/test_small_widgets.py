"""`Picture`, `Examples`, `CardView` and `Answer`."""

import json

import pytest
from drawings import plain
from ipyfastai.widgets.answer import Answer
from ipyfastai.widgets.card_view import CardView
from ipyfastai.widgets.examples import Examples
from ipyfastai.widgets.picture import Picture
from ipyfastai.widgets.results import Result
from traitlets import TraitError


def say(widget, content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_a_picture_holds_bytes_a_description_and_a_caption():
    picture = Picture(plain(), alt="A light square", caption="light.jpg")
    assert (picture.value, picture.alt, picture.caption) == (plain(), "A light square", "light.jpg")
    assert Picture().value == b""
    with pytest.raises(TraitError):
        Picture("a path")


def test_an_example_is_picked_by_its_place():
    picked = []
    examples = Examples(["one", "two"], [plain(), plain()], picked=picked.append)
    for content in ({"index": 1}, {"index": 0}):
        say(examples, content)
    assert picked == [1, 0]
    for content in (
        {},
        [],
        None,
        1,
        {"index": 2},
        {"index": -1},
        {"index": True},
        {"index": "1"},
        {"index": 1.0},
        {"index": None},
    ):
        say(examples, content)
    assert picked == [1, 0]


def test_a_page_cannot_add_examples():
    picked = []
    examples = Examples(["one"], [plain()], picked=picked.append)
    update = {"method": "update", "state": {"_names": ["a", "b", "c"]}}
    examples._handle_msg({"content": {"data": update}, "buffers": []})
    say(examples, {"index": 2})
    assert picked == []


def test_a_card_is_paragraphs_and_tables():
    card = CardView([("Data", "409 photos"), ("Metrics", [["split", "error"], ["validation", "3 %"]])], title="Model")
    assert card.title == "Model"
    assert json.loads(json.dumps(card._sections)) == [
        ["Data", "409 photos"],
        ["Metrics", [["split", "error"], ["validation", "3 %"]]],
    ]


def test_an_answer_shows_a_row_and_passes_flags_on():
    flags = []
    answer = Answer(["light", "dark"], flagged=lambda id, label: flags.append((id, label)))
    assert answer._row == {}
    row = Result("x.jpg", {"light": 0.9}).row()
    answer.show(row, ["light", "dark", "red"])
    assert (answer._row, answer._labels) == (row, ["light", "dark", "red"])
    say(answer, {"type": "flag", "id": row["id"], "label": "dark"})
    say(answer, {"type": "flag", "id": row["id"], "label": ""})
    assert flags == [(row["id"], "dark"), (row["id"], "")]
    for content in (
        None,
        [],
        {},
        {"type": "flag"},
        {"type": "flag", "id": 1, "label": "x"},
        {"type": "x", "id": "a", "label": "b"},
    ):
        say(answer, content)
    assert len(flags) == 2


def test_an_answer_is_shown_in_one_message():
    answer, sent = Answer(["light"], flagged=print), []
    answer.send_state = lambda key=None: sent.append(set(key))
    answer.show(Result("x.jpg", {"red": 0.9}).row(), ["light", "red"])
    assert sent == [{"_row", "_labels"}]
