"""The predictions table: what a classifier said of each item, once, for everything that looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..progress import Progress
from .columns import (
    as_list,
    check_lengths,
    common_labels,
    item_column,
    label_codes,
    label_text,
    number_column,
    probability_matrix,
    sorted_labels,
    split_column,
    vocabulary,
)

if TYPE_CHECKING:
    from fastai.learner import Learner

COLUMNS = ("item", "split", "label", "predicted", "confidence", "loss")
PROBABILITY = "probability of "  # the column of a label's probability: this, then the label


def predictions(
    learn: Learner, *, splits: Sequence[str] = ("train", "valid"), progress: Progress | None = None
) -> pd.DataFrame:
    """The predictions table of a fastai Learner, from one look at each item.

    >>> table = predictions(learn)
    >>> table.loc[table.label != table.predicted].sort_values("loss", ascending=False).item

    Training items are seen as validation items are: whole, in order, not augmented. `loss` is the
    Learner's own loss for the item alone, as `ClassificationInterpretation.losses` has it; the Learner,
    its mode and the random numbers are afterwards as before, Cancel included. Items that are paths,
    or that the Learner's data make paths of, are absolute paths as text.
    Raises ValueError for a Learner that does not choose one label for each item, or whose model
    answers NaN; Cancelled as `progress` says.
    """
    from .inference import infer

    parts = list(infer(learn, splits, progress or Progress()))
    return predictions_table(
        [item for part in parts for item in part.items],
        np.concatenate([part.targets for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        labels=parts[0].labels,
        split=[part.split for part in parts for _ in part.items],
        loss=np.concatenate([part.losses for part in parts]),
    )


def predictions_table(
    items: Iterable[Any],
    label: Iterable[Any],
    predicted: Iterable[Any] | None = None,
    *,
    probabilities=None,
    labels: Iterable[Any] | None = None,
    split: str | Iterable[str] = "valid",
    loss: Iterable[float] | None = None,
) -> pd.DataFrame:
    """The predictions table of any framework: a row for each item.

    >>> predictions_table(files, y_true, y_pred)
    >>> predictions_table(files, y_true, probabilities=model.predict_proba(x), labels=model.classes_)

    `items` are paths, images (PIL, or uint8 arrays of (h, w, 3) or (h, w)) or names. `label` (the truth)
    and `predicted` (n,) hold labels, or positions in `labels` where these are given and are text.
    `probabilities` is (n, labels), in the order of `labels`: all labels, by default those that occur,
    sorted. `predicted` can be left out where there are probabilities, and `loss` (n,) is then their
    cross-entropy. Returns the columns `item`, `split`, `label` and `predicted` (Categorical, the labels
    as text), `confidence` (of the predicted label) and `loss` (NaN where it is not known), and
    "probability of <label>" for each label. Raises ValueError with a sentence for what does not fit.
    """
    items, label = as_list(items), as_list(label)
    if predicted is None and probabilities is None:
        raise ValueError("Say what the model answered: give predicted, probabilities or both.")
    predicted = None if predicted is None else as_list(predicted)
    check_lengths(items, label=label, predicted=predicted, probabilities=probabilities, loss=loss)
    if labels is None:
        vocab = sorted_labels(label, predicted or [])
        find = dict(zip(vocab, range(len(vocab)), strict=True)).get
        truth = label_codes(label, lambda value: find(label_text(value)), vocab, "label")
        answers = predicted and label_codes(predicted, lambda value: find(label_text(value)), vocab, "predicted")
    else:
        vocab, find = vocabulary(labels)
        truth = label_codes(label, find, vocab, "label")
        answers = predicted and label_codes(predicted, find, vocab, "predicted")
    table = {"item": items, "split": split if isinstance(split, str) else as_list(split)}
    check_lengths(items, split=None if isinstance(split, str) else table["split"])
    table = pd.DataFrame({"item": pd.Series(items, dtype=object), "split": table["split"]})
    shares = None if probabilities is None else probability_matrix(probabilities, len(items), vocab)
    if predicted is None:
        answers = shares.argmax(1) if len(items) else []
    table["label"] = pd.Categorical.from_codes(truth, vocab)
    table["predicted"] = pd.Categorical.from_codes(answers, vocab)
    if loss is not None:
        table["loss"] = as_list(loss)
    if shares is not None:
        names = [PROBABILITY + name for name in vocab]
        table = pd.concat([table, pd.DataFrame(shares, columns=names)], axis=1)
    return check_predictions(table)


def check_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """The table as everything else expects it, or a ValueError with a sentence that says what is wrong.

    >>> check_predictions(pd.read_csv("predictions.csv"))

    `item`, `label` and `predicted` must be there. A missing `split` is "valid", a missing `confidence`
    or `loss` follows from the probabilities, or is NaN. Labels become text; both columns get the same
    categories: those they share already, else the labels that have a column of probabilities (a label
    without one is unknown, and refused), else all that occur, sorted. An item may stand in the table
    once only. Further columns are kept; rows keep their order and are numbered from 0.
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"A predictions table is a pandas DataFrame, not {type(table).__name__}.")
    missing = [name for name in ("item", "label", "predicted") if name not in table.columns]
    if missing:
        raise ValueError(f"The predictions table has no column {' and none '.join(map(repr, missing))}.")
    if not table.columns.is_unique:
        raise ValueError(f"The column {table.columns[table.columns.duplicated()][0]!r} stands in the table twice.")
    table = table.reset_index(drop=True)
    shares = {str(name)[len(PROBABILITY) :]: name for name in table.columns if str(name).startswith(PROBABILITY)}
    vocab = common_labels(table, list(shares))
    find = dict(zip(vocab, range(len(vocab)), strict=True)).get

    checked = pd.DataFrame({"item": item_column(table["item"])})
    checked["split"] = split_column(table["split"]) if "split" in table else "valid"
    for name in ("label", "predicted"):
        codes = label_codes(table[name], lambda value: find(label_text(value)), vocab, name)
        checked[name] = pd.Categorical.from_codes(codes, vocab)
    probability = None
    if shares:
        unnamed = [name for name in vocab if name not in shares]
        if unnamed:
            raise ValueError(f"There is no column {PROBABILITY + unnamed[0]!r}, and others of that kind there are.")
        probability = np.column_stack([number_column(table[shares[name]], shares[name]) for name in vocab])
        probability = probability_matrix(probability, len(table), vocab)
    rows = np.arange(len(checked))
    if "confidence" in table:
        checked["confidence"] = confidence = number_column(table["confidence"], "confidence")
        if ((confidence < -1e-6) | (confidence > 1 + 1e-6)).any():
            raise ValueError("A confidence lies between 0 and 1; some in this table do not.")
    else:
        checked["confidence"] = np.nan if probability is None else probability[rows, checked["predicted"].cat.codes]
    if "loss" in table:
        checked["loss"] = number_column(table["loss"], "loss")
    elif probability is None:
        checked["loss"] = np.nan
    else:
        of_truth = probability[rows, checked["label"].cat.codes].astype(float)
        checked["loss"] = -np.log(of_truth.clip(np.finfo(np.float32).tiny))
    checked = checked.astype({"confidence": float, "loss": float})
    if probability is not None:
        names = [PROBABILITY + name for name in vocab]
        checked = pd.concat([checked, pd.DataFrame(probability, columns=names)], axis=1)
    further = [name for name in table.columns if name not in COLUMNS and name not in shares.values()]
    return pd.concat([checked, table[further]], axis=1) if further else checked


def labels(table: pd.DataFrame) -> list[str]:
    """All labels of a predictions table, in the model's order.

    >>> labels(table)
    ['black', 'grizzly', 'teddy']
    """
    return list(table["label"].cat.categories)


def probabilities(table: pd.DataFrame) -> np.ndarray | None:
    """The probabilities as float32 (n, labels), None where the table has none.

    >>> probabilities(table).shape
    (409, 3)
    """
    names = [PROBABILITY + name for name in labels(table)]
    return table[names].to_numpy(np.float32) if names and names[0] in table else None
