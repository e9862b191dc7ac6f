"""The first steps: photos, and a look at them before anything learns from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...models.cleaning.apply import refusal
from ...models.data.report import ImageReport
from ...models.loading import load_fastai
from ...models.progress import Progress
from ...models.projects import Project
from ..composite import discard
from ..data.batch_grid import BatchGrid
from ..data.data_check import DataCheck
from ..data.image_source import ImageSource
from ..data.label_rule import LabelRule
from ..data.split_chooser import SplitChooser
from ..form import Field, Form
from ..job import Job
from .earlier_projects import EarlierProjects
from .step import Step

SIZES = (64, 96, 128, 160, 224, 320)  # pixels that networks for photos are trained with
LARGEST_BY_ITSELF = 160  # quick enough on a CPU
KINDS = {  # how training may vary a picture
    "photos": "Photos: crops, mirror images, other light, parts hidden",
    "signs": "Digits, letters, drawings: only a little turned",
}
VARIED = {  # what is seen of that
    "photos": "Training varies the photos on purpose: other crops, mirror images, other light, and rectangles of grey "
    "noise that hide parts of some, so that the network learns to look at more than one detail. Your files stay as "
    "they are.",
    "signs": "Training turns, warps and relights the pictures a little on purpose. Your files stay as they are.",
}
SMALL = 48  # pixels: what is smaller is rarely a photo
COLUMNS = ["item", "label", "split"]
TEXT = {"label": str, "split": str}  # whatever they are elsewhere
PATIENCE = 15.0  # seconds until the kernel of a page that was closed has let go of its project


@dataclass(frozen=True)
class Data:
    """The photos with their labels and split, the size (pixels) of what a network sees, how training varies them."""

    items: pd.DataFrame
    size: int
    augment: str = "photos"

    def same_as(self, other: Data) -> bool:
        return (self.size, self.augment) == (other.size, other.augment) and self.items.equals(other.items)

    def __str__(self) -> str:
        counts = self.items["split"].value_counts()
        return (
            f"{len(self.items):,} photos of {self.items['label'].nunique()} labels: {counts.get('train', 0):,} to "
            f"learn from, {counts.get('valid', 0):,} to be tested on."
        )


class PhotosStep(Step):
    """Get photos, or go on with an earlier project."""

    name, title = "photos", "Photos"
    wanted = "Bring photos in a folder for each label, or take the built-in digits."

    def build(self) -> None:
        workspace = self.studio.workspace
        self.earlier = EarlierProjects(
            workspace,
            open_here=lambda: self.studio.project,
            go_on=self._go_on,
            run=self.job.run,
            say=self.job.say,
            may_delete=not refusal(self.studio.may_change(workspace)),
        )
        self.source = ImageSource(into=workspace / "photos")
        self.source.observe(self._fetched, "value")
        self.show(self.earlier, self.source)

    def seen(self) -> None:
        # A server keeps kernels waiting for their visitors: what was begun since this one started is earlier too.
        if self.studio.project is None:
            self.earlier.list()

    def said(self, value: Path) -> str:
        name, train = self.studio.project.name, self.studio.steps["train"]
        if train.broken_off is None or train.value is not None:
            return name
        return f"{name}. A training of it ended early, after {train.broken_off.epochs}: see “{train.title}”."

    def _fetched(self, change) -> None:
        if change["new"] is None:  # others are being fetched: until they are here, these stay
            return
        folder = Path(change["new"])
        project = Project.new(self.studio.workspace / "projects", folder.name)
        project.save(photos=str(folder))
        self.studio.take(project)
        self.finish(folder)

    def _go_on(self, chosen: Project) -> None:
        if self.studio.project is not None and chosen.folder == self.studio.project.folder:
            return self.job.say(f"{chosen.name!r} is open here already.")

        def work(progress: Progress) -> Project:
            project = Project.open(chosen.folder, patience=PATIENCE, progress=progress)
            if not project.photos.is_dir():
                project.close()
                raise ValueError(f"The photos of {project.name!r} are not there any more.")
            return project

        def done(project: Project) -> None:
            self.studio.take(project)
            self.finish(project.photos)
            self.studio.restore(project)

        self.job.run(work, then=done)


class CheckStep(Step):
    """What is wrong with the photos; their labels; which of them to learn from, and which to be tested on."""

    name, title, needs = "check", "Look, label, split", ("photos",)
    wanted = "Check the photos; they need at least two labels, and a split."
    why_stale = "There are other photos now."
    again = "Check the new photos"

    renews_itself = True

    def build(self) -> None:
        if self.value is not None:
            return self.keep()
        folder = self.result("photos")
        self._report: ImageReport | None = None
        self.check = DataCheck(folder, allowed=self.studio.may_change(folder))
        self.rule = LabelRule()
        self.split = SplitChooser()
        self.size = Form(label="How large a network sees them", changed=lambda name: self._update())
        self.look = Form(label="What a network is fed", pressed=lambda name: self._look())
        self.varied = Job()  # what training does to the pictures of the grid below
        self.grid: BatchGrid | None = None
        self.check.observe(self._checked, "value")
        self.rule.observe(self._labelled, "value")
        self.split.observe(lambda change: self._update(), "value")
        self.look.show([Field("look", "Look at a batch, as the network is fed", "button")])
        self.show(self.check)

    def keep(self) -> None:
        """Stay with the labels and the split that there are: of an earlier visit, or as cleaning has left them."""
        self.clear()
        self.anew = Form(label="Labels and split", pressed=lambda name: self.begin())
        hint = "The labels and the split are kept. To change them, everything is looked at again."
        self.anew.show([Field("anew", "Check, label and split again", "button", hint=hint, primary=False)])
        self.show(self.anew)

    def said(self, value: Data) -> str:
        return str(value)

    def _checked(self, change) -> None:
        self._report = report = change["new"]
        if report is None or not len(report.items):
            self.show(self.check)
            return self.finish(None)
        typical = float(np.median(np.minimum(report.items["width"], report.items["height"])))
        default = max(size for size in SIZES if size <= max(SIZES[0], min(typical, LARGEST_BY_ITSELF)))
        sizes = [f"{size} pixels" for size in SIZES]
        hint = "Larger shows more and takes longer: twice the side, four times the work."
        kind = list(KINDS).index("signs" if typical < SMALL else "photos")
        self.size.show(
            [
                Field("size", "Image size", "select", SIZES.index(default), sizes, hint=hint),
                Field("augment", "What is in them", "select", kind, list(KINDS.values())),
            ]
        )
        self.rule.show(report.items["item"].tolist(), root=report.root)
        self._lay_out()

    def _labelled(self, change) -> None:
        items = change["new"]
        if items is None:
            self.split.show(None)
        else:
            copies = dict(zip(self._report.items["item"], self._report.items["copies"], strict=True))
            self.split.show(items, copies=[copies[item] for item in items["item"]])

    def _update(self) -> None:
        split = self.split.value
        if split is None or split["label"].nunique() < 2:
            return self.finish(None)
        data = Data(split[COLUMNS].astype(TEXT), SIZES[self.size["size"]], list(KINDS)[self.size["augment"]])
        if self.value is not None and self.value.same_as(data):
            return
        self.finish(data)
        self.studio.project.save_items(data.items)
        self.studio.project.save(size=data.size, augment=data.augment)
        if self.grid is not None:
            discard(self.grid)
            self.grid = None
            self._lay_out()

    def _lay_out(self) -> None:
        batch, button = [self.varied, self.grid], [self.look] if self.studio.can_train else []
        last = batch if self.grid is not None else button
        self.show(self.check, self.rule, self.split, self.size, *last)

    def _look(self) -> None:
        data, folder = self.value, self.result("photos")
        if data is None:
            return self.job.say(self.wanted, bad=True)

        def done(dls: Any) -> None:
            if data is self.value:
                self.grid = BatchGrid(dls)
                self.varied.say(VARIED[data.augment])
                self._lay_out()

        self.job.run(lambda progress: loaders(data, folder, progress), then=done)


def loaders(data: Data, folder: Path, progress):
    """fastai's DataLoaders; the first call loads fastai and PyTorch, which takes a while."""
    progress.report(0, None, "Loading fastai and PyTorch")
    load_fastai()
    from ...models.data.loaders import dataloaders

    progress.report(0, None, "Opening the photos")
    return dataloaders(data.items, size=data.size, augment=data.augment, path=folder)
