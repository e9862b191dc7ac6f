"""What is wrong with the images, to look at and to put aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from traitlets import Any

from ...models.cleaning.apply import refusal
from ...models.data.aside import Moved, aside_folder, move_aside, put_back
from ...models.data.check import check_images
from ...models.data.report import ImageReport
from ...models.thumbnails import Thumbnails
from ...models.words import counted, percent
from ..cleaning.picture_grid import PictureGrid
from ..composite import Composite
from ..form import Field, Form
from ..job import Job
from .findings import Findings, Table


class DataCheck(Composite):
    """Checks the images of a folder or an items table, and shows what it finds.

    >>> check = DataCheck("bears")
    >>> check.observe(lambda change: print(change.new.findings()), "value")

    Says what cannot be opened and why, what is there twice, exactly or nearly, under one label or two, which
    images are tiny, blank or of odd shape, how many of each label there are and what always saying the
    commonest would score. Files that cannot be opened can be put aside into a folder beside, and back again;
    nothing is deleted. On a public server that does not allow changing files they cannot, unless `allowed=True`
    (whoever writes a page knows whose files they are).

    `root` is the folder that the images of a table lie in; without it they can only be looked at.
    `value` is the `ImageReport`, None until a check has ended. `check(images)` checks other images; the first
    check begins by itself unless `auto=False`. `thumbnails` is shared with other components if given.
    """

    value = Any(None, allow_none=True, read_only=True, help="the report, or None")

    def __init__(
        self,
        images: str | Path | pd.DataFrame | None = None,
        *,
        root: str | Path | None = None,
        auto: bool = True,
        allowed: bool | None = None,
        thumbnails: Thumbnails | None = None,
        **kwargs,
    ):
        self._images, self._root = images, root
        self._allowed = not refusal(allowed)
        self._moved: Moved | None = None
        self._parts: list[_Part] = []
        self._owned = Thumbnails() if thumbnails is None else None
        self.job = Job(button="Check the photos", pressed=lambda: self.check(), primary=False)
        self.findings = Findings()
        self.form = Form(label="What was found", changed=self._changed, pressed=self._pressed)
        self.moving = Job()
        self.grid = PictureGrid(thumbnails=thumbnails or self._owned, label="Photos that were found")
        self.parts = self.job, self.findings, self.form, self.moving, self.grid
        super().__init__(self.parts, **kwargs)
        self.add_class("ipyfastai-data-check")
        self._draw()
        if auto and images is not None:
            self.check()

    def check(self, images: str | Path | pd.DataFrame | None = None, *, root: str | Path | None = None) -> bool:
        """Check these images, or those of the last check again; False while a check runs or without any."""
        if self.job.busy or self.moving.busy:
            return False
        if images is not None:
            self._images, self._root, self._moved = images, root, None
        images, root = self._images, self._root
        if images is None:
            self.job.say("There are no photos to check yet.", bad=True)
            return False
        return self.job.run(
            lambda progress: check_images(images, root=root, progress=progress), then=self._checked, failed=self._failed
        )

    def close(self) -> None:
        super().close()
        if self._owned is not None:
            self._owned.close()

    def _checked(self, report: ImageReport) -> None:
        self.job.button = "Check again"
        self.grid.root = report.root
        self.set_trait("value", report)
        self._draw()

    def _failed(self, error: Exception) -> None:
        self.set_trait("value", None)  # it would speak of images that are there no more
        self._draw()

    # What is shown follows from the report.

    def _draw(self) -> None:
        report = self.value
        self._parts = _parts(report) if report is not None else []
        self.findings.show(
            report.findings() if report is not None else [], _tables(report) if report is not None else []
        )
        fields = []
        if self._parts:
            options = [f"{part.name} ({part.count:,})" for part in self._parts]
            fields.append(Field("part", "Show", "choice", options=options))
        if report is not None and report.root is not None and self._allowed:
            fields += self._buttons(report)
        self.form.show(fields)
        self._show_part()

    def _buttons(self, report: ImageReport) -> list[Field]:
        buttons = []
        if count := len(report.unreadable):
            hint = "They are moved into a folder beside this one; nothing is deleted."
            buttons.append(Field("aside", f"Move {counted(count, 'file')} aside", "button", hint=hint))
        if self._moved is not None and self._moved.moves:
            buttons.append(Field("back", f"Undo: put {counted(len(self._moved.moves), 'file')} back", "button"))
        elif self._moved is None and (count := _set_aside(report.root)):
            said = f"Put back {counted(count, 'file')} moved aside earlier"
            buttons.append(Field("back", said, "button"))
        return buttons

    def _show_part(self) -> None:
        part = self._parts[self.form["part"]] if self._parts else None
        table = None if part is None else part.table()
        shown = [self.job, self.findings, self.form, self.moving, *([self.grid] if table is not None else [])]
        if list(self.children) != shown:
            self.children = shown
        self.grid.show(table)

    # What a visitor does.

    def _changed(self, name: str) -> None:
        self._show_part()

    def _pressed(self, name: str) -> None:
        report = self.value
        if report is None or report.root is None or not self._allowed or self.job.busy:
            return
        if name == "aside":
            files = report.unreadable.item.tolist()
            self.moving.run(lambda progress: move_aside(report.root, files), then=self._put_aside)
        elif name == "back":
            moves = None if self._moved is None else self._moved.moves
            self.moving.run(lambda progress: put_back(report.root, moves), then=self._put_back)

    def _put_aside(self, moved: Moved) -> None:
        self._moved = moved
        gone = {str(source) for source, _ in moved.moves}
        unreadable = self.value.unreadable
        stays = unreadable[~unreadable.item.isin(gone)].reset_index(drop=True)
        self.set_trait("value", replace(self.value, unreadable=stays))
        where = aside_folder(self.value.root).name
        self._tell(f"{counted(len(moved.moves), 'file')} moved to the folder “{where}” beside this one.", moved)
        self._draw()

    def _put_back(self, back: Moved) -> None:
        self._moved = None
        self._tell(f"{counted(len(back.moves), 'file')} put back.", back)
        self.check()

    def _tell(self, text: str, moved: Moved) -> None:
        if moved.problems:
            name, why = moved.problems[0]
            text += f" {counted(len(moved.problems), 'file')} stayed, {name} first: {why}"
        self.moving.say(text, bad=bool(moved.problems))


@dataclass(frozen=True)
class _Part:
    """Some of the images: what they have in common, how many, and the table of them."""

    name: str
    count: int
    table: Callable[[], pd.DataFrame]


def _parts(report: ImageReport) -> list[_Part]:
    sets = [
        ("Two labels", report.contradictions),
        ("Exact copies", report.exact_duplicates),
        ("Near copies", report.near_duplicates),
    ]
    parts = [_Part(name, len(some), lambda some=some: _side_by_side(report, some)) for name, some in sets if some]
    if count := len(report.remarkable):
        parts.append(_Part("Stand out", count, lambda: report.remarkable.assign(note=report.remarkable.remark)))
    return parts


def _side_by_side(report: ImageReport, sets: list[list[str]]) -> pd.DataFrame:
    """The images of each set one after the other, and which belong together."""
    rows = [(item, f"set {place} of {len(sets)}") for place, items in enumerate(sets, 1) for item in items]
    table = pd.DataFrame(rows, columns=["item", "note"], dtype=object)
    label = dict(zip(report.items.item, report.items.label, strict=True))
    return table.assign(label=[label[item] for item in table.item])


def _tables(report: ImageReport) -> list[Table]:
    counts = [(label, int(count), percent(count / len(report.items))) for label, count in report.counts.items()]
    broken = [
        (_name(report, item), reason) for item, reason in report.unreadable[["item", "reason"]].itertuples(index=False)
    ]
    return [
        Table(f"Labels ({len(counts):,})", ["label", "photos", "share"], counts, folded=len(counts) > 12, bar=1),
        Table(f"Cannot be opened ({len(broken):,})", ["file", "why"], broken, folded=len(broken) > 12),
    ]


def _name(report: ImageReport, item: str) -> str:
    """What a page may know of where it lies."""
    path = Path(item)
    return str(path.relative_to(report.root)) if report.root is not None else path.name


def _set_aside(root: Path) -> int:
    return sum(path.is_file() for path in aside_folder(root).rglob("*"))
