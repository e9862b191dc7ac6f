"""A name for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..words import counted

LONGEST = 200  # characters of a label; a page shows fewer


def check_labels(labels: Sequence[Any], count: int) -> tuple[np.ndarray, list[str]]:
    """`count` labels as an object array of str, and sentences on what was done to them.

    >>> check_labels(["Heat", None, 7], 3)[0].tolist()
    ['Heat', '', '7']

    Numbers become text, missing ones "", bytes UTF-8; labels of more than 200 characters are cut off, and
    characters that are none (half of a surrogate pair, NUL) replaced.
    Raises ValueError with a sentence if there are more or fewer.
    """
    if isinstance(labels, str | bytes) or not hasattr(labels, "__len__"):
        raise ValueError("Labels are a list with one for each row.")
    if len(labels) != count:
        raise ValueError(f"There are {counted(count, 'vector')} and {counted(len(labels), 'label')}: one for each.")
    names = np.empty(count, object)
    given = labels.tolist() if hasattr(labels, "tolist") else list(labels)  # of NumPy's numbers, Python's
    names[:] = given if set(map(type, given)) == {str} else [_text(label) for label in given]
    notices = []
    long = np.fromiter(map(len, names), np.int64, count) > LONGEST
    if long.any():
        names[long] = [f"{label[: LONGEST - 1]}…" for label in names[long]]
        notices.append(f"{counted(long.sum(), 'label')} of more than {LONGEST} characters {_was(long.sum())} cut off.")
    if not _is_sound("".join(names)):
        names[:] = [label.encode(errors="replace").decode().replace("\0", "\ufffd") for label in names]
    return names, notices


def _text(label: Any) -> str:
    if isinstance(label, str):
        return str(label)  # NumPy's text too
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    return "" if label is None or label != label else str(label)  # NaN and NaT are not themselves


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\0" not in text


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
