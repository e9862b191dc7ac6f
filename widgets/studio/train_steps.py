"""The steps in the middle: a learning rate, and the training."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ...models.projects import Project
from ...models.training.settings import ARCHITECTURES, TrainingSettings
from ..background import start
from ..composite import discard
from ..form import Field, Form
from ..training.device_card import DeviceCard
from ..training.lr_finder import LRFinder
from ..training.networks import download_in_words, networks_in_words
from ..training.rates import rate_text
from ..training.runs_table import RunsTable
from ..training.trainer import Trainer
from .data_steps import Data, loaders
from .earlier_runs import EarlierRun, EarlierRuns, earlier_runs, last_figure
from .step import Step

USUAL = 2e-3  # what fastai's fine_tune begins with
SEED = 42
FIRST = "mobilenet_v2"  # small, quick on a CPU, and good


@dataclass(frozen=True)
class Start:
    """The network and the learning rate that a training begins with."""

    arch: str
    rate: float


class RateStep(Step):
    """Choose a network and find a learning rate for it, or take the usual one."""

    name, title, needs = "rate", "Learning rate", ("check",)
    needs_fastai = True
    wanted = "Find a learning rate and pick it, or take the usual one."
    why_stale = "It was found with other photos, labels or another split."
    again = "Find it again"

    def build(self) -> None:
        kept = self.studio.project.facts.get("arch")
        arch = kept if kept in ARCHITECTURES else FIRST
        self.arch = Form(label="The network", changed=lambda name: self._load())
        self._offer(ARCHITECTURES, arch)
        start(self._mark())
        self.finder: LRFinder | None = None
        self._load()

    def _offer(self, networks: Sequence[str], arch: str) -> None:
        hint = "The quicker ones first. Each begins with what it has learned from ImageNet."
        self.arch.show([Field("arch", "Network", "select", ARCHITECTURES.index(arch), networks, hint=hint)])

    async def _mark(self) -> None:
        """Say which networks have to be downloaded, once torchvision is loaded, which knows their sizes."""
        form = self.arch
        networks = await asyncio.to_thread(networks_in_words)
        if form is self.arch:
            self._offer(list(networks.values()), ARCHITECTURES[form["arch"]])

    def said(self, value: Start) -> str:
        return f"{rate_text(value.rate)} for {value.arch}."

    def ways(self) -> list[tuple[str, str, str]]:
        return [*super().ways(), ("usual", f"Take the usual one, {rate_text(USUAL)}", "")]

    def press(self, name: str) -> None:
        if name == "usual":
            self._pick(USUAL)
        super().press("next")

    def _load(self) -> None:
        """A learner with the chosen network, in the background."""
        data, folder, arch = self.result("check"), self.result("photos"), ARCHITECTURES[self.arch["arch"]]
        if self.finder is not None:
            discard(self.finder)
            self.finder = None
        if self.value is not None and self.value.arch != arch:
            self.finish(None)

        def work(progress):
            dls = loaders(data, folder, progress)
            from ...models.training.source import build

            progress.report(0, None, f"Loading {arch}. {download_in_words(arch)}".removesuffix(" "))
            return build(dls, TrainingSettings(arch=arch, seed=SEED))

        def done(learn: Any) -> None:
            start(self._mark())  # what was downloaded for this one is here now
            self.finder = LRFinder(learn)
            self.finder.observe(lambda change: self._pick(change["new"]), "value")
            self.show(self.arch, self.finder)

        self.prepare(work, done, self.arch)

    def _pick(self, rate: float | None) -> None:
        if rate is not None:
            arch = ARCHITECTURES[self.arch["arch"]]
            self.finish(Start(arch, rate))
            self.studio.project.save(arch=arch, rate=rate)


class TrainStep(Step):
    """Train, watch, compare with earlier runs."""

    name, title, needs = "train", "Train", ("check", "rate")
    needs_fastai = True
    wanted = "Press Train, and wait for the last epoch, or stop it after any: an epoch is one pass over all photos."
    why_stale = "What was trained here had other photos, labels or settings to begin with."
    again = "Train again with what there is now"
    broken_off: EarlierRun | None = None  # the newest run of an earlier visit, where it can be continued
    _settings: TrainingSettings | None = None  # those of the form before, where there was one

    def take(self, project: Project) -> None:
        """Say what this project has to continue, once its runs have been read."""
        self._note([])
        if self.studio.can_train and project.runs.is_dir():
            start(self._look_back(project))

    async def _look_back(self, project: Project) -> None:
        earlier = await asyncio.to_thread(earlier_runs, project.runs)
        if project is self.studio.project and not self.content:
            self._note(earlier)
            self.studio.refresh()

    def _note(self, earlier: list[EarlierRun]) -> None:
        run = earlier[0] if earlier and earlier[0].goes_on else None
        self.broken_off, self.wanted = run, TrainStep.wanted
        if run is not None:
            self.wanted = f"A training ended early, after {run.epochs}: continue it, or use its network as it is."

    def build(self) -> None:
        data, folder, begin = self.result("check"), self.result("photos"), self.result("rate")
        runs = self.studio.project.runs

        def work(progress) -> tuple[Any, list[EarlierRun]]:
            return loaders(data, folder, progress), earlier_runs(runs)

        def done(result: tuple[Any, list[EarlierRun]]) -> None:
            dls, earlier = result
            self._note(earlier)
            settings = replace(self._settings or usual(data), arch=begin.arch, learning_rate=begin.rate)
            self.trainer = Trainer(dls, folder=runs, settings=settings, offer=False)
            self.earlier = EarlierRuns(earlier, go_on=self.trainer.go_on, use=partial(self._load, dls))
            self.runs = RunsTable(runs)
            self.trainer.observe(self._trained, ["value", "ended"])
            self.show(self.earlier, self.trainer, self.runs, DeviceCard())

        self.prepare(work, done)

    def _load(self, dls: Any, name: str) -> None:
        def work(progress):
            from ...models.training.trained import load_trained

            progress.report(0, None, "Loading what was trained")
            return load_trained(self.studio.project.runs / name, dls)

        if not self.trainer.active:
            self.job.run(work, then=self._take)

    def _trained(self, change) -> None:
        if change["owner"] not in self.content:  # one that was closed, and so stopped
            return
        if change["name"] == "value" and change["new"] is not None:
            self._take(change["new"])
        elif change["name"] == "ended":
            self._list()

    def _take(self, run: Any) -> None:
        """Go on with this trained run."""
        self.finish(run)
        self._list()

    def _list(self) -> None:
        """Offer what lies on disk now, but for the run that is taken already and has nothing left to do."""
        self.runs.refresh()
        start(self._offer_others(self.earlier, self.studio.project.runs))

    async def _offer_others(self, form: EarlierRuns, folder: Path) -> None:
        found = await asyncio.to_thread(earlier_runs, folder)
        if form is self.earlier and not self.trainer.active:
            taken = getattr(self.value, "name", None)
            form.offer([run for run in found if run.goes_on or run.name != taken])

    def renew(self) -> None:
        if hasattr(self, "trainer"):  # what was chosen there stays
            self._settings = self.trainer.form.settings
        super().renew()

    def said(self, value: Any) -> str:
        return f"{len(value.history)} epochs of {value.settings.arch}: {last_figure(value)}."


def usual(data: Data) -> TrainingSettings:
    """fine_tune's; what ImageNet has taught the first layers helps little with digits, so there they learn as fast."""
    return TrainingSettings(seed=SEED, discriminative=data.augment == "photos")
