"""The list of points: what it lists, and when."""

import numpy as np
import pytest
from ipyfastai.widgets import EmbeddingExplorer

COUNT = 40
VECTORS = np.random.default_rng(0).normal(size=(COUNT, 4)).astype(np.float32)
VECTORS[5] = 0
TITLES = [f"Film {number}" for number in range(COUNT)]


@pytest.fixture
def explorer():
    explorer = EmbeddingExplorer(VECTORS, TITLES)
    yield explorer
    explorer.close()


def listed(explorer):
    return [name for name, _ in explorer.points._list._state["rows"]]


def titled(explorer):
    return explorer.points._list._state["title"]


def send(widget, **content):
    widget._receive(widget, content, [])


def test_a_row_of_zeros_is_selected_and_why_it_has_no_neighbours_is_said(explorer):
    explorer.selection = (5,)
    assert explorer.value.index.tolist() == [5] and explorer.plot._marks["focus"] == 5
    assert listed(explorer) == [] and "all zeros" in titled(explorer)
    assert explorer.csv._offered and "1 of 40 points selected" in explorer.plot._words["said"]
    send(explorer.axes._axes, type="set", name="flip_x", value=True)
    send(explorer.points._near, type="set", name="metric", value=1)
    far = np.linalg.norm(VECTORS.astype(float), axis=1)
    far[5] = np.inf
    assert listed(explorer) == [TITLES[row] for row in np.argsort(far)[:10]]
    assert titled(explorer) == "10 neighbours of Film 5"


def test_a_number_of_neighbours_changes_only_a_list_of_neighbours(explorer):
    def ask_for(k):
        send(explorer.points._near, type="set", name="k", value=k)
        assert explorer.points.k == k

    explorer.points.search("^film 1.$")
    ask_for(7)
    assert len(listed(explorer)) == 10 and len(explorer.plot._marks["found"]) == 10
    explorer.selection = (3,)
    assert titled(explorer) == "7 neighbours of Film 3"
    ask_for(6)
    assert titled(explorer) == "6 neighbours of Film 3" and len(explorer.plot._marks["near"]) == 6
    for pattern, title in (("^film 1.$", "10 of 40 points match"), ("none", "Nothing matches")):
        explorer.points.search(pattern)
        ask_for(5 if explorer.points.k == 8 else 8)
        assert titled(explorer) == title and explorer.plot._marks["near"] == []
    explorer.points.search("")
    assert titled(explorer) == "5 neighbours of Film 3"
