"""Who gets a kernel, and when it ends: the same rules wherever the kernels run."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

from jupyter_client import KernelManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Dict, Float, Int, Set


class VisitorKernels(AsyncMappingKernelManager):
    """One kernel for each visitor: at most so many, and none that no page has joined.

    What the server tells every kernel stands in `variables`, by names of environment variables.
    """

    max_visitors = Int(100, config=True, help="kernels at a time, without those that wait preheated")
    join_seconds = Float(600, config=True, help="a kernel that no page has connected to ends after")
    variables = Dict(config=True, help="environment variables that every kernel gets")

    _starters = Dict(help="kernel id -> the task that started it; Voila's pools hold the tasks of those that wait")
    _joined = Set(help="ids of kernels that a page has connected to")
    _unjoined_since = Dict(help="kernel id -> when it was first seen handed out, but not joined")

    async def start_kernel(self, *, kernel_id: str | None = None, **kwargs: Any) -> str:
        starter = asyncio.current_task()
        place = kernel_id or self.new_kernel_id()  # taken while it starts, also where its id is given elsewhere
        try:
            if starter not in self._waiting():
                self.admit_visitor()
            self._starters[place] = starter
            kernel_id = await super().start_kernel(kernel_id=kernel_id, **kwargs)
        except Exception:
            self._forget(place)
            raise
        if kernel_id != place:
            self._starters[kernel_id] = self._starters.pop(place)
        return kernel_id

    def admit_visitor(self) -> None:
        """Raise HTTPError 503 when `max_visitors` kernels are handed out already."""
        waiting = self._waiting()
        if sum(starter not in waiting for starter in self._starters.values()) >= self.max_visitors:
            raise HTTPError(503, "%d visitors are here, more are not admitted", self.max_visitors)

    def _waiting(self) -> set[asyncio.Task]:
        """What the pools hold, where there are any: Voila's subclass for preheated kernels adds them."""
        return {task for pool in getattr(self, "_pools", {}).values() for task in pool}

    def notify_connect(self, kernel_id: str) -> None:
        self._joined.add(kernel_id)
        super().notify_connect(kernel_id)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """A kernel that waits is kept; one that is handed out, done, and joined by no page soon ends."""
        if self._starters.get(kernel_id) in self._waiting():
            return
        if kernel_id in self._joined:
            await super().cull_kernel_if_idle(kernel_id)
            return
        kernel = self.get_kernel(kernel_id)
        now = datetime.now(timezone.utc)
        since = max(self._unjoined_since.setdefault(kernel_id, now), kernel.last_activity)
        if kernel.execution_state != "busy" and (now - since).total_seconds() > self.join_seconds:
            self.log.info("Ending kernel %s, which no page has joined.", kernel_id)
            await self.shutdown_kernel(kernel_id)

    def remove_kernel(self, kernel_id: str) -> KernelManager | None:
        """Called once a kernel has ended: shut down, culled, or found dead."""
        self._forget(kernel_id)
        return super().remove_kernel(kernel_id)

    def _forget(self, kernel_id: str) -> None:
        self._starters.pop(kernel_id, None)
        self._unjoined_since.pop(kernel_id, None)
        self._joined.discard(kernel_id)
