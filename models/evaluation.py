"""How well a Learner does on the photos it was not trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fastai.callback.progress  # noqa: F401  gives every Learner its no_bar()
import numpy as np
from fastai.learner import Learner


@dataclass
class Evaluation:
    """One pass over the validation photos, and what follows from it.

    >>> evaluation = evaluate(learn)
    >>> evaluation.error_rate, evaluation.baseline_error
    (0.037, 0.654)

    `probabilities` (n, labels), `targets` (n,) as indices into `labels`, `items` (n,) as in the
    DataLoaders; `commonest` is the index of the commonest label among the training photos.
    """

    labels: list[str]
    items: Sequence[Any]
    probabilities: np.ndarray
    targets: np.ndarray
    commonest: int

    @property
    def predicted(self) -> np.ndarray:
        return self.probabilities.argmax(1)

    @property
    def error_rate(self) -> float:
        return float((self.predicted != self.targets).mean())

    @property
    def baseline_error(self) -> float:
        """The error of always answering the commonest label of the training photos."""
        return float((self.targets != self.commonest).mean())

    @property
    def confusion(self) -> list[list[int]]:
        """A row per true label, a column per predicted one."""
        matrix = np.zeros((len(self.labels), len(self.labels)), dtype=int)
        np.add.at(matrix, (self.targets, self.predicted), 1)
        return matrix.tolist()

    @property
    def mistakes(self) -> list[tuple[Any, str, str, float]]:
        """(item, true label, predicted label, its probability), the surest mistake first."""
        wrong = np.flatnonzero(self.predicted != self.targets)
        sure = self.probabilities.max(1)
        return [
            (self.items[i], self.labels[self.targets[i]], self.labels[self.predicted[i]], float(sure[i]))
            for i in sorted(wrong, key=lambda i: -sure[i])
        ]


def evaluate(learn: Learner) -> Evaluation:
    """Score a single-label classifier on its validation photos."""
    with learn.no_bar(), learn.no_logging():
        probabilities, targets = learn.get_preds()
    train_targets = Counter(int(target) for target in learn.dls.train_ds.tls[1])
    return Evaluation(
        labels=[str(label) for label in learn.dls.vocab],
        items=learn.dls.valid_ds.items,
        probabilities=probabilities.numpy(),
        targets=targets.numpy(),
        commonest=train_targets.most_common(1)[0][0],
    )
