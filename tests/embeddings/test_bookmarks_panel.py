"""The list of bookmarks: what is too much for a file, or for the list, is said and loses nothing."""

import numpy as np
import pytest
from ipyfastai.models.embeddings.bookmark import Bookmark, write_bookmarks
from ipyfastai.models.embeddings.embedding import Embedding
from ipyfastai.widgets.embeddings.bookmarks_panel import BookmarksPanel

SHAPE = (5, 2)


@pytest.fixture
def panel():
    embedding = Embedding(np.arange(10.0).reshape(SHAPE))
    panel = BookmarksPanel(embedding, keep=Bookmark, go=print)
    yield panel
    panel.layout.close()
    panel.close()


def send(panel, **content):
    panel._receive(panel, content, [])


def test_a_file_that_is_too_large_is_refused_with_a_sentence(panel):
    send(panel, type="load", value=" " * 5_000_001)
    assert panel._state["said"] == "A file of bookmarks has at most 5 MB." and panel._state["bad"]


def test_half_of_a_character_is_no_reason_to_say_nothing(panel):
    send(panel, type="load", value="\ud800")
    assert panel._state["said"] == "This is no file of bookmarks: it is not JSON."


def test_what_could_not_be_loaded_again_is_not_saved(panel, monkeypatch):
    sent = []
    monkeypatch.setattr(panel, "send", lambda content, buffers=None: sent.append(content))
    send(panel, type="keep", value="first")
    send(panel, type="save", value="token")
    assert sent == [{"type": "file", "token": "token", "text": write_bookmarks(panel.value, SHAPE).decode()}]
    monkeypatch.setattr("ipyfastai.models.embeddings.bookmark.LARGEST", 100)
    send(panel, type="save", value="token")
    assert len(sent) == 1 and "Remove some of them." in panel._state["said"] and panel._state["bad"]


def test_no_bookmark_makes_way_for_others_unasked(panel):
    send(panel, type="keep", value="mine")
    send(panel, type="load", value=write_bookmarks([Bookmark(f"{n}") for n in range(100)], SHAPE).decode())
    assert panel._state["said"] == "That would be 101 bookmarks; 100 is the limit: remove some."
    assert [one.name for one in panel.value] == ["mine"]
    send(panel, type="load", value=write_bookmarks([Bookmark("mine", y=None)], SHAPE).decode())
    assert len(panel.value) == 1 and panel.value[0].y is None
