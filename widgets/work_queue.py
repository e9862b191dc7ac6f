"""Photos that wait for a classifier."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .background import offload, start
from .results import Result


class Batch(list):
    """The results of one choice of photos, in the order they came; told apart by identity."""


class WorkQueue:
    """Works off photos one at a time, in a thread, while the kernel answers.

    >>> queue = WorkQueue(classify, finished=show, idle=tidy_up)
    >>> queue.put(batch, [("bear.jpg", upload)])

    `classify(name, source)` makes a `Result`; then `await finished(batch, result)`, on the event
    loop; `await idle()` once nothing waits. `done` and `total` count since it was last idle.
    """

    def __init__(
        self,
        classify: Callable[[str, Any], Result],
        *,
        finished: Callable[[Batch, Result], Awaitable[None]],
        idle: Callable[[], Awaitable[None]],
    ):
        self._classify, self._finished, self._idle = classify, finished, idle
        self._waiting: deque[tuple[Batch, str, Any]] = deque()
        self.working = False
        self.done = 0
        self._in_hand = 0

    @property
    def total(self) -> int:
        return self.done + self._in_hand + len(self._waiting)

    def put(self, batch: Batch, photos: Iterable[tuple[str, Any]]) -> None:
        """Add (name, source) pairs, and begin unless work is under way."""
        self._waiting.extend((batch, name, source) for name, source in photos)
        if not self.working:
            self.working = True
            start(self._work())

    def drop(self, *, but: Batch | None = None) -> list:
        """Forget what waits, except for one batch; the sources that were forgotten."""
        gone = [entry for entry in self._waiting if entry[0] is not but]
        self._waiting = deque(entry for entry in self._waiting if entry[0] is but)
        return [source for _, _, source in gone]

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, name, source = self._waiting.popleft()
                self._in_hand = 1
                result = await offload(self._classify, name, source, lane="classifier")
                self._in_hand, self.done = 0, self.done + 1
                await self._finished(batch, result)
        finally:
            self.working, self._in_hand, self.done = False, 0, 0
            await self._idle()
