"""A training that runs beside the kernel, can be watched, stopped and resumed, and leaves plain files."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from fastai.learner import Learner

from . import faults
from .about import about
from .advice import advice
from .checkpoint import Checkpoint
from .fitting import fit, prepare
from .metrics import baseline, best_epoch
from .notifier import Notifier
from .recording import Clock, Losses, LossRecord
from .run_folder import RunFolder, load_run
from .settings import TrainingSettings
from .source import Source, adapted, build, check_source
from .state import quiet
from .watcher import Watcher

_running: dict[int, TrainingRun] = {}  # by the id of the learner, which the run keeps alive
_registry = threading.Lock()


class TrainingRun:
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
        self.source = source
        self.settings = settings or TrainingSettings()
        self.folder = Path(folder)
        self.learner: Learner | None = source if isinstance(source, Learner) else None
        self.listeners: list[Callable[[TrainingRun], object]] = []
        self.state = "ready"
        self.problem: dict | None = None
        self.baseline: dict[str, float] = {}
        self._folder: RunFolder | None = None
        self._from: Checkpoint | None = None
        self._unsaved: Checkpoint | None = None
        self._saved_epoch: int | None = None
        self._rows: list[dict] = []
        self._remarks: list[str] = []
        self._losses, self._written = LossRecord(0), 0
        self._clock = Clock(self.settings)
        self._epoch_began = 0.0
        self._diverged = False
        self._change, self._may_run, self._over = threading.RLock(), threading.Event(), threading.Event()
        self._notifier = Notifier(self, self.listeners)

    @classmethod
    def from_folder(cls, folder: str | os.PathLike, source: Source) -> TrainingRun:
        """A run that was stopped, failed or died with its kernel, ready to go on after its last finished epoch.

        >>> run = TrainingRun.from_folder("runs/2026-11-21 09.30.12", learn)
        >>> run.start()

        `source` is what the run was started with: the same network and the same data. The schedule goes on as
        if nothing had been, and so do the random generators. ValueError if there is nothing to go on with.
        """
        path = Path(folder)
        stored = load_run(path)
        if stored.state not in ("interrupted", "stopped", "failed"):
            raise ValueError(f"The run {stored.name} is {stored.state}: there is nothing to go on with.")
        run = cls(source, stored.settings, folder=path.parent)
        run._folder = RunFolder(path)
        if not run._folder.last.is_file():
            raise ValueError(f"The run {stored.name} has no checkpoint to go on from.")
        run._from = Checkpoint.load(run._folder.last)
        run._rows = stored.history.to_dict("records")[: run._from.epochs]
        run._losses.fill(np.column_stack([stored.losses.learning_rate, stored.losses.raw, stored.losses.smoothed]))
        run._losses.cut(run._from.iteration)
        run._saved_epoch = run._from.epochs
        return run

    @property
    def name(self) -> str | None:
        """The name of the run and of its folder; None before it is there."""
        return self._folder and self._folder.path.name

    @property
    def history(self) -> pd.DataFrame:
        columns = ["epoch", "frozen", "train_loss", "valid_loss", "seconds"]
        return pd.DataFrame(list(self._rows)) if self._rows else pd.DataFrame(columns=columns)

    @property
    def losses(self) -> Losses:
        return self._losses.losses()

    @property
    def progress(self) -> dict:
        """Where it is: epoch (from 1; 0 before the first) of epochs, frozen or not, split ("train", "valid"),
        batch of batches in it, iteration of iterations, and seconds_left (None while unknown)."""
        return self._clock.progress()

    @property
    def advice(self) -> list[str]:
        return [*self._remarks, *advice(self.history, self.baseline)]

    @property
    def best(self) -> int | None:
        """The best epoch by now, by the first metric."""
        return best_epoch(self.history)

    def start(self) -> bool:
        """Begin; False, and nothing is done, if it has begun before.

        RuntimeError if another run is training this learner.
        """
        with self._change:
            if self.state != "ready":
                return False
            if self.learner is not None:
                _take(self.learner, self)
            self.state = "running"
            self._may_run.set()
        threading.Thread(target=self._work, name="ipyfastai-training", daemon=True).start()
        return True

    def stop(self) -> bool:
        """End after the batch that is being trained; what was learned stays. False if there is nothing to stop."""
        with self._change:
            if self.state not in ("running", "paused"):
                return False
            self.state = "stopping"
            self._may_run.set()
        self._notifier.tell()
        return True

    def pause(self) -> bool:
        """Wait after the batch that is being trained, until `resume` or `stop`. False if it does not run."""
        return self._switch("running", "paused")

    def resume(self) -> bool:
        """Go on after a pause. False if there is none."""
        return self._switch("paused", "running")

    def wait(self, timeout: float | None = None) -> bool:
        """Until the training has ended; False if it has not after `timeout` seconds."""
        return self._over.wait(timeout)

    def load_best(self) -> int:
        """Give the learner the weights of the best epoch, and return that. RuntimeError while it trains."""
        if self.state not in ("stopped", "finished", "failed") or self.learner is None:
            raise RuntimeError("The weights of the best epoch can be had when the training has ended.")
        if self._folder is None or not self._folder.best.is_file():
            raise RuntimeError("No epoch was finished, so there is no best one.")
        checkpoint = Checkpoint.load(self._folder.best)
        checkpoint.model.restore(self.learner.model)
        return checkpoint.epochs

    def _switch(self, old: str, new: str) -> bool:
        with self._change:
            if self.state != old:
                return False
            self.state = new
            (self._may_run.set if new == "running" else self._may_run.clear)()
        self._notifier.tell()
        return True

    def _work(self) -> None:
        with self._notifier:
            fault = None
            try:
                self._train()
            except Exception as error:
                fault = faults.explain(error, batch_size=self._batch_size())
                if fault["kind"] in ("error", "files"):
                    logging.getLogger(__name__).error("a training run failed", exc_info=error)
            # Only here is nothing left that holds the frames, and so the tensors, of what failed.
            self._end(fault)
        self._over.set()

    def _train(self) -> None:
        learn = build(self.source, self.settings)
        if self.learner is None:
            self.learner = learn
            _take(learn, self)
        with ExitStack() as stack:
            stack.enter_context(quiet(learn))
            self._remarks = stack.enter_context(adapted(learn, self.settings))
            self._folder = self._folder or RunFolder.new(self.folder)
            stack.enter_context(self._folder.held())
            self._begin(learn)
            self._fit(learn)
            if self._diverged:
                self.problem = faults.diverged(self.settings.learning_rate, self._put_back(learn))

    def _begin(self, learn: Learner) -> None:
        loaders = learn.dls.loaders
        batches = {"train": len(loaders[0]), "valid": len(loaders[1]) if len(loaders) > 1 else 0}
        self._clock = Clock(self.settings, batches)
        self.baseline = baseline(learn)
        if self._from is None:
            self._folder.write_settings(self.settings, about(learn, self.baseline))
            self._losses = LossRecord(batches["train"] * self.settings.total_epochs)
            self._save(Checkpoint.capture(learn, phase=0, epoch=0, epochs=0, iteration=0))
        else:
            self._folder.cut_losses(self._losses.count)
            self._written = self._losses.count
            self._write_state()

    def _fit(self, learn: Learner) -> None:
        start, self._from = self._from, None
        phases = self.settings.phases()
        number, done = (start.phase, start.epoch) if start else (0, 0)
        if done == phases[number].epochs:
            number, done = number + 1, 0
        if start and not done:
            start.restore(learn)
        for index in range(number, len(phases)):
            self._phase, self._resumed = (index, done), start if done else None
            prepare(learn, phases[index])
            if self._resumed:
                start.restore(learn)
            decay = self.settings.weight_decay
            fit(learn, phases[index], weight_decay=decay, cbs=[Watcher(self)], first_epoch=done)
            done = 0
            if self._diverged or self.state == "stopping":
                return

    # What the watcher calls, in the training's thread.

    def _fit_begins(self, learn: Learner) -> None:
        if self._resumed:
            self._resumed.resume_recorder(learn)
            learn.train_iter = self._resumed.epoch * len(learn.dls.train)

    def _epoch_begins(self, learn: Learner) -> None:
        self._epoch_began = time.perf_counter()
        self._clock.begin(self._phase[0], len(self._rows) + 1)

    def _batch_done(self, learn: Learner, split: str, seconds: float) -> None:
        self._clock.note(split, learn.iter + 1, seconds)
        if split == "train":
            loss = learn.loss.item()
            self._losses.append(learn.recorder.lrs[-1], loss, learn.smooth_loss.item())
            self._diverged = not math.isfinite(loss)
        self._notifier.tell()

    def _may_go_on(self) -> bool:
        if not self._may_run.is_set():
            paused = time.perf_counter()
            self._may_run.wait()
            self._epoch_began += time.perf_counter() - paused
        return self.state != "stopping" and not self._diverged

    def _epoch_done(self, learn: Learner) -> None:
        values = dict(zip(learn.recorder.metric_names[1:], learn.final_record, strict=False))
        frozen = self.settings.phases()[self._phase[0]].frozen
        seconds = round(time.perf_counter() - self._epoch_began, 3)
        self._rows.append({"epoch": len(self._rows) + 1, "frozen": frozen, **values, "seconds": seconds})
        phase, done = self._phase
        self._phase = phase, done + 1
        counts = {"phase": phase, "epoch": done + 1, "epochs": len(self._rows), "iteration": self._losses.count}
        self._save(Checkpoint.capture(learn, **counts))
        self._notifier.tell()

    def _save(self, checkpoint: Checkpoint) -> None:
        """Write everything as it is at the end of an epoch. Where that fails the training goes on: what could not
        be written stays in memory, and the next epoch is tried again."""
        folder, rows = self._folder, self._losses.rows(self._written)
        try:
            folder.write_history(self.history)
            folder.append_losses(rows)
            checkpoint.save(folder.last)
            if self.best == checkpoint.epochs:
                folder.keep_best()
        except OSError as error:
            self._unsaved = checkpoint
            self.problem = faults.unsaved(error, checkpoint.epochs, self._saved_epoch)
        else:
            self._unsaved, self._saved_epoch, self._written = None, checkpoint.epochs, self._losses.count
            self.problem = None
        self._write_state()

    def _put_back(self, learn: Learner) -> str:
        """The learner as at the end of its last finished epoch, and a sentence that says so."""
        checkpoint = self._unsaved or Checkpoint.load(self._folder.last)
        checkpoint.restore(learn)
        at = f"at the end of epoch {checkpoint.epochs}" if checkpoint.epochs else "before the training"
        return f"The network is as it was {at}."

    def _end(self, fault: dict | None) -> None:
        learn = self.learner
        if fault and learn is not None:
            learn._end_cleanup()
            if fault["kind"] == "out_of_memory":
                faults.free_memory(learn)
        self.problem = fault or self.problem
        failed = fault or self._diverged
        self.state = "failed" if failed else "stopped" if self.state == "stopping" else "finished"
        if self._folder is not None:
            self._write_state()
        if learn is not None:
            _release(learn)

    def _write_state(self) -> None:
        values = {"state": self.state, "problem": self.problem, "advice": self.advice, "best_epoch": self.best}
        try:
            self._folder.write_state(values)
        except OSError as error:
            self.problem = self.problem or faults.unsaved(error, len(self._rows), self._saved_epoch)

    def _batch_size(self) -> int | None:
        return self.settings.batch_size or getattr(self.learner and self.learner.dls.train, "bs", None)


def running(folder: str | os.PathLike | None = None) -> list[TrainingRun]:
    """The runs that train in this kernel now, those below a folder or all: for a view that comes later.

    >>> running("runs")[0].progress["seconds_left"]
    """
    with _registry:
        found = list(_running.values())
    return [run for run in found if folder is None or run.folder.resolve() == Path(folder).resolve()]


def _take(learn: Learner, run: TrainingRun) -> None:
    with _registry:
        if _running.setdefault(id(learn), run) is not run:
            raise RuntimeError("This learner is being trained already: wait for that run, or stop it.")


def _release(learn: Learner) -> None:
    with _registry:
        _running.pop(id(learn), None)
