"""A training of ratings at the end of an epoch, in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ..training.files import write_whole
from ..training.tensor_file import read_tensors, write_tensors

FORMAT = "ratings 1"


@dataclass(frozen=True)
class RatingsCheckpoint:
    """What a `Trainer` has learned, and how far it was.

    >>> RatingsCheckpoint(trainer.state(), epochs=2, iteration=trainer.iteration).save(folder / "last.safetensors")
    >>> checkpoint = RatingsCheckpoint.load(folder / "last.safetensors")
    >>> trainer.restore(checkpoint.tensors, iteration=checkpoint.iteration)

    `smoothed` is the running mean of the training loss. The order of ratings is a matter of seed and epoch, so that
    there is no random generator to keep.
    """

    tensors: dict[str, torch.Tensor]
    epochs: int
    iteration: int
    smoothed: float = 0.0

    def save(self, path: Path) -> None:
        """OSError if it cannot be written; then the file that was there is still there."""
        values = {"epochs": self.epochs, "iteration": self.iteration, "smoothed": self.smoothed}
        header = {"format": FORMAT, "state": json.dumps(values)}
        write_whole(path, lambda part: write_tensors(part, self.tensors, header))

    @classmethod
    def load(cls, path: Path) -> RatingsCheckpoint:
        """ValueError for a file that is no such checkpoint, or a damaged one."""
        tensors, header = read_tensors(path)
        if header.get("format") != FORMAT:
            raise ValueError(f"{path.name} is no checkpoint of a model of ratings.")
        return cls(tensors, **json.loads(header["state"]))
