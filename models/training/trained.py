"""A run of an earlier visit, with its network as it was trained."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from fastai.learner import Learner

from .about import about
from .checkpoint import Checkpoint
from .run_folder import RunFolder, load_run
from .settings import TrainingSettings
from .source import Source, build


@dataclass(frozen=True)
class TrainedRun:
    """What is left of a `TrainingRun` when its kernel has ended: name, settings, history, and the learner again."""

    name: str
    settings: TrainingSettings
    history: pd.DataFrame
    learner: Learner


def load_trained(folder: str | os.PathLike, source: Source) -> TrainedRun:
    """The learner of a run that has ended, with the weights of its last finished epoch.

    >>> run = load_trained("runs/2026-11-21 09.30.12", dls)
    >>> predictions(run.learner)

    `source` is what the run was started with: the same network, and the same data. ValueError where it is not,
    where no epoch was finished, and where the folder holds no run.
    """
    stored, files = load_run(folder), RunFolder(Path(folder))
    if not len(stored.history) or not files.last.is_file():
        raise ValueError(f"No epoch of the run {stored.name} was finished, so there is no trained network.")
    learn = build(source, stored.settings)
    facts = about(learn, {})
    for name in ("items", "labels"):
        if stored.about.get(name) != facts[name]:
            raise ValueError(f"The run {stored.name} was trained on other data: other {name}.")
    Checkpoint.load(files.last).model.restore(learn.model)
    return TrainedRun(stored.name, stored.settings, stored.history, learn)
