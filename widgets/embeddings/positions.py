"""Positions of rows, as somebody gives them in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from traitlets import TraitError

FARTHEST = 2**62


def checked_positions(given: Any) -> np.ndarray:
    """Positions in order and each once, int64; of a list, a range, an array or None.

    >>> checked_positions([14, 3, 3]).tolist()
    [3, 14]

    Raises TraitError with a sentence for what is none.
    """
    try:
        positions = given if isinstance(given, np.ndarray) else np.array(list(given if given is not None else ()))
    except (TypeError, ValueError):
        positions = np.array(given, object)
    if positions.ndim == 1 and not len(positions):
        return np.empty(0, np.int64)
    huge = positions.dtype.kind == "O" and all(type(one) is int for one in positions.ravel())  # beyond 64 bits
    if not huge and (positions.ndim != 1 or positions.dtype.kind not in "iu"):
        raise TraitError("`selection` is a list of positions, which are whole numbers")
    if huge or not 0 <= int(positions.min()) <= int(positions.max()) < FARTHEST:
        raise TraitError("`selection` has a position that is in no table.")
    return np.unique(positions.astype(np.int64))
