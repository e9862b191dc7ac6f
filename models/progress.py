"""How far long work has come, and whether it is still wanted."""

from __future__ import annotations

import threading


class Cancelled(Exception):
    """Raised inside long work that is no longer wanted."""


class Progress:
    """Told by long work how far it is; asked by it whether to go on.

    >>> progress = Progress()
    >>> for index, file in enumerate(files):
    ...     progress.report(index, len(files), f"Reading {file.name}")  # raises Cancelled after cancel()

    Work that keeps what it has when it is cancelled asks `progress.cancelled` instead. `done` of `total`
    (None: not known) and `text` may be read, and `cancel()` called, from any thread.
    """

    def __init__(self):
        self.done, self.total, self.text = 0, None, ""
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def report(self, done: int, total: int | None = None, text: str = "") -> None:
        """Note how far the work is. Raises Cancelled if it is not wanted any more."""
        self.done, self.total, self.text = done, total, text
        if self.cancelled:
            raise Cancelled(text)
