"""Items of a data set as a page may show them: never with a server's path."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

LENGTH = 120  # characters
# Not what stands behind a name, as in `black/1.jpg`, or in a web address.
_PATH = re.compile(r"(?<![\w:/\\.…])(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":,]+)+[\\/](?=[^\\/\s'\":,]+)")


def short(item: Any) -> str:
    """An item in a few words: a path as folder and file name, a row by its first values.

    >>> short(Path("/srv/photos/bears/black/1.jpg"))
    'black/1.jpg'
    """
    if isinstance(item, PurePath) or (isinstance(item, str) and os.path.isabs(item)):
        text = "/".join(PurePath(item).parts[-2:])
    elif isinstance(item, Mapping) or hasattr(item, "to_dict"):  # a dict, a row of a DataFrame
        values = item if isinstance(item, Mapping) else item.to_dict()
        text = ", ".join(f"{key}: {short(value)}" for key, value in list(values.items())[:4])
    elif isinstance(item, list | tuple):
        text = f"({', '.join(short(one) for one in item[:4])}{', …' if len(item) > 4 else ''})"
    else:
        text = without_paths(str(item))
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"


def without_paths(text: str) -> str:
    """The text with the folders of each absolute path left out.

    >>> without_paths("cannot open '/srv/photos/1.jpg'")
    "cannot open '…/1.jpg'"
    """
    return _PATH.sub("…/", text)


def reason(error: BaseException) -> str:
    """What went wrong, for a page: the error's own words without paths, or its type."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    words = without_paths(words).strip()
    return f"{type(error).__name__}: {words[:500]}" if words else type(error).__name__


def item_name(dataset: Any, index: int) -> str:
    """The item behind `dataset[index]`: its file or row where the data set tells, else its number.

    Knows the `items` of fastai, the `samples` or `imgs` of torchvision, and `Subset`s of either.
    """
    while hasattr(dataset, "dataset") and hasattr(dataset, "indices"):
        dataset, index = dataset.dataset, dataset.indices[index]
    for name in ("items", "samples", "imgs"):
        items = getattr(dataset, name, None)
        if items is not None:
            item = items.iloc[index] if hasattr(items, "iloc") else items[index]
            return short(item[0] if name != "items" else item)
    return f"item {index}"
