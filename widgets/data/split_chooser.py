"""What to learn from and what to be tested on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from traitlets import Any

from ...models.data.split import (
    TRAIN,
    VALID,
    random_split,
    split_by_column,
    split_by_folder,
    split_by_group,
    split_warnings,
)
from ...models.words import counted, percent
from ..composite import Composite
from ..form import Field, Form
from .findings import Findings, Table

RANDOM, COLUMN, FOLDER, GROUP = range(4)
OURS = {"item", "label", "width", "height", "remark", "exact", "copies", "seen"}
MAX_VALUES = 40  # of a column, to choose those for validation from


class SplitChooser(Composite):
    """Splits items at random, by a column, by a folder or by a group, and says what the split hides.

    >>> split = SplitChooser(report.items)
    >>> split.observe(lambda change: print(change.new.split.value_counts()), "value")

    `items` is an items table; columns beyond `item` and `label` can be split by. `copies` (n,) numbers near
    duplicates alike, as the column `copies` of a report's items does: they are kept on one side unless
    the visitor wants otherwise, and a warning says where they are not; so with a group on both sides.

    `value` is the items with their `split`, None where the choices make none. `show(items)` takes others.
    """

    value = Any(None, allow_none=True, read_only=True, help="the items with their split, or None")

    def __init__(self, items: pd.DataFrame | None = None, *, copies: Sequence[int] | None = None, **kwargs):
        self._items: pd.DataFrame | None = None
        self._columns: list[str] = []
        self.form = Form(label="How to split", changed=lambda name: self._update())
        self.findings = Findings()
        super().__init__([self.form, self.findings], **kwargs)
        self.add_class("ipyfastai-split-chooser")
        self.show(items, copies=copies)

    def show(self, items: pd.DataFrame | None, *, copies: Sequence[int] | None = None) -> None:
        """Split these items from now on."""
        if items is not None:
            items = items.reset_index(drop=True)
            if copies is not None:
                items = items.assign(copies=list(copies))
        self._items = items
        self._columns = [] if items is None else [column for column in items if column not in OURS]
        self._update()

    # The form.

    def _update(self) -> None:
        if self._items is None or not len(self._items):
            self.form.show([])
            return self._say([("warn", "There are no photos to split yet.")])
        fields = [
            Field("by", "What is it tested on?", "choice", options=["At random", "By column", "By folder", "By group"])
        ]
        self.form.show([*fields, *self._options(self.form.get("by", RANDOM))])
        try:
            split = self._split()
            warnings = split_warnings(split, copies=split.get("copies"), group=self._group)
        except ValueError as error:
            return self._say([("bad", str(error))])
        self._say([*(("warn", warning) for warning in warnings), ("good", _sides(split))], split)

    def _options(self, by: int) -> list[Field]:
        held_back = "Of 100 photos, so many are held back: the network never learns from them, it is tested on them."
        share = Field("share", "Validation (%)", "number", 20, low=1, high=90, hint=held_back)
        drawn = "Any number: photos are drawn by lot, and the same seed draws the same ones again."
        seed = Field("seed", "Seed", "number", 42, high=2**31 - 1, hint=drawn)
        column = Field("column", "Column", "select", options=list(map(str, self._columns)))
        group = Field("group", "Group (person, place, day)", "select", options=["none", *map(str, self._columns)])
        if by == RANDOM:
            copies = [Field("together", "Keep copies on one side", "check", True)] if "copies" in self._items else []
            return [share, seed, *copies, *([group] if self._columns else [])]
        if by == GROUP:
            return [column, share, seed] if self._columns else []
        if by == FOLDER:
            return [
                Field("folder", "Folder for validation", "select", options=self._folders),
                *([group] if self._columns else []),
            ]
        return [column, *self._values(), *([group] if len(self._columns) > 1 else [])] if self._columns else []

    @property
    def _folders(self) -> list[str]:
        names = {part for item in self._items.item for part in Path(item).parts[1:-1]}
        shared = set.intersection(*(set(Path(item).parts) for item in self._items.item))
        return ["valid, val or test", *sorted(names - shared)][:500]

    @property
    def _column(self) -> str:
        if not self._columns:
            raise ValueError(
                "These photos have no further columns to split by: take labels from a table that has some."
            )
        place = self.form.get("column", 0)
        return self._columns[place if place < len(self._columns) else 0]

    def _values(self) -> list[Field]:
        values = sorted(self._items[self._column].map(str).unique())
        if len(values) > MAX_VALUES:
            return []
        # One field for each column: the places of its values mean nothing for another.
        hint = "None ticked: the usual words (train, valid, test, True, False, 0, 1) are understood."
        return [Field(f"values of {self._column}", "For validation", "several", options=values, hint=hint)]

    @property
    def _group(self) -> str | None:
        if self.form["by"] == GROUP:
            return self._column
        place = self.form.get("group", 0)
        return self._columns[place - 1] if 0 < place <= len(self._columns) else None

    def _split(self) -> pd.DataFrame:
        form, items = self.form, self._items
        share, seed = form.get("share", 20) / 100, form.get("seed", 42)
        if form["by"] == RANDOM:
            together = form.get("together", False) and "copies" in items
            return random_split(items, valid_pct=share, seed=seed, copies=items["copies"] if together else None)
        if form["by"] == GROUP:
            return split_by_group(items, self._column, valid_pct=share, seed=seed)
        if form["by"] == FOLDER:
            place = form["folder"]
            return split_by_folder(items, valid=self._folders[place] if place else None)
        ticked = form.get(f"values of {self._column}", ())
        values = sorted(items[self._column].map(str).unique())
        return split_by_column(items, self._column, valid=[values[place] for place in ticked] or None)

    def _say(self, sentences: list, split: pd.DataFrame | None = None) -> None:
        tables = []
        if split is not None:
            counts = pd.crosstab(split.label, split.split).reindex(columns=[TRAIN, VALID], fill_value=0)
            rows = [(label, int(train), int(valid)) for label, train, valid in counts.itertuples()]
            tables = [Table("Each label", ["label", "to learn from", "to be tested on"], rows, folded=len(rows) > 12)]
        self.findings.show(sentences, tables)
        self.set_trait("value", split)


def _sides(split: pd.DataFrame) -> str:
    valid = int((split.split == VALID).sum())
    learned = counted(len(split) - valid, "photo")
    return f"{learned} to learn from, {valid:,} to be tested on ({percent(valid / len(split))})."
