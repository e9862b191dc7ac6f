"""What the label of each image is: its folder, a part of its name, or a column of a table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from traitlets import Any

from ...models.data.items import image_files
from ...models.data.labels import (
    Labelled,
    label_by_folder,
    label_by_pattern,
    label_by_table,
    merge_variants,
    read_table,
)
from ...models.data.report import label_variants
from ...models.words import counted
from ..composite import Composite
from ..file_upload import FileUpload
from ..form import Field, Form
from ..newest_job import NewestJob
from ..uploads import Upload
from .findings import Findings, Table

FOLDER, NAME, TABLE = range(3)
PATTERNS = {
    "Write your own": "",
    "Before the last underscore: teddy_bear_12.jpg is teddy_bear": r"^(.+)_[^_]*$",
    "Before the first underscore: teddy_12_a.jpg is teddy": r"^([^_]+)_",
    "The letters in front: teddy12.jpg is teddy": r"^([^\W\d_]+)",
    "After the last hyphen: 12-teddy.jpg is teddy": r"-([^-.]+)\.[^.]+$",
}
SHOWN = 200  # names in the tester
NOTHING = "There are no photos to label yet."


class TableUpload(FileUpload):
    """A drop zone for one CSV file.

    >>> TableUpload()
    """

    noun = "table"

    def __init__(self, *, label: str = "Add a CSV file with names and labels", max_mb: float = 200, **kwargs):
        super().__init__(label=label, accept=".csv,.tsv,.txt", multiple=False, max_mb=max_mb, **kwargs)

    def _check(self, upload: Upload) -> str:
        upload.table = read_table(upload.path)
        return ""


class LabelRule(Composite):
    """Labels images by their folder, by a pattern on their name, or by a column of a table.

    >>> rule = LabelRule("oxford-iiit-pet/images")
    >>> rule.observe(lambda change: print(change.new.label.value_counts()), "value")

    `images` is a folder or a sequence of paths, with `root` as the folder that they lie in. As a pattern (a
    regular expression) is typed, it is tried on all names: what it captures, and the names that it does not
    match. A pattern that would take for ever ends after five seconds. A table is one that lies in the folder
    or is uploaded; its other columns come along, as do the other named groups of a pattern, to split by.

    `value` is the items table of the images that have a label, None where the rule gives none. `show(images)`
    takes other images.
    """

    value = Any(None, allow_none=True, read_only=True, help="the items table, or None")

    def __init__(
        self, images: str | Path | Sequence[str | Path] | None = None, *, root: str | Path | None = None, **kwargs
    ):
        self._files: list[Path] = []
        self._root = Path()
        self._tables: dict[str, Path | Upload] = {}
        self._table: pd.DataFrame | None = None
        self._no_table = ""  # why there is none
        self.form = Form(label="What the label is", changed=self._changed)
        self.upload = TableUpload()
        self.job = NewestJob()
        self.findings = Findings()
        self.parts = self.form, self.upload, self.job, self.findings
        super().__init__([self.form, self.job, self.findings], **kwargs)
        self.add_class("ipyfastai-label-rule")
        self.upload.observe(self._uploaded, "value")
        self.show(images, root=root)

    def show(self, images: str | Path | Sequence[str | Path] | None, *, root: str | Path | None = None) -> None:
        """Label these images from now on."""
        problem = ""
        if images is None:
            self._files, self._root, problem = [], Path(), NOTHING
        elif isinstance(images, str | Path):
            self._root = Path(os.path.abspath(images))
            try:
                self._files = image_files(self._root)[0]
            except ValueError as error:
                self._files, problem = [], str(error)
            problem = problem or ("" if self._files else f"There are no photos in {self._root.name}.")
        else:
            self._files = [Path(os.path.abspath(image)) for image in images]
            parents = [str(file.parent) for file in self._files]
            self._root = Path(os.path.abspath(root)) if root else Path(os.path.commonpath(parents) if parents else ".")
            if outside := [file.name for file in self._files if not file.is_relative_to(self._root)]:
                raise ValueError(f"{outside[0]} does not lie below {self._root.name}.")
        uploads = {name: table for name, table in self._tables.items() if isinstance(table, Upload)}
        found = sorted(self._root.rglob("*.csv")) if self._files else []
        self._tables = {str(path.relative_to(self._root)): path for path in found if not path.is_symlink()} | uploads
        self._read_table()
        self._guess_pattern()
        self._draw()
        self._say([])
        self.job.say(problem, bad=problem not in ("", NOTHING))
        self._apply()

    # The form.

    def _draw(self) -> None:
        if not self._files:
            return self.form.show([])
        fields = [Field("by", "Where are the labels?", "choice", options=["Folder", "File name", "Table"])]
        fields += (self._by_folder, self._by_name, self._by_table)[self.form.get("by", FOLDER)]()
        same = "Labels that differ only in case or space are one"
        self.form.show([*fields, Field("merge", same, "check")])
        by_table = self.form["by"] == TABLE
        shown = [self.form, *([self.upload] if by_table else []), self.job, self.findings]
        if list(self.children) != shown:
            self.children = shown

    def _guess_pattern(self) -> None:
        """Photos that all lie in one folder are labelled by their names at first, where these follow a pattern."""
        if self.form.get("by") is not None or not self._in_one_folder:
            return
        for pattern in filter(None, PATTERNS.values()):
            matches = [re.search(pattern, file.name) for file in self._files]
            if all(matches) and 2 <= len({match[1] for match in matches}) <= len(matches) / 2:
                self.form["by"], self.form["pattern"] = NAME, pattern
                self.form["common"] = list(PATTERNS.values()).index(pattern)
                return

    @property
    def _in_one_folder(self) -> bool:
        return len({file.parent for file in self._files}) == 1

    def _by_folder(self) -> list[Field]:
        depth = max((len(file.relative_to(self._root).parts) - 1 for file in self._files), default=0)
        levels = [
            "The folder that the photo lies in",
            *(f"Folder {level} from the top" for level in range(1, depth + 1)),
        ]
        return [Field("level", "Which folder", "select", options=levels)] if depth > 1 else []

    def _by_name(self) -> list[Field]:
        hint = "A regular expression; the part in parentheses is the label. (?P<person>…) makes a column to split by."
        return [
            Field("common", "Common patterns", "select", options=list(PATTERNS)),
            Field("pattern", "Pattern", "pattern", hint=hint),
            Field("path", "Search the folders on the path too", "check"),
        ]

    def _by_table(self) -> list[Field]:
        if not self._tables:
            return []
        fields = [Field("table", "Table", "select", options=list(self._tables))]
        if self._table is not None:
            columns = list(map(str, self._table.columns))
            name = _guess(columns, "file name item image path", 0)
            label = _guess(columns, "label class category kind species breed target", 0 if name else len(columns) > 1)
            fields.append(Field("name column", "Column of the file names", "select", name, columns))
            fields.append(Field("label column", "Column of the labels", "select", label, columns))
        return fields

    def _changed(self, name: str) -> None:
        if name == "common" and self.form["common"]:
            self.form["pattern"] = list(PATTERNS.values())[self.form["common"]]
        if name == "pattern":
            known = list(PATTERNS.values())
            self.form["common"] = known.index(self.form["pattern"]) if self.form["pattern"] in known else 0
        if name == "table" or (name == "by" and self.form["by"] == TABLE):
            self._read_table()
        self._draw()
        self._apply()

    def _uploaded(self, change) -> None:
        if change["new"]:
            [upload] = change["new"]
            self._tables[upload.name] = upload
            self._draw()
            self.form["table"] = list(self._tables).index(upload.name)
            self._read_table()
            self._draw()
            self._apply()

    def _read_table(self) -> None:
        self._table, self._no_table = None, "Add a table with names and labels."
        self.form.forget("name column", "label column")
        names = list(self._tables)
        place = self.form.get("table", 0)
        if names:
            table = self._tables[names[place if place < len(names) else 0]]
            try:
                self._table = table.table if isinstance(table, Upload) else read_table(table)
            except ValueError as error:
                self._no_table = str(error)
            except OSError as error:
                self._no_table = f"This table cannot be read: {error.strerror}."

    # What comes of it.

    def _apply(self) -> None:
        if not self._files:
            return
        try:
            rule = self._rule()
        except ValueError as error:
            self.job.cancel()
            self._fail(error)
            self.job.say(str(error), bad=True)
        else:
            self.job.run(rule, then=self._show, failed=self._fail)

    def _fail(self, error: Exception) -> None:
        self._say([])

    def _rule(self):
        """The rule that the form describes now, as work for a thread."""
        files, root, form = self._files, self._root, self.form
        if form["by"] == FOLDER:
            level = form.get("level", 0)
            return lambda progress: label_by_folder(files, root, level=level - 1)
        if form["by"] == NAME:
            pattern, below = form["pattern"], root if form["path"] else None
            return lambda progress: label_by_pattern(files, pattern, root=below, progress=progress)
        table = self._table
        if table is None:
            raise ValueError(self._no_table)
        name, label = table.columns[form["name column"]], table.columns[form["label column"]]
        return lambda progress: label_by_table(files, table, name=name, label=label, root=root)

    def _show(self, labelled: Labelled) -> None:
        items = labelled.items
        sentences: list[tuple[str, str]] = []
        variants = label_variants(items.label.unique())
        if self.form["merge"]:
            items = merge_variants(items)
        elif variants:
            shown = ", ".join(map(repr, variants[0]))
            sentences.append(
                ("warn", f"These labels differ only in case or space: {shown}. They count as different ones.")
            )
        if labelled.unmatched:
            sentences.append(
                ("warn", f"{len(labelled.unmatched):,} of {len(self._files):,} photos have no label by this rule.")
            )
        if labelled.missing:
            sentences.append(("warn", f"{counted(len(labelled.missing), 'row')} of the table without a photo."))
        if not len(items):
            sentences = [("bad", "No photo has a label by this rule.")]
        else:
            labels = items.label.nunique()
            sentences.append(("good", f"{counted(labels, 'label')} for {counted(len(items), 'photo')}."))
        if self.form["by"] == FOLDER and self._in_one_folder:
            one = "All photos lie in one folder, which tells none from another: take labels from file names or a table."
            sentences.append(("warn", one))
        each = max(2, SHOWN // max(1, items.label.nunique()))
        some = items.groupby("label", sort=False).head(each).head(SHOWN)
        named = [(self._name(item), label) for item, label in zip(some.item, some.label, strict=True)]
        counts = [(label, int(count)) for label, count in items.label.value_counts().items()]
        self._say(
            sentences,
            [
                Table("What becomes of the names", ["name", "label"], named, folded=self.form["by"] == FOLDER),
                Table(
                    f"No label ({len(labelled.unmatched):,})",
                    ["name"],
                    [(self._name(file),) for file in labelled.unmatched],
                    folded=False,
                ),
                Table(
                    f"Rows without a photo ({len(labelled.missing):,})",
                    ["name"],
                    [(name,) for name in labelled.missing],
                ),
                Table(f"Labels ({len(counts):,})", ["label", "photos"], counts, bar=1),
            ],
            items if len(items) else None,
        )

    def _say(self, sentences: list, tables: Sequence[Table] = (), items: pd.DataFrame | None = None) -> None:
        self.findings.show(sentences, tables)
        self.set_trait("value", items)

    def _name(self, file: str | Path) -> str:
        return Path(file).relative_to(self._root).as_posix()


def _guess(columns: Sequence[str], words: str, otherwise: int) -> int:
    """The first column whose name holds one of the words."""
    lower = [column.lower() for column in columns]
    found = (place for word in words.split() for place, column in enumerate(lower) if word in column)
    return next(found, int(otherwise))
