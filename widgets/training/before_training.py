"""What is said before a training: settings to choose, their cost, and earlier runs to go on with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.training.settings import TrainingSettings

if TYPE_CHECKING:
    from fastai.learner import Learner

    from ...models.training.source import Source

OFFERED = 3  # earlier runs to go on with
ENDS = {"interrupted": "its kernel ended", "stopped": "it was stopped", "failed": "it failed"}


class Choices:
    """Which settings there are to choose for a source, why some are not, and what the form begins with."""

    def __init__(self, source: Source, settings: TrainingSettings | None = None):
        from fastai.learner import Learner

        self.without: tuple[str, ...] = ()
        self.unavailable: dict[str, str] = {}
        self.settings = settings or TrainingSettings()
        if isinstance(source, Learner):
            self._of_learner(source, chosen=settings is not None)
        elif self.settings.arch is None:
            from ...models.training.source import DEFAULT_ARCH

            self.settings = dataclasses.replace(self.settings, arch=DEFAULT_ARCH)
        device = getattr(getattr(source, "dls", source), "device", None)
        if device is not None and not str(device).startswith("cuda"):
            self.unavailable["mixed_precision"] = f"Needs a GPU with CUDA: this trains on the {str(device).upper()}."

    def _of_learner(self, learn: Learner, *, chosen: bool) -> None:
        from ...models.training.schedule import group_count

        self.without = ("arch", "pretrained")
        if group_count(learn) < 2:
            reason = "This learner has one group of layers only."
            self.unavailable |= {"frozen_epochs": reason, "discriminative": reason}
            if not chosen:
                self.settings = TrainingSettings(frozen_epochs=0, discriminative=False)


def unfinished(folder: Path) -> dict[str, str]:
    """The newest runs that can go on: name -> a sentence."""
    from ...models.training.run_folder import runs

    found = {}
    for name, row in runs(folder).iterrows():
        if row["state"] not in ENDS or not 0 < row["epochs_done"]:
            continue
        total = int(row["epochs"] + row["frozen_epochs"])
        if row["epochs_done"] < total and len(found) < OFFERED:
            done = f"{int(row['epochs_done'])} of {total} epoch{'' if total == 1 else 's'} are done"
            found[name] = f"The run of {name} did not end because {ENDS[row['state']]}: {done}."
    return found


def cost_in_words(estimate) -> str:
    """An estimate in words.

    >>> cost_in_words(Estimate(frozen_epoch=20.0, epoch=36.0, total=200.0, images_per_second=120.0, measured=5))
    'About 3 min in all: 20 s for an epoch with frozen layers, 36 s for an epoch of all layers, at 120 images a second.'
    """
    parts = [
        f"{_duration(seconds)} for an epoch {which}"
        for seconds, which in ((estimate.frozen_epoch, "with frozen layers"), (estimate.epoch, "of all layers"))
        if seconds
    ]
    speed = (
        f"{estimate.images_per_second:.2g}" if estimate.images_per_second < 10 else f"{estimate.images_per_second:.0f}"
    )
    return f"About {_duration(estimate.total)} in all: {', '.join(parts)}, at {speed} images a second."


def _duration(seconds: float) -> str:
    """As dom.js says it; below ten seconds with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
