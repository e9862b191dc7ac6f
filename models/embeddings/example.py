"""Embeddings that need no file and no network."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pandas as pd

from .embedding import Embedding

FILMS, DIGITS = "Invented films", "Handwritten digits"
LARGER = 6  # times the width and height of a digit, for its thumbnail


def examples() -> tuple[str, ...]:
    """The names of those that can be made here: digits come with scikit-learn.

    >>> examples()
    ('Invented films', 'Handwritten digits')
    """
    return (FILMS, DIGITS) if find_spec("sklearn") is not None else (FILMS,)


def example_embedding(name: str = FILMS) -> Embedding:
    """An embedding whose meaning shows at once.

    >>> example_embedding().labels[0]
    >>> example_embedding("Handwritten digits").vectors.shape
    (1797, 64)

    "Invented films": 200 films of `example_ratings`, with the factors that their ratings were made from (science
    fiction, action, old, romance, comedy), genre and year. "Handwritten digits": scikit-learn's, their 8 × 8 pixels
    as vectors and as thumbnails. Raises ValueError with a sentence for any other name, or without scikit-learn.
    """
    makers: dict[str, Callable[[], Embedding]] = {FILMS: _films, DIGITS: _digits}
    if name not in examples():
        raise ValueError(f"There is no example {str(name)[:40]!r} here; there is {' and '.join(examples())}.")
    return makers[name]()


def _films() -> Embedding:
    from ..collab.example import example_ratings

    ratings = example_ratings()
    genres = [" and ".join(names) or "none" for names in ratings.genres]
    metadata = {
        "genre": pd.Categorical([names[0] if names else "none" for names in ratings.genres]),
        "genres": genres,
        "year": ratings.years,
        "ratings": ratings.item_counts,
    }
    return Embedding(ratings.item_factors, ratings.titles, metadata)


def _digits() -> Embedding:
    """E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (CC BY 4.0)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    ink = (255 - digits.images * (255 / 16)).astype(np.uint8)  # 0 to 16, black on white here
    names = [f"{digit}, number {row:,}" for row, digit in enumerate(digits.target, 1)]
    metadata = {"digit": pd.Categorical(digits.target), "ink": digits.data.mean(axis=1).round(2)}
    return Embedding(digits.data, names, metadata, ink.repeat(LARGER, axis=1).repeat(LARGER, axis=2))
