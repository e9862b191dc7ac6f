"""Apply: as one unit, nothing overwritten, nothing lost, and all the way back."""

import errno
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from ipyfastai.models.cleaning.apply import apply, last_apply, recover, undo_apply
from ipyfastai.models.cleaning.journal import Journal
from ipyfastai.models.cleaning.manifest import plan
from ipyfastai.models.cleaning.trash import Trash
from ipyfastai.models.progress import Cancelled, Progress

CRASHES = ("link", "rename", "copy", "csv")
FILES = {"black/1.jpg": b"one", "black/2.jpg": b"two", "grizzly/1.jpg": b"three", "grizzly/3.jpg": b"four"}


@pytest.fixture
def root(tmp_path):
    for name, data in FILES.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(data)
    return tmp_path / "photos"


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def planned(root, *, delete=(), label=None, **moves):
    journal = Journal(None, root=root)
    if delete:
        journal.mark(delete, "delete")
    for to, names in moves.items():
        journal.mark(names, "move", to)
    names = sorted(name for name in files(root) if name.endswith(".jpg"))
    labels = label or [name.split("/")[0] for name in names]
    table = pd.DataFrame({"item": [str(root / name) for name in names], "label": labels}, dtype=object)
    return plan(root, table, journal.marks)


def state(root):
    return root.parent / f".{root.name}.ipyfastai"


def same(table, rows):
    assert table.values.tolist() == rows


def test_files_move_and_go_to_the_trash_and_come_back(root):
    before = {path: path.stat() for path in root.rglob("*.jpg")}
    applied = apply(planned(root, delete=["black/1.jpg"], grizzly=["black/2.jpg"], new=["grizzly/1.jpg"]))
    assert files(root) == {"grizzly/2.jpg": b"two", "new/1.jpg": b"three", "grizzly/3.jpg": b"four"}
    same(
        applied.rows,
        [
            ["delete", "black/1.jpg", ""],
            ["move", "black/2.jpg", "grizzly/2.jpg"],
            ["move", "grizzly/1.jpg", "new/1.jpg"],
        ],
    )
    assert applied.problems.empty and applied.labels_file is None
    assert applied.names == ["black/1.jpg", "black/2.jpg", "grizzly/1.jpg"]
    assert last_apply(root) == applied.id
    back = undo_apply(root)
    assert files(root) == FILES and not (root / "new").exists() and back.problems.empty
    assert {path: path.stat()[:8] for path in root.rglob("*.jpg")} == {path: was[:8] for path, was in before.items()}
    same(
        back.rows,
        [["back", "new/1.jpg", "grizzly/1.jpg"], ["back", "grizzly/2.jpg", "black/2.jpg"], ["back", "", "black/1.jpg"]],
    )
    assert last_apply(root) is None
    with pytest.raises(ValueError, match="nothing to take back"):
        undo_apply(root)


def test_several_applies_are_taken_back_the_last_first_or_any_by_its_id(root):
    first = apply(planned(root, delete=["black/1.jpg"]))
    second = apply(planned(root, delete=["grizzly/3.jpg"]))
    third = apply(planned(root, grizzly=["black/2.jpg"]))
    undo_apply(root, first.id)
    assert files(root).keys() == {"black/1.jpg", "grizzly/1.jpg", "grizzly/2.jpg"} and last_apply(root) == third.id
    undo_apply(root), undo_apply(root)
    assert files(root) == FILES
    for id in (second.id, "x", "../x"):
        with pytest.raises(ValueError, match="nothing to take back"):
            undo_apply(root, id)


def test_nothing_is_written_among_the_photos_and_strangers_may_not_look(root, tmp_path):
    os.chmod(root, 0o755)
    apply(planned(root, delete=["black/1.jpg"]))
    assert sorted(os.listdir(root)) == ["black", "grizzly"] and sorted(os.listdir(tmp_path)) == [
        ".photos.ipyfastai",
        "photos",
    ]
    assert stat.S_IMODE(os.stat(state(root)).st_mode) & 0o027 == 0


def test_an_empty_manifest_changes_nothing(root):
    applied = apply(planned(root))
    assert applied.rows.empty and files(root) == FILES and last_apply(root) is None


# What changes between the manifest and now


def test_what_changed_since_the_manifest_is_left_alone_and_reported(root):
    manifest = planned(root, delete=["black/1.jpg", "black/2.jpg", "grizzly/1.jpg"], new=["grizzly/3.jpg"])
    (root / "black/1.jpg").write_bytes(b"another")
    (root / "black/2.jpg").unlink()
    (root / "grizzly/1.jpg").unlink()
    (root / "grizzly/1.jpg").symlink_to("/etc/passwd")
    applied = apply(manifest)
    assert applied.names == ["grizzly/3.jpg"]
    assert dict(applied.problems.values.tolist()) == {
        "black/1.jpg": "The file has changed meanwhile; it is left alone.",
        "black/2.jpg": "The file is gone.",
        "grizzly/1.jpg": "This is not a file, or a link to one elsewhere; it is left alone.",
    }
    assert (root / "black/1.jpg").read_bytes() == b"another" and (root / "grizzly/1.jpg").is_symlink()
    undo_apply(root)
    assert (root / "grizzly/3.jpg").read_bytes() == b"four"


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(root):
    manifest = planned(root, grizzly=["black/2.jpg"])
    (root / "grizzly/2.jpg").write_bytes(b"somebody else's")
    applied = apply(manifest)
    assert files(root) == {**FILES, "grizzly/2.jpg": b"somebody else's"}
    assert applied.rows.empty and "another file of that name" in applied.problems.reason[0]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_comes_at_the_very_moment_is_not_overwritten(root, monkeypatch, links):
    manifest = planned(root, grizzly=["black/2.jpg"])
    link = os.link

    def race(source, target, **options):
        (root / "grizzly/2.jpg").write_bytes(b"quicker")
        if not links:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return link(source, target, **options)

    monkeypatch.setattr(os, "link", race)
    applied = apply(manifest)
    assert files(root) == {**FILES, "grizzly/2.jpg": b"quicker"} and len(applied.problems) == 1


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "2.jpg").write_bytes(b"precious")
    manifest = planned(root, delete=["black/2.jpg"], new=["grizzly/1.jpg"])
    (root / "black").rename(tmp_path / "gone")
    (root / "black").symlink_to(outside)
    (root / "new").symlink_to(outside)
    applied = apply(manifest)
    assert os.listdir(outside) == ["2.jpg"] and applied.rows.empty
    assert set(applied.problems.reason) == {"Its folder is a link to elsewhere, and links are left alone."}
    assert (root / "grizzly/1.jpg").exists()


def test_taking_back_does_not_overwrite_and_says_what_is_no_longer_there(root):
    apply(planned(root, delete=["black/1.jpg", "black/2.jpg"], grizzly=[], new=["grizzly/1.jpg", "grizzly/3.jpg"]))
    (root / "black/1.jpg").write_bytes(b"new picture")
    (root / "new/3.jpg").unlink()
    (root / "new/mine.jpg").write_bytes(b"mine")
    back = undo_apply(root)
    assert files(root) == {
        "black/1.jpg": b"new picture",
        "black/1-2.jpg": b"one",
        "black/2.jpg": b"two",
        "grizzly/1.jpg": b"three",
        "new/mine.jpg": b"mine",
    }
    same(back.problems, [["grizzly/3.jpg", "The file is no longer where it was put."]])


# As one unit


@pytest.mark.parametrize(
    "number, says",
    [
        (errno.ENOSPC, "Nothing was changed: the disk is full."),
        (errno.EROFS, "Nothing was changed: the folder is read-only or belongs to somebody else."),
        (errno.EIO, "Nothing was changed: Input/output error."),
    ],
)
@pytest.mark.parametrize(
    "call, nth", [("write", 1), ("fsync", 1), ("fsync", 3), ("link", 1), ("link", 3), ("unlink", 3), ("rename", 1)]
)
def test_an_error_half_way_takes_everything_back(root, monkeypatch, call, nth, number, says):
    manifest = planned(root, delete=["black/1.jpg", "black/2.jpg", "grizzly/1.jpg"], new=["grizzly/3.jpg"])
    real, count = getattr(os, call), 0

    def fail(*arguments, **options):
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(RuntimeError, match=f"^{re.escape(says)}$"):
            apply(manifest)
    assert files(root) == FILES and not (root / "new").exists()
    assert Trash(root).list().empty and last_apply(root) is None and recover(root) == []
    apply(manifest)
    assert files(root) == {"new/3.jpg": b"four"}


def test_what_cannot_be_put_back_at_once_is_finished_at_the_next_start(root, monkeypatch):
    manifest = planned(root, delete=["black/1.jpg", "black/2.jpg"], new=["grizzly/3.jpg"])
    link, count = os.link, 0

    def fail(*arguments, **options):
        nonlocal count
        count += 1
        if count > 2:
            raise OSError(errno.EIO, "Input/output error")
        return link(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", fail)
        with pytest.raises(RuntimeError, match="2 of 2 files could not be put back yet"):
            apply(manifest)
        with pytest.raises(RuntimeError, match="could not be put back yet"):
            recover(root)
    assert recover(root) == ["What was interrupted is done now: 3 files."]
    assert files(root) == {"grizzly/1.jpg": b"three", "new/3.jpg": b"four"}
    undo_apply(root)
    assert files(root) == FILES


def test_cancel_takes_everything_back(root):
    class Impatient(Progress):
        def report(self, done, total=None, text=""):
            if done == 2:
                self.cancel()
            super().report(done, total, text)

    progress = Impatient()
    with pytest.raises(Cancelled):
        apply(planned(root, delete=["black/1.jpg", "black/2.jpg"], new=["grizzly/3.jpg"]), progress=progress)
    assert files(root) == FILES and progress.total == 3 and str(root) not in progress.text
    assert not (root / "new").exists() and Trash(root).list().empty


@pytest.fixture(scope="module")
def crashing(tmp_path_factory):
    """All ways at the same time, each in a process of its own: they wait for the disk most of the time."""
    script = Path(__file__).with_name("crashes.py")
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = {
        how: subprocess.Popen([sys.executable, script, tmp_path_factory.mktemp(how), how], **options) for how in CRASHES
    }
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", CRASHES)
def test_killed_at_every_step_nothing_is_lost_and_recovery_makes_it_whole(crashing, how):
    said, errors = crashing[how].communicate()
    assert crashing[how].returncode == 0 and said.startswith("killed at"), errors


def test_two_at_once_wait_for_each_other(root, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    apply(planned(root, delete=["black/1.jpg"]))
    monkeypatch.setattr("ipyfastai.models.cleaning.locks.PATIENCE", 0.05)
    with open(state(root) / "lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for work in (lambda: apply(planned(root, delete=["black/2.jpg"])), lambda: undo_apply(root), Trash(root).empty):
            with pytest.raises(RuntimeError, match="^Nothing can be changed here: another notebook is using it.$"):
                work()
    assert "black/2.jpg" in files(root)


# Where it may not


def test_on_a_public_server_nothing_is_applied_unless_that_is_allowed(root, monkeypatch):
    manifest = planned(root, delete=["black/1.jpg"])
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    for work in (lambda: apply(manifest), lambda: undo_apply(root), Trash(root).restore, Trash(root).empty):
        with pytest.raises(RuntimeError, match="On a public server marks are not carried out"):
            work()
    assert files(root) == FILES
    monkeypatch.setenv("IPYFASTAI_APPLY", "1")
    apply(manifest)
    assert "black/1.jpg" not in files(root)


def test_a_folder_of_somebody_else_beside_is_not_used(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    state(root).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="'.photos.ipyfastai' belongs to somebody else"):
        planned(root, delete=["black/1.jpg"])
    assert os.listdir(tmp_path / "elsewhere") == []


def test_where_nothing_can_be_made_beside_the_trash_is_within_and_hidden(root, monkeypatch):
    mkdir = Path.mkdir

    def only_within(self, *arguments, **options):
        if self == state(root):
            raise PermissionError(errno.EACCES, "Permission denied")
        return mkdir(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", only_within)
    apply(planned(root, delete=["black/1.jpg"]))
    assert sorted(os.listdir(root)) == [".ipyfastai", "black", "grizzly"]
    assert Trash(root).list().item.tolist() == ["black/1.jpg"]
    undo_apply(root)
    assert (root / "black/1.jpg").read_bytes() == b"one"


# Labels in a file


def test_corrected_labels_are_written_replaced_and_taken_back(root):
    label = ["bear"] * 4
    first = apply(planned(root, label=label, cub=["black/1.jpg"]))
    assert first.labels_file == root / "labels.csv"
    labels = pd.read_csv(first.labels_file).set_index("item").label.to_dict()
    assert labels == {**dict.fromkeys(FILES, "bear"), "black/1.jpg": "cub"}
    assert files(root).keys() == FILES.keys() | {"labels.csv"}
    label[0] = "cub"
    second = apply(planned(root, label=label, delete=["black/2.jpg"]))
    assert second.labels_file == root / "labels.csv", "ours: the earlier one lies in the trash"
    assert pd.read_csv(second.labels_file).item.tolist() == ["black/1.jpg", "grizzly/1.jpg", "grizzly/3.jpg"]
    assert sorted(Trash(root).list().item) == ["black/2.jpg", "labels.csv"]
    undo_apply(root)
    assert pd.read_csv(root / "labels.csv").item.tolist() == list(FILES)
    undo_apply(root)
    assert files(root) == FILES


def test_a_labels_csv_that_was_edited_is_somebody_elses(root):
    apply(planned(root, label=["bear"] * 4, cub=["black/1.jpg"]))
    (root / "labels.csv").write_text("mine")
    applied = apply(planned(root, label=["bear"] * 4, cub=["black/2.jpg"]))
    assert applied.labels_file == root / "labels-2.csv" and (root / "labels.csv").read_text() == "mine"


def test_a_labels_csv_that_comes_meanwhile_is_not_overwritten(root):
    manifest = planned(root, label=["bear"] * 4, cub=["black/1.jpg"], delete=["black/2.jpg"])
    (root / "labels.csv").write_text("mine")
    applied = apply(manifest)
    assert (root / "labels.csv").read_text() == "mine" and applied.labels_file is None
    assert applied.names == ["black/2.jpg"] and applied.problems.item.tolist() == ["labels.csv"]


def test_odd_names_and_labels_come_back_from_the_table(tmp_path):
    names = ['a "b", c.jpg', "ünï\n.jpg", os.fsdecode(b"\xff\xfe.jpg"), "=1+1.jpg"]
    (tmp_path / "photos").mkdir()
    for name in names:
        (tmp_path / "photos" / name).write_bytes(b"x")
    applied = apply(planned(tmp_path / "photos", label=["<b>"] * 4, **{'q"u,o\nte': [names[0]]}))
    table = pd.read_csv(applied.labels_file, dtype=object, encoding_errors="surrogateescape")
    assert set(table.item) == set(names)
    assert table.set_index("item").label[names[0]] == 'q"u,o\nte' and set(table.label) == {"<b>", 'q"u,o\nte'}


# Scale


def test_thousands_of_files(tmp_path):
    root = tmp_path / "photos"
    for label in "abc":
        (root / label).mkdir(parents=True)
        for number in range(1500):
            (root / label / f"{number}.jpg").touch()
    names = [f"a/{number}.jpg" for number in range(1500)]
    applied = apply(planned(root, delete=[f"c/{number}.jpg" for number in range(1500)], b=names))
    assert len(applied.rows) == 3000 and len(os.listdir(root / "b")) == 3000 and not os.listdir(root / "a")
    assert len(undo_apply(root).rows) == 3000
    assert {label: len(os.listdir(root / label)) for label in "abc"} == dict.fromkeys("abc", 1500)
