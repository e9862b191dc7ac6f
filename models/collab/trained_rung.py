"""A trained rung of any kind as a file of its own, with what its rows stand for."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..training.files import write_whole
from ..training.tensor_file import read_tensors, write_tensors
from .ratings import texts
from .rung import Rung
from .rung_predictor import RungPredictor
from .rungs import build_rung
from .settings import CollabSettings

if TYPE_CHECKING:
    from .run import CollabRun

FORMAT = "rung 1"


@dataclass(frozen=True, eq=False)
class TrainedRung:
    """What a run has learned, as PyTorch rates with it, for users and items by their ids.

    >>> TrainedRung.of(run).save("network.safetensors")
    >>> model = TrainedRung.load("network.safetensors")
    >>> model.predict(["42", "42"], ["1214", "Matrix, The (1999)"])
    array([4.3, 4.1], dtype=float32)

    This keeps the network, of which no `Recommender` can be made; it rates for users of the training only. `rung` is
    the module, `predictor` the same for codes, as `evaluate` takes it: the code of `user_ids[3]` is 3. An item may
    be named by its id or its title. The file has tensors, and JSON in its header; nothing in it is executed.
    """

    rung: Rung
    settings: CollabSettings
    user_ids: np.ndarray
    item_ids: np.ndarray
    titles: np.ndarray
    scale: tuple[float, float]

    @classmethod
    def of(cls, run: CollabRun) -> TrainedRung:
        """What is learned by now. RuntimeError before the training has begun."""
        ratings = run.split.train
        names = ratings.user_ids, ratings.item_ids, ratings.titles
        return cls(run.predictor.rung, run.settings, *names, ratings.scale)

    @classmethod
    def load(cls, path: str | os.PathLike) -> TrainedRung:
        """From a file that `save` wrote. ValueError, a sentence, for another one or a damaged one."""
        path = Path(path)
        tensors, header = read_tensors(path)
        if header.get("format") != FORMAT:
            raise ValueError(f"{path.name} is no trained rung. Write one with TrainedRung.of(run).save(...).")
        try:
            about = json.loads(header["about"])
            settings = CollabSettings.from_dict(about["settings"])
            users, items, titles = (_texts(about[name]) for name in ("user_ids", "item_ids", "titles"))
            low, high = map(float, about["scale"])
            with torch.device("meta"):  # numbers drawn here would be thrown away, and shapes may be anybody's
                rung = build_rung(settings, len(users), len(items), scale=(low, high))
            rung.load_state_dict(tensors, assign=True)
        except (KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
            raise ValueError(f"{path.name} is damaged: its description does not fit its numbers.") from error
        if len(titles) != len(items) or not all(_is_sound(tensor) for tensor in tensors.values()):
            raise ValueError(f"{path.name} is damaged: some of its numbers or titles are none.")
        return cls(rung, settings, users, items, titles, (low, high))

    def save(self, path: str | os.PathLike) -> Path:
        """Write one `.safetensors` file. OSError if it cannot be written; the file that was there still is then."""
        about = {
            "settings": self.settings.to_dict(),
            "user_ids": list(self.user_ids),
            "item_ids": list(self.item_ids),
            "titles": list(self.titles),
            "scale": list(self.scale),
        }
        header = {"format": FORMAT, "about": json.dumps(about)}
        tensors = {name: tensor.detach().cpu() for name, tensor in self.rung.state_dict().items()}
        write_whole(Path(path), lambda part: write_tensors(part, tensors, header))
        return Path(path)

    def predict(self, users: Sequence[str], items: Sequence[str]) -> np.ndarray:
        """Ratings, float32 (n,), of `items` (n,) by `users` (n,). ValueError names one that is not known."""
        return self.predictor.predict(_codes(users, self._users, "user"), _codes(items, self._items, "item"))

    @cached_property
    def predictor(self) -> RungPredictor:
        return RungPredictor(self.rung)

    @cached_property
    def _users(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.user_ids)}

    @cached_property
    def _items(self) -> dict[str, int]:
        # An id is what was meant where it is another item's title.
        return {name: code for names in (self.titles, self.item_ids) for code, name in enumerate(names)}


def _codes(names: Sequence[str], known: dict[str, int], what: str) -> np.ndarray:
    if isinstance(names, str):
        raise ValueError(f"The {what}s are a list of ids, one for each rating, not one text.")
    codes = [known.get(str(name), -1) for name in names]
    if -1 in codes:
        raise ValueError(f"There is no {what} {str(names[codes.index(-1)])!r} in this model.")
    return np.array(codes, np.int64)


def _texts(values: Any) -> np.ndarray:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("no list of texts")
    return texts(values)


def _is_sound(tensor: torch.Tensor) -> bool:
    return tensor.dtype == torch.float32 and bool(torch.isfinite(tensor).all())
