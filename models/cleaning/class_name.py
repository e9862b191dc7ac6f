"""Names of classes that become names of folders."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 255  # bytes in a file's name
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def new_class(text: str, known: Iterable[str]) -> str:
    """The class that somebody means by what they have typed: a new one, or one that is there.

    >>> new_class(" polar bear ", ["black", "grizzly"])
    'polar bear'

    Raises ValueError with a sentence for what cannot be the name of a folder, and for a name that differs from
    a known one by capitals alone: some disks do not tell them apart, and few people mean it.
    """
    name, known = unicodedata.normalize("NFC", text).strip(), list(known)
    if name in known:
        return name
    if not name:
        raise ValueError("Type a name for the class.")
    for other in known:
        if other.casefold() == name.casefold():
            raise ValueError(f"There is a class {other!r} already: move to it, or choose another name.")
    if why := why_no_folder(name):
        raise ValueError(f"{name!r} cannot be the name of a folder: {why}.")
    return name


def why_no_folder(label: str, *, known: bool = False) -> str:
    """Why a label cannot be a folder's name, or ""; of one that is a folder already only what would lead away."""
    if "/" in label or "\0" in label:
        return "it has a slash" if "/" in label else "it has a null byte"
    if label in ("", ".", ".."):
        return "it would be no folder of its own"
    try:
        length = len(os.fsencode(label))
    except UnicodeEncodeError:
        return "it holds half of a character"
    if length > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    if known:
        return ""
    if label.startswith("."):
        return "folders that begin with a dot are hidden, and loaders skip them"
    if "\\" in label or UNSEEN.search(label):  # one that turns letters round makes a name look like another
        return "it has a backslash or a control character"
    if label != label.strip():
        return "it begins or ends with a space"
    return ""
