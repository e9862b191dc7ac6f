"""ModelCard: what it carries, what it shows, what it refuses from a stranger's file."""

import json

import pytest
from ipyfastai.models import Classifier, ModelCard


@pytest.fixture
def card():
    return ModelCard(
        name="Bears",
        summary="Tells bears apart.",
        labels=["black", "grizzly"],
        split="4 of 20 photos held back.",
        metrics={"error rate": {"value": 0.25, "baseline": 0.5}},
        confusion=[[2, 0], [1, 1]],
        unfamiliar={"puppies": {"rate": 1.0, "count": 4}},
        licence="Apache-2.0",
    )


def test_survives_json(card):
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_sections_are_paragraphs_and_tables(card):
    sections = dict(card.sections())
    assert sections["What it does"] == "Tells bears apart."
    assert sections["How well it does"] == [
        ["", "this model", "always the commonest label"],
        ["error rate", "25.0%", "50.0%"],
    ]
    assert sections["What it takes for what"][1:] == [["black", "2", "0"], ["grizzly", "1", "1"]]
    assert sections["Flagged as unlike the training photos"][1] == ["puppies", "100.0%", "4"]


def test_sections_leave_out_what_is_empty():
    assert ModelCard("Bears").sections() == []


def test_the_shipped_card_answers_every_question():
    card = Classifier.shipped("bears").card
    titles = [title for title, _ in card.sections()]
    assert len(titles) == 11 and len(set(titles)) == 11
    assert sum(map(sum, card.confusion)) == card.unfamiliar["held-back bears"]["count"]
    right = sum(card.confusion[i][i] for i in range(len(card.labels)))
    assert 1 - right / sum(map(sum, card.confusion)) == pytest.approx(card.metrics["error rate"]["value"])


def test_keys_of_a_newer_card_are_left_out():
    assert ModelCard.from_dict({"name": "Bears", "carbon": "2 g"}) == ModelCard("Bears")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": 3}, "'name' must be a text"),
        ({"name": ""}, "'name' must be given"),
        ({"summary": ["a"]}, "'summary' must be a text"),
        ({"licence": "x" * 10_001}, "'licence' must be at most 10,000"),
        ({"labels": "ab"}, "'labels' must be a list of printable texts"),
        ({"labels": [1]}, "'labels' must be a list of printable texts"),
        ({"labels": ["a", "b\u202e"]}, "'labels' must be a list of printable texts"),
        ({"summary": "a\0b"}, "'summary' must be printable"),
        ({"metrics": {"error\u202erate": {"value": 0.1, "baseline": 1}}}, "'metrics' must be named sets"),
        ({"metrics": {"error rate": {"value": 10**400, "baseline": 1}}}, "'metrics' must be"),
        ({"confusion": [[-1]], "labels": ["a"]}, "'confusion' must be a row and a column"),
        ({"metrics": {"error rate": 0.1}}, "'metrics' must be named sets"),
        ({"metrics": {"error rate": {"value": 0.1}}}, "'metrics' must be named sets"),
        ({"metrics": {"error rate": {"value": float("inf"), "baseline": 1}}}, "'metrics' must be"),
        ({"unfamiliar": {"cats": {"rate": "1", "count": 2}}}, "'unfamiliar' must be named sets"),
        ({"confusion": [[1]], "labels": ["a", "b"]}, "'confusion' must be a row and a column"),
        ({"confusion": [[1], [2]], "labels": ["a", "b"]}, "'confusion' must be a row and a column"),
        ({"confusion": [[1, True], [2, 3]], "labels": ["a", "b"]}, "'confusion' must be"),
    ],
)
def test_refuses_malformed_entries_by_name(entry, says):
    with pytest.raises(ValueError, match=says):
        ModelCard.from_dict({"name": "Bears", **entry})


def test_refuses_what_is_no_object():
    with pytest.raises(ValueError, match="JSON object, not list"):
        ModelCard.from_dict(["name"])
