"""Near-duplicate photos: found, so that a copy never sits on both sides of a split."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HASH_SIDE = 16  # 16 x 16 comparisons: 256 bits
SAME_PHOTO = 24  # of 256 bits; unrelated photos differ in about 128, a re-saved copy in fewer than 10


def fingerprint(path: str | Path) -> np.ndarray:
    """The difference hash of a photo: is each pixel brighter than its left neighbour?

    >>> fingerprint("bears/black/00000000.jpg").shape
    (256,)

    Returns booleans, shape (256,). The whole file is decoded, so a file that is no image or is cut
    short raises OSError here. Source: N. Krawetz, "Kind of Like That" (dHash), 2013.
    """
    with Image.open(path) as image:
        image.draft("L", (128, 128))  # lets the JPEG decoder skip detail the hash cannot see
        small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(small)
    return (pixels[:, 1:] > pixels[:, :-1]).ravel()


def group_duplicates(fingerprints: Sequence[np.ndarray], *, max_bits: int = SAME_PHOTO) -> np.ndarray:
    """Number each photo so that near-duplicates share a number.

    >>> group_duplicates([a, b, a_saved_again])
    array([0, 1, 0])

    `fingerprints` (n,) as from `fingerprint`; returns int (n,). Two photos that differ in at most
    `max_bits` bits are one group, and so are the two ends of a chain of such pairs.
    """
    signs = np.where(np.stack(fingerprints), 1, -1).astype(np.float32)
    groups = np.arange(len(signs))
    for first, second in _close_pairs(signs, max_bits):
        low, high = sorted((groups[first], groups[second]))
        groups[groups == high] = low
    return groups


def _close_pairs(signs: np.ndarray, max_bits: int, rows: int = 512) -> Iterable[tuple[int, int]]:
    """Pairs within `max_bits`; a dot product of +1/-1 codes is (bits - 2 x differing bits)."""
    closest = signs.shape[1] - 2 * max_bits
    for start in range(0, len(signs), rows):
        agreement = signs[start : start + rows] @ signs[start:].T
        for row, column in np.argwhere(np.triu(agreement >= closest, k=1)):
            yield start + row, start + column
