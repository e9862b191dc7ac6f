"""Near-duplicate photos: found, so that a copy never sits on both sides of a split."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from .close_codes import close_pairs, join
from .images import open_image
from .progress import Progress

SIDE = 16  # 16 x 16 comparisons: 256 bits
SAME_PHOTO = 24  # of 256 bits; unrelated photos differ in about 128, a re-saved copy in fewer than 10
SAME_LOOK = 0.985  # correlation of the small pictures; a re-saved copy has more than 0.995
AT_ONCE = 1 << 14  # pairs whose looks are compared at a time: 32 MB
FLAT = 1.0  # standard deviation, of 255, below which a picture has no look of its own


class Fingerprint(NamedTuple):
    """What is kept of a photo to find its copies: `bits` booleans (256,), `look` float32 (256,)."""

    bits: np.ndarray
    look: np.ndarray


def fingerprint(photo: str | Path | Image.Image) -> Fingerprint:
    """The difference hash of a photo, is each pixel brighter than its left neighbour, and its small picture.

    >>> fingerprint("bears/black/00000000.jpg").bits.shape
    (256,)

    `look` is 16 x 16 pixels of brightness, standardised: the product of two is their correlation, 0 for a
    picture of one colour. The hash alone takes drawings and digits on an empty ground for copies of each
    other, since most of its bits are then alike. The whole file is decoded: one that is no image or is cut
    short raises ValueError here. Source: N. Krawetz, "Kind of Like That" (dHash), 2013.
    """
    image = photo if isinstance(photo, Image.Image) else open_image(photo, at_least=64)
    grey = image.convert("L")
    pixels = np.asarray(grey.resize((SIDE + 1, SIDE), Image.Resampling.BILINEAR))
    small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32).ravel()
    small -= small.mean()
    contrast = small.std()
    look = small / (contrast * SIDE) if contrast > FLAT else np.zeros_like(small)
    return Fingerprint((pixels[:, 1:] > pixels[:, :-1]).ravel(), look)


def group_duplicates(
    fingerprints: Sequence[Fingerprint], *, max_bits: int = SAME_PHOTO, progress: Progress | None = None
) -> np.ndarray:
    """Number each photo so that near-duplicates share a number.

    >>> group_duplicates([a, b, a_saved_again])
    array([0, 1, 0])

    `fingerprints` (n,) as from `fingerprint`; returns int (n,). Two photos that differ in at most
    `max_bits` bits and look the same are one group, and so are the two ends of a chain of such pairs.
    """
    groups = np.arange(len(fingerprints))
    if not len(groups):
        return groups
    bits = np.stack([one.bits for one in fingerprints])
    looks = np.stack([one.look for one in fingerprints])
    for first, second in close_pairs(bits, max_bits, progress=progress):
        apart = groups[first] != groups[second]  # a thousand copies are half a million pairs
        first, second = first[apart], second[apart]
        for begin in range(0, len(first), AT_ONCE):
            one, other = first[begin : begin + AT_ONCE], second[begin : begin + AT_ONCE]
            alike = np.einsum("ij,ij->i", looks[one], looks[other]) >= SAME_LOOK
            join(groups, one[alike], other[alike])
    return groups
