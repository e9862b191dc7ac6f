"""The pictures that a cleaner is about, by row and by name, and what becomes of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...models.cleaning.apply import Applied
from ...models.cleaning.dataset import Dataset
from ...models.cleaning.marks import ACTIONS, Mark
from ...models.interpretation.predictions import PROBABILITY, check_predictions

CODES = {action: place for place, action in enumerate(ACTIONS, 1)}
SHOWN = ("item", "split", "label", "predicted", "confidence", "loss")


class Collection:
    """A predictions or items table, and what is marked in it.

    >>> pictures = Collection.of(table, root="bears")
    >>> pictures.names[0], pictures.labels
    ('black/00000000.jpg', ['black', 'grizzly', 'teddy'])

    `root` is by default the folder in which the folders of all labels lie; it is None where the items are
    no files, and `names` are then "picture 1" and so on. `marked` (n,) holds for each row the place of its
    action in ACTIONS, counted from 1, and 0 where there is no mark; `elsewhere` names with a mark that
    are not in the table.
    Raises ValueError with a sentence for a table without `item` or `label`, and for items outside `root`.
    """

    def __init__(self, table: pd.DataFrame, root: str | None):
        self.table, self.root = table, root
        items = table["item"].tolist()
        if self.has_files:
            dataset = Dataset(root)
            self.names = [dataset.name(item) for item in items]
        else:
            self.names = [f"picture {number + 1}" for number in range(len(items))]
        self.row = {name: row for row, name in enumerate(self.names)}
        self.labels = list(table["label"].cat.categories)
        self.splits = sorted(set(table["split"]), key=lambda split: (split != "train", split != "valid", split))
        self.marked = np.zeros(len(items), np.int8)
        self.elsewhere: set[str] = set()
        self._to_new: dict[str, str] = {}  # name -> the label that it is to move to, where no picture has that yet

    @classmethod
    def of(cls, table: pd.DataFrame, *, root: str | os.PathLike | None = None) -> Collection:
        table = _checked(table)
        items = table["item"].tolist()
        if not items or not all(isinstance(item, str) for item in items):
            return cls(table, None)
        root = os.path.abspath(_common_root(table) if root is None else root)
        return cls(table.assign(item=pd.Series([os.path.join(root, item) for item in items], dtype=object)), root)

    @property
    def has_files(self) -> bool:
        return self.root is not None

    @property
    def captions(self) -> pd.DataFrame:
        """The columns that are shown, without the many that may be there beside them."""
        return self.table[[name for name in SHOWN if name in self.table]]

    def note(self, names: Iterable[str], marks: Mapping[str, Mark]) -> None:
        """These names have other marks now."""
        known, one, place = set(self.labels), marks.get, self.row.get  # for a hundred thousand names at a time
        for name in names:
            mark, row = one(name), place(name)
            if self._to_new:
                self._to_new.pop(name, None)
            if row is not None:
                self.marked[row] = 0 if mark is None else CODES[mark.action]
                if mark is not None and mark.label is not None and mark.label not in known:
                    self._to_new[name] = mark.label
            elif mark is None:
                self.elsewhere.discard(name)
            else:
                self.elsewhere.add(name)

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """How many pictures each label has, and how many of them are marked."""
        codes, size = self.table["label"].cat.codes, len(self.labels)
        return np.bincount(codes, minlength=size), np.bincount(codes[self.marked > 0], minlength=size)

    @property
    def targets(self) -> list[str]:
        """The labels that can be moved to: those of the table, and new ones that something is marked for."""
        return [*self.labels, *dict.fromkeys(self._to_new.values())]

    def likely_targets(self, label: str | None, count: int = 9) -> list[str]:
        """The labels to move to that are worth a key: what the model calls these pictures, then the first."""
        if len(self.targets) <= count:
            return self.targets
        first: list[str] = []
        if "predicted" in self.table:
            rows = slice(None) if label is None else (self.table["label"] == label).to_numpy()
            called = self.table["predicted"][rows].value_counts()
            first = [name for name in called.index[: count + 1] if called[name]]
        return [name for name in dict.fromkeys([*first, *self.targets]) if name != label][:count]

    def find(self, which: pd.DataFrame | Iterable) -> list[int]:
        """Rows given by position, by item, or as a part of the table; what is not in it is left out."""
        if isinstance(which, pd.DataFrame):
            which = which["item"]
        place = {_key(item): row for row, item in enumerate(self.table["item"])}
        rows = (
            (int(one) if 0 <= one < len(self.table) else None) if isinstance(one, int | np.integer)
            else place.get(_key(os.fspath(one) if isinstance(one, os.PathLike) else one))
            for one in which
        )  # fmt: skip
        return [row for row in dict.fromkeys(rows) if row is not None]

    # What was done to the files.

    def carried_out(self, applied: Applied, marks: Mapping[str, Mark]) -> tuple[Collection, pd.DataFrame]:
        """The pictures as they are after an Apply, and the rows that went."""
        label, item = self.table["label"].astype(object), self.table["item"].copy()
        gone = np.zeros(len(self.table), bool)
        for action, name, to in applied.rows.itertuples(index=False):
            row = self.row[name]
            if action == "delete":
                gone[row] = True
                continue
            label[row] = marks[name].label
            if action == "move":
                item[row] = os.path.join(self.root, to)
        table = _relabelled(self.table.assign(item=item), label)
        return Collection(table[~gone].reset_index(drop=True), self.root), self.table[gone]

    def came_back(self, applied: Applied, labels: Mapping[str, str], gone: pd.DataFrame) -> Collection:
        """The pictures with those that came back: moved ones under their old name, and deleted ones out of `gone`.

        `labels` has the label that each old name had, where that is known; else its folder tells.
        """
        label, item = self.table["label"].astype(object), self.table["item"].copy()
        for name, row in self.row.items():
            if name in labels:  # it never moved: its label was corrected
                label[row] = labels[name]
        for _, name, to in applied.rows.itertuples(index=False):
            if name in self.row:
                row = self.row[name]
                item[row] = os.path.join(self.root, to)
                folders = [folder for folder in to.split("/")[:-1] if folder in self.labels]
                label[row] = labels.get(to, folders[-1] if folders else label[row])
        table = _relabelled(self.table.assign(item=item), label)
        if not gone.empty:
            both = pd.concat([table.astype({"label": object}), gone.astype({"label": object})], ignore_index=True)
            if "predicted" in both:
                both["predicted"] = pd.Categorical(both["predicted"], table["predicted"].cat.categories)
            table = _relabelled(both, both["label"])
        return Collection(table, self.root)


def _key(item: Any) -> str | int:
    return item if isinstance(item, str) else id(item)


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """A copy whose rows are numbered, with text for items and splits and a category for labels."""
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"The cleaner needs a pandas DataFrame, not {type(table).__name__}.")
    if "predicted" in table.columns:
        return check_predictions(table)
    missing = [name for name in ("item", "label") if name not in table.columns]
    if missing:
        raise ValueError(f"The table has no column {' and none '.join(map(repr, missing))}.")
    # An items table is a predictions table without predictions, and is checked as one.
    return check_predictions(table.assign(predicted=table["label"])).drop(columns=["predicted", "confidence", "loss"])


def _relabelled(table: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """The table with these labels, and the loss that goes with them where the probabilities tell it."""
    categories = list(dict.fromkeys([*table["label"].astype("category").cat.categories, *label]))
    changed = (table["label"].astype(object) != label).to_numpy()
    table = table.assign(label=pd.Categorical(label, categories))
    if "predicted" in table:
        table["predicted"] = pd.Categorical(table["predicted"], categories)
        loss = table["loss"].to_numpy(float, copy=True)
        for row in np.flatnonzero(changed):
            column = PROBABILITY + label.iat[row]
            share = table[column].iat[row] if column in table else np.nan
            loss[row] = -np.log(max(share, np.finfo(np.float32).tiny)) if share == share else np.nan
        table["loss"] = loss
    return table


def _common_root(table: pd.DataFrame) -> str:
    """The folder below which everything lies; of a single class, the folder around its own."""
    folders = set(map(os.path.dirname, table["item"]))
    root = os.path.commonpath(set(map(os.path.abspath, folders)))
    return os.path.dirname(root) if os.path.basename(root) in set(table["label"]) else root


def counted(number: int, noun: str) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
