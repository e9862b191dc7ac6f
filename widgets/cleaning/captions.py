"""What stands under a picture, and which picture it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ("split", "label", "predicted", "confidence", "loss", "note")


def captions(
    table: pd.DataFrame, begin: int, end: int, *, root: Path | None, badges: Sequence[str | None]
) -> list[dict[str, str | float | None]]:
    """Rows `begin` to `end` of a table as a page needs them: those of COLUMNS that are there, `name`, `badge`.

    >>> captions(table, 0, 1, root=Path("/data/bears"), badges=[None])
    [{'name': 'black/1.jpg', 'label': 'black', 'predicted': 'grizzly', 'confidence': 0.9, 'badge': None}]

    Names are those below `root`, of what lies elsewhere the last part alone: no page learns of a server's folders.
    """
    part = table.iloc[begin:end]
    names = [_name(item, position, root) for position, item in enumerate(part["item"], begin)]
    columns = {name: [_plain(value) for value in part[name]] for name in COLUMNS if name in part.columns}
    columns["badge"] = list(badges)
    return [{"name": name, **{key: values[row] for key, values in columns.items()}} for row, name in enumerate(names)]


def same_items(old: pd.DataFrame | None, new: pd.DataFrame | None) -> bool:
    """Whether two tables are about the same items in the same order."""
    if old is new:
        return True
    if old is None or new is None or len(old) != len(new):
        return False
    return all(
        a is b or (_is_path(a) and _is_path(b) and a == b) for a, b in zip(old["item"], new["item"], strict=True)
    )


def _is_path(item: Any) -> bool:
    return isinstance(item, str | os.PathLike)


def _name(item: Any, position: int, root: Path | None) -> str:
    if not _is_path(item):
        return f"picture {position + 1}"
    path = os.path.normpath(item)
    folder = "" if root is None else os.path.join(root, "")
    return path[len(folder) :] if folder and path.startswith(folder) else os.path.basename(path)


def _plain(value: Any) -> str | float | None:
    """A cell as JSON: text, a finite number, or None."""
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)
