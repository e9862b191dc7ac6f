"""Which learners are being trained in this kernel, and by which run."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recorded_run import RecordedRun

_runs: dict[int, RecordedRun] = {}  # by the id of the learner, which the run keeps alive
_borrowed: set[int] = set()  # ids of learners that something tries out and puts back
_lock = threading.Lock()


def running(folder: str | os.PathLike | None = None, settings: type = object) -> list[RecordedRun]:
    """The runs that train in this kernel now, those below a folder or all: for a view that comes later.

    >>> running("runs", TrainingSettings)[0].progress["seconds_left"]

    `settings`: those whose settings are of this type, since trainings of any kind may lie in one folder.
    """
    with _lock:
        found = [run for run in _runs.values() if isinstance(run.settings, settings)]
    return [run for run in found if folder is None or run.folder.resolve() == Path(folder).resolve()]


def take(learn: object, run: RecordedRun) -> None:
    """RuntimeError if another run is training this learner, or something tries it out."""
    with _lock:
        if id(learn) in _borrowed:
            raise RuntimeError("This learner is being tried out, by the finder or a measurement: wait, or stop that.")
        if _runs.setdefault(id(learn), run) is not run:
            raise RuntimeError("This learner is being trained already: wait for that run, or stop it.")


def release(run: RecordedRun) -> None:
    with _lock:
        for key in [key for key, one in _runs.items() if one is run]:
            del _runs[key]


@contextmanager
def borrowed(learn: object) -> Iterator[None]:
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
