"""Work in a thread of its own that can be started, paused, stopped and watched."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from ..openmp import free_threads
from .notifier import Notifier


class BackgroundRun:
    """What every training is, whatever it trains: a thread, a state, and listeners.

    A subclass says how in `_claim`, `_train`, `_explain`, `_end` and `_let_go`; its work asks `_may_go_on` after
    each batch. All of the public part may be called from any thread at any time.
    """

    def __init__(self):
        self.listeners: list[Callable] = []
        self.state = "ready"
        self.problem: dict | None = None
        self._cut = False  # whether the work was ended by a stop
        self._change, self._may_run, self._over = threading.RLock(), threading.Event(), threading.Event()
        self._notifier = Notifier(self, self.listeners)

    def start(self) -> bool:
        """Begin; False, and nothing is done, if it has begun before.

        RuntimeError if it cannot, because another run trains the same.
        """
        with self._change:
            if self.state != "ready":
                return False
            self._claim()
            self.state = "running"
            self._may_run.set()
        free_threads()
        threading.Thread(target=self._work, name="ipyfastai-training", daemon=True).start()
        return True

    def stop(self) -> bool:
        """End after the batch that is being trained; what was learned stays. False if there is nothing to stop."""
        with self._change:
            if self.state not in ("running", "paused"):
                return False
            self.state = "stopping"
            self._may_run.set()
        self._notifier.tell()
        return True

    def pause(self) -> bool:
        """Wait after the batch that is being trained, until `resume` or `stop`. False if it does not run."""
        return self._switch("running", "paused")

    def resume(self) -> bool:
        """Go on after a pause. False if there is none."""
        return self._switch("paused", "running")

    def wait(self, timeout: float | None = None) -> bool:
        """Until the training has ended; False if it has not after `timeout` seconds."""
        return self._over.wait(timeout)

    # What a kind of run brings; all but the first are called in the training's thread.

    def _claim(self) -> None:
        """RuntimeError if this run may not begin now."""

    def _train(self, held: ExitStack) -> dict | None:
        """Train; the fault that ended it, if one did. `held` is closed after the last word is said."""
        raise NotImplementedError

    def _explain(self, error: Exception) -> dict:
        """The problem (see `faults.problem`) that an exception of the training stands for."""
        raise NotImplementedError

    def _end(self, fault: dict | None) -> None:
        self.problem = fault or self.problem
        self.state = "failed" if fault else "stopped" if self._cut else "finished"

    def _let_go(self) -> None:
        """Give back what `_claim` took."""

    def _held_up(self) -> float:
        """Wait through a pause; the seconds that took."""
        if self._may_run.is_set():
            return 0.0
        paused = time.perf_counter()
        self._may_run.wait()
        return time.perf_counter() - paused

    def _may_go_on(self) -> bool:
        self._held_up()
        self._cut = self.state == "stopping"
        return not self._cut

    def _switch(self, old: str, new: str) -> bool:
        with self._change:
            if self.state != old:
                return False
            self.state = new
            (self._may_run.set if new == "running" else self._may_run.clear)()
        self._notifier.tell()
        return True

    def _work(self) -> None:
        try:
            with self._notifier, ExitStack() as held:
                try:
                    fault = self._train(held)
                except Exception as error:
                    fault = self._explain(error)
                    if fault["kind"] in ("error", "files"):
                        logging.getLogger(__name__).error("a training run failed", exc_info=error)
                # Only here is nothing left that holds the frames, and so the tensors, of what failed.
                self._end(fault)
        finally:
            self._let_go()
            self._over.set()
