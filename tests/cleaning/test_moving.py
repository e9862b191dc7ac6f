"""Moving one file: between disks, without hard links, never over another."""

import errno
import os
import tempfile
from pathlib import Path

import pytest
from ipyfastai.models.cleaning.moving import Tree, identity, move

PART = ".half.part"


@pytest.fixture
def disks(tmp_path):
    """Two folders on different disks."""
    for other in ("/dev/shm", "/run", "/var/tmp"):
        if os.access(other, os.W_OK) and os.stat(other).st_dev != os.stat(tmp_path).st_dev:
            with tempfile.TemporaryDirectory(dir=other) as folder, Tree(tmp_path) as one, Tree(folder) as two:
                yield one, two
            return
    pytest.skip("only one disk here")


def test_from_one_disk_to_another(disks):
    one, two = disks
    (one.path / "a").mkdir()
    photo = one.path / "a/1.jpg"
    photo.write_bytes(os.urandom(3_000_000))
    data, was = photo.read_bytes(), photo.stat()
    move(one, "a/1.jpg", two, "b/c/2.jpg", expected=identity(was), part=PART)
    there = two.path / "b/c/2.jpg"
    assert there.read_bytes() == data and identity(there.stat()) == identity(was) and not photo.exists()
    assert there.stat().st_mode == was.st_mode and os.listdir(there.parent) == ["2.jpg"]


def test_to_another_disk_that_is_full_or_has_that_name(disks, monkeypatch):
    one, two = disks
    (one.path / "1.jpg").write_bytes(b"x" * 100)
    (two.path / "1.jpg").write_bytes(b"mine")
    with pytest.raises(ValueError, match="nothing is overwritten"):
        move(one, "1.jpg", two, "1.jpg", part=PART)
    assert (two.path / "1.jpg").read_bytes() == b"mine" and os.listdir(two.path) == ["1.jpg"]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (two.path / PART).write_bytes(b"left by a crash")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        move(one, "1.jpg", two, "2.jpg", part=PART)
    assert os.listdir(two.path) == ["1.jpg"] and (one.path / "1.jpg").stat().st_size == 100


def test_without_hard_links_the_file_itself_moves(tmp_path, monkeypatch):
    def no_links(*_, **__):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "1.jpg").write_bytes(b"one")
    inode = (tmp_path / "1.jpg").stat().st_ino
    with Tree(tmp_path) as tree:
        move(tree, "1.jpg", tree, "a/2.jpg", part=PART)
        assert (tmp_path / "a/2.jpg").stat().st_ino == inode
        (tmp_path / "1.jpg").write_bytes(b"another")
        with pytest.raises(ValueError, match="nothing is overwritten"):
            move(tree, "1.jpg", tree, "a/2.jpg", part=PART)

        def fail(*_, **__):
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="Input/output"):
            move(tree, "1.jpg", tree, "a/3.jpg", part=PART)
    assert os.listdir(tmp_path / "a") == ["2.jpg"], "no empty file is left"


def test_a_file_with_a_second_name_keeps_it(tmp_path):
    (tmp_path / "outside").write_bytes(b"data")
    (tmp_path / "tree").mkdir()
    os.link(tmp_path / "outside", tmp_path / "tree" / "1.jpg")
    with Tree(tmp_path / "tree") as tree:
        move(tree, "1.jpg", tree, "2.jpg", part=PART)
    assert (tmp_path / "outside").read_bytes() == b"data" == (tmp_path / "tree" / "2.jpg").read_bytes()


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", ".", "a//b"])
def test_names_that_lead_outside(tmp_path, name):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/1.jpg").touch()
    (tmp_path / "x").touch()
    with Tree(tmp_path / "tree") as tree:
        for source, target in ((name, "2.jpg"), ("1.jpg", name)):
            with pytest.raises(ValueError, match="leads outside"):
                move(tree, source, tree, target, part=PART)
    assert Path("/etc/passwd").exists() and sorted(os.listdir(tmp_path)) == ["tree", "x"]


def test_a_tree_is_no_link(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(OSError):
        Tree(tmp_path / "link")
