"""Random draws that leave the process's random numbers as they were."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_alone = threading.Lock()  # the generators are the process's: two draws at a time would restore each other's


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Within the block, everything that draws from the global generators starts from `seed`.

    >>> with own_randomness(0):
    ...     batch = dls.one_batch()

    The generators of Python, NumPy and torch (on the CPU and on every GPU that is in use) are put back
    afterwards, whatever happens. Blocks in several threads wait for each other.
    """
    with _alone:
        before = random.getstate(), np.random.get_state(), torch.get_rng_state()
        gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
        try:
            reseed(seed)
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
            torch.set_rng_state(before[2])
            if gpus is not None:
                torch.cuda.set_rng_state_all(gpus)


def reseed(seed: int) -> None:
    """Set all three generators inside `own_randomness`: what comes next depends on `seed` alone."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
