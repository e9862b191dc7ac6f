"""Which photos to learn from, and which to be tested on."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..words import counted, quoted
from .items import check_items

TRAIN, VALID = "train", "valid"
# What people call the two sides in columns and folders.
_TRAIN_WORDS = {"train", "training", "false", "0", "0.0"}
_VALID_WORDS = {"valid", "validation", "val", "test", "testing", "true", "1", "1.0"}


def random_split(
    items: pd.DataFrame, *, valid_pct: float = 0.2, seed: int = 42, copies: Sequence[int] | None = None
) -> pd.DataFrame:
    """The items with a `split` drawn at random: `valid_pct` of each label; the same seed gives the same.

    >>> random_split(folder_items("bears")).split.value_counts().to_dict()
    {'train': 327, 'valid': 82}

    `copies` (n,), as from `group_duplicates`, numbers the photos so that copies share a number; they
    stay on one side. Raises ValueError for a share outside (0, 1) and for a label with a single photo.
    """
    items = check_items(items)
    _check_share(valid_pct)
    groups = range(len(items)) if copies is None else copies
    valid = grouped_split(items.label.tolist(), groups, valid_pct=valid_pct, seed=seed)
    return _with_split(items, items.index.isin(valid))


def grouped_split(labels: Sequence[str], groups: Sequence[int], *, valid_pct: float = 0.2, seed: int = 42) -> list[int]:
    """Indices of the validation items: a share of each label, whole groups at a time.

    >>> grouped_split(["a", "a", "a", "b", "b"], groups=[0, 1, 1, 2, 3], valid_pct=0.5)
    [0, 3]

    `labels` and `groups` are (n,). A group counts under the label of its first item. At least one
    group of each label is left for training: ValueError names a label that has fewer than two.
    """
    members = _members(groups)
    by_label: dict[str, list[list[int]]] = {}
    for indices in members.values():
        by_label.setdefault(labels[indices[0]], []).append(indices)
    shuffle = random.Random(seed).shuffle
    valid: list[int] = []
    for label in sorted(set(labels)):
        candidates = by_label.get(label, [])
        if len(candidates) < 2:
            raise ValueError(
                f"Label {label!r} needs at least two different photos, one to learn from and one to be tested on; "
                f"it has {len(candidates)} (copies of one photo count once)."
            )
        shuffle(candidates)
        wanted = max(1, round(valid_pct * sum(map(len, candidates))))
        chosen: list[int] = []
        while len(chosen) < wanted and len(candidates) > 1:
            chosen += candidates.pop()
        valid += chosen
    return sorted(valid)


def split_by_group(items: pd.DataFrame, column: str, *, valid_pct: float = 0.2, seed: int = 42) -> pd.DataFrame:
    """The items with a `split` that keeps each person, place or day named in `column` on one side.

    >>> split_by_group(items, "person", valid_pct=0.3)

    Groups are drawn at random as long as they bring the share of every label nearer to `valid_pct`;
    with few or large groups it is met roughly. Raises ValueError where there are fewer than two groups.
    """
    items = check_items(items)
    _check_share(valid_pct)
    members = _members(_column(items, column).map(str))
    if len(members) < 2:
        raise ValueError(f"Column {column!r} holds one group only; a split needs at least two.")
    vocab, codes = np.unique(items.label, return_inverse=True)
    counts = {group: np.bincount(codes[indices], minlength=len(vocab)) for group, indices in members.items()}
    total = sum(counts.values())
    order = sorted(members)
    random.Random(seed).shuffle(order)
    missing, chosen = valid_pct * total, []
    for group in order:
        after = missing - counts[group]
        if len(chosen) < len(order) - 1 and np.abs(after).sum() < np.abs(missing).sum():
            missing = after
            chosen.append(group)
    chosen = chosen or [min(order, key=lambda group: counts[group].sum())]
    return _with_split(items, items.index.isin([index for group in chosen for index in members[group]]))


def split_by_column(items: pd.DataFrame, column: str, *, valid: Iterable[Hashable] | None = None) -> pd.DataFrame:
    """The items with a `split` read from a column.

    >>> split_by_column(items, "is_valid")
    >>> split_by_column(items, "fold", valid=[4])

    `valid` are the values that mean validation; without it, the usual words are understood ("train",
    "valid", "val", "test", True, False, 0, 1). Raises ValueError for a value that is none of them.
    """
    items = check_items(items)
    values = _column(items, column)
    if valid is not None:
        wanted = {str(value) for value in valid}
        return _two_sides(items, values.map(str).isin(wanted).to_numpy(), f"Column {column!r}")
    words = values.map(lambda value: str(value).strip().lower())
    unknown = words[~words.isin(_TRAIN_WORDS | _VALID_WORDS)]
    if len(unknown):
        raise ValueError(
            f'Column {column!r} says {str(values[unknown.index[0]])!r}, which means neither "train" nor "valid". '
            "Choose which of its values are for validation."
        )
    return _two_sides(items, words.isin(_VALID_WORDS).to_numpy(), f"Column {column!r}")


def split_by_folder(items: pd.DataFrame, *, valid: str | None = None) -> pd.DataFrame:
    """The items with a `split` read from the folders on their paths, as in `valid/teddy/3.jpg`.

    >>> split_by_folder(folder_items("mnist_tiny"))

    `valid` names the folder to be tested on; without it the usual names are looked for ("valid", "val",
    "validation", "test"). Raises ValueError where no item or every item lies in such a folder.
    """
    items = check_items(items)
    names = {valid} if valid is not None else _VALID_WORDS - {"true", "1", "1.0"}
    # From the folder that all items share downwards: a data set below /home/test is not all validation.
    folders = [Path(item).parts[:-1] for item in items.item]
    shared = 0
    while all(len(parts) > shared and parts[shared] == folders[0][shared] for parts in folders):
        shared += 1
    inside = np.array([not names.isdisjoint(parts[shared:]) for parts in folders])
    return _two_sides(items, inside, f"The folder {valid!r}" if valid else 'A folder "valid" or "test"')


def split_warnings(items: pd.DataFrame, *, copies: Sequence[int] | None = None, group: str | None = None) -> list[str]:
    """What makes the score of a split better or worse than the truth, each as a sentence.

    >>> split_warnings(items, copies=items.copies, group="person")
    ['2 photos to be tested on have a near copy among those to learn from: ... ']

    `items` has a column `split`; `copies` (n,) numbers near duplicates alike; `group` is a column.
    """
    items = check_items(items)
    valid = (items.split == VALID).to_numpy()
    found = []
    if copies is not None and (crossing := _crossing(pd.Series(np.asarray(copies)), valid)):
        photos = int(np.isin(copies, crossing)[valid].sum())
        have = "has" if photos == 1 else "have"
        found.append(
            f"{counted(photos, 'photo')} to be tested on {have} a near copy among those to learn from: the score will "
            "look better than it is. Keep copies on one side."
        )
    if group is not None and (crossing := _crossing(_column(items, group).map(str), valid)):
        lie = "lies" if len(crossing) == 1 else "lie"
        found.append(
            f"{len(crossing)} of the groups in {group!r} {lie} on both sides, {crossing[0]!r} first: the score will "
            "look better than it is for groups never seen. Split by group."
        )
    learned, tested = set(items.label[~valid]), set(items.label[valid])
    if unseen := sorted(tested - learned):
        found.append(f"No photo of {quoted(unseen)} is left to learn from: all are in the validation set.")
    if untested := sorted(learned - tested):
        found.append(f"No photo of {quoted(untested)} is in the validation set: mistakes there are not seen.")
    if 0 < valid.sum() < 20:
        found.append(
            f"Only {counted(int(valid.sum()), 'photo')} to be tested on: one more mistake changes the error rate "
            f"by {100 / valid.sum():.0f} %."
        )
    return found


def _members(groups: Iterable[Hashable]) -> dict[Hashable, list[int]]:
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    return members


def _crossing(groups: pd.Series, valid: np.ndarray) -> list:
    """The groups that have members on both sides."""
    sides = pd.Series(valid).groupby(groups.to_numpy()).nunique()
    return sides.index[sides > 1].tolist()


def _column(items: pd.DataFrame, column: str) -> pd.Series:
    if column not in items:
        raise ValueError(f"The items table has no column {column!r}.")
    if items[column].isna().any():
        raise ValueError(f"Column {column!r} is empty for {counted(int(items[column].isna().sum()), 'photo')}.")
    return items[column]


def _two_sides(items: pd.DataFrame, valid: np.ndarray, what: str) -> pd.DataFrame:
    if not valid.any():
        raise ValueError(f"{what} leaves no photo to be tested on.")
    if valid.all():
        raise ValueError(f"{what} leaves no photo to learn from.")
    return _with_split(items, valid)


def _with_split(items: pd.DataFrame, valid: np.ndarray) -> pd.DataFrame:
    return items.assign(split=np.where(valid, VALID, TRAIN))


def _check_share(valid_pct: float) -> None:
    if not 0 < valid_pct < 1:
        raise ValueError(f"The share for validation must lie between 0 and 1, not at {valid_pct}.")
