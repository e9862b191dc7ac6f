"""A file of the kernel's in the visitor's hands."""

import pytest
from ipyfastai.widgets.file_download import CHUNK, FileDownload

OFFER = """
import os, tempfile
from pathlib import Path
from ipyfastai.widgets import FileDownload
path = Path(tempfile.mkdtemp()) / "model.onnx"
path.write_bytes(bytes(range(256)) * 5000)
download = FileDownload("Download the model")
download.offer(path, name="bears <b>.onnx")
download
"""
CHANGED = OFFER.replace('bears <b>.onnx")', "x\")\npath.write_bytes(b'short')")


class Page:
    """What a page is sent, for messages that it makes up."""

    def __init__(self, widget):
        self.widget, self.received = widget, []
        widget.send = lambda content, buffers=None: self.received.append((content, buffers))

    def say(self, **content):
        self.received.clear()
        self.widget._handle_custom_msg(content, [])
        return self.received


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes(range(250)) * 4000)
    return path


def test_pieces_make_the_file(file):
    download = FileDownload()
    download.offer(file)
    page, whole = Page(download), b""
    while len(whole) < file.stat().st_size:
        [(answer, [piece])] = page.say(type="get", token="t", number=1, offset=len(whole))
        assert answer == {"type": "piece", "token": "t", "number": 1, "offset": len(whole)} and len(piece) <= CHUNK
        whole += piece
    assert whole == file.read_bytes()


def test_the_page_learns_no_path(file):
    download = FileDownload("Get it")
    download.offer(file, name="bears.onnx")
    assert download.get_state(["_offered"])["_offered"] == {
        "label": "Get it", "name": "bears.onnx", "size": 1_000_000, "number": 1
    }  # fmt: skip


def test_another_file_or_none_ends_what_is_under_way(file):
    download = FileDownload()
    download.offer(file)
    page = Page(download)
    download.offer(file)
    assert page.say(type="get", token="t", number=1, offset=0)[0][0]["type"] == "gone"
    assert page.say(type="get", token="t", number=2, offset=0)[0][0]["type"] == "piece"
    file.unlink()
    assert page.say(type="get", token="t", number=2, offset=0)[0][0]["type"] == "gone"
    download.offer(None)
    assert page.say(type="get", token="t", number=3, offset=0)[0][0]["type"] == "gone"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "get"},
        {"type": "get", "token": "t", "number": 1, "offset": -1},
        {"type": "get", "token": "t", "number": 1, "offset": 2**63},
        {"type": "get", "token": "t", "number": 1, "offset": 10**400},
        {"type": "get", "token": "t", "number": True, "offset": 0},
        {"type": "get", "token": "t", "number": 1, "offset": "0"},
        {"type": "get", "token": 5, "number": 1, "offset": 0},
        {"type": "get", "token": "t", "number": 1, "offset": 0.5},
    ],
)
def test_nothing_is_sent_for_a_made_up_message(file, message):
    download = FileDownload()
    download.offer(file)
    assert Page(download).say(**message) == []


def test_a_visitor_gets_the_file(watch, serve_notebook):
    watched = watch(accept_downloads=True)
    page = watched.page
    page.goto(serve_notebook("# Download", OFFER))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the model (1.3 MB)").click()
    assert waiting.value.path().read_bytes() == bytes(range(256)) * 5000
    assert waiting.value.suggested_filename.startswith("bears")
    page.get_by_text("Downloaded.").wait_for()
    assert not watched.foreign and not watched.errors


def test_a_file_that_has_changed_is_said_to_have(page, serve_notebook):
    page.goto(serve_notebook("# Changed", CHANGED))
    page.get_by_role("button", name="Download the model").click()
    page.get_by_text("This file has changed. Try again.").wait_for()
