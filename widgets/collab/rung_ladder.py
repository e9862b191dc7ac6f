"""The ladder: rungs trained one after the other, and measured beside each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ...models.collab.ratings import Ratings
from ...models.collab.rungs import RUNGS
from ..background import start
from ..composite import Composite
from ..job import Job
from ..training.run_view import ACTIVE, RunView
from .ladder_form import LadderForm
from .rung_figures import RungFigures

if TYPE_CHECKING:
    import pandas as pd

    from ...models.collab.run import CollabRun
    from ...models.collab.settings import CollabSettings
    from ...models.collab.splits import Split

PACE = 0.25  # seconds between two updates of a page
ASKED = 2000  # users that rankings are measured for, at most


class RungLadder(Composite):
    """Train rungs of the ladder one after the other, watch their curves in one chart, and see them measured.

    >>> ladder = RungLadder(ratings)
    >>> ladder.observe(lambda change: print(change.new), "value")
    >>> ladder.runs["+ biases"].history

    A split, the rungs and their settings are chosen on the page; Pause, Stop and a progress line steer the training.
    `value` is the DataFrame of `evaluate` once all are trained, or what was trained before a stop: a row for each
    rung by its title, and for the baselines; None before. `runs` are the `CollabRun`s by title, each as it was at the
    end of its best epoch; `best` is the title of the one with the lowest error. Runs are kept below `folder`; None:
    until this is closed. `close()` stops the training. Raises TypeError for what are no Ratings. Needs torch.
    """

    value = traitlets.Any(None, allow_none=True, read_only=True, help="figures of the rungs and baselines, or None")

    def __init__(self, ratings: Ratings, *, folder: str | os.PathLike | None = None):
        if not isinstance(ratings, Ratings):
            raise TypeError(f"The ladder is climbed with Ratings, not {type(ratings).__name__}")
        self.ratings = ratings
        self.runs: dict[str, CollabRun] = {}
        self.run: CollabRun | None = None
        self._given = None if folder is None else Path(folder)
        self._folder = self._given or Path(tempfile.mkdtemp(prefix="ipyfastai-ladder-"))
        self._busy = self._closed = False
        self.form = LadderForm(ratings)
        self.view = RunView(acted=self._act, curves=False)
        self.job, self.figures = Job(), RungFigures()
        super().__init__([self.form, self.view, self.job, self.figures])

    @property
    def best(self) -> str | None:
        """The title of the rung with the lowest error."""
        return None if self.value is None else self.value.loc[list(self.runs), "mse"].idxmin()

    @property
    def active(self) -> bool:
        """Whether rungs are being trained or measured."""
        return self._busy or self.job.busy

    def start(self) -> bool:
        """Train the chosen rungs; False, with the reason on the page, where that cannot be."""
        if self.active:
            return False
        try:
            settings, split = self.form.settings(), self.form.split()
        except ValueError as error:
            self.view.say(note=str(error))
            return False
        self._busy, self.runs, self.run = True, {}, None
        self.set_trait("value", None)
        self.figures.show_table(None, {})
        if self._given is None:  # whoever climbs again and again fills no disk
            for run in self._folder.iterdir():
                shutil.rmtree(run)
        self.form.lock(True)
        start(self._climb(split, settings))
        return True

    def pause(self) -> bool:
        return self.run is not None and self.run.pause()

    def resume(self) -> bool:
        return self.run is not None and self.run.resume()

    def stop(self) -> bool:
        """End after the batch that is being trained; rungs that have an epoch are measured."""
        return self.run is not None and self.run.stop()

    def close(self) -> None:
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        self._closed = True
        self.stop()
        self.job.cancel()
        super().close()
        if not self._busy:
            self._forget()

    def _forget(self) -> None:
        if self._given is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _climb(self, split: Split, settings: list[CollabSettings]) -> None:
        from ...models.collab.run import CollabRun

        trained: dict[str, CollabRun] = {}
        try:
            for place, one in enumerate(settings, 1):
                name = RUNGS[one.rung].title
                self.run = trained[name] = CollabRun(split, one, folder=self._folder)
                self.run.start()
                await self._follow(trained, f"Rung {place} of {len(settings)}: {name}")
                if not await self._at_its_best():
                    trained.pop(name)
                if self.run.state != "finished" or self._closed:
                    break
        finally:
            self._busy = False
            if self._closed:
                self._forget()
        if self._closed:
            return
        self.runs = trained
        self._show("" if trained else "No epoch was finished and kept: there is nothing to measure.", trained)
        if not trained:
            return self.form.lock(False)
        self.job.run(lambda progress: _measure(trained, split, progress), then=self._measured, ended=self._rest)

    async def _at_its_best(self) -> bool:
        """Whether what was trained is as it was at the end of its best epoch."""
        best, done = self.run.best, len(self.run.history)
        if best is None or (best == done and self.run.state == "finished"):  # else stopped within an epoch, perhaps
            return best is not None
        try:
            await asyncio.to_thread(self.run.load_best)
        except (RuntimeError, ValueError, OSError):  # the disk was full, or somebody deletes there: the run says so
            return False
        return True

    async def _follow(self, trained: dict[str, CollabRun], said: str) -> None:
        while self.run.state in ACTIVE:
            self._show(said, trained)
            await asyncio.sleep(PACE)
        await asyncio.to_thread(self.run.wait)
        self._show(said, trained)

    def _show(self, said: str, trained: dict[str, CollabRun]) -> None:
        if self._closed:
            return
        self.view.show(self.run)
        best = self.run.best  # each rung goes back to it by itself
        self.view.say(taken=best if best != len(self.run.history) else None)
        self.figures.show_curves(trained, said=said)

    def _measured(self, figures: pd.DataFrame) -> None:
        self.figures.show_table(figures, self.runs)
        self.set_trait("value", figures)

    def _rest(self) -> None:
        if not self._closed:
            self.form.lock(False)

    def _act(self, action: str, value: Any) -> None:
        """What a page asks for: each does nothing where it makes no sense now."""
        if action in ("start", "pause", "resume", "stop"):
            getattr(self, action)()
        elif action == "try" and not self.active and self.run is not None and self.run.problem:
            for name, setting in self.run.problem["settings"].items():
                self.form[name] = setting
            self.form.lock(False)
            self.start()


def _measure(runs: dict[str, CollabRun], split: Split, progress) -> pd.DataFrame:
    from ...models.collab.evaluate import evaluate

    return evaluate({name: run.predictor for name, run in runs.items()}, split, users=ASKED, progress=progress)
