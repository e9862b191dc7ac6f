"""Marks: nothing lost, whatever happens to the kernel, the disk or the file."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from ipyfastai.models.cleaning.journal import HEADER, Journal
from ipyfastai.models.cleaning.marks import Mark


@pytest.fixture
def path(tmp_path):
    return tmp_path / "marks.jsonl"


def actions(journal):
    return {name: mark.label or mark.action for name, mark in journal.marks.items()}


def run(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def failing(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


# Marks, undo and redo


def test_marks_undo_and_redo_all_the_way_with_groups_as_one_step(path):
    journal = Journal(path)
    assert journal.mark(["a/1", "a/2", "a/3"], "delete") == ["a/1", "a/2", "a/3"]
    journal.mark(["a/2"], "move", "b")
    journal.unmark(["a/1", "never marked"])
    journal.mark(["a/3"], "keep")
    states = [
        {"a/2": "b", "a/3": "keep"},
        {"a/2": "b", "a/3": "delete"},
        {"a/1": "delete", "a/2": "b", "a/3": "delete"},
        dict.fromkeys(("a/1", "a/2", "a/3"), "delete"),
        {},
    ]
    assert actions(journal) == states[0]
    for state in states[1:]:
        assert journal.undo() and actions(journal) == state
    assert journal.undo() == [] and not journal.can_undo and journal.can_redo
    for state in states[-2::-1]:
        assert journal.redo() and actions(journal) == state
    assert journal.redo() == [] and not journal.can_redo


def test_a_new_mark_after_undo_ends_redo_and_one_that_changes_nothing_is_no_step(path):
    journal = Journal(path)
    journal.mark(["a"], "keep")
    journal.undo()
    assert journal.mark(["b"], "delete") == ["b"] and not journal.can_redo
    assert journal.mark(["b"], "delete") == [] and journal.unmark(["c"]) == []
    assert journal.undo() == ["b"] and not journal.can_undo


def test_any_history_is_the_same_after_a_restart(path):
    chance = random.Random(3)
    journal = Journal(path)
    for _ in range(300):
        names = [f"n{chance.randrange(12)}" for _ in range(chance.randrange(1, 4))]
        chance.choice(
            [
                journal.undo,
                journal.undo,
                journal.redo,
                lambda names=names: journal.mark(names, chance.choice(["keep", "delete"])),
                lambda names=names: journal.mark(names, "move", chance.choice("xy")),
                lambda names=names: journal.unmark(names),
                lambda names=names: journal.settle(names[:1]),
            ]
        )()
    again = Journal(shutil.copy(path, path.with_name("copy")))
    assert again.can_undo and again.marks
    for step in (lambda one: one.undo(), lambda one: one.redo()):
        while changed := step(again):
            assert changed == step(journal) and again.marks == journal.marks
        assert step(journal) == []


def test_listeners_are_told_which_names_changed(path):
    journal, told = Journal(path), []
    journal.listeners.append(told.append)
    journal.mark(["a", "b"], "keep")
    journal.mark(["a"], "keep")
    journal.undo()
    assert told == [["a", "b"], ["a", "b"]]


def test_what_was_carried_out_is_forgotten_and_the_rest_can_still_be_undone(path):
    journal = Journal(path)
    journal.mark(["a", "b"], "delete")
    journal.mark(["c"], "delete")
    assert sorted(journal.settle(["a", "c"])) == ["a", "c"]
    for one in (journal, Journal(path)):
        assert actions(one) == {"b": "delete"} and one.can_undo
    journal.undo()
    assert actions(journal) == {} and not journal.can_undo
    assert journal.redo() == ["b"]


def test_a_mark_notes_what_the_file_was(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    (root / "1.jpg").write_bytes(b"12345")
    journal = Journal.of(root)
    journal.mark(["1.jpg", "gone.jpg"], "delete")
    modified = (root / "1.jpg").stat().st_mtime_ns
    assert journal.marks["1.jpg"] == Mark("delete", None, 5, modified)
    assert journal.marks["gone.jpg"] == Mark("delete", None, None, None)
    assert [path.name for path in root.iterdir()] == ["1.jpg"], "nothing is written among the photos"
    assert Journal.of(root).marks == journal.marks


def test_opening_a_journal_writes_nothing(tmp_path):
    (tmp_path / "photos").mkdir()
    journal = Journal.of(tmp_path / "photos")
    journal.refresh(), journal.undo(), journal.sync()
    assert [path.name for path in tmp_path.iterdir()] == ["photos"] and not journal.problem


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a/", "nul\0"])
def test_names_that_lead_elsewhere_are_refused(path, name):
    journal = Journal(path)
    with pytest.raises(ValueError, match="outside"):
        journal.mark(["fine", name], "delete")
    assert not journal.marks


def test_a_label_round_trips_whatever_it_is_and_bad_calls_are_refused(path):
    journal = Journal(path)
    for label in ("<b>", "a/b", 'q"uote', "ünï", "new\nline", "\udcff", ""):
        journal.mark(["x"], "move", label)
        assert Journal(path).marks["x"].label == label
    for arguments in (("burn",), ("move",), ("delete", "x"), ("move", 3), ([],)):
        with pytest.raises(ValueError):
            journal.mark(["x"], *arguments)


# Crashes


def test_a_last_line_cut_off_anywhere_is_dropped_and_the_next_step_follows_cleanly(path):
    journal = Journal(path)
    journal.mark(["a"], "keep")
    two = path.read_bytes()
    journal.mark(["b"], "delete")
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        again = Journal(path)
        expected = {} if end < len(two) else {"a": "keep"}
        assert actions(again) == expected and not again.problem, end
        again.mark(["c"], "keep")
        assert actions(Journal(path)) == {**expected, "c": "keep"}
        assert path.read_bytes().startswith(HEADER)


KILLED = """
import os, signal, sys
from ipyfastai.models.cleaning.journal import Journal
journal = Journal(sys.argv[1])
for number in range(50):
    journal.mark([f"{number}.jpg"], "delete")
    print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_marked_before_a_kernel_is_killed_is_there(path):
    process = run(KILLED, path)
    shown, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL and len(shown.split()) == 50
    journal = Journal(path)
    assert len(journal.marks) == 50
    for _ in range(50):
        journal.undo()
    assert not journal.marks


def test_a_damaged_middle_keeps_what_came_before_and_puts_the_rest_aside(path):
    journal = Journal(path)
    journal.mark(["a"], "keep")
    good = path.read_bytes()
    journal.mark(["b"], "keep")
    journal.mark(["c"], "keep")
    rest = bytearray(path.read_bytes()[len(good) :])
    rest[3:9] = bytes(6)
    path.write_bytes(good + rest)
    again = Journal(path)
    assert actions(again) == {"a": "keep"}
    assert "damaged" in again.problem and "'marks.damaged'" in again.problem and str(path.parent) not in again.problem
    assert path.with_name("marks.damaged").read_bytes() == rest
    again.mark(["d"], "keep")
    assert "damaged" in again.problem, "not said once and gone"
    assert actions(Journal(path)) == {"a": "keep", "d": "keep"}


@pytest.mark.parametrize(
    "line",
    [
        '{"do":[["a","burn"]]}',
        '{"do":[[1,"keep"]]}',
        '{"do":[[]]}',
        '{"do":3}',
        '{"burn":1}',
        "[]",
        "3",
        '{"a":1,"b":2}',
    ],
)
def test_lines_of_json_that_are_no_steps_are_damage_too(path, line):
    path.write_bytes(HEADER + b'{"do":[["a","keep"]]}\n' + line.encode() + b'\n{"do":[["b","keep"]]}\n')
    assert actions(Journal(path)) == {"a": "keep"}


def test_another_file_is_never_taken_for_marks(path):
    for text in ("name,label\n1.jpg,bear\n", "{}", '{"ipyfastai": "marks", "version": 2}\n'):
        path.write_text(text)
        with pytest.raises(ValueError, match="'marks.jsonl' holds something else"):
            Journal(path)
        assert path.read_text() == text


def test_a_file_taken_away_comes_back_with_all_marks(path):
    journal = Journal(path)
    journal.mark(["a", "b"], "delete")
    journal.unmark(["b"])
    path.unlink()
    journal.mark(["c"], "keep")
    assert actions(journal) == actions(Journal(path)) == {"a": "delete", "c": "keep"}


# A disk that does not take them


@pytest.mark.parametrize(
    "call, number, says",
    [
        ("write", errno.ENOSPC, "the disk is full"),
        ("write", errno.EDQUOT, "the disk is full"),
        ("write", errno.EIO, "Input/output error"),
        ("open", errno.EROFS, "read-only"),
        ("open", errno.EACCES, "read-only or belongs to somebody else"),
    ],
)
def test_marks_stay_in_memory_until_the_disk_takes_them(path, monkeypatch, call, number, says):
    journal = Journal(path)
    journal.mark(["a"], "keep")
    with monkeypatch.context() as patch:
        patch.setattr(f"ipyfastai.models.cleaning.journal.os.{call}", failing(number))
        journal.mark(["b"], "delete")
        journal.mark(["c"], "delete")
        journal.undo()
        assert says in journal.problem and "last while this kernel runs" in journal.problem
        assert journal.marks["b"].action == "delete" and "c" not in journal.marks
        before = path.read_bytes()
        assert before.count(b"\n") == 2
    journal.refresh()
    assert journal.problem == ""
    again = Journal(path)
    assert again.marks == journal.marks and again.can_redo


def test_a_disk_that_fills_in_the_middle_of_a_line_leaves_no_half_line(path, monkeypatch):
    journal = Journal(path)
    journal.mark(["a"], "keep")
    before, write = path.read_bytes(), os.write

    def half(file, data):
        if len(data) < 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        journal.mark(["b"], "delete")
    assert path.read_bytes() == before and "full" in journal.problem
    journal.mark(["c"], "delete")
    assert actions(Journal(path)) == {"a": "keep", "b": "delete", "c": "delete"}


def test_a_data_set_that_cannot_be_written_beside(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.setattr("pathlib.Path.mkdir", failing(errno.EROFS))
    journal = Journal.of(tmp_path / "photos")
    journal.mark(["1.jpg"], "delete")
    assert "read-only" in journal.problem and actions(journal) == {"1.jpg": "delete"}


def test_marks_in_a_file_that_may_only_be_read_are_shown(path, monkeypatch):
    Journal(path).mark(["a"], "keep")
    opened = os.open

    def read_only(name, flags, *mode, **options):
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(name, flags, *mode, **options)

    monkeypatch.setattr(os, "open", read_only)
    journal = Journal(path)
    assert actions(journal) == {"a": "keep"} and "read-only" in journal.problem


# Two at once


def test_two_journals_on_one_file_share_steps_and_undo(path):
    one, two = Journal(path), Journal(path)
    told = []
    two.listeners.append(told.append)
    one.mark(["a"], "keep")
    assert two.refresh() == ["a"] and told == [["a"]]
    two.mark(["b"], "delete")
    one.mark(["c"], "delete")
    assert actions(one) == {"a": "keep", "b": "delete", "c": "delete"}
    assert two.undo() == ["c"], "the last step, whoever took it"
    assert two.refresh() == [] and one.refresh() == ["c"]
    assert one.marks == two.marks == Journal(path).marks


def test_no_listener_is_called_from_a_thread_of_the_journal(path):
    one, two = Journal(path), Journal(path)
    one.mark(["a"], "keep")
    two.mark(["b"], "delete")
    told = []
    one.listeners.append(told.append)
    one._timer.function()  # what waits for the disk a second later
    assert not told and actions(one) == {"a": "keep"}
    assert one.refresh() == ["b"] and told == [["b"]]


def test_what_waited_in_memory_comes_after_what_another_wrote(path, monkeypatch):
    one, two = Journal(path), Journal(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing(errno.ENOSPC))
        one.mark(["a"], "delete")
    two.mark(["a"], "keep")
    assert one.refresh() == [] and actions(one) == {"a": "delete"}
    assert two.refresh() == ["a"]
    assert one.undo() == ["a"] and actions(one) == {"a": "keep"} == actions(Journal(path))


WRITES = """
import sys
from ipyfastai.models.cleaning.journal import Journal
journal = Journal(sys.argv[1])
for number in range(200):
    journal.mark([f"{sys.argv[2]}/{number}"], "delete")
print(len(journal.marks))
"""


def test_two_processes_write_one_file_and_every_step_is_in_it_once(path):
    processes = [run(WRITES, path, name) for name in "ab"]
    seen = [int(process.communicate()[0]) for process in processes]
    assert len(Journal(path).marks) == 400 and max(seen) == 400
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(lines) == 401


def test_another_process_that_holds_the_file_costs_no_mark(path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    journal = Journal(path)
    journal.mark(["a"], "keep")
    monkeypatch.setattr("ipyfastai.models.cleaning.locks.PATIENCE", 0.05)
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        journal.mark(["b"], "keep")
        assert "another notebook is using it" in journal.problem and "b" in journal.marks
    journal.sync()
    assert actions(Journal(path)) == {"a": "keep", "b": "keep"} and not journal.problem


# Scale


def test_a_hundred_thousand_marks_in_one_step_and_one_by_one(path):
    names = [f"class {number % 9}/{number:06}.jpg" for number in range(50_000)]
    journal = Journal(path)
    journal.mark(names, "move", "x")
    with path.open("a") as file:
        for number in range(50_000):
            file.write(f'{{"do":[["more/{number}.jpg","delete",null,84213,1700000000000000000]]}}\n')
    again = Journal(path)
    assert len(again.marks) == 100_000
    assert again.undo() == ["more/49999.jpg"]
    assert journal.refresh() and journal.marks == again.marks
    assert path.stat().st_size < 12e6


def test_a_thread_writes_and_nobody_sees_half_of_it(tmp_path):
    journal, told, seen = Journal(tmp_path / "marks.jsonl"), [], set()
    journal.listeners.append(told.append)
    marks = {f"{number}.jpg": Mark("keep") for number in range(20_000)}
    writing = threading.Thread(target=journal.write, args=(marks,))
    writing.start()
    while writing.is_alive():
        seen.add(len(dict(journal.marks)))
        journal.refresh(wait=False)
    writing.join()
    assert seen <= {0, 20_000} and len(journal.marks) == 20_000 and not told
    journal.tell(list(marks))
    assert told == [list(marks)]
    assert len(Journal(tmp_path / "marks.jsonl").marks) == 20_000
