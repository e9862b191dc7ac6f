"""Long work with its progress, its Cancel and how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import anywidget
from traitlets import Bool, Dict, Unicode

from ..models.data.names import without_paths
from ..models.progress import Cancelled, Progress
from .assets import joined
from .background import in_own_thread, start

PACE = 0.2  # seconds between two updates of a page


class Job(anywidget.AnyWidget):
    """One line under a button: what is being done, how far it is, time left, Cancel, and how it ended.

    >>> job = Job()
    >>> job.run(lambda progress: check_images(folder, progress=progress), then=show_report)
    >>> job = Job(button="Find a learning rate", pressed=find, cancel="Stop")

    With `button` it brings that button too: `pressed()` is called for a click while nothing runs. It is the
    most important one thereabouts unless `primary=False`.
    `run(work, then=...)` calls `work(progress)` in a thread of its own while the kernel answers, and
    `then(result)` on the kernel's loop. While one work runs, `busy` is true and another `run` returns
    False and does nothing, so that a second click does no harm. A ValueError or RuntimeError is shown as
    the sentence that it carries, an OSError as the system's, both without folders of the server, any other
    exception by its type; `failed(error)` is called for each, if given, and `ended()` whatever happened,
    cancellation too. A result that comes after `close()` is handed to nobody, for who waited for it is gone;
    `outlives=True` hands it over all the same, where it tells what has become of files.
    """

    _esm = joined("dom.js", "job.js")
    _css = joined("base.css", "job.css")

    busy = Bool(False, help="whether work is running")
    button = Unicode(help="what the button that starts it says; none without").tag(sync=True)
    _cancel = Unicode("Cancel").tag(sync=True)
    _primary = Bool(True).tag(sync=True)
    _shown = Dict(help="state, text, done, total and seconds left").tag(sync=True)

    def __init__(
        self,
        *,
        button: str = "",
        pressed: Callable[[], Any] | None = None,
        cancel: str = "Cancel",
        primary: bool = True,
        **kwargs,
    ):
        super().__init__(button=button, _cancel=cancel, _primary=primary, **kwargs)
        self._pressed = pressed
        self._cancelled = "Stopped." if cancel == "Stop" else "Cancelled."
        self._progress: Progress | None = None
        self._closed = False
        self._began = 0.0
        self.on_msg(self._receive)

    def run(
        self,
        work: Callable[[Progress], Any],
        *,
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        ended: Callable[[], None] | None = None,
        outlives: bool = False,
    ) -> bool:
        """Start `work`; False if other work is still running."""
        if self.busy:
            return False
        self.busy = True
        self._progress = Progress()
        self._began = time.monotonic()
        self._show("running")
        start(self._work(work, then, failed, ended, outlives))
        return True

    def cancel(self) -> None:
        if self._progress is not None and self.busy:
            self._progress.cancel()
            self._show("stopping")

    def say(self, text: str, *, bad: bool = False) -> None:
        """Show a sentence; "" takes it away."""
        self._shown = {"state": "failed" if bad else "done", "text": text} if text else {}

    def close(self) -> None:
        self._closed = True
        self.cancel()
        super().close()

    async def _work(self, work, then, failed, ended, outlives) -> None:
        watching = asyncio.create_task(self._watch())
        try:
            result = await in_own_thread(work, self._progress)
        except Cancelled:
            self._end(watching)
            self.say(self._cancelled)
        except Exception as error:
            self._end(watching)
            self._explain(error)
            if failed is not None:
                failed(error)
        else:
            self._end(watching)
            self.say("")
            if then is not None and (outlives or not self._closed):
                self._hand_over(result, then)
        finally:
            if ended is not None:
                ended()

    def _end(self, watching: asyncio.Task) -> None:
        watching.cancel()
        self.busy = False

    def _hand_over(self, result: Any, then: Callable[[Any], None]) -> None:
        try:
            then(result)
        except Exception as error:  # no fault of the work's: whoever runs this kernel hears of it in whole
            self.say(f"Something went wrong in the kernel ({type(error).__name__}).", bad=True)
            raise

    def _explain(self, error: Exception) -> None:
        if isinstance(error, ValueError | RuntimeError) and str(error):
            self.say(without_paths(str(error)), bad=True)  # some libraries name files in theirs
        elif isinstance(error, OSError) and error.strerror:
            self.say(f"The files could not be used: {error.strerror}.", bad=True)
        else:
            logging.getLogger(__name__).error("work in the background failed", exc_info=error)
            self.say(f"Something went wrong in the kernel ({type(error).__name__}).", bad=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PACE)
            self._show("stopping" if self._progress.cancelled else "running")

    def _show(self, state: str) -> None:
        progress = self._progress
        shown = {"state": state, "text": progress.text, "done": progress.done, "total": progress.total}
        if progress.total and 0 < progress.done < progress.total:
            spent = time.monotonic() - self._began
            shown["seconds"] = round(spent / progress.done * (progress.total - progress.done))
        self._shown = shown

    def _receive(self, _widget, content, buffers) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "cancel":
            self.cancel()
        elif kind == "start" and self._pressed is not None and not self.busy:
            self._pressed()
