"""The list of points: what it lists, and when."""

import asyncio

import numpy as np
import pytest
from browser import until
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


def slow(explorer, monkeypatch):
    """Searches for "slow" last until they are cancelled; which patterns were looked for, as they end."""
    ended, search = [], explorer.points._search

    def searching(pattern, column, *, progress):
        try:
            until(lambda: pattern != "slow" or progress.cancelled)
            progress.report(0)
            return search(pattern, column, progress=progress)
        finally:
            ended.append(pattern)

    monkeypatch.setitem(vars(explorer.points), "_search", searching)
    return ended


def test_a_slow_search_makes_way_for_the_next(explorer, monkeypatch):
    ended, said = slow(explorer, monkeypatch), []
    explorer.points.job.observe(lambda change: said.append(change.new.get("text")), "_shown")

    async def type_on():
        for pattern in ("slow", "slow", "^film 7$"):
            explorer.points.search(pattern)
            await asyncio.sleep(0)
        assert listed(explorer) == [], "the kernel did not wait for any of them"
        while explorer.points.job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(type_on())
    assert listed(explorer) == ["Film 7"] and ended == ["slow", "^film 7$"] and "Cancelled." not in said


def test_what_is_selected_meanwhile_is_listed_and_not_what_was_searched(explorer, monkeypatch):
    ended = slow(explorer, monkeypatch)

    async def select():
        explorer.points.search("slow")
        await asyncio.sleep(0)
        explorer.selection = (3, 4)
        while explorer.points.job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(select())
    assert listed(explorer) == ["Film 3", "Film 4"] and ended == ["slow"] and explorer.points.job._shown == {}


def test_a_search_can_be_cancelled(explorer, monkeypatch):
    slow(explorer, monkeypatch)
    explorer.points.search("^film 7$")

    async def cancel():
        explorer.points.search("slow")
        await asyncio.sleep(0)
        send(explorer.points.job, type="cancel")
        while explorer.points.job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(cancel())
    assert listed(explorer) == ["Film 7"] and explorer.points.job._shown["text"] == "Cancelled."


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
