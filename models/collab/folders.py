"""Which folders of a server hold ratings."""

from __future__ import annotations

import os
from pathlib import Path

from .movielens import FILES

DEPTH = 2  # folders below the root
MOST = 200


def ratings_folders(root: str | os.PathLike) -> list[str]:
    """Folders at or below `root` that `movielens` can read, by their names below it, in order.

    >>> ratings_folders("data")
    ['ml-100k', 'ml-latest-small']

    A link that leads out of the root is not followed. Empty where there is none, or no such root.
    """
    home, names = Path(root).resolve(), {ratings for ratings, *_ in FILES}
    found: list[str] = []
    for place, folders, files in os.walk(home):
        below = Path(place).relative_to(home)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if len(below.parts) < DEPTH else []
        if names & set(files):
            found.append(str(below))
        if len(found) == MOST:
            break
    return found
