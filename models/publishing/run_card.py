"""The model card of a training run: what was trained, on what, and how well it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..card import ModelCard, today
from ..words import counted, percent

if TYPE_CHECKING:
    import pandas as pd

    from ..training.run import TrainingRun, TrainingSettings

MOST_LISTED = 20  # labels whose numbers of photos are told one by one


def run_card(name: str, table: pd.DataFrame, *, run: TrainingRun | None = None, **words: str) -> ModelCard:
    """A card filled from a predictions table, and from the run that trained the model.

    >>> run_card("Bears", predictions(learn), run=run).metrics
    {'error rate': {'value': 0.03, 'baseline': 0.65}}

    `table` is one that `check_predictions` returns; its "valid" rows are the photos that were held back.
    `words` fill or replace texts of the card. Raises ValueError for a table without held-back photos.
    """
    labels = [str(label) for label in table["label"].cat.categories]
    held_back = table[table["split"] == "valid"]
    if held_back.empty:
        raise ValueError("No photos were held back, so nothing can be said of how well the classifier does.")
    learned_from = table[table["split"] == "train"]
    texts = {
        "summary": f"Tells {_listed(labels)} apart.",
        "data": _counts(table, labels),
        "split": _split(held_back, len(table), run.settings if run else None),
        "training": _training(run) if run else "",
    }
    return ModelCard(
        **{"name": name.strip(), **texts, **{key: text.strip() for key, text in words.items() if text.strip()}},
        labels=labels,
        metrics={"error rate": error_rate(held_back, learned_from)},
        confusion=_confusion(held_back, len(labels)),
        date=today().isoformat(),
    )


def error_rate(held_back: pd.DataFrame, learned_from: pd.DataFrame) -> dict[str, float]:
    """The share of wrong answers, and that of always answering the commonest training label."""
    known = learned_from if len(learned_from) else held_back
    commonest = known["label"].value_counts().idxmax()
    label = held_back["label"].astype(str)
    return {
        "value": float((held_back["predicted"].astype(str) != label).mean()),
        "baseline": float((label != str(commonest)).mean()),
    }


def _confusion(table: pd.DataFrame, count: int) -> list[list[int]]:
    """A row per true label, a column per predicted one."""
    matrix = np.zeros((count, count), dtype=int)
    np.add.at(matrix, (table["label"].cat.codes, table["predicted"].cat.codes), 1)
    return matrix.tolist()


def _counts(table: pd.DataFrame, labels: list[str]) -> str:
    counts = table["label"].value_counts()
    if len(labels) <= MOST_LISTED:
        return f"{len(table):,} photos: {', '.join(f'{label} {counts[label]:,}' for label in labels)}."
    return f"{len(table):,} photos of {len(labels)} labels, {counts.min():,} to {counts.max():,} of each."


def _split(held_back: pd.DataFrame, photos: int, settings: TrainingSettings | None) -> str:
    count = len(held_back)
    seed = f", seed {settings.seed}" if settings is not None and settings.seed is not None else ""
    one = f"one mistake more or less is {percent(1 / count, 1)}"
    return (
        f"{count:,} of {photos:,} photos ({percent(count / photos)}) were held back and not trained on{seed}. "
        f"With {count:,} photos {one}, and photos from elsewhere may be harder."
    )


def _training(run: TrainingRun) -> str:
    """The settings in words."""
    settings = run.settings
    network = settings.arch or "A network of its author's"
    start = (
        "" if settings.arch is None else ", pretrained on ImageNet" if settings.pretrained else ", from random weights"
    )
    trained = len(run.history)
    epochs = counted(trained, "epoch")
    if trained != settings.total_epochs:
        epochs += f" of {settings.total_epochs} planned"
    if settings.frozen_epochs:
        epochs += f", the first {settings.frozen_epochs} with all but the last layers frozen"
    told = [f"schedule {settings.schedule.replace('_', '-')}", f"learning rate {settings.learning_rate:.2g}"]
    if settings.weight_decay is not None:
        told.append(f"weight decay {settings.weight_decay:.2g}")
    if settings.batch_size is not None:
        told.append(f"batches of {settings.batch_size}")
    return f"{network}{start}; {epochs}; {', '.join(told)}."


def _listed(labels: list[str]) -> str:
    if len(labels) > MOST_LISTED:
        return f"{len(labels)} kinds of photos"
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
