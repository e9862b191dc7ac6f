"""What follows from a predictions table: counts, scores for each label, what is confused with what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .predictions import labels

MOST = 2000  # labels; with more it is another column that was taken for them


def confusion(table: pd.DataFrame) -> np.ndarray:
    """How many items of each label got which answer: int (labels, labels), a row for each true label.

    >>> confusion(table)
    array([[27,  1,  0],
           [ 2, 25,  0],
           [ 0,  0, 27]])

    Raises ValueError for more than MOST labels.
    """
    count = len(labels(table))
    if count > MOST:
        raise ValueError(f"The table has {count:,} labels; a confusion matrix is made of {MOST:,} at most.")
    cells = table["label"].cat.codes.to_numpy(np.int64) * count + table["predicted"].cat.codes.to_numpy(np.int64)
    return np.bincount(cells, minlength=count**2).reshape(count, count)


def scores(counts: np.ndarray, labels: list[str]) -> pd.DataFrame:
    """Precision, recall and F1 of each label, with the counts behind them.

    >>> scores(confusion(table), labels(table)).loc["grizzly", ["items", "answers", "right", "recall"]]

    `items` have that label, `answers` say it, `right` do both. Precision is right / answers, recall
    right / items, F1 their harmonic mean; NaN where nothing is there to divide by.
    """
    right, items, answers = counts.diagonal(), counts.sum(1), counts.sum(0)
    return pd.DataFrame(
        {
            "items": items,
            "answers": answers,
            "right": right,
            "precision": _share(right, answers),
            "recall": _share(right, items),
            "f1": _share(2 * right, items + answers),
        },
        index=pd.Index(labels, name="label"),
    )


def most_confused(counts: np.ndarray, *, at_least: int = 1) -> list[tuple[int, int, int]]:
    """(row, column, count) of each mistake that was made `at_least` so often, the commonest first.

    >>> most_confused(np.array([[27, 1, 0], [2, 25, 0], [0, 0, 27]]))
    [(1, 0, 2), (0, 1, 1)]
    """
    rows, columns = np.nonzero(counts >= at_least)
    pairs = [(int(i), int(j), int(counts[i, j])) for i, j in zip(rows, columns, strict=True) if i != j]
    return sorted(pairs, key=lambda pair: -pair[2])


def error_rate(table: pd.DataFrame) -> float:
    """The share of items whose prediction is not their label; NaN for an empty table.

    >>> error_rate(table)
    0.037
    """
    return float(_wrong(table).mean()) if len(table) else float("nan")


def baseline_error(table: pd.DataFrame, commonest: str) -> float:
    """The error of always answering one label, as a rule the commonest among the training items.

    >>> baseline_error(table[table.split == "valid"], table.label[table.split == "train"].mode()[0])
    0.654
    """
    return float((table["label"] != commonest).mean()) if len(table) else float("nan")


def mistakes(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that were predicted wrong, the surest first.

    >>> mistakes(table).head(1)[["item", "label", "predicted", "confidence"]]
    """
    return table[_wrong(table)].sort_values("confidence", ascending=False, kind="stable")


def top_losses(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by their loss, the worst first; those whose loss is not known come last.

    >>> top_losses(table).item.head(9)
    """
    return table.sort_values("loss", ascending=False, kind="stable", na_position="last")


def similar_order(counts: np.ndarray) -> np.ndarray:
    """An order of the labels in which those that are confused stand beside each other.

    >>> similar_order(np.array([[9, 0, 3], [0, 9, 0], [2, 0, 9]]))
    array([0, 2, 1])

    Agglomerative clustering by average linkage on the shares of each label that are taken for the
    other; two clusters are joined at the ends that are most alike (Bar-Joseph, Gifford and Jaakkola,
    "Fast optimal leaf ordering for hierarchical clustering", 2001, finds the best of all such orders).
    Labels that are confused with none keep their order at the end.
    """
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    alike = shares + shares.T
    np.fill_diagonal(alike, -1)
    alone = alike.max(1, initial=0) <= 0
    linked, sizes, runs = alike.copy(), np.ones(len(counts)), {i: [i] for i in np.flatnonzero(~alone)}
    linked[alone] = linked[:, alone] = -1
    nearest = linked.argmax(1) if len(linked) else np.zeros(0, int)
    every = np.arange(len(linked))
    for _ in range(len(runs) - 1):
        i = int(linked[every, nearest].argmax())
        i, j = sorted((i, int(nearest[i])))
        joins = [first + second for first in (runs[i], runs[i][::-1]) for second in (runs[j], runs[j][::-1])]
        seam = len(runs[i])
        runs[i] = joins[int(np.argmax([alike[run[seam - 1], run[seam]] for run in joins]))]
        del runs[j]
        linked[i] = linked[:, i] = (sizes[i] * linked[i] + sizes[j] * linked[j]) / (sizes[i] + sizes[j])
        linked[i, i], sizes[i] = -1, sizes[i] + sizes[j]
        linked[j] = linked[:, j] = -1
        # An average is never nearer than both of what it is made of: other rows keep their nearest.
        changed = np.flatnonzero((nearest == i) | (nearest == j))  # i among them, whose nearest is j
        nearest[changed] = linked[changed].argmax(1)
    return np.array([*(i for run in runs.values() for i in run), *np.flatnonzero(alone)], dtype=int)


def _wrong(table: pd.DataFrame) -> np.ndarray:
    return table["label"].cat.codes.to_numpy() != table["predicted"].cat.codes.to_numpy()


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
