"""Pictures read in the background for whoever looks at them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..background import offload, start

LANES = min(4, os.cpu_count() or 1)  # threads that read
SLICE = 0.02  # seconds of reading after which what is there is handed out: the page decodes it meanwhile
PAGES = 8  # browser pages whose wishes are kept; more is nobody scrolling


class PictureLoader:
    """Reads what pages want, the newest wish first, and forgets what nobody wants any more.

    >>> loader = PictureLoader(thumbnails.get, ready=print)
    >>> loader.want("a page", {7: "a.jpg", 8: "b.jpg"})
    {7: b'\\xff\\xd8...', 8: b'\\xff\\xd8...'}

    `read(item)` is called in a thread and returns bytes, or raises ValueError with a sentence;
    `ready` is called on the kernel's loop with {position: bytes, or that sentence}. `want` takes
    the place of what the same page wanted before: scrolling past ten thousand pictures reads few of them.
    """

    def __init__(self, read: Callable[[Any], bytes], *, ready: Callable[[dict[int, bytes | str]], None]):
        self._read, self._ready = read, ready
        self._lock = threading.Lock()
        self._wanted: dict[str, dict[int, Any]] = {}  # page -> position -> item, the newest page last
        self._reading: set[int] = set()
        self._working: set[str] = set()

    def want(self, page: str, items: Mapping[int, Any]) -> None:
        """Read these, in their order, instead of what this page wanted before."""
        with self._lock:
            self._wanted.pop(page, None)
            wanted = {position: item for position, item in items.items() if position not in self._reading}
            if wanted:
                self._wanted[page] = wanted
            while len(self._wanted) > PAGES:
                del self._wanted[next(iter(self._wanted))]
        for number in range(LANES):
            lane = f"pictures {number}"
            if wanted and lane not in self._working:
                self._working.add(lane)
                start(self._work(lane))

    def clear(self) -> None:
        """Forget every wish, and that anything is being read: positions mean something else now."""
        with self._lock:
            self._wanted.clear()
            self._reading = set()

    async def _work(self, lane: str) -> None:
        try:
            while self._wanted:  # looked at on the loop, where wishes arrive
                pictures = await offload(self._slice, lane=lane)
                if pictures:
                    self._ready(pictures)
        finally:
            self._working.discard(lane)

    def _slice(self) -> dict[int, bytes | str]:
        """What can be read in a moment; runs in a thread."""
        pictures: dict[int, bytes | str] = {}
        until = time.monotonic() + SLICE
        with self._lock:
            reading = self._reading  # another set after `clear`
        while time.monotonic() < until:
            with self._lock:
                if reading is not self._reading or not self._wanted:
                    break
                position, item = self._take()
                reading.add(position)
            pictures[position] = self._read_or_say(item)
        with self._lock:
            current = reading is self._reading
            reading.difference_update(pictures)
        return pictures if current else {}

    def _take(self) -> tuple[int, Any]:
        page = next(reversed(self._wanted))
        wanted = self._wanted[page]
        position = next(iter(wanted))
        item = wanted.pop(position)
        if not wanted:
            del self._wanted[page]
        return position, item

    def _read_or_say(self, item: Any) -> bytes | str:
        try:
            return self._read(item)
        except ValueError as error:
            return str(error) or "This picture cannot be opened."
        except OSError as error:
            return f"This picture cannot be read: {error.strerror}."
        except Exception as error:  # one picture that breaks a decoder costs that picture
            logging.getLogger(__name__).exception("reading a picture failed")
            return f"This picture cannot be opened ({type(error).__name__})."
