"""Where a model of ratings is trained, and with how many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 4_000_000  # numbers to learn, up to which one thread is quicker than several that wait for each other

_lock = threading.Lock()
_inside = 0
_before = 1


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else the CPU: Apple's GPUs take longer to begin a step than a CPU for all of it."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def threads_for(numbers: int) -> Iterator[None]:
    """Inside, this thread computes alone if there are so few numbers to learn that it is quicker; then as before.

    >>> with threads_for(500_000):
    ...     torch.get_num_threads()
    1
    """
    global _inside, _before
    with _lock:
        # A new thread begins with what another has set last: only the first knows how many there were.
        if not _inside:
            _before = torch.get_num_threads()
        _inside += 1
    try:
        if numbers <= SMALL:
            torch.set_num_threads(1)
        yield
    finally:
        with _lock:
            torch.set_num_threads(_before)
            _inside -= 1
