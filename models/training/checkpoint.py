"""A learner's state in one file: tensors as safetensors, everything else as JSON in its header. No pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from fastai.learner import Learner

from ..data.randomness import RandomState
from .files import write_whole
from .state import ModelState, OptimizerState
from .tensor_file import read_tensors, write_tensors

FORMAT = "1"
PLAIN = ("phase", "epoch", "epochs", "iteration", "recorder", "scaler")


@dataclass
class Checkpoint:
    """A learner at the end of an epoch, and how far its training was.

    >>> Checkpoint.capture(learn, phase=1, epoch=2, epochs=3, iteration=90).save(folder / "last.safetensors")
    >>> Checkpoint.load(folder / "last.safetensors").restore(learn)

    `epoch` counts what was trained of the `phase`, `epochs` and `iteration` all epochs and batches of the run.
    `recorder` is fastai's running mean of the training loss, `scaler` the state of mixed precision; both go on
    where they were.
    """

    phase: int
    epoch: int
    epochs: int
    iteration: int
    model: ModelState
    optimizer: OptimizerState | None
    random: RandomState
    recorder: dict = field(default_factory=dict)
    scaler: dict = field(default_factory=dict)

    @classmethod
    def capture(cls, learn: Learner, *, phase: int, epoch: int, epochs: int, iteration: int) -> Checkpoint:
        smooth, scaler = learn.recorder.smooth_loss, getattr(learn, "scaler", None)
        return cls(
            phase,
            epoch,
            epochs,
            iteration,
            ModelState.capture(learn.model),
            learn.opt and OptimizerState.capture(learn.opt),
            RandomState.capture(learn.dls),
            {"value": float(smooth.val), "count": smooth.count},
            scaler.state_dict() if scaler is not None else {},
        )

    def restore(self, learn: Learner) -> None:
        """Put weights, optimizer and random generators back; ValueError if the learner is another one.

        The recorder's and the scaler's part is put back by `resume_recorder`, once a fit has begun.
        """
        self.model.restore(learn.model)
        if self.optimizer is not None:
            if learn.opt is None:
                learn.create_opt()
            self.optimizer.restore(learn.opt)
        self.random.restore(learn.dls)

    def resume_recorder(self, learn: Learner) -> None:
        smooth = learn.recorder.smooth_loss
        smooth.val, smooth.count = torch.tensor(self.recorder["value"]), self.recorder["count"]
        if self.scaler and getattr(learn, "scaler", None) is not None:
            learn.scaler.load_state_dict(self.scaler)

    def save(self, path: Path) -> None:
        """OSError if it cannot be written; then the file that was there is still there."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.tensors.items()}
        tensors |= {f"gradient.{name}": tensor for name, tensor in self.model.gradients.items()}
        tensors |= {f"random.cuda.{index}": tensor for index, tensor in enumerate(self.random.cuda)}
        tensors["random.torch"] = self.random.torch
        values = {name: getattr(self, name) for name in PLAIN}
        python, numpy = self.random.python, self.random.numpy
        values["random"] = [python, [numpy[0], numpy[1].tolist(), *numpy[2:]], self.random.loaders]
        if (opt := self.optimizer) is not None:
            plain = []
            for index, known in enumerate(opt.parameters):
                found = {key: value for key, value in known.items() if isinstance(value, torch.Tensor)}
                tensors |= {f"optimizer.{index}.{key}": value for key, value in found.items()}
                plain.append({key: value for key, value in known.items() if key not in found})
            tensors |= {f"slow.{index}": tensor for index, tensor in enumerate(opt.slow or [])}
            values["optimizer"] = {"parameters": plain, "groups": opt.groups, "frozen": opt.frozen, "count": opt.count}
        header = {"format": FORMAT, "state": json.dumps(values, default=_plain)}
        write_whole(path, lambda part: write_tensors(part, tensors, header))

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """ValueError for a file that is no checkpoint, or a damaged one."""
        tensors, header = read_tensors(path)
        if header.get("format") != FORMAT:
            raise ValueError(f"{path.name} is no checkpoint of this program.")
        values = json.loads(header["state"])
        python, numpy, loaders = values["random"]
        generators = RandomState(
            _random(python),
            (numpy[0], np.array(numpy[1], np.uint32), *numpy[2:]),
            tensors["random.torch"],
            _numbered(tensors, "random.cuda."),
            [state and _random(state) for state in loaders],
        )
        model = ModelState(_named(tensors, "model."), _named(tensors, "gradient."))
        optimizer = None
        if opt := values.get("optimizer"):
            for name, tensor in _named(tensors, "optimizer.").items():
                index, key = name.split(".", 1)
                opt["parameters"][int(index)][key] = tensor
            optimizer = OptimizerState(**opt, slow=_numbered(tensors, "slow.") or None)
        plain = {name: values[name] for name in PLAIN}
        return cls(model=model, optimizer=optimizer, random=generators, **plain)


def _named(tensors: dict[str, torch.Tensor], start: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def _numbered(tensors: dict[str, torch.Tensor], start: str) -> list[torch.Tensor]:
    found = _named(tensors, start)
    return [found[name] for name in sorted(found, key=int)]


def _random(state: list) -> tuple:
    """What `random.setstate` takes, of what JSON made of it."""
    version, numbers, gauss = state
    return version, tuple(numbers), gauss


def _plain(value: object) -> object:
    """What JSON does not know: NumPy's numbers, and tensors of one number among an optimizer's rates."""
    return value.item()
