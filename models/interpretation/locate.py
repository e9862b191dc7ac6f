"""Where the pictures lie that a file of predictions speaks of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path


def locate(items: Iterable[str], root: str | Path, files: Iterable[Path] | None = None) -> tuple[list[str], int]:
    """Where the items of a file lie below `root`, as absolute paths, and how many of them lie nowhere.

    >>> locate(["C:\\\\photos\\\\bears\\\\black\\\\1.jpg"], root, files=[root / "bears/black/1.jpg"])
    (['/uploads/bears/black/1.jpg'], 0)

    Of `files`, what an archive held, each item is the one whose path ends as the item's does, by as many
    names as possible, if that is one. Without `files` items are paths within `root`; one that leads out
    of it, by `..`, by a link or from elsewhere, is refused with ValueError, and so are two items that
    would be the same picture. What lies nowhere gets a path
    below `root` nevertheless: nothing outside is ever named.
    """
    items, root = list(items), Path(os.path.abspath(root))
    find = _Within(root) if files is None else _Among(files, root)
    found = [find(item) for item in items]
    missing = sum(path is None for path in found)
    paths = [str(path or root.joinpath(*_parts(item))) for item, path in zip(items, found, strict=True)]
    taken: dict[str, str] = {}
    for item, path in zip(items, paths, strict=True):
        if taken.setdefault(path, item) != item:
            name = Path(path).relative_to(root)
            raise ValueError(f"{taken[path]!r} and {item!r} would both be the picture {str(name)!r}: say them apart.")
    return paths, missing


class _Among:
    """Finds a file by the end of its path."""

    def __init__(self, files: Iterable[Path], root: Path):
        self._by_end: dict[tuple[str, ...], Path | None] = {}  # None: several end so
        whole = {Path(os.path.abspath(file)).relative_to(root).parts: file for file in files}
        for parts, file in whole.items():
            for begin in range(1, len(parts)):
                self._by_end[parts[begin:]] = None if parts[begin:] in self._by_end else file
        self._by_end.update(whole)  # whose path is the same from its beginning is meant

    def __call__(self, item: str) -> Path | None:
        parts = _parts(item)
        for begin in range(len(parts)):
            if parts[begin:] in self._by_end:
                return self._by_end[parts[begin:]]
        return None


class _Within:
    """Finds a file by its path below a folder, and nothing outside it."""

    def __init__(self, root: Path):
        self._root, self._real = root, root.resolve()
        self._inside: dict[Path, bool] = {}  # a folder -> whether it really lies within

    def __call__(self, item: str) -> Path | None:
        path = Path(os.path.normpath(self._root / item.replace("\\", "/")))
        if "\0" in item or not path.is_relative_to(self._root):
            raise ValueError(f"The item {item!r} leads out of the folder of pictures.")
        if not path.is_file():
            return None
        folder = path.parent
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self._real)
        if not self._inside[folder] or (path.is_symlink() and not path.resolve().is_relative_to(self._real)):
            raise ValueError(f"The item {item!r} leads out of the folder of pictures.")
        return path


def _parts(item: str) -> tuple[str, ...]:
    parts = re.split(r"[/\\]", item)
    return tuple(part for part in parts if part not in ("", ".", "..") and not re.fullmatch(r"[A-Za-z]:", part))
