"""Tells listeners that something has changed, without ever making the work wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

PACE = 0.2  # seconds between two calls


class Notifier:
    """Calls every listener with `subject` in a thread of its own, at most five times a second.

    >>> with Notifier(run, run.listeners) as notifier:
    ...     notifier.tell()

    However slow a listener is and whatever it raises, `tell` returns at once. The last news are always told.
    """

    def __init__(self, subject: object, listeners: list[Callable]):
        self._subject, self._listeners = subject, listeners
        self._news, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="ipyfastai-news", daemon=True)

    def __enter__(self) -> Notifier:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._news.set()

    def tell(self) -> None:
        self._news.set()

    def _work(self) -> None:
        over = False
        while not over:
            self._news.wait()
            over = self._over.is_set()  # asked before the call, so that what came last is told
            self._news.clear()
            for listener in list(self._listeners):
                try:
                    listener(self._subject)
                except Exception:
                    logging.getLogger(__name__).exception("a listener of a training run failed")
            self._over.wait(PACE)
