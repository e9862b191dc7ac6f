"""Which rows are looked at, and along which axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...models.embeddings.axes import Direction
from ...models.embeddings.embedding import Embedding
from ...models.embeddings.neighbours import Neighbours
from ...models.embeddings.pca import PCA
from ...models.embeddings.prepare import prepare
from ...models.progress import Progress

COMPONENTS = 100  # at most: more is never looked at one by one


@dataclass
class Basis:
    """Some rows of an embedding, prepared, with their principal components.

    >>> basis = Basis.of(embedding, np.arange(len(embedding)), "standardise")
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

    @classmethod
    def of(cls, embedding: Embedding, rows: np.ndarray, how: str, *, progress: Progress | None = None) -> Basis:
        """Raises ValueError with a sentence where there is nothing to see: one row, or all the same."""
        given = embedding.vectors if len(rows) == len(embedding) else embedding.vectors[rows]
        vectors = prepare(given, how)
        return cls(embedding, rows, how, vectors, PCA.fit(vectors, COMPONENTS, progress=progress))

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
        part = PCA(self.pca.mean, self.pca.components[[axis]], self.pca.variances[[axis]], self.pca.ratios[[axis]])
        return part.transform(self.vectors)[:, 0]

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
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    spread = high - low
    spread[:] = spread.max() if equal else np.where(spread > 0, spread, spread.max())
    scale = np.divide(1.9, spread, out=np.ones(2), where=spread > 0)
    return ((points - (low + high) / 2) * scale).astype(np.float32)
