"""What follows from the epochs of a run: table, best epoch, advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from .advice import advice
from .metrics import NO_METRIC, best_epoch


@dataclass(frozen=True)
class Summary:
    """Reckoned once an epoch, because pages ask for it several times a second."""

    history: pd.DataFrame
    best: int | None
    advice: list[str]

    @classmethod
    def of(cls, rows: Sequence[dict], baseline: Mapping[str, float], *, epochs: int) -> Summary:
        """The summary of a run that will have `epochs`, a row for each that is done.

        >>> Summary.of([{"epoch": 1, "train_loss": 0.9, "valid_loss": 0.7}], {}, epochs=3).best
        1
        """
        history = pd.DataFrame(list(rows)) if rows else pd.DataFrame(columns=list(NO_METRIC))
        return cls(history, best_epoch(history), advice(history, baseline, epochs=epochs))
