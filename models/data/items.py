"""The items table: which picture has which label."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from ..words import counted, readable

# What is taken for a picture by its name. Those that cannot be opened here (HEIC, AVIF, SVG) are listed all the
# same, so that a check can say what to do about them; unnoticed, they would be photos lost.
SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .png .gif .webp .bmp .tif .tiff .heic .heif .avif .svg".split())


def folder_items(root: str | Path) -> pd.DataFrame:
    """The pictures below a folder, each labelled by the folder that it lies in.

    >>> folder_items("bears").head(1)
                                 item  label
    0  /data/bears/black/00000000.jpg  black

    `item` is an absolute path, of objects: the name of a file may be any bytes, which pandas' own text does not hold
    (`words.readable`). Rows are in the order of their paths. Hidden files and folders are left
    out, and so are links that lead out of `root`.
    Raises ValueError where there is no such folder, it cannot be read, or it holds no picture.
    """
    root = Path(os.path.abspath(root))
    files, _ = image_files(root)
    if not files:
        raise ValueError(f"No photos in {root.name}: expected one subfolder of photos for each label.")
    return pd.DataFrame({"item": paths(files), "label": [readable(file.parent.name) for file in files]})


def paths(files: Iterable[Any], index: pd.Index | None = None) -> pd.Series:
    """A column of paths, which are text and need not be Unicode."""
    return pd.Series([str(file) for file in files], index, dtype=object)


def image_files(root: str | Path) -> tuple[list[Path], list[Path]]:
    """The pictures below a folder in the order of their paths, and the links that lead out of it.

    >>> files, links = image_files("bears")

    Raises ValueError like `folder_items`, but not for a folder without pictures.
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"There is no folder {root.name!r}.")
    inside = root.resolve()
    files, links = [], []
    for folder, subfolders, names in os.walk(root, onerror=_unreadable):
        for name in [*subfolders]:
            path = os.path.join(folder, name)
            if name.startswith(".") or os.path.islink(path):
                subfolders.remove(name)  # a link within would only repeat what is there
                if not name.startswith(".") and not Path(path).resolve().is_relative_to(inside):
                    links.append(path)
        for name in filter(is_picture, names):
            path = os.path.join(folder, name)
            out = os.path.islink(path) and not Path(path).resolve().is_relative_to(inside)
            (links if out else files).append(path)
    return _in_order(files), _in_order(links)


def _in_order(paths: list[str]) -> list[Path]:
    """As `sorted` puts Paths, folder by folder, but several times quicker."""
    return [Path(path) for path in sorted(paths, key=lambda path: path.split(os.sep))]


def is_picture(name: str) -> bool:
    """Whether a file of this name is to be taken for a picture; macOS's `._` companions are none.

    >>> is_picture("00000001.JPG"), is_picture("._00000001.jpg")
    (True, False)
    """
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES


def check_items(items: pd.DataFrame) -> pd.DataFrame:
    """A copy of an items table with text in `item` and `label` and its rows numbered from 0.

    >>> check_items(pd.DataFrame({"item": [Path("a.jpg")], "label": [3]})).label.tolist()
    ['3']

    Further columns stay as they are. Raises ValueError, naming what is wrong, for a missing column, an
    empty table, an item without a label or one that stands there twice.
    """
    missing = [column for column in ("item", "label") if column not in items]
    if missing:
        raise ValueError(f"The items table has no column {' and no column '.join(map(repr, missing))}.")
    if not len(items):
        raise ValueError("There are no photos.")
    labels = ["" if none else readable(str(label)) for label, none in zip(items.label, items.label.isna(), strict=True)]
    without = [item for item, label in zip(items.item, labels, strict=True) if not label.strip()]
    if len(without):
        raise ValueError(f"{len(without)} of {len(items)} photos have no label, {Path(without[0]).name} first.")
    items = items.reset_index(drop=True).assign(item=paths(items.item), label=labels)
    twice = items.item[items.item.duplicated()]
    if len(twice):
        raise ValueError(
            f"{counted(len(twice), 'photo')} more than once in the table, {Path(twice.iloc[0]).name} first."
        )
    return items


def folder_name(label: str) -> str:
    """A label as the name of one folder, whatever characters it is made of.

    >>> folder_name("black/brown bear"), folder_name("..")
    ('black-brown bear', '_')
    """
    name = re.sub(r"[/\\]", "-", label)
    name = "".join(character for character in name if character.isprintable()).strip(" .")
    return name.encode()[:200].decode(errors="ignore") or "_"


def _unreadable(error: OSError) -> None:
    raise ValueError(f"The folder {Path(error.filename).name!r} cannot be read: {error.strerror}.") from error
