"""Marks carried out: read first, then done, and taken back again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from ...models.cleaning.apply import Applied, apply, last_apply, refusal, undo_apply
from ...models.cleaning.manifest import Manifest, plan
from ...models.cleaning.marks import Mark
from ...models.cleaning.trash import Trash
from ...models.words import readable
from ..composite import Composite
from ..job import Job
from ..results import inert
from .collection import Collection, counted
from .sheet import Choice, Sheet

UNTOUCHED = "Nothing on the disk has changed yet."


class ApplyPanel(Composite):
    """What the marks would do, a button that does it, and the ways back: undo, and the trash.

    >>> panel = ApplyPanel(pictures, marks=lambda: journal.marks, allowed=True, applied=print, back=print)

    Nothing touches a file before somebody has read what it will do and said yes. `applied(manifest, applied)`
    and `back(id or None, applied)` are called when files have been moved, and have come back.
    """

    def __init__(
        self,
        pictures: Collection,
        *,
        marks: Callable[[], Mapping[str, Mark]],
        allowed: bool | None,
        relabel: str,
        applied: Callable[[Manifest, Applied], None],
        back: Callable[[str | None, Applied], None],
    ):
        self.pictures = pictures
        self._marks, self._allowed, self._relabel = marks, allowed, relabel
        self._on_applied, self._on_back = applied, back
        self._outcome = ""
        self._state = "idle"  # "busy" while something is done, "asking" while a manifest waits for an answer
        self._asked: Mapping[str, Mark] = {}  # the marks that the manifest is about
        self.sheet, self.job = Sheet(label="What will be done"), Job()
        self.trash = Sheet(label="Trash")
        super().__init__([self.sheet, self.job, self.trash])
        self.add_class("ipyfastai-apply-panel")
        self._look_back()
        self.draw()

    @property
    def refusal(self) -> str:
        """Why nothing may be applied here, or ""."""
        return refusal(self._allowed)

    def draw(self) -> None:
        """Show what can be done with the marks as they are now."""
        if self._state == "asking" and dict(self._marks()) != self._asked:
            return self._end("The marks have changed meanwhile: read again what will be done.")
        if self._state != "idle":
            return
        marks, why, files = self._marks(), self.refusal, self.pictures.has_files
        choices = []
        if files and not why:
            wanted = sum(mark.action != "keep" for mark in marks.values())
            if wanted:
                choices.append(Choice(f"Apply {counted(wanted, 'mark')}…", self._plan, primary=True))
            if self._last is not None:
                choices.append(Choice("Undo the last Apply", self._undo))
            if self._thrown:
                choices.append(Choice(f"Trash ({self._thrown:,})", self._open_trash))
        if marks:
            choices.append(Choice("Download marks as CSV", partial(self._save, "marks.csv", self._marks_csv)))
        choices.append(Choice("Download labels as CSV", partial(self._save, "labels.csv", self._labels_csv)))
        waits = UNTOUCHED if any(choice.primary for choice in choices) else ""
        self.sheet.show(" ".join(filter(None, (self._outcome or waits, why if files else ""))), choices=choices)

    def _look_back(self) -> None:
        """What there is to take back; it changes only with what is done here."""
        self._last: str | None = None
        self._thrown = 0
        if self.pictures.has_files and not self.refusal:
            self._last = last_apply(self.pictures.root)
            self._thrown = len(Trash(self.pictures.root).list())

    # Forwards.

    def _plan(self) -> None:
        self._begin()
        self._asked = marks = dict(self._marks())
        table = self.pictures.table[["item", "label", "split"]]
        self.job.run(
            lambda progress: plan(self.pictures.root, table, marks, relabel=self._relabel, progress=progress),
            then=self._confirm,
            failed=lambda error: self._end(),
            ended=self._rest,
        )

    def _confirm(self, manifest: Manifest) -> None:
        """Show the manifest; only its button goes on, and only while the marks are the same."""
        self._state = "asking"
        if dict(self._marks()) != self._asked:
            return self._plan()
        actions = {"move": "Move", "delete": "To the trash", "relabel": "Correct the label"}
        lines = [["Not possible", item, why] for item, why in manifest.problems.itertuples(index=False)]
        rows = manifest.rows
        ways = rows["to"].where(rows["action"] != "relabel", rows["reason"])
        lines += [
            [actions[action], name, to] for action, name, to in zip(rows["action"], rows["from"], ways, strict=True)
        ]
        choices = [Choice("Not now", partial(self._end, "Nothing was changed."))]
        if manifest:
            choices.insert(
                0, Choice(f"Yes, do this with {counted(len(rows), 'picture')}", partial(self._apply, manifest), True)
            )
        if lines:
            choices.append(Choice("Download this list", partial(self._save, "changes.csv", lambda: _csv(rows))))
        self.sheet.show(" ".join(manifest.summary), heads=["What", "Picture", "Where to"], lines=lines, choices=choices)

    def _apply(self, manifest: Manifest) -> None:
        self._begin()
        self.job.run(
            lambda progress: apply(manifest, allowed=self._allowed, progress=progress),
            then=partial(self._done, manifest),
            failed=lambda error: self._end("The marks are all there."),
            ended=self._rest,
            outlives=True,
        )

    def _done(self, manifest: Manifest, applied: Applied) -> None:
        self._on_applied(manifest, applied)
        count = applied.rows["action"].value_counts()
        words = {"move": "moved", "delete": "in the trash", "relabel": "with a corrected label"}
        said = [f"{count[action]:,} {word}" for action, word in words.items() if action in count]
        self._end(f"Applied: {', '.join(said) or 'nothing'}." + _left(applied))

    # Backwards.

    def _undo(self) -> None:
        id = self._last
        self._begin()
        self.job.run(
            lambda progress: undo_apply(self.pictures.root, id, allowed=self._allowed, progress=progress),
            then=partial(self._returned, id, "The last Apply is undone"),
            failed=lambda error: self._end(),
            ended=self._rest,
            outlives=True,
        )

    def _open_trash(self) -> None:
        thrown = Trash(self.pictures.root).list()
        keys = thrown["key"].tolist()
        deleted = thrown["deleted"].dt.strftime("%Y-%m-%d %H:%M UTC")
        self.trash.show(
            "Deleted pictures can be put back where they were. Nothing leaves the trash by itself.",
            heads=["Picture", "Deleted"],
            lines=list(zip(thrown["item"], deleted, strict=True)),
            choices=[Choice("Restore all", partial(self._restore, keys)), Choice("Close the trash", self.trash.clear)],
            pick="Restore",
            picked=lambda index: self._restore(keys[index : index + 1]),
        )

    def _restore(self, keys: list[str]) -> None:
        self._begin()
        self.job.run(
            lambda progress: Trash(self.pictures.root, allowed=self._allowed).restore(keys, progress=progress),
            then=partial(self._returned, None, "Restored"),
            failed=lambda error: self._end(),
            ended=self._rest,
            outlives=True,
        )

    def _returned(self, id: str | None, said: str, applied: Applied) -> None:
        self._on_back(id, applied)
        self._end(f"{said}: {counted(len(applied.rows), 'file')}." + _left(applied))

    # While something is being done, nothing else can be begun.

    def _begin(self) -> None:
        self._state = "busy"
        self.job.say("")
        self.sheet.clear()
        self.trash.clear()

    def _end(self, outcome: str = "") -> None:
        self._state, self._outcome = "idle", outcome
        self._look_back()
        self.draw()

    def _rest(self) -> None:
        """However it ended: after a Cancel there is a way on."""
        if self._state == "busy" and not self.job.busy:
            self._end()

    # What somebody can take away.

    def _save(self, name: str, text: Callable[[], str]) -> None:
        self.sheet.save(name, text())

    def _marks_csv(self) -> str:
        rows = [[readable(name), mark.action, mark.label or ""] for name, mark in self._marks().items()]
        return _csv(pd.DataFrame(rows, columns=["item", "action", "to"]))

    def _labels_csv(self) -> str:
        table = self.pictures.table[["label", "split"]].astype(object)
        return _csv(table.assign(item=list(map(readable, self.pictures.names)))[["item", "label", "split"]])


def _left(applied: Applied) -> str:
    """What could not be done, and why."""
    if applied.problems.empty:
        return ""
    whys = " ".join(sorted(set(applied.problems["reason"])))
    count = len(applied.problems)
    return f" {counted(count, 'file')} left as {'it is' if count == 1 else 'they are'}: {whys}"


def _csv(table: pd.DataFrame) -> str:
    out = io.StringIO()
    table.map(inert).to_csv(out, index=False)
    return out.getvalue()
