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

import os
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from ipykernel.kernelspec import RESOURCES
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import Dict, default

from .visitors import VisitorKernels

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


class DashboardKernelManager(VisitorKernels):
    """Starts every kernel here, with `kernel_environment` of what the server would have given it.

    Its temporary folder is its own, closed to other users, and goes when the kernel has ended.
    """

    _folders = Dict(help="kernel id -> its TemporaryDirectory")

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return f"{__name__}.{DashboardKernel.__name__}"

    async def start_kernel(
        self, *, kernel_id: str | None = None, env: Mapping[str, str] | None = None, **kwargs: Any
    ) -> str:
        kernel_id = kernel_id or self.new_kernel_id()
        # Whatever is left at the server's own end, the TemporaryDirectory removes then.
        folder = tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True)
        self._folders[kernel_id] = folder
        env = {
            **kernel_environment(os.environ if env is None else env),
            **self.variables,
            **dict.fromkeys(TEMPORARY, folder.name),
        }
        return await super().start_kernel(kernel_id=kernel_id, env=env, **kwargs)

    def _forget(self, kernel_id: str) -> None:
        super()._forget(kernel_id)
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
