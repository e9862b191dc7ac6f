"""`PredictionsTable`: what a page may ask of it; how it looks is in test_browser_classifier.py."""

import csv
import io

import pytest
from drawings import plain
from ipyfastai.widgets.predictions_table import PredictionsTable
from ipyfastai.widgets.results import Result


@pytest.fixture
def calls():
    return []


@pytest.fixture
def table(calls):
    def note(name):
        return lambda *args: calls.append((name, *args))

    table = PredictionsTable(**{name: note(name) for name in ("flagged", "chosen", "cancelled", "cleared")})
    table.sent = []
    table.send = lambda content, buffers=None: table.sent.append((content, buffers))
    results = [
        Result("one.jpg", {"light": 0.9, "dark": 0.1}, thumbnail=plain()),
        Result("two.jpg", {"light": 0.2, "dark": 0.8}, label="light"),
    ]
    table.show(results, ["light", "dark"], selected=results[0].id, done=2, total=3)
    table.one, table.two = results
    return table


def say(table, content):
    table._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_rows_are_what_a_page_needs(table):
    one, two = table._rows
    assert (one["id"], one["item"], one["predicted"], one["confidence"]) == (table.one.id, "one.jpg", "light", 0.9)
    assert (two["predicted"], two["label"]) == ("dark", "light")
    assert (table._selected, table._progress) == (table.one.id, {"done": 2, "total": 3, "undo": False})


def test_thumbnails_are_sent_when_asked_for(table):
    say(table, {"type": "thumbnails", "ids": [table.one.id, table.two.id, "unknown", 7, None, []]})
    assert table.sent == [({"type": "thumbnail", "id": table.one.id}, [plain()])]  # two has none


def test_csv_of_all_and_of_the_flags(table):
    for flags, names in [(False, ["one.jpg", "two.jpg"]), (True, ["two.jpg"])]:
        say(table, {"type": "csv", "token": "mine", "flags": flags})
        content, _ = table.sent[-1]
        assert (content["type"], content["token"]) == ("csv", "mine")
        assert [row["item"] for row in csv.DictReader(io.StringIO(content["text"]))] == names


def test_what_a_visitor_does_is_passed_on(table, calls):
    say(table, {"type": "flag", "id": table.one.id, "label": "dark"})
    say(table, {"type": "choose", "id": table.two.id})
    for kind in ("cancel", "clear", "undo"):
        say(table, {"type": kind})
    assert calls == [
        ("flagged", table.one.id, "dark"),
        ("chosen", table.two.id),
        ("cancelled",),
        ("cleared", True),
        ("cleared", False),
    ]


BAD = [
    None, 7, "clear", [], {}, {"type": None}, {"type": []}, {"type": "eval"},
    {"type": "thumbnails"}, {"type": "thumbnails", "ids": "abc"}, {"type": "thumbnails", "ids": {"a": 1}},
    {"type": "csv"}, {"type": "csv", "token": 7}, {"type": "choose"}, {"type": "choose", "id": []},
    {"type": "choose", "id": "unknown"}, {"type": "flag"}, {"type": "flag", "id": 7, "label": "x"},
    {"type": "flag", "id": "x", "label": None}, {"type": "flag", "id": {}, "label": []},
]  # fmt: skip


@pytest.mark.parametrize("content", BAD, ids=repr)
def test_a_message_that_makes_no_sense_does_nothing(table, calls, content):
    rows = table._rows
    say(table, content)
    assert (calls, table.sent, table._rows) == ([], [], rows)


def test_a_long_token_comes_back_cut(table):
    say(table, {"type": "csv", "token": "x" * 10**6})
    assert len(table.sent[-1][0]["token"]) == 64


def test_rows_forged_by_a_page_reach_neither_csv_nor_callbacks(table, calls):
    forged = [{"id": "forged", "item": "x", "predicted": "y"}]
    table._handle_msg({"content": {"data": {"method": "update", "state": {"_rows": forged}}}, "buffers": []})
    say(table, {"type": "choose", "id": "forged"})
    say(table, {"type": "csv", "token": "t"})
    assert "forged" not in table.sent[-1][0]["text"] and calls == []
