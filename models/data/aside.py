"""Files put aside, beside their folder, and put back: never deleted, never written over."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Moved:
    """Where files went, as (from, to), and (file's name, sentence) for those that stayed."""

    moves: list[tuple[Path, Path]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def aside_folder(root: str | Path) -> Path:
    """Where the files of a folder go that are put aside.

    >>> aside_folder("/data/bears")
    PosixPath('/data/bears set aside')
    """
    root = Path(os.path.abspath(root))
    return root.with_name(f"{root.name} set aside")


def move_aside(root: str | Path, items: Iterable[str | Path]) -> Moved:
    """Move files from below `root` to the folder beside it, each to the place it had.

    >>> move_aside("bears", report.unreadable.item).moves
    [(PosixPath('bears/teddy/3.jpg'), PosixPath('bears set aside/teddy/3.jpg'))]

    A name that is taken there gets a number. What is a link, lies elsewhere or cannot be moved stays,
    with the reason in `problems`.
    """
    root = Path(os.path.abspath(root))
    moved = Moved()
    for item in map(Path, items):
        if not item.is_relative_to(root) or not item.resolve().is_relative_to(root.resolve()):
            moved.problems.append((item.name, "It does not lie in the folder."))
        elif item.is_symlink():
            moved.problems.append((item.name, "It is a link, which is not moved."))
        else:
            _move(item, aside_folder(root) / item.relative_to(root), moved, number=True)
    return moved


def put_back(root: str | Path, moves: Iterable[tuple[Path, Path]] | None = None) -> Moved:
    """Undo `moves` of `move_aside`, or without them bring back everything that was put aside.

    >>> put_back("bears").problems
    []

    What has had its place taken meanwhile stays where it is, with the reason in `problems`.
    """
    root, aside = Path(os.path.abspath(root)), aside_folder(root)
    if moves is None:
        files = sorted(path for path in aside.rglob("*") if path.is_file() and not path.is_symlink())
        moves = [(root / path.relative_to(aside), path) for path in files]
    back = Moved()
    for place, now in moves:
        _move(now, place, back, number=False)
    for folder in sorted({parent for _, now in moves for parent in now.parents}, reverse=True):
        if folder.is_relative_to(aside) and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return back


def _move(source: Path, target: Path, moved: Moved, *, number: bool) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target = _reserve(target, number=number)
    except FileExistsError:
        moved.problems.append((source.name, "Another file has taken its place."))
        return
    except OSError as error:
        moved.problems.append((source.name, f"It could not be moved: {error.strerror}."))
        return
    try:
        _replace(source, target)
    except OSError as error:
        target.unlink()
        gone = "It is not there any more."
        why = gone if isinstance(error, FileNotFoundError) else f"It could not be moved: {error.strerror}."
        moved.problems.append((source.name, why))
    else:
        moved.moves.append((source, target))


def _reserve(target: Path, *, number: bool) -> Path:
    """An empty file of that name, made by nobody else: `os.replace` may then write over it."""
    for count in range(1, 10_000):
        numbered = target if count == 1 else target.with_stem(f"{target.stem} ({count})")
        try:
            numbered.touch(exist_ok=False)
            return numbered
        except FileExistsError:
            if not number:
                raise
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _replace(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # another disk
            raise
        shutil.copy2(source, target)
        source.unlink()
