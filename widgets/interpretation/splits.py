"""The splits of a predictions table, as they are offered."""

from __future__ import annotations

import numpy as np
import pandas as pd

NAMES = {"valid": "Validation", "train": "Training", None: "All"}


class Splits:
    """The splits of a table in the order in which they are offered: what was held back first, all last.

    >>> Splits(table).offered
    [('Validation', 82), ('Training', 327), ('All', 409)]
    >>> table[Splits(table).rows("valid")]

    `names` are those in the table, and None for all of them together where there are several or none.
    """

    def __init__(self, table: pd.DataFrame):
        self._of_item = table["split"].to_numpy()
        counts = table["split"].value_counts(sort=False)
        self.names = sorted(counts.index, key=lambda name: {"valid": 0, "train": 1}.get(name, 2))
        sizes = [int(counts[name]) for name in self.names]
        if len(self.names) != 1:
            self.names.append(None)
            sizes.append(len(table))
        self.offered = [(NAMES.get(name, name), size) for name, size in zip(self.names, sizes, strict=True)]

    def default(self, wanted: str | None) -> str | None:
        """`wanted`, but all of a table where nothing is called "valid"."""
        return self.names[-1] if wanted == "valid" and wanted not in self.names else wanted

    def check(self, name: str | None) -> str | None:
        """The name of a split, or ValueError."""
        if name not in self.names:
            known = ", ".join(map(repr, self.names))
            raise ValueError(f"The table has no split {name!r}; there are {known}.")
        return name

    def rows(self, name: str | None) -> np.ndarray:
        """Which rows belong to it: bool (n,)."""
        return np.ones(len(self._of_item), bool) if name is None else self._of_item == name
