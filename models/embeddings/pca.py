"""The directions in which vectors differ most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..progress import Progress
from .embedding import BLOCK

SAMPLE = 4096  # rows for a first guess of the mean
LARGEST = 8192  # rows and columns of the matrix whose eigenvectors are found: half a gigabyte, and many minutes
# Multiplications that OpenBLAS leaves to one thread: on a busy machine its threads wait for each other, at every block.
SMALL = 2**18


@dataclass(frozen=True)
class PCA:
    """An exact principal component analysis.

    >>> pca = PCA.fit(embedding.vectors)
    >>> pca.ratios[:2]
    array([0.31, 0.12])
    >>> points = pca.transform(embedding.vectors, 2)

    `mean` (d,), `components` (k, d), unit vectors and orthogonal to each other, `variances` (k,), with n - 1 as
    denominator and largest first, and `ratios` (k,), each one's share of the variance of all columns; float64.
    The largest entry of each component by size, the first of several, is positive.

    How: the eigenvectors of the d × d covariance matrix where n ≥ d, else those of the n × n Gram matrix, whose
    eigenvalues are the same (components of no variance are then left out: nothing determines them). Products are
    added up in double precision over blocks of rows, each centred on a guess of the mean, and corrected for
    what the guess was off (the shifted data algorithm), so that an offset far from zero costs no digits; no
    copy of the vectors is made. Nothing is sampled or iterated. Since variances are squares, components of
    less than 1e-8 of the largest's standard deviation are lost in rounding.
    Sources: I. T. Jolliffe, "Principal Component Analysis", 2002, chapter 3; T. F. Chan, G. H. Golub, R. J.
    LeVeque, "Algorithms for Computing the Sample Variance", The American Statistician 37, 1983.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    ratios: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, components: int | None = None, *, progress: Progress | None = None) -> PCA:
        """Of finite vectors (n, d), the first `components`, by default all min(n - 1, d) of them.

        Raises ValueError with a sentence for fewer than two rows, where all rows are the same, and where there are
        more than 8,192 of both rows and columns; Cancelled.
        """
        count, width = vectors.shape
        if components is not None and components < 1:
            raise ValueError(f"At least one component is needed, not {components}.")
        if count < 2:
            raise ValueError("Principal components need at least two rows.")
        if min(count, width) > LARGEST:
            raise ValueError(
                f"Principal components of {count:,} rows with {width:,} columns would take too long: "
                f"{LARGEST:,} of either is the limit."
            )
        progress = progress or Progress()
        guess = vectors[:: max(1, count // SAMPLE)].mean(axis=0, dtype=np.float64)
        if width <= count:
            mean, covariance = _covariance(vectors, guess, progress)
            variances, rows = _descending(covariance, progress)
        else:
            mean, gram = _gram(vectors, guess, progress)
            variances, weights = _descending(gram, progress)
            present = variances > variances[0] * count * np.finfo(np.float64).eps
            rows = _combined(weights[present][:components], vectors, mean)
        total = variances.clip(0).sum()
        # Rounding leaves of equal rows what is tiny beside their size.
        if not total > width * np.square(np.abs(mean).max(initial=0) * np.finfo(np.float64).eps):
            raise ValueError("All rows are the same, so there is nothing to see.")
        most = min(components or width, count - 1, len(rows))
        variances = variances[:most].clip(0)
        return cls(mean, _signed(rows[:most]), variances, variances / total)

    def transform(self, vectors: np.ndarray, components: int | None = None) -> np.ndarray:
        """Where vectors (n, d) lie along the first `components`, or all; float32 (n, components)."""
        axes = self.components[:components].T
        shift = self.mean.astype(np.float32)
        rest = (self.mean - shift) @ axes  # what single precision leaves of the mean
        factors = axes.astype(np.float32)
        points = np.empty((len(vectors), axes.shape[1]), np.float32)
        step = min(BLOCK, max(128, SMALL // factors.size))
        for start in range(0, len(vectors), step):
            np.matmul(vectors[start : start + step] - shift, factors, out=points[start : start + step])
        points -= rest.astype(np.float32)
        return points


def _covariance(vectors: np.ndarray, guess: np.ndarray, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the covariance matrix (d, d)."""
    count, width = vectors.shape
    sums, products = np.zeros(width), np.zeros((width, width))
    room, ones = np.empty((min(BLOCK, count), width)), np.ones(min(BLOCK, count))
    for start in range(0, count, BLOCK):
        progress.report(start, count, "Adding up the covariances")
        block = vectors[start : start + BLOCK]
        centred = np.subtract(block, guess, out=room[: len(block)])
        products += centred.T @ centred
        sums += ones[: len(block)] @ centred
    return guess + sums / count, (products - np.outer(sums, sums) / count) / (count - 1)


def _gram(vectors: np.ndarray, guess: np.ndarray, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the products of all pairs of centred rows over n - 1; (n, n)."""
    count, width = vectors.shape
    mean, products = guess.copy(), np.zeros((count, count))
    for start in range(0, width, BLOCK):
        progress.report(start, width, "Multiplying the rows")
        columns = slice(start, start + BLOCK)
        centred = vectors[:, columns] - guess[columns]
        off = centred.mean(axis=0)
        centred -= off
        mean[columns] += off
        products += centred @ centred.T
    return mean, products / (count - 1)


def _combined(weights: np.ndarray, vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Components from eigenvectors (k, n) of the Gram matrix, by columns; unit rows (k, d).

    Weak ones would hold what rounding left of the strong: each is made orthogonal to those before it.
    """
    rows = np.empty((len(weights), vectors.shape[1]))
    for start in range(0, vectors.shape[1], BLOCK):
        columns = slice(start, start + BLOCK)
        rows[:, columns] = weights @ (vectors[:, columns] - mean[columns])
    return np.linalg.qr(rows.T)[0].T


def _descending(matrix: np.ndarray, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, largest first, and the eigenvectors as rows."""
    text = f"Finding the components of {len(matrix):,} × {len(matrix):,} products"
    progress.report(0, None, text)
    values, vectors = np.linalg.eigh(matrix)
    progress.report(0, None, text)  # Cancelled, if meanwhile nobody waits any more
    return values[::-1], vectors.T[::-1]


def _signed(rows: np.ndarray) -> np.ndarray:
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    return rows * np.where(largest < 0, -1.0, 1.0)
