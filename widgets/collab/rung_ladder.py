"""The ladder: rungs trained one after the other, and measured beside each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ...models.collab.ratings import Ratings
from ...models.collab.rungs import RUNGS
from ...models.loading import load_fastai
from ...models.progress import Progress
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
    end of its best epoch, or where a full disk left it; `best` is the title of the one with the lowest error. Runs
    are kept below `folder`; None: until this is closed. `close()` stops the training. Raises TypeError for what are
    no Ratings. Needs torch.
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
        """Whether ratings are being split, or rungs trained or measured."""
        return self._busy or self.job.busy

    def start(self) -> bool:
        """Train the chosen rungs; False, with the reason on the page, where that cannot be.

        The ratings are split first, in the background: where that leaves nothing, the page says so.
        """
        if self.active:
            return False
        try:
            settings, split = self.form.settings(), self.form.splitter()
        except ValueError as error:
            self._say(str(error))
            return False
        self._say()
        self.form.lock(True)
        begin = partial(self._begin, settings)
        return self.job.run(lambda progress: _made_ready(split, progress), then=begin, ended=self._rest)

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

    def _begin(self, settings: list[CollabSettings], split: Split) -> None:
        self._busy, self.runs, self.run = True, {}, None
        self.set_trait("value", None)
        self.figures.show_table(None, {})
        if self._given is None:  # whoever climbs again and again fills no disk
            for run in self._folder.iterdir():
                shutil.rmtree(run)
        start(self._climb(split, settings))

    async def _climb(self, split: Split, settings: list[CollabSettings]) -> None:
        from ...models.collab.run import CollabRun

        try:
            for place, one in enumerate(settings, 1):
                name = RUNGS[one.rung].title
                self.run = CollabRun(split, one, folder=self._folder)
                self.run.start()
                await self._follow(f"Rung {place} of {len(settings)}: {name}", {**self.runs, name: self.run})
                if self.run.best is not None:
                    await self._back_to_the_best()
                    self.runs[name] = self.run
                if self.run.state != "finished" or self._closed:
                    break
        finally:  # whatever happened to one rung: the others are measured, and there can be another try
            self._busy = False
            self._end(split)

    async def _follow(self, said: str, runs: dict[str, CollabRun]) -> None:
        while self.run.state in ACTIVE:
            self._show(said, runs)
            await asyncio.sleep(PACE)
        await asyncio.to_thread(self.run.wait)
        self._show(said, runs)

    async def _back_to_the_best(self) -> None:
        if self.run.at_epoch == self.run.best:
            return
        with suppress(RuntimeError, ValueError, OSError):  # the disk was full: it stays as it is, see `_told`
            await asyncio.to_thread(self.run.load_best)

    def _end(self, split: Split) -> None:
        if self._closed:
            return self._forget()
        runs = dict(self.runs)
        if self.run is not None:
            self._show(_told(runs), runs)
        if not runs:
            return self._rest()
        self.job.run(lambda progress: _measure(runs, split, progress), then=self._measured, ended=self._rest)

    def _show(self, said: str, runs: dict[str, CollabRun]) -> None:
        if self._closed:
            return
        self.view.show(self.run)
        self._say()
        self.figures.show_curves(runs, said=said)

    def _say(self, note: str = "") -> None:
        run = self.run
        self.view.say(note=note, taken=None if run is None or run.at_epoch == len(run.history) else run.at_epoch)

    def _measured(self, figures: pd.DataFrame) -> None:
        self.figures.show_table(figures, self.runs)
        self.set_trait("value", figures)

    def _rest(self) -> None:
        if not self._closed and not self.active:
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


def _made_ready(split: Callable[[], Split], progress: Progress) -> Split:
    """The ratings, split, and all loaded that a training needs: both may take seconds."""
    progress.report(0, None, "Loading fastai and PyTorch")
    load_fastai()
    progress.report(0, None, "Splitting the ratings")
    parts = split()
    progress.report(1, 1)
    return parts


def _told(runs: dict[str, CollabRun]) -> str:
    """What there is to say of these before they are measured."""
    if not runs:
        return "No epoch was finished: there is nothing to measure."
    return " ".join(
        f"{name}: its best epoch, {run.best}, could not be kept, and it is measured as it was "
        f"{f'at the end of epoch {run.at_epoch}' if run.at_epoch else 'when its training ended'}."
        for name, run in runs.items()
        if run.at_epoch != run.best
    )


def _measure(runs: dict[str, CollabRun], split: Split, progress: Progress) -> pd.DataFrame:
    from ...models.collab.evaluate import evaluate

    return evaluate({name: run.predictor for name, run in runs.items()}, split, users=ASKED, progress=progress)
