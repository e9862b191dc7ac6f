"""From photos to a published classifier, step by step."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ipywidgets import VBox
from traitlets import Any

from ...models.projects import Project
from ...models.training.settings import ARCHITECTURES
from ..composite import discard
from ..job import Job
from .clean_step import CleanStep
from .confuse_step import ConfuseStep
from .data_steps import KINDS, SIZES, CheckStep, Data, PhotosStep
from .flow import DONE, LOCKED, READY, STALE, Flow, Stage
from .publish_step import PublishStep
from .step import Step
from .train_steps import RateStep, Start, TrainStep

STEPS = (PhotosStep, CheckStep, RateStep, TrainStep, ConfuseStep, CleanStep, PublishStep)
WORKSPACE = "IPYFASTAI_WORKSPACE"
NO_FASTAI = (
    "Training needs fastai and PyTorch, which are not installed where this notebook runs. "
    "Install them with: pip install 'ipyfastai[train]'"
)


class TrainingStudio(VBox):
    """Photos, a look at them, learning rate, training, confusions, cleaning, publishing: one step after the other.

    >>> TrainingStudio()
    >>> TrainingStudio("projects")

    Each step is unlocked by the one before. Going back loses nothing: when an earlier step comes to something
    else, what was made of it is marked as out of date until somebody does it again. Projects (photos, labels,
    runs, bundles) are kept below `workspace`, by default IPYFASTAI_WORKSPACE, and can be gone on with on the next
    visit; without either they lie in a temporary folder that goes with the kernel.

    `value` is the Path of the published bundle, None before.
    """

    value = Any(None, allow_none=True, read_only=True, help="the Path of the published bundle")

    def __init__(self, workspace: str | os.PathLike | None = None):
        self._temporary: tempfile.TemporaryDirectory | None = None
        self.workspace = self._place(workspace)
        self.project: Project | None = None
        self.flow = Flow((Stage(step.name, step.title, step.needs) for step in STEPS), changed=self.refresh)
        self.can_train = find_spec("fastai") is not None and find_spec("torch") is not None
        self.notice = Job()
        self._open: str | None = None
        self.steps: dict[str, Step] = {}
        self.steps = {step.name: step(self) for step in STEPS}
        super().__init__([self.notice, *(part for step in self.steps.values() for part in (step.head, step.body))])
        self.add_class("ipyfastai-training-studio")
        if not self.can_train:
            self.notice.say(NO_FASTAI, bad=True)
        self.go_to(STEPS[0].name, go=False)

    def go_to(self, name: str, *, go: bool = True) -> None:
        """Open a step, unless it is locked; it is begun when it is opened for the first time."""
        step = self.steps[name]
        if self.why_locked(name):
            return
        self._open = name
        stale = self.flow.state(name) == STALE and self.flow.missing(name) is None
        if step.stage.made is None:
            step.begin()
        elif stale and step.renews_itself:
            step.renew()
        elif not step.content and not step.job.busy:
            step.build()
        self.refresh()
        if go:
            step.head.go()

    def toggle(self, name: str) -> None:
        if name == self._open:
            self._open = None
            self.refresh()
        else:
            self.go_to(name, go=False)

    def renew(self, name: str) -> None:
        """Do a step again, with what the steps before it have come to since."""
        if self.flow.missing(name) is None and not self.why_locked(name):
            self.steps[name].renew()
            self.go_to(name)

    def why_locked(self, name: str) -> str:
        """What has to come first, in a sentence; "" for a step that can be opened."""
        if self.steps[name].needs_fastai and not self.can_train:
            return "Needs fastai and PyTorch."
        if self.flow.state(name) != LOCKED:
            return ""
        first = self.flow.missing(name)
        return f"First: {self._number(first.name)}. {first.title}."

    def take(self, project: Project) -> None:
        """Work on this project from now on."""
        if self.project is not None:
            self.project.close()
        self.project = project
        self.steps["train"].take(project)

    def may_change(self, folder: Path) -> bool | None:
        """Whether these photos may be moved and put aside: a visit's own ones, else (None) the server decides."""
        own = self._temporary is not None and folder.is_relative_to(self._temporary.name)
        return True if own else None

    def restore(self, project: Project) -> None:
        """What an earlier visit had come to: labels and split, network and rate."""
        items, facts = project.load_items(), project.facts
        if items is None or facts.get("size") not in SIZES or facts.get("augment") not in KINDS:
            return
        self.flow.begin("check")
        self.flow.set("check", Data(items, facts["size"], facts["augment"]))
        if facts.get("arch") in ARCHITECTURES and isinstance(facts.get("rate"), float):
            self.flow.begin("rate")
            self.flow.set("rate", Start(facts["arch"], facts["rate"]))

    def close(self) -> None:
        """Stop what runs, and let go of everything; what was kept on disk stays."""
        for step in self.steps.values():
            step.close()
        discard(self.notice)
        if self.project is not None:
            self.project.close()
        if self._temporary is not None:
            self._temporary.cleanup()
        super().close()

    def _place(self, workspace: str | os.PathLike | None) -> Path:
        place = workspace or os.environ.get(WORKSPACE)
        if place:
            folder = Path(place).expanduser().absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return folder
        self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-studio-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    def _number(self, name: str) -> int:
        return list(self.steps).index(name) + 1

    def refresh(self) -> None:
        """What every headline and foot says follows from the flow."""
        for number, step in enumerate(self.steps.values(), 1):
            state, is_open = self.flow.state(step.name), step.name == self._open
            locked = self.why_locked(step.name)
            missing = self.flow.missing(step.name) if state == STALE else None
            stale = step.why_stale if state == STALE else ""
            if missing is not None:
                stale += f" First: {self._number(missing.name)}. {missing.title}."
            said = locked or (step.said(step.value) if state in (DONE, STALE) and step.value is not None else "")
            if stale and not is_open:  # an open one says so below its headline
                said = stale
            step.head.show(
                number=number,
                title=step.title,
                state=LOCKED if locked else state,
                said=said or (step.wanted if state == READY else ""),
                open=is_open,
                stale=stale,
                renew=step.again if stale and missing is None else "",
            )
            step.foot.show(step.ways() if step.content else [])
            step.body.layout.display = "" if is_open else "none"
        last = self.flow.stages[STEPS[-1].name]
        self.set_trait("value", last.value if self.flow.state(last.name) == DONE else None)
