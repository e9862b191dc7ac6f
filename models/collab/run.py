"""A training of a model of ratings that runs beside the kernel, and what comes of it."""

from __future__ import annotations

import gc
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from ..training import faults
from ..training.keeper import Keeper
from ..training.metrics import best_epoch
from ..training.recorded_run import RecordedRun
from ..training.recording import Clock, LossRecord
from ..training.registry import release, take
from ..training.run_folder import RunFolder, StoredRun, unfinished
from ..training.summary import Summary
from .about import about, baseline
from .advice import advice
from .checkpoint import RatingsCheckpoint
from .device import best_device, threads_for
from .ratings import Ratings
from .rung import Rung
from .rung_predictor import RungPredictor
from .rungs import RUNGS, build_rung
from .settings import CollabSettings
from .splits import Split, random_split
from .trainer import Trainer, errors, restore

if TYPE_CHECKING:
    from ..embeddings.embedding import Embedding
    from .recommender import Recommender

EVERY, PACE = 50, 0.2  # losses are read after so many batches, or seconds
SMOOTHING = 0.98  # of fastai's running mean of the training loss
MANY = 20_000  # batches of an epoch


class CollabRun(RecordedRun):
    """One training of a rung of the ladder, in a thread of its own: start, pause, stop, watch, resume.

    >>> run = CollabRun(random_split(ratings), CollabSettings("weight_decay", epochs=5), folder="runs")
    >>> run.start()
    >>> run.wait()
    >>> run.history[["epoch", "train_loss", "valid_loss", "rmse"]]
    >>> run.recommender().recommend("42")

    `data` is a Split, or Ratings of which a fifth, drawn at random, is held back. The run makes a folder of its own
    below `folder`, of the same files as a `TrainingRun`'s, and is watched in the same way: `state`, `history` (a row
    for each epoch: epoch, frozen (never), train_loss, valid_loss, mse, rmse, mae, seconds), `losses`, `progress`,
    `problem`, `advice`, `listeners`. `baseline` are the errors of the means of users and items. `at_epoch` is the
    epoch at whose end the model is as it is now, 0 before the first, None within one. `device`: None is a GPU if
    there is one.

    What was learned, from the first batch on and after the last: `predictor`, `recommender()`, `embeddings()`.
    Stopping takes hold after the batch that is being trained. ValueError for data that cannot be trained on.
    """

    settings: CollabSettings
    baseline_name = "means of users and items"

    def __init__(
        self,
        data: Split | Ratings,
        settings: CollabSettings | None = None,
        *,
        folder: str | os.PathLike,
        device: torch.device | str | None = None,
    ):
        if not isinstance(data, Split | Ratings):
            raise ValueError(f"What is trained on are Ratings or a Split of them, not {type(data).__name__}.")
        super().__init__(settings or CollabSettings(), folder=folder)
        self.split = data if isinstance(data, Split) else random_split(data)
        if not len(self.split.train):
            raise ValueError("There are no ratings to train on.")
        self.device = best_device() if device is None else torch.device(device)
        self.rung: Rung | None = None
        self.at_epoch: int | None = 0
        self._trainer: Trainer | None = None
        self._stored: StoredRun | None = None  # of a run that goes on, and where it does
        self._start: RatingsCheckpoint | None = None
        self._mean = 0.0  # of the losses, not yet divided by the weight it has

    @classmethod
    def from_folder(
        cls, folder: str | os.PathLike, data: Split | Ratings, *, device: torch.device | str | None = None
    ) -> CollabRun:
        """A run that was stopped, failed or died with its kernel, ready to go on after its last finished epoch.

        >>> run = CollabRun.from_folder("runs/2026-11-21 09.30.12", split)
        >>> run.start()

        `data` are those it was started with. On a CPU it learns, bit for bit, what it would have without the
        interruption. ValueError if there is nothing to go on with.
        """
        path = Path(folder)
        stored, files = unfinished(path, CollabSettings)
        run = cls(data, stored.settings, folder=path.parent, device=device)
        run._stored, run._start = stored, RatingsCheckpoint.load(files.last)
        run._go_on_from(stored, files, epochs=run._start.epochs, iteration=run._start.iteration)
        return run

    @property
    def predictor(self) -> RungPredictor:
        """What is learned by now, for NumPy. RuntimeError before the training has begun."""
        if self.rung is None:
            raise RuntimeError("There is no model yet: start the run first.")
        return RungPredictor(self.rung)

    def recommender(self) -> Recommender:
        """What is learned by now, for use without torch; all ratings that it has seen count as rated.

        >>> run.recommender().save("films.safetensors")

        ValueError for the network, whose rating is no product of factors: `TrainedRung.of(run)` keeps that.
        RuntimeError before the training has begun.
        """
        from .recommender import Recommender

        step = RUNGS[self.settings.rung]
        if not step.has_factors:
            raise ValueError(
                "A recommender is made of factors and biases, and the network has none: take another rung, or keep it "
                "with TrainedRung.of(run).save(...)."
            )
        rung = self.predictor.rung
        arrays = {name: table.numpy() for name, table in rung.tables().items()}
        return Recommender.of(self.split.train, **arrays, rating_range=rung.rating_range)

    def embeddings(self, *, at_least: int = 1) -> Embedding:
        """What is learned of the items by now, for the EmbeddingExplorer: vectors, titles, and what else is known.

        >>> EmbeddingExplorer(run.embeddings(at_least=20))

        Items with fewer than `at_least` ratings in training are left out: those without any have but the random
        numbers that all began with. ValueError where fewer than two remain.
        """
        from ..embeddings.embedding import Embedding

        ratings, tables = self.split.train, self.predictor.rung.tables()
        counts = ratings.item_counts
        kept = np.flatnonzero(counts >= at_least)
        if len(kept) < 2:
            raise ValueError(f"Fewer than two items have {at_least:,} ratings or more: ask for fewer.")
        sums = np.bincount(ratings.items, weights=ratings.values, minlength=ratings.n_items)
        known = {"item": ratings.item_ids[kept], "ratings": counts[kept], "mean rating": sums[kept] / counts[kept]}
        if "item_bias" in tables:
            known["bias"] = tables["item_bias"].numpy()[kept]
        if ratings.genres is not None:
            known["genre"] = [ratings.genres[item][0] if ratings.genres[item] else "" for item in kept]
        return Embedding(tables["item_factors"].numpy()[kept], ratings.titles[kept], pd.DataFrame(known))

    def load_best(self) -> int:
        """Go back to what was learned by the end of the best epoch, and return that. RuntimeError while it trains, or
        if that epoch could not be kept; ValueError or OSError if its file cannot be read any more."""
        checkpoint = self._best_checkpoint(RatingsCheckpoint.load)
        if self.rung is None:
            raise RuntimeError("There is no model to go back with: it could not be made.")
        restore(self.rung, checkpoint.tensors)
        self.at_epoch = checkpoint.epochs
        return checkpoint.epochs

    def _claim(self) -> None:
        take(self, self)

    def _let_go(self) -> None:
        release(self)

    def _explain(self, error: Exception) -> dict:
        return faults.explain(error, batch_size=self.settings.batch_size)

    def _summarise(self) -> None:
        history = Summary.of(self._rows, {}, epochs=self.settings.epochs).history
        told = advice(history, self.baseline, epochs=self.settings.epochs) if self._rows else []
        self._summary = Summary(history, best_epoch(history), told)

    def _train(self, held: ExitStack) -> dict | None:
        train = self.split.train
        rung = build_rung(self.settings, train.n_users, train.n_items, scale=train.scale)
        with threads_for(sum(parameter.numel() for parameter in rung.parameters())):
            self._trainer = trainer = Trainer(rung, train, self.settings, device=self.device)
            self.rung = rung
            self._keeper = self._keeper or Keeper(RunFolder.new(self.folder))
            held.enter_context(self._keeper.folder.held())
            self._begin(trainer)
            self._fit(trainer)
        if not self._diverged:
            return None
        epoch = self._back_to(self._keeper.last(RatingsCheckpoint.load))
        at = f"at the end of epoch {epoch}" if epoch else "before the training"
        return faults.diverged(self.settings.learning_rate, f"The model is as it was {at}.")

    def _begin(self, trainer: Trainer) -> None:
        self._clock = Clock(self.settings, {"train": trainer.batches, "valid": 1})
        self.baseline = baseline(self.split)
        if trainer.batches > MANY:
            self._remarks = [
                f"An epoch has {trainer.batches:,} batches: a batch size of some thousands, with the same learning "
                "rate or a higher one, takes a small part of the time."
            ]
        self._summarise()
        facts = about(self.rung, self.split, self.settings, baseline=self.baseline, device=self.device)
        if self._stored is None:
            self._keeper.folder.write_settings(self.settings, facts)
            self._losses = LossRecord(trainer.batches * self.settings.epochs)
            self._save(self._checkpoint(trainer))
            return
        if self._stored.about.get("ratings") != facts["ratings"]:
            raise ValueError(f"The ratings are not those that the run {self.name} began with.")
        start, self._start = self._start, None
        self._mean = start.smoothed
        self._gone_on(self._back_to(start))

    def _fit(self, trainer: Trainer) -> None:
        for epoch in range(len(self._rows), self.settings.epochs):
            if self._in_vain():
                return
            self._epoch_begins(0)
            if not self._may_go_on():
                return
            self.at_epoch = None
            if not self._train_epoch(trainer, epoch):
                return
            began = time.perf_counter()
            figures = errors(trainer.rung, self.split.valid)
            self._clock.note("valid", 1, time.perf_counter() - began)
            values = {"train_loss": self._losses.losses().smoothed[-1], "valid_loss": figures["mse"], **figures}
            self._epoch_trained(frozen=False, values=values)
            self.at_epoch = len(self._rows)
            self._save(self._checkpoint(trainer))
            self._notifier.tell()

    def _train_epoch(self, trainer: Trainer, epoch: int) -> bool:
        """Train an epoch; False if it was not to be finished."""
        read, since = 0, time.perf_counter()
        for batch in trainer.epoch(epoch):
            now, running = time.perf_counter(), self.state == "running"
            if batch - read >= EVERY or now - since >= PACE or batch == trainer.batches or not running:
                self._read_losses(trainer)
                self._clock.note("train", batch, (time.perf_counter() - since) / (batch - read))
                self._notifier.tell()
                if not self._may_go_on():
                    return False
                read, since = batch, time.perf_counter()
        return True

    def _read_losses(self, trainer: Trainer) -> None:
        losses = trainer.losses()
        for iteration, loss in enumerate(losses, trainer.iteration - len(losses)):
            self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            smoothed = self._mean / (1 - SMOOTHING ** (iteration + 1))
            self._batch_trained(trainer.pace(iteration)[0], loss, smoothed)
            if self._diverged:
                return

    def _in_vain(self) -> bool:
        """Whether enough epochs in a row were no better than one before: then it is said, and that one gone back to."""
        waited, best = self.settings.early_stop, self.best
        if waited is None or best is None or len(self._rows) - best < waited:
            return False
        self._remarks.append(
            f"Stopped early, after epoch {len(self._rows)}: none since epoch {best} was better than that."
        )
        kept = RatingsCheckpoint.load(file) if (file := self._keeper.folder.best).is_file() else None
        if kept is not None and kept.epochs == best:  # unless the disk was full
            self._back_to(kept)
            self._remarks[-1] += f" The model is as it was at the end of epoch {best}."
        return True

    def _checkpoint(self, trainer: Trainer) -> RatingsCheckpoint:
        return RatingsCheckpoint(trainer.state(), len(self._rows), trainer.iteration, self._mean)

    def _back_to(self, checkpoint: RatingsCheckpoint) -> int:
        self._trainer.restore(checkpoint.tensors, iteration=checkpoint.iteration)
        self.at_epoch = checkpoint.epochs
        return checkpoint.epochs

    def _end(self, fault: dict | None) -> None:
        self._trainer = None  # with copies of all ratings, and the optimizer's means
        if self.rung is not None:
            for parameter in self.rung.parameters():
                parameter.grad = None
        if fault and fault["kind"] == "out_of_memory":
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        super()._end(fault)
