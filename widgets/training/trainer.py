"""Training, from the settings to the finished run."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ...models.training.settings import TrainingSettings
from ..background import start
from ..composite import Composite
from ..job import Job
from .before_training import Choices, cost_in_words, unfinished
from .rates import Rate
from .run_view import ACTIVE, RunView
from .settings_form import SettingsForm

if TYPE_CHECKING:
    from ...models.training.source import Source

PACE = 0.25  # seconds between two updates of a page
MEASURE = "Measure what it will cost"


class Trainer(Composite):
    """Choose how to train, see what it will cost, train, and watch: pause, stop, go on.

    >>> trainer = Trainer(learn, folder="runs")
    >>> dlink((finder, "value"), (trainer, "learning_rate"))

    `source` is a fastai Learner, DataLoaders (the network can be chosen then), or a function that takes
    `TrainingSettings` and gives a Learner. Runs are kept below `folder`, those that were interrupted are offered
    to go on with (unless `offer` is False: something else does); None keeps them in a temporary folder until the
    kernel ends. `settings` fill the form.

    `value` is the last `TrainingRun` that finished, or was stopped after an epoch: its `learner` is trained. It is
    set anew when the weights of another epoch are taken.
    `run` is the one that trains now, or else the last one; `ended` the last that has ended, however it did.
    `learning_rate` is that of the form, to link.
    A training goes on for as long as its kernel lives: in a notebook also when the page is closed; under Voila the
    kernel ends with its page, and the run can be gone on with from its folder. A page in which a training goes on
    asks before it is left. `close()` stops the training.
    Raises TypeError for a source that no learner can be had of.
    """

    value = traitlets.Any(read_only=True, help="the last run that was finished")
    run = traitlets.Any(read_only=True, help="the run that is shown")
    ended = traitlets.Any(read_only=True, help="the last run that is over, finished or not")
    learning_rate = Rate("the learning rate of the form")

    def __init__(
        self,
        source: Source,
        *,
        folder: str | os.PathLike | None = None,
        settings: TrainingSettings | None = None,
        offer: bool = True,
    ):
        from ...models.training.registry import running
        from ...models.training.source import check_source

        check_source(source)
        self._source = source
        self._folder = Path(folder) if folder is not None else _temporary_folder()
        self._given: Any = None  # weights and generators that a Learner came with, once it has been trained here
        self._fresh = True  # whether the next training begins with these
        self._offer = offer
        self._offered: dict[str, str] = {}  # names of earlier runs to go on with, and what to say of them
        self._note = ""
        self._taken: int | None = None  # the epoch whose weights were taken instead of the last
        choices = Choices(source, settings)
        self.form = SettingsForm(
            choices.settings, changed=self._changed, without=choices.without, unavailable=choices.unavailable
        )
        self.cost = Job(button=MEASURE, pressed=self._measure, primary=False)
        self.view = RunView(acted=self._act)
        super().__init__([self.form, self.cost, self.view])
        self.learning_rate = self.form.settings.learning_rate
        self.observe(self._link, "learning_rate")
        going_on = running(self._folder, TrainingSettings) if folder is not None else []
        if going_on:
            self._watch(going_on[0])
        else:
            self._find_earlier()
            self._show()

    @property
    def active(self) -> bool:
        """Whether a training is going on, paused or not."""
        return self.run is not None and self.run.state in ACTIVE

    def start(self) -> bool:
        """Begin a training with the settings of the form; False, with the reason on the page, where it cannot."""
        from ...models.training.run import TrainingRun

        if self.active or self._refused():
            return False
        return self._begin(TrainingRun(self._source, self.form.settings, folder=self._folder), self._prepare_weights)

    def pause(self) -> bool:
        return self._steer("pause")

    def resume(self) -> bool:
        return self._steer("resume")

    def stop(self) -> bool:
        """End after the batch that is being trained; what was learned stays."""
        return self._steer("stop")

    def take_best(self) -> None:
        """Give the learner of the run that has ended the weights of its best epoch; `value` is set anew."""
        if self.run is not None and not self.active:
            start(self._take_best(self.run))

    def close(self) -> None:
        if self.active:
            self.run.stop()
        super().close()
        self._source = self._given = None

    def _steer(self, what: str) -> bool:
        done = self.run is not None and getattr(self.run, what)()
        self._show()
        return done

    # Before a training.

    def _refused(self) -> bool:
        """Whether there is something to put right first; the page says what."""
        self._note = ""
        if self.cost.busy:
            self._note = "The cost is still being measured: wait for that, or cancel it."
        elif self.form.errors:
            self._note = f"First put this right: {next(iter(self.form.errors.values()))}"
        self._show()
        return bool(self._note)

    def _prepare_weights(self) -> None:
        """Keep the weights that a Learner came with, or put them back; RuntimeError if somebody is at it."""
        from fastai.learner import Learner

        from ...models.data.randomness import RandomState
        from ...models.training.registry import borrowed
        from ...models.training.state import ModelState

        learn = self._source
        if not isinstance(learn, Learner):
            return
        with borrowed(learn):
            if self._given is None:
                self._given = ModelState.capture(learn.model), RandomState.capture(learn.dls)
            elif self._fresh:
                model, generators = self._given
                model.restore(learn.model)
                if self.form.settings.seed is not None:  # the same run again, so the same order of photos too
                    generators.restore(learn.dls)

    def _begin(self, run, prepare: Callable[[], None] = lambda: None) -> bool:
        try:
            prepare()
            run.start()
        except (RuntimeError, ValueError) as error:
            self._note = str(error)
            self._show()
            return False
        self._watch(run)
        return True

    def go_on(self, name: str) -> bool:
        """Continue the run of that name, by the settings that it was begun with; False, with the reason on the page,
        where it cannot. The name is not checked: it must not come from a page."""
        from ...models.training.run import TrainingRun

        if self.active:
            return False
        try:
            run = TrainingRun.from_folder(self._folder / name, self._source)
        except (ValueError, OSError) as error:
            self._note = str(error) if isinstance(error, ValueError) else f"Its files cannot be read: {error.strerror}."
            self._show()
            return False
        self.form.set(**run.settings.to_dict())
        return self._begin(run)

    def _measure(self) -> None:
        if not self.active and not self._refused():
            self.cost.run(self._estimate, then=lambda estimate: self.cost.say(cost_in_words(estimate)))

    def _estimate(self, progress):
        from fastai.learner import Learner

        from ...models.training.estimate import estimate
        from ...models.training.source import build

        source, settings = self._source, self.form.settings
        learn = source if isinstance(source, Learner) else build(source, settings)
        return estimate(learn, settings, progress=progress)

    def _changed(self) -> None:
        self.learning_rate = self.form.settings.learning_rate
        self._note = ""
        if not self.cost.busy:
            self.cost.say("")
        self._show()

    def _link(self, change) -> None:
        if change.new is not None and change.new != self.form.settings.learning_rate:
            self.form.set(learning_rate=change.new)

    # While it trains, and afterwards.

    def _watch(self, run) -> None:
        self._note, self._taken = "", None
        self.set_trait("run", run)
        self._show()
        self.form.lock(True)
        self.cost.button = ""
        start(self._follow(run))

    async def _follow(self, run) -> None:
        while run.state in ACTIVE:
            self._show()
            await asyncio.sleep(PACE)
        await asyncio.to_thread(run.wait)
        self.form.lock(False)
        self.cost.button = MEASURE
        if run.state == "finished" or (run.state == "stopped" and len(run.history)):
            self.set_trait("value", run)
        self.set_trait("ended", run)
        self._find_earlier()
        self._show()

    async def _take_best(self, run) -> None:
        try:
            taken = await asyncio.to_thread(run.load_best)
        except (RuntimeError, ValueError) as error:
            self._note = str(error)
        except OSError as error:
            self._note = f"The best epoch cannot be read: {error.strerror}."
        else:
            self._note, self._taken = "", taken
            self.set_trait("value", None)
            self.set_trait("value", run)
        self._show()

    def _find_earlier(self) -> None:
        if self._offer:
            start(self._offer_earlier())

    async def _offer_earlier(self) -> None:
        self._offered = await asyncio.to_thread(unfinished, self._folder)
        self._show()

    def _show(self) -> None:
        if self.run is not None:
            self.view.show(self.run)
        self.view.say(
            note=self._note,
            fresh=self._fresh if self._given is not None else None,
            resumable=[{"name": name, "text": text} for name, text in self._offered.items()],
            taken=self._taken,
        )

    def _act(self, action: str, value: Any) -> None:
        """What a page asks for: each does nothing where it makes no sense now."""
        if action in ("start", "pause", "resume", "stop"):
            getattr(self, action)()
        elif action == "fresh" and isinstance(value, bool):
            self._fresh = value
            self._show()
        elif action == "best":
            self.take_best()
        elif action == "again" and isinstance(value, str) and value in self._offered:
            self.go_on(value)
        elif action == "try" and not self.active and self.run is not None and self.run.problem:
            self._fresh = True
            self.form.set(**self.run.problem["settings"])
            self.start()


@cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ipyfastai-runs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
