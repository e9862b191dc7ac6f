"""What a person decides about the training of a model of ratings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sized
from dataclasses import dataclass

from ..training.fields import from_dict, number, one_of, whole
from ..training.settings import Phase
from .one_cycle import START, WARMUP
from .rungs import RUNGS

DECAYS = ("adamw", "l2")
MANY = 200_000  # ratings, up to which the lessons' batches of 64 are quick enough
SMALLEST, LARGEST = 64, 8192  # ratings in a batch


@dataclass(frozen=True)
class CollabSettings:
    """How to train a rung of the ladder: as fastai's `collab_learner` by default.

    >>> settings = CollabSettings("weight_decay", epochs=5, learning_rate=5e-3)
    >>> settings.decay_rate  # the rung's own
    0.1

    - `rung`: one of `RUNGS`; `factors` of each user and item. The network has embeddings of `embedding_sizes`
      (users', items'; None: by the rule of thumb) and `hidden` activations between its layers instead.
    - `learning_rate` is the highest of a one-cycle schedule; `batch_size` counts ratings.
    - `weight_decay`: None is the rung's own. "adamw" lets all numbers shrink by it, times the learning rate, in
      each step; "l2" adds it to the gradients, times the numbers, as a penalty on their squares would do, and Adam
      then evens that out.
    - `early_stop`: end after so many epochs in a row without a lower validation loss, at the best one; None: no.
    - `rating_range` for the rungs with a sigmoid; None: the ratings' scale and a ninth of it beyond either end.
    - `seed`: of the first numbers and of the order of ratings; the same settings give the same model on a CPU.

    ValueError says in a sentence what makes no sense. Sources: Howard and Gugger (2020), chapter 8;
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019).
    """

    rung: str = "weight_decay"
    factors: int = 50
    epochs: int = 5
    learning_rate: float = 5e-3
    weight_decay: float | None = None
    decay: str = "adamw"
    batch_size: int = 64
    seed: int = 42
    early_stop: int | None = None
    rating_range: tuple[float, float] | None = None
    embedding_sizes: tuple[int, int] | None = None
    hidden: int = 100

    def __post_init__(self):
        one_of(self.rung, "The rung", tuple(RUNGS))
        whole(self.factors, "The number of factors", 1, 1024)
        whole(self.epochs, "The number of epochs", 1, 10_000)
        number(self.learning_rate, "The learning rate", 1e-10, 100)
        if self.weight_decay is not None:
            number(self.weight_decay, "The weight decay", 0, 10)
        one_of(self.decay, "The kind of weight decay", DECAYS)
        whole(self.batch_size, "The batch size", 1, 1 << 22)
        whole(self.seed, "The seed", 0, 2**32 - 1)
        if self.early_stop is not None:
            whole(self.early_stop, "The number of epochs to wait for a better one", 1, 10_000)
        whole(self.hidden, "The number of activations", 1, 4096)
        for name, check in (("rating_range", _limits), ("embedding_sizes", _sizes)):
            if (pair := getattr(self, name)) is not None:
                object.__setattr__(self, name, check(pair))

    @property
    def decay_rate(self) -> float:
        """The weight decay that counts."""
        return RUNGS[self.rung].weight_decay if self.weight_decay is None else self.weight_decay

    @property
    def total_epochs(self) -> int:
        return self.epochs

    def phases(self) -> list[Phase]:
        """One phase, in the words of `TrainingSettings`."""
        rates = (self.learning_rate, self.learning_rate)
        return [Phase(self.epochs, False, "one_cycle", rates, WARMUP, float(START))]

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> CollabSettings:
        """The settings that `to_dict` wrote; ValueError for names that are none."""
        return from_dict(cls, values)


def settings_for(ratings: Sized, *, factors: int, epochs: int) -> CollabSettings:
    """The last rung of factors; batches grow with the ratings, so that an epoch stays some thousand steps.

    >>> settings_for(ratings, factors=50, epochs=5).batch_size
    64
    """
    size = SMALLEST
    while size < LARGEST and len(ratings) / size > MANY / SMALLEST:
        size *= 2
    return CollabSettings("weight_decay", factors=factors, epochs=epochs, batch_size=size)


def _limits(pair: object) -> tuple[float, float]:
    low, high = _pair(pair, "The range of ratings")
    for value in (low, high):
        number(value, "Each end of the range of ratings", -1e6, 1e6)
    if not low < high:
        raise ValueError(f"The range of ratings goes from the lower to the higher, not from {low:g} to {high:g}.")
    return float(low), float(high)


def _sizes(pair: object) -> tuple[int, int]:
    users, items = _pair(pair, "The sizes of embeddings")
    for value in (users, items):
        whole(value, "The size of an embedding", 1, 1024)
    return users, items


def _pair(pair: object, what: str) -> tuple:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"{what} are two numbers, not {pair!r}.")
    return tuple(pair)
