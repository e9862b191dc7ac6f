"""The predictions table: what a classifier said of each item, once, for everything that looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..progress import Progress

if TYPE_CHECKING:
    from fastai.learner import Learner

COLUMNS = ("item", "split", "label", "predicted", "confidence", "loss")
PROBABILITY = "probability of "  # the column of a label's probability: this, then the label
SUM_TOLERANCE = 0.01  # half precision sums 200 probabilities to within this


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
    items, label = _values(items), _values(label)
    if predicted is None and probabilities is None:
        raise ValueError("Say what the model answered: give predicted, probabilities or both.")
    predicted = None if predicted is None else _values(predicted)
    _same_length(items, label=label, predicted=predicted, probabilities=probabilities, loss=loss)
    if labels is None:
        vocab = _sorted_labels(label, predicted or [])
        find = dict(zip(vocab, range(len(vocab)), strict=True)).get
        truth = _codes(label, lambda value: find(_text(value)), vocab, "label")
        answers = predicted and _codes(predicted, lambda value: find(_text(value)), vocab, "predicted")
    else:
        vocab, find = _vocabulary(labels)
        truth = _codes(label, find, vocab, "label")
        answers = predicted and _codes(predicted, find, vocab, "predicted")
    table = {"item": items, "split": split if isinstance(split, str) else _values(split)}
    _same_length(items, split=None if isinstance(split, str) else table["split"])
    table = pd.DataFrame({"item": pd.Series(items, dtype=object), "split": table["split"]})
    shares = None if probabilities is None else _checked_probabilities(probabilities, len(items), vocab)
    if predicted is None:
        answers = shares.argmax(1) if len(items) else []
    table["label"] = pd.Categorical.from_codes(truth, vocab)
    table["predicted"] = pd.Categorical.from_codes(answers, vocab)
    if loss is not None:
        table["loss"] = _values(loss)
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
    vocab = _categories(table, list(shares))
    find = dict(zip(vocab, range(len(vocab)), strict=True)).get

    checked = pd.DataFrame({"item": _checked_items(table["item"])})
    checked["split"] = _checked_splits(table["split"]) if "split" in table else "valid"
    for name in ("label", "predicted"):
        codes = _codes(table[name].tolist(), lambda value: find(_text(value)), vocab, name)
        checked[name] = pd.Categorical.from_codes(codes, vocab)
    probability = None
    if shares:
        unnamed = [name for name in vocab if name not in shares]
        if unnamed:
            raise ValueError(f"There is no column {PROBABILITY + unnamed[0]!r}, and others of that kind there are.")
        probability = np.column_stack([_numbers(table[shares[name]], shares[name]) for name in vocab])
        probability = _checked_probabilities(probability, len(table), vocab)
    rows = np.arange(len(checked))
    if "confidence" in table:
        checked["confidence"] = confidence = _numbers(table["confidence"], "confidence")
        if ((confidence < -1e-6) | (confidence > 1 + 1e-6)).any():
            raise ValueError("A confidence lies between 0 and 1; some in this table do not.")
    else:
        checked["confidence"] = np.nan if probability is None else probability[rows, checked["predicted"].cat.codes]
    if "loss" in table:
        checked["loss"] = _numbers(table["loss"], "loss")
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


def _values(values: Iterable[Any]) -> list:
    # NumPy, pandas and torch alike; but a stack of pictures stays pictures.
    flat = hasattr(values, "tolist") and getattr(values, "ndim", 1) == 1
    return values.tolist() if flat else list(values)


def _same_length(items: list, **columns) -> None:
    for name, values in columns.items():
        if values is not None and not hasattr(values, "__len__"):
            raise ValueError(f"{name} must be as long as the items, and has no length.")
        if values is not None and len(values) != len(items):
            raise ValueError(f"There are {len(items):,} items, but {name} has {len(values):,}.")


def _text(value: Any) -> str:
    """A label as text; 3.0, as pandas makes of 3 beside an empty cell, is "3"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _sorted_labels(*columns: list) -> list[str]:
    """All labels that occur: numbers by their size, text by its letters."""
    names = {_text(value) for values in columns for value in values if not _missing(value)}

    def number(name: str) -> float | None:
        try:
            return float(name)
        except ValueError:
            return None

    numbers = {name: number(name) for name in names}
    if None in numbers.values():
        return sorted(names)
    return sorted(names, key=lambda name: (numbers[name], name))


def _vocabulary(labels: Iterable[Any]) -> tuple[list[str], Callable[[Any], int | None]]:
    """The labels as text, and what finds a label's place."""
    given = _values(labels)
    vocab = [_text(value) for value in given]
    if twice := {name for name in vocab if vocab.count(name) > 1}:
        raise ValueError(f"Two labels read the same: {sorted(twice)[0]!r}.")
    by_name = dict(zip(vocab, range(len(vocab)), strict=True))
    positions = all(isinstance(value, str) for value in given)

    def find(value: Any) -> int | None:
        if positions and isinstance(value, int | np.integer) and not isinstance(value, bool):
            return int(value) if 0 <= value < len(vocab) else None
        return by_name.get(_text(value))

    return vocab, find


def _codes(values: list, find: Callable[[Any], int | None], vocab: list[str], name: str) -> np.ndarray:
    """The place of each value in `vocab`; ValueError for one that is missing or unknown."""
    places: dict[tuple[type, Any], int] = {}
    codes = np.empty(len(values), np.int64)
    for row, value in enumerate(values):
        if isinstance(value, list | dict | set | np.ndarray):
            raise ValueError(f"Row {row + 1} has a {type(value).__name__} as its {name}: one label for each item.")
        key = (type(value), value)  # 1, 1.0 and True are one key to a dict, and three labels
        place = places.get(key)
        if place is None:
            place = find(value)
            if place is None:
                raise ValueError(_unknown(value, row, vocab, name))
            places[key] = place
        codes[row] = place
    return codes


def _unknown(value: Any, row: int, vocab: list[str], name: str) -> str:
    if _missing(value):
        return f"Row {row + 1} has no {name}."
    known = ", ".join(map(repr, vocab[:5])) + (f" and {len(vocab) - 5} more" if len(vocab) > 5 else "")
    return f"Row {row + 1} has the {name} {value!r}, which is none of the labels: {known or 'there are none'}."


def _categories(table: pd.DataFrame, with_probability: list[str]) -> list[str]:
    """The labels of a table that may come from anywhere, in their order."""
    columns = [table["label"], table["predicted"]]
    declared = [[_text(v) for v in c.cat.categories] if isinstance(c.dtype, pd.CategoricalDtype) else None
                for c in columns]  # fmt: skip
    if declared[0] is not None and declared[1] is not None and set(declared[0]) == set(declared[1]):
        if not with_probability or set(declared[0]) == set(with_probability):
            return _vocabulary(declared[0])[0]
    return with_probability or _sorted_labels(*(column.tolist() for column in columns))


def _checked_items(items: pd.Series) -> pd.Series:
    values = [fspath(item) if isinstance(item, PathLike) else item for item in items]
    for row, item in enumerate(values):
        if _missing(item) or (isinstance(item, str) and not item.strip()):
            raise ValueError(f"Row {row + 1} has no item.")
    text = pd.Series([item for item in values if isinstance(item, str)], dtype=object)
    again = text[text.duplicated()].unique()
    if len(again):
        more = f", and so do {len(again) - 1:,} more" if len(again) > 1 else ""
        raise ValueError(f"{again[0]!r} stands in the table more than once{more}: one row for each item.")
    return pd.Series(values, dtype=object)


def _checked_splits(splits: pd.Series) -> pd.Series:
    for row, value in enumerate(splits):
        if not isinstance(value, str) or not value:
            raise ValueError(f"Row {row + 1} has no split, such as 'train' or 'valid'.")
    return splits.astype(object)


def _numbers(values: pd.Series, name: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(float, na_value=np.nan)
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & ~values.map(_missing) & (values.astype(str).str.strip().str.lower() != "nan")
    wrong &= values.astype(str).str.strip() != ""
    if wrong.any():
        row = int(wrong.idxmax())
        raise ValueError(f"Row {row + 1} has the {name} {values[row]!r}, which is no number.")
    return numbers.to_numpy(float)


def _checked_probabilities(values: Any, rows: int, vocab: list[str]) -> np.ndarray:
    shares = np.asarray(values, dtype=np.float32)
    if shares.ndim != 2 and not rows:
        shares = shares.reshape(0, len(vocab))
    if shares.shape != (rows, len(vocab)):
        shape = " × ".join(map(str, shares.shape))
        raise ValueError(f"The probabilities are {shape}; {rows} items and {len(vocab)} labels need {rows} × "
                         f"{len(vocab)}. Say labels= if some never occur.")  # fmt: skip
    sums = shares.sum(1, dtype=float)
    wrong = ~((shares >= -1e-6).all(1) & (abs(sums - 1) <= SUM_TOLERANCE))  # so that NaN is wrong too
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"The probabilities of row {row + 1} do not lie between 0 and 1 or do not sum to 1 (their sum is "
            f"{sums[row]:.3g}): give what comes after softmax."
        )
    return shares
