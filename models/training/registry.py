"""Which learners are being trained in this kernel, and by which run."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastai.learner import Learner

    from .run import TrainingRun

_runs: dict[int, TrainingRun] = {}  # by the id of the learner, which the run keeps alive
_borrowed: set[int] = set()  # ids of learners that something tries out and puts back
_lock = threading.Lock()


def running(folder: str | os.PathLike | None = None) -> list[TrainingRun]:
    """The runs that train in this kernel now, those below a folder or all: for a view that comes later.

    >>> running("runs")[0].progress["seconds_left"]
    """
    with _lock:
        found = list(_runs.values())
    return [run for run in found if folder is None or run.folder.resolve() == Path(folder).resolve()]


def take(learn: Learner, run: TrainingRun) -> None:
    """RuntimeError if another run is training this learner, or something tries it out."""
    with _lock:
        if id(learn) in _borrowed:
            raise RuntimeError("This learner is being tried out, by the finder or a measurement: wait, or stop that.")
        if _runs.setdefault(id(learn), run) is not run:
            raise RuntimeError("This learner is being trained already: wait for that run, or stop it.")


def release(run: TrainingRun) -> None:
    with _lock:
        for key in [key for key, one in _runs.items() if one is run]:
            del _runs[key]


@contextmanager
def borrowed(learn: Learner) -> Iterator[None]:
    """Inside, no training of this learner begins: for whoever puts it back as it was. RuntimeError if one goes on.

    >>> with borrowed(learn), restored(learn):
    ...     learn.fit(1)
    """
    with _lock:
        if id(learn) in _runs:
            raise RuntimeError("This learner is being trained: wait for that run, or stop it.")
        if id(learn) in _borrowed:
            raise RuntimeError(
                "This learner is being tried out already, by the finder or a measurement: wait for that."
            )
        _borrowed.add(id(learn))
    try:
        yield
    finally:
        with _lock:
            _borrowed.discard(id(learn))
