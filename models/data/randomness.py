"""Random generators, taken down so that they can be put back."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from fastai.data.core import DataLoaders

_alone = threading.Lock()  # the generators are the process's: two draws at a time would restore each other's


@dataclass
class RandomState:
    """The random generators of Python, NumPy, PyTorch (with its GPUs) and of each data loader, where there are any.

    >>> state = RandomState.capture(dls)
    >>> state.restore(dls)
    """

    python: tuple
    numpy: tuple
    torch: torch.Tensor
    cuda: list[torch.Tensor]
    loaders: list[tuple | None]

    @classmethod
    def capture(cls, dls: DataLoaders | None = None) -> RandomState:
        # A GPU that nothing has used yet has no generator to speak of: asking for it would take its memory.
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        loaders = [loader.rng.getstate() if hasattr(loader, "rng") else None for loader in _loaders(dls)]
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda, loaders)

    def restore(self, dls: DataLoaders | None = None) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch)
        if self.cuda and torch.cuda.device_count() == len(self.cuda):
            torch.cuda.set_rng_state_all(self.cuda)
        for loader, state in zip(_loaders(dls), self.loaders, strict=False):
            if state is not None and hasattr(loader, "rng"):
                loader.rng = random.Random()  # fastai puts a new one there for each epoch
                loader.rng.setstate(state)


def _loaders(dls: DataLoaders | None) -> list:
    return [] if dls is None else list(dls.loaders)


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Within the block, everything that draws from the global generators starts from `seed`.

    >>> with own_randomness(0):
    ...     batch = dls.one_batch()

    The generators of Python, NumPy and torch (on the CPU and on every GPU that is in use) are put back
    afterwards, whatever happens. Blocks in several threads wait for each other.
    """
    with _alone:
        before = RandomState.capture()
        try:
            reseed(seed)
            yield
        finally:
            before.restore()


def reseed(seed: int) -> None:
    """Set all three generators inside `own_randomness`: what comes next depends on `seed` alone."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
