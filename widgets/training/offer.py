"""What there is to choose for a training: settings, and earlier runs to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...models.training.settings import TrainingSettings

if TYPE_CHECKING:
    from ...models.training.source import Source

OFFERED = 3  # earlier runs to go on with
ENDS = {"interrupted": "its kernel ended", "stopped": "it was stopped", "failed": "it failed"}


class Offer:
    """Which settings there are to choose for a source, and what the form begins with."""

    def __init__(self, source: Source):
        from fastai.learner import Learner

        from ...models.training.schedule import group_count
        from ...models.training.source import DEFAULT_ARCH

        self.without: tuple[str, ...] = ()
        self.unavailable: dict[str, str] = {}
        self.settings = TrainingSettings(arch=DEFAULT_ARCH)
        if isinstance(source, Learner):
            self.without, self.settings = ("arch", "pretrained"), TrainingSettings()
            if group_count(source) < 2:
                reason = "This learner has one group of layers only."
                self.unavailable = {"frozen_epochs": reason, "discriminative": reason}
                self.settings = TrainingSettings(frozen_epochs=0, discriminative=False)
        device = getattr(getattr(source, "dls", source), "device", None)
        if device is not None and not str(device).startswith("cuda"):
            self.unavailable["mixed_precision"] = f"Needs a GPU with CUDA: this trains on the {str(device).upper()}."


def unfinished(folder: Path) -> dict[str, str]:
    """The newest runs that can go on: name -> a sentence."""
    from ...models.training.run_folder import runs

    found = {}
    for name, row in runs(folder).iterrows():
        if row["state"] not in ENDS or not 0 < row["epochs_done"]:
            continue
        total = int(row["epochs"] + row["frozen_epochs"])
        if row["epochs_done"] < total and len(found) < OFFERED:
            done = f"{int(row['epochs_done'])} of {total} epochs are done"
            found[name] = f"The run of {name} did not end because {ENDS[row['state']]}: {done}."
    return found
