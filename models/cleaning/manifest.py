"""Marks -> what would be done, to be read before it is done."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ..data.items import paths
from ..progress import Progress
from .changes import logs_of
from .class_name import LONGEST, why_no_folder
from .dataset import Dataset, reason
from .marks import Mark
from .moving import Identity, identity

LABELS = "labels.csv"
RELABEL = ("auto", "folder", "csv")
ROWS = ["action", "from", "to", "reason", "size", "modified"]


@dataclass(frozen=True)
class Manifest:
    """What `apply` will do, and what it cannot do.

    `rows` has `action` ("move", "delete", "relabel"), `from` and `to` (names below `root`; `to` is "" for
    what goes to the trash), `reason`, and `size` and `modified`: what the file was. `problems` has `item` and
    `reason`. `labels` is the table that `labels_file` will hold, None where labels are folders or none changes;
    `replaced` is what an earlier one of ours is, which goes to the trash then.
    `unchanged` are marked names that need nothing: they have the label that they should move to.
    """

    root: Path
    rows: pd.DataFrame
    problems: pd.DataFrame
    labels: pd.DataFrame | None = None
    labels_file: str = LABELS
    replaced: Identity | None = None
    unchanged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.rows.empty

    @property
    def summary(self) -> list[str]:
        """The manifest in sentences."""
        actions = Counter(self.rows["action"])
        moves = self.rows.loc[self.rows["action"] == "move", "reason"].value_counts(sort=False)
        said = [f"{_pictures(count)} move{'s' if count == 1 else ''}: {way}." for way, count in moves.items()]
        if count := actions["relabel"]:
            labels = "label is" if count == 1 else "labels are"
            said.append(f"{count:,} {labels} corrected in {self.labels_file}; the pictures stay where they are.")
        if count := actions["delete"]:
            said.append(f"{_pictures(count)} go{'es' if count == 1 else ''} to the trash, and can be restored.")
        if count := len(self.problems):
            stay = "mark cannot be carried out and stays" if count == 1 else "marks cannot be carried out and stay"
            said.append(f"{count:,} {stay}.")
        return said or ["Nothing is marked to be moved or deleted."]


def plan(
    root: str | os.PathLike,
    table: pd.DataFrame,
    marks: Mapping[str, Mark],
    *,
    relabel: str = "auto",
    progress: Progress | None = None,
) -> Manifest:
    """What carrying out the marks would do. Touches nothing.

    >>> manifest = plan("data/bears", table, journal.marks)
    >>> manifest.summary
    ['1 picture moves: black → grizzly.', '2 pictures go to the trash, and can be restored.']

    `table` has `item` and `label`. `relabel="folder"`: a picture moves from the folder of its label to that of the
    new one (the last folder of its path that is called like the label; what lies between stays). "csv":
    it stays, and the corrected labels of the whole table go into a labels.csv, as a file of that name with
    columns `item`, `label` and, where the table has it, `split`. "auto": "folder" where every picture lies
    in a folder called like its label. A name that is taken gets a number, and nothing is overwritten.
    Each mark that cannot be carried out is a problem with its reason: a file that is gone or has changed
    since, a link, a path that leads outside, a label that is no folder name, a folder that is read-only.
    Raises ValueError where there is no such folder, or the table has no items and labels.
    """
    if relabel not in RELABEL:
        raise ValueError(f"relabel must be one of {', '.join(RELABEL)}, not {relabel!r}")
    missing = [name for name in ("item", "label") if name not in table.columns]
    if missing:
        raise ValueError(f"The table has no column {missing[0]!r}.")
    return _Planner(Dataset(root), table, relabel).plan(marks, progress or Progress())


class _Planner:
    def __init__(self, dataset: Dataset, table: pd.DataFrame, relabel: str):
        self.dataset = dataset
        self.labels: dict[str, str] = {}
        self.splits: dict[str, str] = {}
        splits = table["split"] if "split" in table else [None] * len(table)
        for item, label, split in zip(table["item"], table["label"], splits, strict=True):
            try:
                name = dataset.name(item)
            except ValueError:  # said of those that are marked; the rest is none of our business
                continue
            self.labels[name] = str(label)
            self.splits[name] = split
        self.by_folder = relabel == "folder" or (
            relabel == "auto" and all(label in name.split("/")[:-1] for name, label in self.labels.items())
        )
        self.known = set(self.labels.values())
        self.has_splits = "split" in table
        self._corrected: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}  # of each folder, in lower case, also those to come
        self._writable: dict[str, bool] = {}
        self._targets: dict[str, str] = {}  # folder: why nothing can be moved into it, or ""
        self._nowhere = _nowhere_to_note(dataset)
        self._replaced = None if self.by_folder else self._our_labels()
        self._labels_file = LABELS if self._replaced else self._free_name("", LABELS)

    def plan(self, marks: Mapping[str, Mark], progress: Progress) -> Manifest:
        rows, problems, unchanged = [], [], []
        for index, (name, mark) in enumerate(marks.items()):
            if not index % 1000:
                progress.report(index, len(marks), "Looking at the marked files")
            if mark.action == "keep":
                continue
            if mark.action == "move" and mark.label == self.labels.get(name):
                unchanged.append(name)
                continue
            try:
                rows.append(self._row(name, mark))
            except ValueError as error:
                problems.append((name, str(error)))
        manifest = Manifest(
            self.dataset.path,
            pd.DataFrame(sorted(rows, key=_order), columns=ROWS, dtype=object),
            pd.DataFrame(problems, columns=["item", "reason"], dtype=object),
            unchanged=tuple(unchanged),
        )
        return manifest if self.by_folder or not rows else self._with_labels(manifest)

    def _row(self, name: str, mark: Mark) -> tuple:
        if name not in self.labels:
            raise ValueError("This picture is not in the table that is shown.")
        status = self.dataset.look(name)
        if self._nowhere:
            raise ValueError(self._nowhere)
        if mark.size is not None and identity(status) != (mark.size, mark.modified):
            raise ValueError("The file has changed since it was marked; look at it again.")
        folder, label = name.rpartition("/")[0], self.labels[name]
        if mark.action == "move" and not self.by_folder:
            if not mark.label.strip():
                raise ValueError("A label cannot be empty.")
            if not self._can_write(""):
                raise ValueError(f"The folder is read-only: no {LABELS} can be written.")
            self._corrected[name] = mark.label
            return "relabel", name, self._labels_file, f"{label} → {mark.label}", *identity(status)
        if not self._can_write(folder):
            raise ValueError("Its folder is read-only.")
        if mark.action == "delete":
            return "delete", name, "", f"{label} → trash", *identity(status)
        target = self._target(folder, label, mark.label)
        to = self._free_name(target, name.rpartition("/")[2])
        return "move", name, to, f"{label} → {mark.label}", *identity(status)

    # Where a picture moves to.

    def _target(self, folder: str, label: str, new: str) -> str:
        """The folder of the new label."""
        if why := why_no_folder(new, known=new in self.known):
            raise ValueError(f"{new!r} cannot be the name of a folder: {why}.")
        parts = folder.split("/")
        if label not in parts:
            raise ValueError(f"The picture does not lie in a folder called {label!r}.")
        parts[len(parts) - 1 - parts[::-1].index(label)] = new
        target = "/".join(parts)
        if target not in self._targets:
            self._targets[target] = self._why_not_into(target, folder)
        if self._targets[target]:
            raise ValueError(self._targets[target])
        return target

    def _why_not_into(self, target: str, folder: str) -> str:
        """Why nothing can be moved into a folder, which need not be there yet; "" where it can."""
        above = ""
        for part in target.split("/"):
            inner = f"{above}/{part}".lstrip("/")
            path = self.dataset.path / inner
            if path.is_symlink():
                return f"The folder {part!r} is a link to elsewhere, and links are left alone."
            if not path.exists():
                break
            if not path.is_dir():
                return f"There is a file called {part!r} where the folder should be."
            above = inner
        else:
            if os.path.samefile(self.dataset.path / target, self.dataset.path / folder):
                return f"This disk does not tell {target!r} from {folder!r}."
        return "" if self._can_write(above) else f"The folder {above or self.dataset.path.name!r} is read-only."

    def _can_write(self, folder: str) -> bool:
        if folder not in self._writable:
            self._writable[folder] = os.access(self.dataset.path / folder, os.W_OK | os.X_OK)
        return self._writable[folder]

    def _free_name(self, folder: str, name: str) -> str:
        """`name` in `folder`, with a number where that is taken."""
        if folder not in self._names:
            try:
                self._names[folder] = {found.casefold() for found in os.listdir(self.dataset.path / folder)}
            except FileNotFoundError:
                self._names[folder] = set()
            except OSError as error:
                raise ValueError(f"The folder cannot be read: {reason(error)}.") from error
        stem, suffix = os.path.splitext(name)
        number, free = 1, name
        while free.casefold() in self._names[folder]:
            number += 1
            free = f"{stem}-{number}{suffix}"
            while len(os.fsencode(free)) > LONGEST:
                stem = stem[:-1]
                free = f"{stem}-{number}{suffix}"
        self._names[folder].add(free.casefold())
        return f"{folder}/{free}".lstrip("/")

    # Labels that are no folders.

    def _with_labels(self, manifest: Manifest) -> Manifest:
        """The manifest, with the labels.csv that goes with it."""
        if self._replaced is None and not self._corrected:
            return manifest
        left = set(manifest.rows.loc[manifest.rows["action"] == "delete", "from"])
        names = [name for name in self.labels if name not in left]
        labels = pd.DataFrame({"item": paths(names), "label": [self._corrected.get(n, self.labels[n]) for n in names]})
        if self.has_splits:
            labels["split"] = [self.splits[name] for name in names]
        return replace(manifest, labels=labels, labels_file=self._labels_file, replaced=self._replaced)

    def _our_labels(self) -> Identity | None:
        """What the labels.csv that lies there is, if it is one that we have written."""
        status = os.lstat(self.dataset.path / LABELS) if os.path.lexists(self.dataset.path / LABELS) else None
        written = [log.labels for log in logs_of(self.dataset).done() if log.labels]
        return identity(status) if status and [LABELS, *identity(status)] in written else None


def _order(row: tuple) -> tuple[str, str, str]:
    action, name, _, reason, *_ = row
    return action, reason, name


def _nowhere_to_note(dataset: Dataset) -> str:
    """Why the log and the trash cannot be kept, or ""."""
    state = dataset.state()
    places = [state] if state.exists() else [dataset.path.parent, dataset.path]
    if any(os.access(place, os.W_OK | os.X_OK) for place in places):
        return ""
    return "The folder is read-only, and so is the one around it: there is no place for a trash."


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"
