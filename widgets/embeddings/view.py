"""How points are shown: what a page chooses, and a bookmark keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...models.embeddings.axes import Direction
from .basis import Basis, into_view


@dataclass
class View:
    """The axes and looks of a plot.

    >>> View(x=0, y=1, colour="genre").points(basis)

    `x` and `y` are a component's position, a `Direction` or None for nothing; `layout` is the name of one of the
    basis's layouts, which then stands in their place. `equal` scales both axes alike. `colour` and `size` are
    columns of the metadata or None.
    """

    x: int | Direction | None = 0
    y: int | Direction | None = 1
    flip_x: bool = False
    flip_y: bool = False
    layout: str = ""
    equal: bool = True
    colour: str | None = None
    size: str | None = None
    labelled: bool = True

    def along(self, basis: Basis) -> np.ndarray:
        """Where the rows lie along both axes (m, 2), in the vectors' own units."""
        if self.layout:
            return basis.layouts[self.layout]
        return np.stack([basis.along(self.x), basis.along(self.y)], axis=1)

    def table(self, basis: Basis, rows: np.ndarray) -> pd.DataFrame:
        """The same of some rows of the embedding, by the names of the axes; NaN for what is not looked at."""
        return pd.DataFrame(self.along(basis), basis.rows, self.names(basis)).reindex(rows)

    def points(self, basis: Basis) -> np.ndarray:
        """Positions (m, 2) within [-1, 1]."""
        points = into_view(self.along(basis), equal=self.equal)  # around the middle, so that a sign flips it
        for place, flipped in enumerate((self.flip_x, self.flip_y)):
            if flipped:
                points[:, place] *= -1
        return points

    def names(self, basis: Basis) -> tuple[str, str]:
        """What x and y are."""
        if self.layout:
            return f"{self.layout} 1", f"{self.layout} 2"
        return basis.name(self.x), basis.name(self.y)

    def swap(self) -> None:
        """Put on x what is on y, and the reverse."""
        self.x, self.y, self.flip_x, self.flip_y = self.y, self.x, self.flip_y, self.flip_x

    def fit(self, basis: Basis) -> None:
        """Leave out what this basis does not have: components, layouts."""
        count = len(basis.pca.ratios)
        if isinstance(self.x, int) and self.x >= count:
            self.x = 0
        if isinstance(self.y, int) and self.y >= count:
            self.y = 1 if count > 1 and self.x != 1 else None
        if self.layout not in basis.layouts:
            self.layout = ""
