"""Kills a process at every step of an Apply, and looks at what is left: `python crashes.py FOLDER HOW`.

A process of its own, so that it can fork without threads. `HOW` is how files are moved: "link" (a disk with
hard links), "rename" (one without), "copy" (from one disk to another), "csv" (labels in a labels.csv).
Prints how many steps it was killed at; ends with an AssertionError where something was lost.
"""

import errno
import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
from ipyfastai.models.cleaning import apply as applying
from ipyfastai.models.cleaning.journal import Journal
from ipyfastai.models.cleaning.manifest import plan

CALLS = ("open", "write", "fsync", "link", "unlink", "rename", "mkdir", "rmdir", "utime")
REAL = {name: getattr(os, name) for name in CALLS}
FILES = {"a/1.jpg": b"one", "a/2.jpg": b"two", "b/1.jpg": b"three", "b/deep/3.jpg": b"four", "c/4.jpg": b"five"}


def contents(folder):
    """What each file below a folder holds, by its name; logs, marks and locks left out."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not name.startswith(("changes/", "lock", "marks")):
            files[name] = path.read_bytes()
    return files


def folders(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()}


def kill_at(number, how):
    """From now on, die before the call of that number; a write is cut in half."""
    count = 0

    def wrapped(name):
        def call(*args, **options):
            nonlocal count
            count += 1
            if count == number:
                if name == "write":
                    REAL["write"](args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "rename" and name == "link":
                raise PermissionError(errno.EPERM, "Operation not permitted")
            if how == "copy" and name in ("link", "rename") and "src_dir_fd" in options:
                one, other = (os.fstat(options[key]).st_ino for key in ("src_dir_fd", "dst_dir_fd"))
                if one != other:
                    raise OSError(errno.EXDEV, "Invalid cross-device link")
            return REAL[name](*args, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name))


def killed(work, number, how):
    """Do the work in a process that is killed at its step of that number; whether it came to that."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            kill_at(number, how)
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"step {number}"
    return False


class Scene:
    """A data set with marks, made anew for each crash."""

    def __init__(self, folder, how):
        self.root, self.how = folder / "photos", how
        self.state = folder / ".photos.ipyfastai"

    def build(self):
        for folder in (self.root, self.state):
            shutil.rmtree(folder, ignore_errors=True)
        for name, data in FILES.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        table = pd.DataFrame({"item": [str(self.root / name) for name in FILES], "label": [n[0] for n in FILES]})
        marks = Journal(None, root=self.root)
        if self.how == "csv":  # twice: the second replaces the first one's labels.csv
            marks.mark(["a/2.jpg"], "move", "z")
            applying.apply(plan(self.root, table, marks.marks, relabel="csv"))
        marks.mark(["a/1.jpg"], "move", "b")  # the name is taken there
        marks.mark(["b/deep/3.jpg", "a/2.jpg"], "move", "new")  # a folder that is not there yet
        marks.mark(["b/1.jpg", "c/4.jpg"], "delete")
        self.before, self.folders = contents(self.root), folders(self.root)
        self.manifest = plan(self.root, table, marks.marks, relabel="csv" if self.how == "csv" else "folder")
        assert len(self.manifest.rows) == 5 and self.manifest.problems.empty

    def apply(self):
        applying.apply(self.manifest)

    def undo(self):
        applying.undo_apply(self.root)

    def nothing_lost(self, where):
        everywhere = Counter(contents(self.root).values()) + Counter(contents(self.state).values())
        assert not set(self.before.values()) - set(everywhere), f"lost at {where}"

    def whole(self, where):
        """After a recovery: as it was before, or as it is after, and every file once."""
        assert applying.recover(self.root) == [], where
        now = contents(self.root)
        assert now in (self.before, self.after), (where, now)
        everywhere = Counter(now.values()) + Counter(contents(self.state).values())
        assert max(everywhere[data] for data in FILES.values()) == 1, (where, everywhere)
        assert folders(self.root) == (self.folders if now == self.before else self.folders_after), where
        assert not [path for top in (self.root, self.state) for path in top.rglob(".ipyfastai-*.part")], where
        return now == self.after


def main():
    folder, how = Path(sys.argv[1]), sys.argv[2]
    scene = Scene(folder, how)
    scene.build()
    scene.apply()
    scene.after, scene.folders_after = contents(scene.root), folders(scene.root)
    assert scene.after != scene.before
    number, done, crashes = 0, [], 0
    while True:
        number += 1
        scene.build()
        if not killed(scene.apply, number, how):
            break
        scene.nothing_lost(number)
        again = 0
        while number % 15 == 8 and again < 400:  # and while recovering from that
            again += 1
            if not killed(lambda: applying.recover(scene.root), again, how):
                break
            scene.nothing_lost((number, again))
            crashes += 1
        applying.recover(scene.root)
        done.append(scene.whole(number))
        if done[-1]:
            applying.undo_apply(scene.root)
            assert contents(scene.root) == scene.before and folders(scene.root) == scene.folders, number
    assert not done[0] and done[-1] and done == sorted(done), "nothing before the log is written, all from then on"
    undone = 0
    while True:
        undone += 1
        scene.build()
        scene.apply()
        if not killed(scene.undo, undone, how):
            break
        scene.nothing_lost(undone)
        applying.recover(scene.root)
        scene.whole(undone)
    print(f"killed at {number - 1} steps, at {crashes} of recovering and {undone - 1} of taking back")
    assert number > 40 and undone > 20 and crashes > 40


main()
