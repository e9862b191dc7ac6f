"""In which order to look through pictures, so that the wrong ones come first."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from ..duplicates import Fingerprint, fingerprint, group_duplicates
from ..interpretation.predictions import probabilities
from ..progress import Progress
from ..thumbnails import WORKERS, Thumbnails

NEEDS_PROBABILITIES = (
    "Likely label errors are found from the probabilities of all labels, and this table has only the predicted "
    "one's. Make it by predictions(learn), or give predictions_table the probabilities."
)
NEEDS_CLEANLAB = (
    "Likely label errors are found by cleanlab, which is not installed here: pip install 'ipyfastai[train]'."
)
CHUNK = 64  # pictures between two looks at Cancel


def chosen(table: pd.DataFrame, *, label: str | None = None, split: str | None = None) -> np.ndarray:
    """Positions of the rows of one label and one split, in the table's order; None: of all.

    >>> chosen(table, label="black", split="valid")
    array([0, 3, 17])
    """
    mask = np.ones(len(table), bool)
    for name, value in (("label", label), ("split", split)):
        if value is not None:
            mask &= (table[name] == value).to_numpy(bool)
    return np.flatnonzero(mask)


def worst_loss(table: pd.DataFrame, *, label: str | None = None, split: str | None = None) -> np.ndarray:
    """Positions of the rows, the highest loss first; those whose loss is not known come last.

    >>> table.iloc[worst_loss(table, label="black", split="valid")]
    """
    rows = chosen(table, label=label, split=split)
    return rows[_descending(table["loss"].to_numpy(float)[rows])]


def most_unsure(
    table: pd.DataFrame, *, label: str | None = None, split: str | None = None, by: str = "margin"
) -> np.ndarray:
    """Positions of the rows, the most unsure answer first.

    >>> table.iloc[most_unsure(table)]

    `by="margin"`: by how little the first label leads the second; "entropy": by how evenly all labels share.
    Where the table has no probabilities, by the confidence alone. Source: B. Settles, "Active Learning
    Literature Survey", 2009, section 3.1 (margin and entropy sampling).
    """
    if by not in ("margin", "entropy"):
        raise ValueError(f'by must be "margin" or "entropy", not {by!r}')
    rows = chosen(table, label=label, split=split)
    shares = probabilities(table.iloc[rows])
    if shares is None:
        return rows[_descending(-table["confidence"].to_numpy(float)[rows])]
    if by == "entropy":
        return rows[_descending(-(shares * np.log(np.maximum(shares, 1e-12))).sum(1))]
    if shares.shape[1] < 2:
        return rows
    first_two = np.partition(shares, -2, axis=1)[:, -2:]
    return rows[_descending(first_two[:, 0] - first_two[:, 1])]


def label_errors(table: pd.DataFrame, *, label: str | None = None, split: str | None = None) -> np.ndarray:
    """Positions of the rows whose label is likely wrong, the likeliest first; no others.

    >>> table.iloc[label_errors(table, label="black")]

    Each split is judged by itself, because a model is surer of what it was trained on: the honest ones are
    those of "valid". Raises ValueError where the table has no probabilities, RuntimeError where cleanlab is
    not installed, each with a sentence. Source: C. Northcutt, L. Jiang, I. Chuang, "Confident Learning:
    Estimating Uncertainty in Dataset Labels", 2021; cleanlab.filter.find_label_issues.
    """
    shares = probabilities(table)
    if shares is None:
        raise ValueError(NEEDS_PROBABILITIES)
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise RuntimeError(NEEDS_CLEANLAB) from error
    given = table["label"].cat.codes.to_numpy(int)
    found = []
    for part in table["split"].unique() if split is None else [split]:
        rows = chosen(table, split=part)
        if len(rows) and shares.shape[1] > 1:
            # One process: a kernel with threads must not fork.
            issues = find_label_issues(given[rows], shares[rows], return_indices_ranked_by="self_confidence", n_jobs=1)
            found.append(rows[issues])
    rows = np.concatenate(found) if found else np.empty(0, np.int64)
    rows = rows[np.argsort(shares[rows, given[rows]], kind="stable")]
    return rows if label is None else rows[(table["label"] == label).to_numpy(bool)[rows]]


def duplicate_groups(
    table: pd.DataFrame, *, thumbnails: Thumbnails | None = None, progress: Progress | None = None
) -> np.ndarray:
    """A number for each row, the same for near duplicates; -1 for a picture without one, or that cannot be read.

    >>> duplicate_groups(table, thumbnails=Thumbnails())
    array([-1, 1, -1, 1])

    `thumbnails` makes it quick, since they are kept on the disk. See `duplicates.group_duplicates`.
    """
    progress = progress or Progress()
    prints = list(_fingerprints(table["item"].tolist(), thumbnails, progress))
    readable = np.array([index for index, one in enumerate(prints) if one is not None], np.int64)
    groups = np.full(len(table), -1)
    groups[readable] = readable[group_duplicates([prints[index] for index in readable], progress=progress)]
    alone = np.bincount(groups[readable], minlength=len(table)) < 2
    groups[readable[alone[groups[readable]]]] = -1
    return groups


def near_duplicates(
    table: pd.DataFrame,
    *,
    label: str | None = None,
    split: str | None = None,
    groups: np.ndarray | None = None,
    thumbnails: Thumbnails | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Positions of pictures that have a near duplicate, those that are alike side by side; no others.

    >>> table.iloc[near_duplicates(table, thumbnails=Thumbnails())]

    With `label` and `split`, the groups that have a picture there, with all their members: a copy under another
    label, or on the other side of the split, is what one looks for. `groups` is what `duplicate_groups`
    has found before; without, it is asked.
    """
    if groups is None:
        groups = duplicate_groups(table, thumbnails=thumbnails, progress=progress)
    wanted = groups[chosen(table, label=label, split=split)]
    rows = np.flatnonzero(np.isin(groups, wanted[wanted >= 0]))
    return rows[np.argsort(groups[rows], kind="stable")]


def file_name(table: pd.DataFrame, *, label: str | None = None, split: str | None = None) -> np.ndarray:
    """Positions of the rows by their items' names, as text; rows of pictures without a name as they stand."""
    rows = chosen(table, label=label, split=split)
    names = [item if isinstance(item, str) else "" for item in table["item"].to_numpy(object)[rows]]
    return rows[np.argsort(np.array(names, object), kind="stable")]


ORDERS: dict[str, Callable[..., np.ndarray]] = {
    "worst loss first": worst_loss,
    "most unsure first": most_unsure,
    "likely label errors": label_errors,
    "near duplicates": near_duplicates,
    "by file name": file_name,
}


def _descending(values: np.ndarray) -> np.ndarray:
    """Where the highest value is first; equal ones keep their order, NaN comes last."""
    return np.argsort(-values, kind="stable")


def _fingerprints(
    items: Sequence[Any], thumbnails: Thumbnails | None, progress: Progress
) -> Iterator[Fingerprint | None]:
    def look(item: Any) -> Fingerprint | None:
        try:
            if thumbnails is not None:
                item = Image.open(io.BytesIO(thumbnails.get(item)))
            return fingerprint(Image.fromarray(item) if isinstance(item, np.ndarray) else item)
        except (ValueError, OSError):
            return None

    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(items), CHUNK):
            progress.report(start, len(items), "Looking for near duplicates")
            yield from pool.map(look, items[start : start + CHUNK])
