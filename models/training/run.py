"""A training that runs beside the kernel, can be watched, stopped and resumed, and leaves plain files."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from fastai.learner import Learner

from . import faults
from .about import about
from .checkpoint import Checkpoint
from .fitting import fit, prepare
from .keeper import Keeper
from .metrics import baseline
from .recorded_run import RecordedRun
from .recording import Clock, LossRecord
from .registry import release, take
from .run_folder import RunFolder, StoredRun, unfinished
from .settings import TrainingSettings
from .source import Source, adapted, build, check_source
from .state import quiet
from .watcher import Watcher
from .workers import own_workers


class TrainingRun(RecordedRun):
    """One training of a learner, in a thread of its own: start, pause, stop, watch, resume.

    >>> run = TrainingRun(learn, TrainingSettings(epochs=4, seed=1), folder="runs")
    >>> run.start()
    >>> run.wait()
    >>> run.history[["epoch", "valid_loss", "error_rate"]]

    `source` is a fastai Learner, DataLoaders (a learner is built of them, see `source.build`), or a function
    settings -> Learner. It is trained by fastai's own methods: the same weights, bit for bit, as by
    `learn.fine_tune` with the same settings and seed. The run makes a folder of its own below `folder`.

    - `state`: "ready", "running", "paused", "stopping", "stopped", "finished" or "failed"
    - `history`: DataFrame, a row for each epoch: epoch (from 1), frozen, train_loss, valid_loss, metrics, seconds
    - `losses`: arrays for each batch trained: iteration, learning_rate, raw, smoothed
    - `progress`: dict of plain numbers, see there
    - `problem`: None, or kind, message, suggestion and settings worth a try
    - `advice`: sentences on what the figures mean; `baseline`: metric -> what always the same answer gives
    - `listeners`: functions called with the run when something has changed, a few times a second, in a thread
      that the training never waits for

    All of these may be read at any time from any thread. What the training has learned is in `learner`.
    """

    def __init__(self, source: Source, settings: TrainingSettings | None = None, *, folder: str | os.PathLike):
        check_source(source)
        super().__init__(settings or TrainingSettings(), folder=folder)
        self.source = source
        self.learner: Learner | None = source if isinstance(source, Learner) else None
        self._stored: StoredRun | None = None  # of a run that goes on, and where it does
        self._start: Checkpoint | None = None
        self._phase, self._resumed = (0, 0), None

    @classmethod
    def from_folder(cls, folder: str | os.PathLike, source: Source) -> TrainingRun:
        """A run that was stopped, failed or died with its kernel, ready to go on after its last finished epoch.

        >>> run = TrainingRun.from_folder("runs/2026-11-21 09.30.12", learn)
        >>> run.start()

        `source` is what the run was started with: the same network and the same data. The schedule goes on as
        if nothing had been, and so do the random generators. ValueError if there is nothing to go on with.
        """
        path = Path(folder)
        stored, files = unfinished(path, TrainingSettings)
        run = cls(source, stored.settings, folder=path.parent)
        run._stored, run._start = stored, Checkpoint.load(files.last)
        run._go_on_from(stored, files, epochs=run._start.epochs, iteration=run._start.iteration)
        return run

    def load_best(self) -> int:
        """Give the learner the weights of the best epoch, and return that. RuntimeError while it trains, or if that
        epoch could not be kept; ValueError or OSError if its file cannot be read any more."""
        checkpoint = self._best_checkpoint(Checkpoint.load)
        checkpoint.model.restore(self.learner.model)
        return checkpoint.epochs

    def _claim(self) -> None:
        if self.learner is not None:
            take(self.learner, self)

    def _let_go(self) -> None:
        release(self)

    def _explain(self, error: Exception) -> dict:
        return faults.explain(error, batch_size=self._batch_size())

    def _train(self, held: ExitStack) -> dict | None:
        learn = build(self.source, self.settings)
        take(learn, self)
        self.learner = learn
        with ExitStack() as stack:
            stack.enter_context(quiet(learn))
            stack.enter_context(own_workers())
            self._remarks = stack.enter_context(adapted(learn, self.settings))
            self._keeper = self._keeper or Keeper(RunFolder.new(self.folder))
            held.enter_context(self._keeper.folder.held())
            self._begin(learn)
            self._fit(learn)
            return faults.diverged(self.settings.learning_rate, self._put_back(learn)) if self._diverged else None

    def _begin(self, learn: Learner) -> None:
        train, valid = learn.dls.train, learn.dls.valid
        self._clock = Clock(self.settings, {"train": len(train), "valid": len(valid)})
        self.baseline = baseline(learn)
        self._summarise()
        facts = about(learn, self.baseline)
        if self._stored is None:
            self._keeper.folder.write_settings(self.settings, facts)
            self._losses = LossRecord(len(train) * self.settings.total_epochs)
            self._save(Checkpoint.capture(learn, phase=0, epoch=0, epochs=0, iteration=0))
            return
        for name in ("items", "labels", "batch_size"):
            if self._stored.about.get(name) != facts[name]:
                raise ValueError(f"The data are not those that the run {self.name} began with: other {name}.")
        self._gone_on(self._start.epochs)

    def _fit(self, learn: Learner) -> None:
        start, self._start = self._start, None
        phases = self.settings.phases()
        number, done = (start.phase, start.epoch) if start else (0, 0)
        if done == phases[number].epochs:
            number, done = number + 1, 0
        if start and not done:
            start.restore(learn)
        for index in range(number, len(phases)):
            if self.state == "stopping":
                self._cut = True
                return
            self._phase, self._resumed = (index, done), start if done else None
            prepare(learn, phases[index])
            if self._resumed:
                start.restore(learn)
            decay = self.settings.weight_decay
            fit(learn, phases[index], weight_decay=decay, cbs=[Watcher(self)], first_epoch=done)
            done = 0
            if self._diverged or self._cut:
                return

    # What the watcher calls, in the training's thread.

    def _fit_begins(self, learn: Learner) -> None:
        if self._resumed:
            self._resumed.resume_recorder(learn)
            learn.train_iter = self._resumed.epoch * len(learn.dls.train)

    def _batch_done(self, learn: Learner, split: str, seconds: float) -> None:
        self._clock.note(split, learn.iter + 1, seconds)
        if split == "train":
            self._batch_trained(learn.recorder.lrs[-1], learn.loss.item(), learn.smooth_loss.item())
        self._notifier.tell()

    def _epoch_done(self, learn: Learner) -> None:
        values = dict(zip(learn.recorder.metric_names[1:], learn.final_record, strict=False))
        phase, done = self._phase
        self._epoch_trained(frozen=self.settings.phases()[phase].frozen, values=values)
        self._phase = phase, done + 1
        counts = {"phase": phase, "epoch": done + 1, "epochs": len(self._rows), "iteration": self._losses.count}
        self._save(Checkpoint.capture(learn, **counts))
        self._notifier.tell()

    def _put_back(self, learn: Learner) -> str:
        """The learner as at the end of its last finished epoch, and a sentence that says so."""
        checkpoint = self._keeper.last(Checkpoint.load)
        checkpoint.restore(learn)
        at = f"at the end of epoch {checkpoint.epochs}" if checkpoint.epochs else "before the training"
        return f"The network is as it was {at}."

    def _end(self, fault: dict | None) -> None:
        if fault and self.learner is not None:
            self.learner._end_cleanup()
            if fault["kind"] == "out_of_memory":
                faults.free_memory(self.learner)
        super()._end(fault)

    def _batch_size(self) -> int | None:
        return self.settings.batch_size or getattr(self.learner and self.learner.dls.train, "bs", None)
