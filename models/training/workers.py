"""Processes that load data for a training in a thread, and what becomes of it when one of them dies."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from torch.utils.data._utils import signal_handling

_DIED = "DataLoader worker"  # as PyTorch's exceptions begin
_FETCHING = "torch.multiprocessing.reductions"
_inside = 0
_watch_over = signal_handling._set_worker_pids
_lock = threading.Lock()


class WorkerDied(RuntimeError):
    """A process that loads data is gone; its words are for the person who trains."""


@contextmanager
def own_workers() -> Iterator[None]:
    """Inside, a worker that dies is an error of the thread that waits for its data (`WorkerDied`), and of no other.

    >>> with own_workers():
    ...     learn.fit(1)

    PyTorch tells of a dead worker in the handler of SIGCHLD, which Python runs in the main thread whoever uses
    the loader: the exception would end a kernel's loop, and so the kernel. Loaders that other threads begin in here
    are kept out of that handler; their own wait for data looks every 5 seconds whether the workers live.
    """
    _enter()
    try:
        yield
    except (RuntimeError, OSError, EOFError) as error:
        if not _of_dead_worker(error):
            raise
        raise WorkerDied(
            "A process that reads the data ended unexpectedly, perhaps for lack of memory. Try it again; if that does "
            "not help, make the DataLoaders with num_workers=0."
        ) from error
    finally:
        _leave()


def _of_dead_worker(error: Exception) -> bool:
    if isinstance(error, RuntimeError):
        return str(error).startswith(_DIED)
    # Its last tensors cannot be fetched from it any more.
    return any(frame.f_globals.get("__name__") == _FETCHING for frame, _ in traceback.walk_tb(error.__traceback__))


def _enter() -> None:
    global _inside
    with _lock:
        _inside += 1
        signal_handling._set_worker_pids = _only_of_main_thread


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if not _inside:
            signal_handling._set_worker_pids = _watch_over


def _only_of_main_thread(loader: int, pids: tuple[int, ...]) -> None:
    # A loader that ends takes itself off the handler's list, and must be on it for that.
    _watch_over(loader, pids if threading.current_thread() is threading.main_thread() else ())
