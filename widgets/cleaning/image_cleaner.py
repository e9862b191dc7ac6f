"""Pictures with wrong labels: found, marked, and put right."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from traitlets import All, Any, default

from ...models.cleaning.apply import Applied, recover, refusal
from ...models.cleaning.class_name import new_class
from ...models.cleaning.journal import Journal
from ...models.cleaning.manifest import RELABEL, Manifest
from ...models.cleaning.marks import ACTIONS
from ...models.thumbnails import WAITING, Thumbnails
from ..composite import Composite
from ..job import Job
from .applies import Applies
from .apply_panel import ApplyPanel
from .cleaner_bar import CleanerBar
from .collection import Collection, counted
from .looking import ALIKE, ERRORS, Looking
from .mark_buttons import MarkButtons
from .marking import Marking
from .picture_grid import SCREEN, Key, PictureGrid
from .views import Views

# Other keys for the same: a Mac's Delete key is called Backspace, and habits differ.
ALSO = {"d": "Delete", "Backspace": "Delete", "Ctrl+z": "u", "Ctrl+y": "Shift+u", "Ctrl+Shift+z": "Shift+u"}
HINTS = {
    ERRORS: "Pictures whose label the model contradicts surely (confident learning).",
    ALIKE: "Pictures that look the same, side by side, with their copies in other classes and splits.",
}


class ImageCleaner(Composite):
    """Look through what a model got most wrong; keep, delete or move each picture; then apply.

    >>> cleaner = ImageCleaner(predictions(learn))
    >>> cleaner.value
                        item  action       to
    0  /data/teddy/0041.jpg  delete     None
    1  /data/black/0015.jpg    move  grizzly

    `table` is a predictions table, or an items table without predictions. Marks are made by click or key,
    with undo and redo all the way, and kept in `journal`: by default on the disk beside `root`, the folder of
    the data set, so that they survive the kernel. Nothing touches a file before Apply, which says first what it will
    do: deletes go to a trash, moves to the folder of the class or, with `relabel="csv"`, into a labels.csv
    (see `plan`). `apply=False` leaves it out, None does so on a public server that does not allow it; there
    marks last as long as the page. Items that are no files (arrays, images) are marked only.

    `value` has a row for each mark: `item`, `action` ("keep", "delete", "move"), `to`; `table` is the table as
    it is after what has been applied. Observe either. Raises ValueError for a table without `item` or
    `label`, and for items outside `root`.
    """

    value = Any(read_only=True, help="the marks as a DataFrame: item, action, to")
    table = Any(read_only=True, help="the table as it is now")

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        root: str | os.PathLike | None = None,
        journal: Journal | None = None,
        apply: bool | None = None,
        relabel: Literal["auto", "folder", "csv"] = "auto",
        thumbnails: Thumbnails | None = None,
    ):
        if relabel not in RELABEL:
            raise ValueError(f"relabel must be one of {', '.join(RELABEL)}, not {relabel!r}")
        self._pictures = Collection.of(table, root=root)
        # Where strangers may look at a folder and change nothing in it, they leave no marks beside it either.
        ours = self._pictures.has_files and not (apply is None and refusal())
        recovered = _recovered(self._pictures) if ours else ""
        self._owned = Thumbnails() if thumbnails is None else None
        self.thumbnails = thumbnails or self._owned
        self.journal = journal or (Journal.of(self._pictures.root) if ours else Journal(None))
        self._rows = np.empty(0, np.int64)  # what is shown, by position in the table
        self._views = Views(self._pictures)
        self._chosen = {"view": 0, "split": 0}
        self._keys: dict[str, str] = {}  # digit -> label
        self._observed = False
        self._applies = Applies()
        self._warmed: set[str] = set()  # orders

        self.bar = CleanerBar(chosen=self._choose)
        self.job = Job()
        self.buttons = MarkButtons(acted=self._act, named=self._name)
        self._marking = Marking(
            self.journal, job=self.job, is_here=lambda name: name in self._pictures.row, told=self._tell
        )
        self.grid = PictureGrid(
            root=self._pictures.root,
            thumbnails=self.thumbnails,
            label="Pictures to look through",
            badges=self._badges,
            pressed=self._press,
        )
        self.panel = ApplyPanel(
            self._pictures,
            marks=lambda: self.journal.marks,
            allowed=apply,
            relabel=relabel,
            applied=self._applied,
            back=self._came_back,
        )
        super().__init__([self.bar, self.job, self.buttons, self.grid, self.panel])
        self.add_class("ipyfastai-image-cleaner")
        self.grid.observe(lambda change: self._tell(), "value")
        self.journal.listeners.append(self._changed)
        self._marking.said = recovered
        self._use(self._pictures)

    def only(self, which: pd.DataFrame | Iterable, title: str = "Chosen pictures") -> None:
        """Show these alone, as those of a confusion cell: positions, items, or a part of the table.

        >>> cleaner.only(table[(table.label == "black") & (table.predicted == "grizzly")], "black called grizzly")

        They stand among the choices, with their title, until others take their place.
        """
        self._chosen.update(view=self._views.only(which, title), split=0)
        self._offer()
        self._show()

    def close(self) -> None:
        if self.comm is not None:  # neither closed, nor never opened since the constructor raised
            self.journal.listeners.remove(self._changed)
            self.journal.sync()
            if self._owned is not None:
                self._owned.close()
        super().close()

    # `value` costs a DataFrame: it is made when somebody looks at it.

    @default("value")
    def _marks_table(self) -> pd.DataFrame:
        pictures, marks = self._pictures, self.journal.marks
        items = [pictures.table["item"].iat[pictures.row[name]] if name in pictures.row else name for name in marks]
        rows = [(item, mark.action, mark.label) for item, mark in zip(items, marks.values(), strict=True)]
        return pd.DataFrame(rows, columns=["item", "action", "to"], dtype=object)

    def observe(self, handler, names=All, type="change"):
        if names is All or "value" in names:
            self._observed = True
            self.value  # noqa: B018
        super().observe(handler, names=names, type=type)

    def _publish(self) -> None:
        if self._observed:
            self.set_trait("value", self._marks_table())
        else:
            self._trait_values.pop("value", None)  # made anew when somebody looks

    # What is shown.

    def _use(self, pictures: Collection) -> None:
        """Show these pictures from now on."""
        self._pictures = self._views.pictures = self.panel.pictures = pictures
        pictures.note(self.journal.marks, self.journal.marks)
        self._looking = Looking(pictures.table, thumbnails=self.thumbnails, job=self.job, ready=self._show)
        self._warmed.clear()
        self._chosen.setdefault("order", self._looking.first)
        self._offer()
        self._show()
        self._publish()
        self.set_trait("table", pictures.table)

    def _offer(self) -> None:
        pictures = self._pictures
        splits = ["Both splits" if len(pictures.splits) == 2 else "All splits", *pictures.splits]
        self.bar.offer(
            view=self._views.titles(), split=splits if len(splits) > 2 else splits[:1], order=self._looking.names
        )

    def _choose(self, name: str, index: int) -> None:
        self._chosen[name] = index
        self._marking.said = ""
        self._looking.again(self._looking.names[self._chosen["order"]])
        self.journal.refresh(wait=False)  # what another notebook has marked meanwhile
        self._show()

    def _show(self) -> None:
        """Show what is chosen, from its top, or what is the same as before where it is."""
        pictures, order = self._pictures, self._looking.names[self._chosen["order"]]
        label = self._views.label(self._chosen["view"])
        rows = self._looking.rows(order, label=label, split=[None, *pictures.splits][self._chosen["split"]])
        empty = "No pictures here." if rows is not None else self._looking.why(order)
        rows = np.empty(0, np.int64) if rows is None else rows
        self._rows = rows = self._views.rows(self._chosen["view"], rows)
        captions = pictures.captions.iloc[rows]
        notes = self._looking.notes(order, rows) if len(rows) else None
        self.grid.show(captions if notes is None else captions.assign(note=notes), empty=empty)
        self._warm(order)
        self.bar.choose(**self._chosen)
        self._set_keys()
        self._tell()

    def _warm(self, order: str) -> None:
        """Make ready what each class shows first, while nobody waits for other pictures."""
        if order in self._warmed:
            return
        rows = self._looking.first_of_each(order, min(SCREEN, WAITING // max(1, len(self._pictures.labels))))
        if len(rows):
            self._warmed.add(order)
            self.thumbnails.warm(self._pictures.table["item"].iloc[rows])

    def _set_keys(self) -> None:
        likely = self._pictures.likely_targets(self._views.label(self._chosen["view"]))
        self._targets = self._pictures.targets
        self._keys = {str(number): target for number, target in enumerate(likely[:9], 1)}
        place = {name: number for number, name in enumerate(self._targets)}
        self.buttons.moves(self._targets, {key: place[target] for key, target in self._keys.items()})
        keys = {"k": Key("Keep", advance=True), "Delete": Key("Delete", advance=True)}
        keys |= {key: Key(f"→ {target}", advance=True) for key, target in self._keys.items()}
        keys |= {"0": Key("No mark"), "u": Key("Undo"), "Shift+u": Key()}
        self.grid.set_keys({**keys, **{also: Key(advance=keys[key].advance) for also, key in ALSO.items()}})

    def _names(self, positions: Sequence[int]) -> list[str]:
        return [self._pictures.names[self._rows[position]] for position in positions]

    def _badges(self, positions: Sequence[int]) -> list[str | None]:
        return self._marking.badges(self._names(positions))

    def _tell(self) -> None:
        """Counts, and what was done last, in words."""
        numbers = np.bincount(self._pictures.marked, minlength=1 + len(ACTIONS))
        kept, deleted, moved = (int(numbers[1 + ACTIONS.index(action)]) for action in ("keep", "delete", "move"))
        others = len(self._pictures.elsewhere)
        counts = f"Marked: {deleted:,} to delete, {moved:,} to move, {kept:,} to keep."
        counts += f" {counted(others, 'mark')} on pictures that are not in this table." if others else ""
        self.bar.say(
            counts=counts if kept or deleted or moved or others else "Nothing is marked yet.",
            hint=HINTS.get(self._looking.names[self._chosen["order"]], ""),
            done=self._marking.said,
            problem=self.journal.problem,
        )
        self.buttons.enable(mark=bool(self.grid.value), undo=self.journal.can_undo, redo=self.journal.can_redo)
        self.panel.draw()

    # What somebody does.

    def _press(self, key: str, positions: tuple[int, ...]) -> None:
        key = ALSO.get(key, key)
        if key in self._keys:
            self._marking.mark("move", self._keys[key], self._names(positions))
        elif key in ("u", "Shift+u"):
            self._step("undo" if key == "u" else "redo")
        else:
            self._marking.mark({"k": "keep", "Delete": "delete", "0": "unmark"}[key], None, self._names(positions))

    def _act(self, action: str, index: int | None) -> None:
        if action in ("undo", "redo"):
            self._step(action)
        else:
            label = None if index is None else self._targets[index]
            self._marking.mark(action, label, self._names(self.grid.value))

    def _name(self, text: str) -> None:
        """Move what is selected to a class that somebody has named."""
        label = new_class(text, self._pictures.targets)
        if not self.grid.value:
            raise ValueError("Select the pictures that are to move there.")
        self._marking.mark("move", label, self._names(self.grid.value))

    def _step(self, which: str) -> None:
        """Undo or redo, and show what that was about."""
        if changed := self._marking.step(which):
            rows = [self._pictures.row[name] for name in changed if name in self._pictures.row]
            self.grid.reveal(np.flatnonzero(np.isin(self._rows, rows)).tolist())
        self._tell()

    def _changed(self, names: list[str]) -> None:
        """The journal has other marks for these: by this cleaner, another one, or another notebook."""
        self._pictures.note(names, self.journal.marks)
        self.grid.refresh()
        self._offer()
        self._set_keys()
        self._tell()
        self._publish()

    # What became of the files.

    def _applied(self, manifest: Manifest, applied: Applied) -> None:
        names = [*applied.names, *manifest.unchanged]
        marks = {name: self.journal.marks[name] for name in names if name in self.journal.marks}
        pictures = self._applies.carried_out(self._pictures, applied, marks)
        self._marking.said = ""
        self.journal.settle(names)
        self._use(pictures)

    def _came_back(self, id: str | None, applied: Applied) -> None:
        pictures, marks = self._applies.came_back(self._pictures, id, applied)
        self._use(pictures)
        self.journal.set(marks)


def _recovered(pictures: Collection) -> str:
    """Finish what a crash has interrupted, before anything is shown; what there is to say about it."""
    try:
        said = recover(pictures.root)
    except RuntimeError as error:
        return str(error)
    return " ".join([*said, "Pictures that are gone from here have moved: make the table anew."] if said else [])
