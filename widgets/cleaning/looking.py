"""Orders in which to look through pictures, each worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ...models.cleaning.orders import ORDERS, duplicate_groups, near_duplicates
from ...models.progress import Progress
from ...models.thumbnails import Thumbnails
from ..job import Job

ERRORS, ALIKE = "likely label errors", "near duplicates"  # looked for in the background, with Cancel
FROM_PREDICTIONS = ("worst loss first", "most unsure first", ERRORS)
CANCELLED = "The search was cancelled. Choose the order again to start anew."


class Looking:
    """The pictures of a table in the order that somebody has chosen.

    >>> looking = Looking(table, thumbnails=thumbnails, job=job, ready=show)
    >>> looking.rows("worst loss first", label="black", split=None)
    array([17, 3, 256, ...])

    `rows` gives positions in the table, or None while they are looked for, as `why` says; `ready()` is called
    when that has ended.
    """

    def __init__(self, table: pd.DataFrame, *, thumbnails: Thumbnails, job: Job, ready: Callable[[], None]):
        self._table, self._thumbnails = table, thumbnails
        self._job, self._ready = job, ready
        self._found: dict[str, np.ndarray] = {}  # all rows in an order, or the group of each
        self._why: dict[str, str] = {}
        self.names = [name for name in ORDERS if "predicted" in table or name not in FROM_PREDICTIONS]
        self.first = 0 if "predicted" in table else len(self.names) - 1  # nothing is looked for before somebody asks
        self._codes = table["label"].cat.codes.to_numpy()

    def rows(self, name: str, *, label: str | None = None, split: str | None = None) -> np.ndarray | None:
        if name not in self._found and name in (ERRORS, ALIKE):
            self._search(name)
        elif name not in self._found:
            self._found[name] = ORDERS[name](self._table)
        if name not in self._found:
            return None
        found = self._found[name]
        if name == ALIKE:
            return near_duplicates(self._table, label=label, split=split, groups=found)
        # All of one order once, then picked from: a class is switched to in no time.
        keep = np.ones(len(found), bool)
        if label is not None:
            keep &= self._codes[found] == self._table["label"].cat.categories.get_loc(label)
        if split is not None:
            keep &= (self._table["split"] == split).to_numpy()[found]
        return found[keep]

    def first_of_each(self, name: str, count: int) -> np.ndarray:
        """The rows that come first of each label, where that is known without a search."""
        found = self._found.get(name)
        if found is None or name == ALIKE:
            return np.empty(0, np.int64)
        codes = self._codes[found]
        together = np.argsort(codes, kind="stable")  # label by label, each in the chosen order
        begins = np.searchsorted(codes[together], codes[together])
        return found[together[np.arange(len(found)) - begins < count]]

    def notes(self, name: str, rows: np.ndarray) -> list[str] | None:
        """What an order has to say of each picture: which ones are alike."""
        if name != ALIKE:
            return None
        groups = self._found[ALIKE][rows]
        _, number, size = np.unique(groups, return_inverse=True, return_counts=True)
        return [f"group {group + 1}: {size[group]} alike" for group in number]

    def why(self, name: str) -> str:
        return self._why.get(name, f"Looking for {name}…")

    def again(self, name: str) -> None:
        """Somebody has chosen this order: what has failed is tried once more."""
        self._why.pop(name, None)

    def _search(self, name: str) -> None:
        if name in self._why:
            return
        self._job.run(
            self._duplicates if name == ALIKE else self._errors,
            then=lambda found: self._found.update({name: found}),
            failed=lambda error: self._why.update({name: f"No {name} could be looked for."}),  # why, the job says
            ended=partial(self._ended, name),
        )

    def _ended(self, name: str) -> None:
        if name not in self._found:
            self._why.setdefault(name, CANCELLED)
        self._ready()

    def _duplicates(self, progress: Progress) -> np.ndarray:
        return duplicate_groups(self._table, thumbnails=self._thumbnails, progress=progress)

    def _errors(self, progress: Progress) -> np.ndarray:
        progress.report(0, None, f"Looking for {ERRORS}")
        return ORDERS[ERRORS](self._table)
