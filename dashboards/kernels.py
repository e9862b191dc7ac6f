"""How a visitor's kernel starts: in this Python, without the server's secrets, in a temporary folder of its own.

A kernel process gets a copy of the server's environment unless told otherwise, and a publisher's
environment holds tokens (a registry, a hub, a cloud). Only the variables named here are passed on.
What a dashboard needs beyond them goes into a variable whose name starts with `IPYFASTAI_`.

This keeps secrets out of what a widget could show by mistake. It is no sandbox: a kernel runs as the
same user as the server, so code that a visitor could run would still reach what that user can read.
Visitors can run none: the server passes on widget messages only.

What a visitor sent must not outlive the session, however that ends: a kernel that is killed, or runs out
of memory, cleans up nothing. So the server gives each its temporary folder, and removes it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ipykernel.kernelspec import RESOURCES
from jupyter_client import KernelManager
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from tornado.web import HTTPError
from traitlets import Dict, Float, Int, Set, default

PASSED_ON = frozenset(
    """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ
    PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH IPYTHONDIR XDG_CACHE_HOME TORCH_HOME FASTAI_HOME
    CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS
    SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA
    VOILA_KERNEL_ID VOILA_BASE_URL VOILA_SERVER_URL VOILA_APP_PORT VOILA_PREHEAT
    """.split()
)
PASSED_ON_PREFIXES = ("LC_", "IPYFASTAI_")
TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # the last two: libraries on Windows

FOLDER_PREFIX = "ipyfastai-kernel-"

KERNEL_OPTIONS = (
    # No visitor has a prompt: without it, every kernel opens the history database in the home folder.
    "--HistoryManager.enabled=False",
    # ERROR: ipykernel warns at every start that it listens on this computer's own TCP ports.
    "--IPKernelApp.log_level=40",
)


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of `environment` that a kernel may see.

    >>> kernel_environment({"HOME": "/home/ada", "AWS_SECRET_ACCESS_KEY": "..."})
    {'HOME': '/home/ada'}

    VOILA_REQUEST_URL is left out on purpose: Voila gives a preheated kernel the address, query
    included, of the visitor before.
    """
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in PASSED_ON or name.upper().startswith(PASSED_ON_PREFIXES)
    }


class DashboardKernel(ServerKernelManager):
    """One kernel, whose errors the page is told without their traceback.

    With `allow_tracebacks` off, Jupyter Server 2 looks for the sentence here, but has it one class further up.
    """

    traceback_replacement_message = "What went wrong is not shown here."


class DashboardKernelManager(AsyncMappingKernelManager):
    """Starts every kernel with `kernel_environment` of what the server would have given it.

    Its temporary folder is its own, closed to other users, and goes when the kernel has ended.
    """

    max_visitors = Int(100, config=True, help="kernels at a time, without those that wait preheated")
    join_seconds = Float(600, config=True, help="a kernel that no page has connected to ends after")

    _folders = Dict(help="kernel id -> its TemporaryDirectory")
    _starters = Dict(help="kernel id -> the task that started it; Voila's pools hold the tasks of those that wait")
    _joined = Set(help="ids of kernels that a page has connected to")
    _unjoined_since = Dict(help="kernel id -> when it was first seen handed out, but not joined")

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return f"{__name__}.{DashboardKernel.__name__}"

    async def start_kernel(
        self, *, kernel_id: str | None = None, env: Mapping[str, str] | None = None, **kwargs: Any
    ) -> str:
        kernel_id = kernel_id or self.new_kernel_id()
        starter = asyncio.current_task()
        if starter not in self._waiting():
            self.admit_visitor()
        self._starters[kernel_id] = starter
        # Whatever is left at the server's own end, the TemporaryDirectory removes then.
        folder = tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True)
        self._folders[kernel_id] = folder
        env = kernel_environment(os.environ if env is None else env) | dict.fromkeys(TEMPORARY, folder.name)
        try:
            return await super().start_kernel(kernel_id=kernel_id, env=env, **kwargs)
        except Exception:
            self._forget(kernel_id)
            raise

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
        """Called once a kernel's process has ended: shut down, culled, or found dead."""
        self._forget(kernel_id)
        return super().remove_kernel(kernel_id)

    def _forget(self, kernel_id: str) -> None:
        self._starters.pop(kernel_id, None)
        self._unjoined_since.pop(kernel_id, None)
        self._joined.discard(kernel_id)
        if folder := self._folders.pop(kernel_id, None):
            folder.cleanup()


class DashboardKernelSpecManager(KernelSpecManager):
    """Knows one kernel, `python3`: the Python that runs the server, so that imports are the same.

    Without it, a kernel that the user once registered as `python3` from some other environment, or a
    `python` found first on PATH, would run the dashboards.
    """

    def find_kernel_specs(self) -> dict[str, str]:
        return {NATIVE_KERNEL_NAME: RESOURCES}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        if kernel_name != NATIVE_KERNEL_NAME:
            raise NoSuchKernel(kernel_name)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *KERNEL_OPTIONS]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", resource_dir=RESOURCES)
