"""Which rows are looked at, and along which axes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...models.embeddings.axes import Direction
from ...models.embeddings.embedding import Embedding
from ...models.embeddings.neighbours import Neighbours
from ...models.embeddings.pca import PCA
from ...models.embeddings.prepare import prepare
from ...models.progress import Progress

COMPONENTS = 100  # at most: more is never looked at one by one
KEPT = 4  # components of which it is kept where rows lie along them, for who swaps or flips


@dataclass
class Basis:
    """Some rows of an embedding, prepared, with their principal components.

    >>> basis = Basis.of(embedding, how="standardise", progress=progress)
    >>> basis.along(0)

    `rows` are the positions looked at (m,), `vectors` (m, d) prepared, `layouts` what other methods have made of
    them: name -> (m, 2).
    """

    embedding: Embedding
    rows: np.ndarray
    how: str
    vectors: np.ndarray
    pca: PCA
    layouts: dict[str, np.ndarray] = field(default_factory=dict)
    _along: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        embedding: Embedding,
        rows: np.ndarray | None = None,
        how: str = "as they are",
        *,
        progress: Progress | None = None,
    ) -> Basis:
        """Of these rows, by default all of them.

        Raises ValueError with a sentence where there is nothing to see (one row, or all the same) or too much to
        compute; Cancelled.
        """
        if rows is None:
            rows = np.arange(len(embedding))
        given = embedding.vectors if len(rows) == len(embedding) else embedding.vectors[rows]
        vectors = prepare(given, how)
        basis = cls(embedding, rows, how, vectors, PCA.fit(vectors, COMPONENTS, progress=progress))
        for axis in range(min(2, len(basis.pca.ratios))):
            basis.along(axis)  # what is looked at first
        return basis

    def described(self, embedding: Embedding) -> Basis:
        """The same of an embedding that has the same vectors, and other metadata or labels."""
        return replace(self, embedding=embedding)

    @property
    def is_whole(self) -> bool:
        return len(self.rows) == len(self.embedding)

    @cached_property
    def _given(self) -> np.ndarray:
        return self.embedding.vectors if self.is_whole else self.embedding.vectors[self.rows]

    @cached_property
    def neighbours(self) -> Neighbours:
        """Of the vectors as they were given."""
        return Neighbours(self._given)

    def shown(self, rows: np.ndarray) -> np.ndarray:
        """Where these rows of the embedding are among those looked at; others are left out."""
        if self.is_whole:
            return rows
        at = np.searchsorted(self.rows, rows).clip(max=len(self.rows) - 1)
        return at[self.rows[at] == rows]

    def along(self, axis: int | Direction | None) -> np.ndarray:
        """Where the rows lie along a component, a direction, or nothing at all; float32 (m,)."""
        if axis is None:
            return np.zeros(len(self.rows), np.float32)
        if isinstance(axis, Direction):
            return self._given @ axis.unit.astype(np.float32)
        if axis not in self._along:
            if len(self._along) >= KEPT:
                del self._along[next(iter(self._along))]
            pca = self.pca
            part = PCA(pca.mean, pca.components[[axis]], pca.variances[[axis]], pca.ratios[[axis]])
            self._along[axis] = part.transform(self.vectors)[:, 0]
        return self._along[axis]

    def name(self, axis: int | Direction | None) -> str:
        if axis is None:
            return "nothing"
        if isinstance(axis, Direction):
            return axis.name
        return f"Component {axis + 1} ({100 * self.pca.ratios[axis]:.1f} %)"


def into_view(points: np.ndarray, *, equal: bool = True) -> np.ndarray:
    """Positions (m, 2) moved and scaled into [-1, 1]: by one factor for both axes, or by one for each.

    >>> into_view(np.array([[0, 0], [10, 1]], np.float32)).tolist()
    [[-0.95, -0.095], [0.95, 0.095]]
    """
    sides = points.T  # of two columns, one at a time is faster
    low, high = (np.array([end(side) for side in sides], np.float64) for end in (np.min, np.max))
    spread = high - low
    spread[:] = spread.max() if equal else np.where(spread > 0, spread, spread.max())
    scale = np.divide(1.9, spread, out=np.ones(2), where=spread > 0)
    shown = np.empty(points.shape, np.float32)
    for place, side in enumerate(sides):
        shown[:, place] = (side - (low + high)[place] / 2) * scale[place]
    return shown
