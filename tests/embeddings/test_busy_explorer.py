"""What somebody asks for while other work is done: it is said why nothing happens, and nothing is lost."""

import asyncio

import numpy as np
import pytest
from browser import until
from ipyfastai.widgets import EmbeddingExplorer
from ipyfastai.widgets.embeddings import selection_file
from ipyfastai.widgets.embeddings.explorer import BUSY

COUNT = 20
VECTORS = np.random.default_rng(0).normal(size=(COUNT, 4)).astype(np.float32)


@pytest.fixture
def explorer():
    explorer = EmbeddingExplorer(VECTORS)
    yield explorer
    explorer.close()


def send(widget, **content):
    widget._receive(widget, content, [])


def problems(form):
    return {field["name"]: field["problem"] for field in form._fields["fields"] if field["problem"]}


def meanwhile(explorer, monkeypatch, ask, *, cancel):
    """Ask while a t-SNE is made; whether it is cancelled then."""

    def layout(name, vectors, *, progress):
        until(lambda: progress.cancelled or asked)
        progress.report(0)
        return vectors[:, :2]

    monkeypatch.setattr("ipyfastai.models.embeddings.layouts.layout", layout)
    asked = []

    async def asking():
        send(explorer.axes._axes, type="set", name="layout", value=explorer.axes._layouts.index("t-SNE"))
        assert explorer.job.busy
        ask()
        assert explorer.job.busy
        if cancel:
            explorer.job.cancel()
        asked.append(True)
        while explorer.job.busy:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    asyncio.run(asking())


@pytest.mark.parametrize("cancel", [True, False])
@pytest.mark.parametrize("name", ["isolate", "back", "all", "csv"])
def test_a_button_that_has_to_wait_says_so(explorer, monkeypatch, name, cancel):
    monkeypatch.setattr(selection_file, "PLENTY", 3)
    explorer.selection = range(10)
    explorer.isolate()
    explorer.selection = range(5)

    def ask():
        send(explorer._actions, type="press", name=name)
        assert problems(explorer._actions) == {name: BUSY}
        assert explorer.plot.count == 10 and explorer.selection == (0, 1, 2, 3, 4)

    meanwhile(explorer, monkeypatch, ask, cancel=cancel)
    assert problems(explorer._actions) == {} and explorer.view.layout == ("" if cancel else "t-SNE")
    send(explorer._actions, type="press", name=name)
    done = {"isolate": 5, "back": COUNT, "all": COUNT, "csv": 10}
    assert explorer.plot.count == done[name] and bool(explorer.csv._offered) == (name == "csv")


@pytest.mark.parametrize(("name", "value"), [("how", 1), ("layout", 1)])
def test_axes_that_have_to_wait_say_so(explorer, monkeypatch, name, value):
    form = explorer.axes._axes

    def ask():
        send(form, type="set", name=name, value=value)
        assert problems(form) == {name: BUSY} and form[name] == 0

    meanwhile(explorer, monkeypatch, ask, cancel=True)
    assert problems(form) == {}
    send(form, type="set", name=name, value=value)
    assert form[name] == value


def test_a_bookmark_that_has_to_wait_says_so(explorer, monkeypatch):
    explorer.selection = range(10)
    send(explorer.bookmarks, type="keep", value="all")
    explorer.isolate()
    send(explorer.bookmarks, type="keep", value="ten")
    explorer.show_all()

    def ask():
        send(explorer.bookmarks, type="go", value=1)
        assert explorer.bookmarks._state["said"] == BUSY and explorer.bookmarks._state["bad"]
        assert explorer.plot.count == COUNT
        send(explorer.bookmarks, type="go", value=0)
        assert explorer.bookmarks._state["said"] == "", "that takes no work"

    meanwhile(explorer, monkeypatch, ask, cancel=True)
    send(explorer.bookmarks, type="go", value=1)
    assert explorer.plot.count == 10 and explorer.bookmarks._state["said"] == ""


@pytest.mark.parametrize("call", [EmbeddingExplorer.isolate, lambda explorer: explorer.look_at(np.arange(3))])
def test_python_is_told_too(explorer, monkeypatch, call):
    explorer.selection = (1, 2)

    def ask():
        with pytest.raises(ValueError, match="being done"):
            call(explorer)

    meanwhile(explorer, monkeypatch, ask, cancel=True)
