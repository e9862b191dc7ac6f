"""Work that is asked for faster than it can be done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..models.progress import Progress
from .job import Job

QUIET = 0.5  # seconds: what takes no longer needs no progress bar, and is finished though newer work waits


class NewestJob(Job):
    """A `Job` that drops stale work: while one runs, only the newest of those that came after it waits.

    >>> job = NewestJob()
    >>> slider.observe(lambda change: job.run(lambda progress: draw(change.new), then=show), "value")

    What is nearly done is finished, so that a page sees something while a slider moves; what takes longer
    is cancelled for the newer. Quick work shows no line at all. `drop()` is for work whose result is not wanted any
    more, though nothing newer takes its place.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._waiting: tuple | None = None

    def run(self, work: Callable[[Progress], Any], **handlers: Callable | None) -> bool:
        """Start `work` with the handlers of `Job.run`, or let it wait in place of what waits; True."""
        if not self.busy:
            ended = handlers.pop("ended", None)
            return super().run(work, **handlers, ended=lambda: self._next(ended))
        self._waiting = (work, handlers)
        self._make_way()
        return True

    def drop(self) -> None:
        """Cancel what runs and forget what waits, without a word."""
        if self.busy:
            self._waiting = (lambda _progress: None, {})
            self._progress.cancel()

    def cancel(self) -> None:
        self._waiting = None
        super().cancel()

    def say(self, text: str, *, bad: bool = False) -> None:
        super().say("" if self._waiting else text, bad=bad)  # how stale work ended is no news

    def _next(self, ended: Callable[[], None] | None) -> None:
        if ended is not None:
            ended()
        if self._waiting:
            (work, handlers), self._waiting = self._waiting, None
            self.run(work, **handlers)

    def _make_way(self) -> None:
        if self._waiting and self._is_slow:
            self._progress.cancel()

    @property
    def _is_slow(self) -> bool:
        return time.monotonic() - self._began > QUIET

    def _show(self, state: str) -> None:
        self._make_way()  # for what has come while this seemed to be quick
        if self._is_slow:
            super()._show(state)
