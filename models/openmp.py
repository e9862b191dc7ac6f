"""PyTorch's helper threads, which a training needs for itself."""

from __future__ import annotations

import ctypes
import sys

_SOFT = 1  # of OpenMP's omp_pause_resource_t: let the threads go, keep everything else


def free_threads() -> None:
    """Let go of the OpenMP threads that wait for this thread's next piece of work; that makes new ones.

    GNU's OpenMP keeps helper threads for each thread that ever computed something. As soon as there are more of
    them than cores, none spins any more while it waits for work, and each small piece waits for the operating
    system to wake somebody: a training beside a main thread that had built the network took 1.15 times as long.
    """
    if "torch" not in sys.modules:
        return
    try:
        from threadpoolctl import threadpool_info
    except ImportError:  # a PyTorch that came without our extra `train`: slower, and nothing else
        return
    for library in threadpool_info():
        if library["prefix"] == "libgomp":
            pause = getattr(ctypes.CDLL(library["filepath"]), "omp_pause_resource_all", None)
            if pause is not None:  # OpenMP 5.0
                pause(_SOFT)
