"""What a person decides about a training, and the phases that fastai makes of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .fields import from_dict, number, one_of, whole

SCHEDULES = ("one_cycle", "flat_cosine", "fixed")
# Networks of torchvision that a folder of photos is well served by, the quickest first.
ARCHITECTURES = (
    "squeezenet1_1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "resnet18",
    "resnet34",
    "efficientnet_b0",
    "resnet50",
    "convnext_tiny",
)
DISCRIMINATION = 100  # how many times slower the first layers learn than the last: fine_tune's lr_mult


@dataclass(frozen=True)
class Phase:
    """Epochs that are trained in one go: one call of fastai's `fit_one_cycle`, `fit_flat_cos` or `fit`.

    `rates` are the learning rates of the first and of the last group of layers; `frozen` trains the last alone.
    """

    epochs: int
    frozen: bool
    schedule: str
    rates: tuple[float | None, float]
    warmup: float  # the share of a one-cycle phase in which the rate rises: fastai's pct_start
    division: float  # one cycle starts at the rate divided by this: fastai's div


@dataclass(frozen=True)
class TrainingSettings:
    """How to train: `learn.fine_tune` by default.

    >>> settings = TrainingSettings(epochs=4, learning_rate=2e-3)  # learn.fine_tune(4, 2e-3, freeze_epochs=1)
    >>> [(phase.epochs, phase.frozen) for phase in settings.phases()]
    [(1, True), (4, False)]

    `frozen_epochs` train the last group of layers alone, `epochs` then train all; either may be 0.
    - "one_cycle" is `fit_one_cycle`, and with frozen epochs `fine_tune`, which halves the rate for the second part;
    - "flat_cosine" is `fit_flat_cos`, "fixed" is `fit`; both keep the rate for the second part.
    `discriminative` lets the first layers learn 100 times slower than the last (`slice(lr / 100, lr)`).
    `weight_decay`, `batch_size`: None leaves what the learner has. `seed`: None leaves the random generators
    as they are, a number is given to `set_seed` before the training (and before the learner is built, where it
    is). `arch` (one of ARCHITECTURES) and `pretrained` count only where the learner is built from DataLoaders.
    ValueError says in a sentence what makes no sense. Source: fastai `callback/schedule.py`; L. Smith,
    "A disciplined approach to neural network hyper-parameters" (2018), for the one-cycle policy.
    """

    epochs: int = 3
    frozen_epochs: int = 1
    schedule: str = "one_cycle"
    learning_rate: float = 2e-3
    discriminative: bool = True
    weight_decay: float | None = None
    mixed_precision: bool = False
    batch_size: int | None = None
    seed: int | None = None
    arch: str | None = None
    pretrained: bool = True

    def __post_init__(self):
        whole(self.epochs, "The number of epochs", 0, 10_000)
        whole(self.frozen_epochs, "The number of frozen epochs", 0, 10_000)
        if self.epochs + self.frozen_epochs == 0:
            raise ValueError("There is nothing to train: ask for at least one epoch.")
        one_of(self.schedule, "The schedule", SCHEDULES)
        number(self.learning_rate, "The learning rate", 1e-10, 100)
        if self.weight_decay is not None:
            number(self.weight_decay, "The weight decay", 0, 10)
        if self.batch_size is not None:
            whole(self.batch_size, "The batch size", 1, 65_536)
        if self.seed is not None:
            whole(self.seed, "The seed", 0, 2**32 - 1)
        if self.arch is not None:
            one_of(self.arch, "The architecture", ARCHITECTURES)
        for name in ("discriminative", "mixed_precision", "pretrained"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is yes or no (True or False), not {getattr(self, name)!r}.")

    @property
    def total_epochs(self) -> int:
        return self.frozen_epochs + self.epochs

    def phases(self) -> list[Phase]:
        """What is trained one after the other, in fastai's own numbers."""
        rate, tuned = self.learning_rate, self.frozen_epochs and self.schedule == "one_cycle"
        phases = []
        if self.frozen_epochs:
            # fine_tune(): slice(lr), a tenth of the rate for what stays unfrozen in earlier groups (batch norms).
            rates = (None, rate) if self.discriminative else (rate, rate)
            warmup = 0.99 if tuned else 0.25
            phases.append(Phase(self.frozen_epochs, True, self.schedule, rates, warmup, 25.0))
        if self.epochs:
            if tuned:
                rate /= 2
            rates = (rate / DISCRIMINATION if self.discriminative else rate, rate)
            warmup, division = (0.3, 5.0) if tuned else (0.25, 25.0)
            phases.append(Phase(self.epochs, False, self.schedule, rates, warmup, division))
        return phases

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> TrainingSettings:
        """The settings that `to_dict` wrote; ValueError for names that are none."""
        return from_dict(cls, values)
