"""UMAP and t-SNE through their own libraries, where they are installed."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

from ..progress import Progress
from ..words import counted
from .nearest import nearest
from .pca import PCA

LIBRARIES = {"UMAP": ("umap", "umap-learn"), "t-SNE": ("openTSNE", "openTSNE")}  # module, name to install
DIMENSIONS = 50  # principal components that a layout is made from
ALL = 20_000  # rows that are laid out together; of more, some are, and the others placed among them
SOME = 5_000
FEWEST = 10
NEAREST = 3  # rows between which one is placed
NEIGHBOURS, PERPLEXITY = 15, 30
EARLY, LATER, STEP = 250, 500, 10  # iterations of t-SNE, and of them between two looks at whether anybody waits


def available() -> dict[str, bool]:
    """Which layouts there are, and whether the library of each is installed; nothing is imported.

    >>> available()
    {'UMAP': True, 't-SNE': False}
    """
    return {name: find_spec(module) is not None for name, (module, _) in LIBRARIES.items()}


def about(count: int) -> str:
    """What is done to so many rows that is no plain UMAP or t-SNE, in a sentence; "" for nothing.

    >>> about(1_000_000)
    '5,000 rows at random are laid out, and 995,000 others placed between the 3 nearest of them.'
    """
    if count <= ALL:
        return ""
    return (
        f"{counted(SOME, 'row')} at random are laid out, and {count - SOME:,} others placed between the "
        f"{NEAREST} nearest of them."
    )


def layout(name: str, vectors: np.ndarray, *, progress: Progress | None = None, seed: int = 0) -> np.ndarray:
    """The layout of that name, "UMAP" or "t-SNE", of finite vectors (n, d); float32 (n, 2).

    >>> layout("t-SNE", embedding.vectors, progress=progress)

    Of more than 50 columns the first 50 principal components are taken; of more than 20,000 rows 5,000 are laid
    out, and each other is placed at the mean of its three nearest of these, weighted by nearness (`about`).
    Begins with the first two principal components, so that what is far apart tends to stay so (D. Kobak and
    G. C. Linderman, "Initialization is critical for preserving global data structure in both t-SNE and UMAP", 2021);
    neighbours are exact. The same seed gives the same layout on the same machine.
    Raises ValueError with a sentence for fewer than 10 rows and where the library is missing; Cancelled.
    """
    progress = progress or Progress()
    if name not in LIBRARIES:
        raise ValueError(f"Layouts are {' and '.join(LIBRARIES)}; {name!r} is none.")
    if not available()[name]:
        raise ValueError(f"{name} needs a library that is not installed here: pip install {LIBRARIES[name][1]}.")
    if len(vectors) < FEWEST:
        raise ValueError(f"{name} needs at least {FEWEST} rows, and these are {len(vectors)}.")
    pca = PCA.fit(vectors, DIMENSIONS, progress=progress)
    if vectors.shape[1] > DIMENSIONS:
        vectors = pca.transform(vectors)
        start = vectors[:, :2]
    else:
        start = pca.transform(vectors, 2)
    if start.shape[1] < 2:
        start = np.column_stack([start[:, 0], np.zeros(len(start), np.float32)])
    some = np.arange(len(vectors))
    if len(vectors) > ALL:
        some = np.sort(np.random.default_rng(seed).choice(len(vectors), SOME, replace=False))
    together = vectors[some]
    progress.report(0, None, f"Loading {name}")
    make = _umap if name == "UMAP" else _tsne
    made = make(together, start[some], progress, seed)
    if not np.isfinite(made).all():
        raise ValueError(f"{name} came to no result for these vectors.")
    return made if len(some) == len(vectors) else _placed(vectors, together, some, made, progress)


def _umap(vectors: np.ndarray, start: np.ndarray, progress: Progress, seed: int) -> np.ndarray:
    """L. McInnes, J. Healy, J. Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018."""
    import umap

    k = min(NEIGHBOURS, len(vectors) - 1)
    found, far = nearest(vectors, vectors, k - 1, progress=progress, text="Finding neighbours", leave_self=True)
    own = np.arange(len(vectors), dtype=found.dtype)[:, None]  # UMAP counts a row as its own first neighbour
    graph = np.hstack([own, found]), np.hstack([np.zeros_like(far[:, :1]), far]), None
    spread = np.abs(start).max()
    with warnings.catch_warnings(), _steps_told(progress):
        warnings.simplefilter("ignore", UserWarning)  # that nothing new can be transformed later, and of the seed
        made = umap.UMAP(
            n_neighbors=k,
            init=10 * start / spread if spread else start,
            precomputed_knn=graph,
            force_approximation_algorithm=True,
            random_state=seed,
            n_jobs=1,
        ).fit_transform(vectors)
    return np.ascontiguousarray(made, np.float32)


_watched = threading.local()  # .progress, in a thread that lays out here


@contextmanager
def _steps_told(progress: Progress) -> Iterator[None]:
    """Inside, this thread's UMAP tells `progress` of each epoch, and stops when that is cancelled.

    UMAP has no callback. What it has, a file for its progress bar, serves in no notebook, where the bar is a widget;
    and an exception out of that leaves a lock taken that all bars of the process share. So its loop gets another bar.
    """
    from umap import layouts

    if layouts.tqdm is not _bar:
        layouts.tqdm = _bar
    _watched.progress = progress
    try:
        yield
    finally:
        del _watched.progress


def _bar(epochs: range, **options: object) -> Iterable[int]:
    progress = getattr(_watched, "progress", None)
    if progress is None:  # UMAP as somebody else calls it
        from tqdm.auto import tqdm

        return tqdm(epochs, **options)
    return _reported(epochs, progress)


def _reported(epochs: range, progress: Progress) -> Iterator[int]:
    for epoch in epochs:
        progress.report(epoch, len(epochs), "Laying out (UMAP)")
        yield epoch


def _tsne(vectors: np.ndarray, start: np.ndarray, progress: Progress, seed: int) -> np.ndarray:
    """P. G. Poličar, M. Stražar, B. Zupan, "openTSNE", Journal of Statistical Software 109, 2024."""
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    k = min(len(vectors) - 1, int(3 * perplexity))
    found, far = nearest(vectors, vectors, k, progress=progress, text="Finding neighbours", leave_self=True)
    affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=PrecomputedNeighbors(found, far), n_jobs=1)
    spread = start[:, 0].std()
    made = TSNEEmbedding(
        (start * (1e-4 / spread) if spread else start).astype(np.float64), affinities, random_state=seed, n_jobs=1
    )
    done = 0

    def watch(iteration: int, _error: float, _embedding: np.ndarray) -> None:
        progress.report(done + iteration, EARLY + LATER, "Laying out (t-SNE)")

    options = {"callbacks": [watch], "callbacks_every_iters": STEP, "inplace": True}
    made.optimize(EARLY, exaggeration=12, momentum=0.5, **options)
    done = EARLY
    made.optimize(LATER, momentum=0.8, **options)
    return np.ascontiguousarray(made, np.float32)


def _placed(
    vectors: np.ndarray, together: np.ndarray, some: np.ndarray, made: np.ndarray, progress: Progress
) -> np.ndarray:
    """All rows, those that were not laid out between the nearest of those that were."""
    others = np.delete(np.arange(len(vectors)), some)
    points = np.empty((len(vectors), 2), np.float32)
    points[some] = made
    text = f"Placing {len(others):,} rows"
    found, far = nearest(vectors[others], together, NEAREST, progress=progress, text=text)
    weights = 1 / np.maximum(far, np.finfo(np.float32).tiny ** 0.5)
    weights /= weights.sum(axis=1, keepdims=True)
    points[others] = np.einsum("nk,nkc->nc", weights, made[found])
    return points
