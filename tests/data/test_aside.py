"""Files are put aside and back; none is deleted or written over, whatever lies in the way."""

import os

import pytest
from ipyfastai.models.data.aside import aside_folder, move_aside, put_back
from ipyfastai.models.data.items import folder_items


@pytest.fixture
def root(tmp_path):
    for name in ("set/red/1.jpg", "set/red/2.jpg", "set/blue/1.jpg", "other/9.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "set"


def contents(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_there_and_back(root):
    before = contents(root)
    moved = move_aside(root, [root / "red/1.jpg", str(root / "blue/1.jpg")])
    assert contents(root) == {"red/2.jpg": "set/red/2.jpg"} and moved.problems == []
    assert contents(aside_folder(root)) == {"red/1.jpg": "set/red/1.jpg", "blue/1.jpg": "set/blue/1.jpg"}
    assert len(folder_items(root)) == 1, "what is aside is no part of the set"
    assert put_back(root, moved.moves).problems == []
    assert contents(root) == before and not aside_folder(root).exists()


def test_back_without_knowing_what_went(root):
    before = contents(root)
    move_aside(root, [root / "red/1.jpg"])
    move_aside(root, [root / "red/2.jpg"])
    assert len(put_back(root).moves) == 2 and contents(root) == before


def test_a_name_that_is_taken_there_gets_a_number(root):
    move_aside(root, [root / "red/1.jpg"])
    (root / "red/1.jpg").write_text("another")
    moved = move_aside(root, [root / "red/1.jpg"])
    assert contents(aside_folder(root)) == {"red/1.jpg": "set/red/1.jpg", "red/1 (2).jpg": "another"}
    put_back(root, moved.moves)
    assert (root / "red/1.jpg").read_text() == "another"


def test_a_place_that_is_taken_meanwhile_is_not_written_over(root):
    moved = move_aside(root, [root / "red/1.jpg"])
    (root / "red/1.jpg").write_text("another")
    back = put_back(root, moved.moves)
    assert back.problems == [("1.jpg", "Another file has taken its place.")] and back.moves == []
    assert (root / "red/1.jpg").read_text() == "another"
    assert contents(aside_folder(root)) == {"red/1.jpg": "set/red/1.jpg"}


def test_what_is_not_moved(root, tmp_path):
    (root / "link.jpg").symlink_to(root / "red/1.jpg")
    (root / "out").symlink_to(tmp_path / "other")
    everything = contents(tmp_path)
    items = [
        tmp_path / "other/9.jpg",
        root / "../other/9.jpg",
        root / "out/9.jpg",
        root / "link.jpg",
        root / "gone.jpg",
    ]
    moved = move_aside(root, items)
    assert [why for _, why in moved.problems] == [
        "It does not lie in the folder.",
        "It does not lie in the folder.",
        "It does not lie in the folder.",
        "It is a link, which is not moved.",
        "It is not there any more.",
    ]
    assert moved.moves == [] and contents(tmp_path) == everything


def test_a_disk_that_cannot_be_written_to_keeps_everything(root, monkeypatch):
    def full(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", full)
    before = contents(root)
    moved = move_aside(root, [root / "red/1.jpg"])
    assert moved.problems == [("1.jpg", "It could not be moved: Read-only file system.")]
    assert contents(root) == before and contents(aside_folder(root)) == {}


def test_to_another_disk_it_is_copied_first(root, monkeypatch):
    def elsewhere(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "replace", elsewhere)
    assert move_aside(root, [root / "red/1.jpg"]).problems == []
    assert contents(aside_folder(root)) == {"red/1.jpg": "set/red/1.jpg"} and not (root / "red/1.jpg").exists()
