"""Files out of an archive that a stranger made: nothing outside its folder, nothing without end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..progress import Progress
from .items import is_picture

ARCHIVES = frozenset(".zip .tar .gz .tgz .bz2 .xz .zst .7z .rar".split())
CHUNK = 1 << 20
SMALL = 10_000_000  # bytes below which any ratio is harmless


@dataclass
class Extracted:
    """What an archive gave: the files written, those refused as (name, sentence), and how many were no pictures."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0


@dataclass(frozen=True)
class Limits:
    """When to stop believing an archive: bytes and files in all, and how far one file may unfold."""

    bytes: int = 4_000_000_000
    files: int = 200_000
    ratio: float = 200


@dataclass(frozen=True)
class Member:
    """One entry of an archive: its `open` gives its bytes, `packed` counts them as they are stored (None: not known),
    and `problem` is what its format says against it ("": nothing)."""

    name: str
    open: Callable[[], BinaryIO]
    packed: int | None = None
    problem: str = ""


def unpack(
    members: Iterable[Member],
    folder: str | Path,
    *,
    also: Iterable[str] = (),
    limits: Limits | None = None,
    total: int | None = None,
    broken: tuple[type[Exception], ...] = (),
    progress: Progress | None = None,
) -> Extracted:
    """Write the pictures among `members` below `folder`, under the names that they have.

    >>> unpack([Member("red/1.png", lambda: open("1.png", "rb"))], "photos").files
    [PosixPath('photos/red/1.png')]

    `also` names further suffixes to write; everything else is counted and left. `total` is the number of
    members, for progress; `broken` are the exceptions that a member's bytes may raise.
    Raises ValueError past `limits` and Cancelled; then nothing is left of what was written.
    """
    limits = limits or Limits()
    also = {suffix.lower() for suffix in also}
    done = Extracted(Path(folder))
    done.folder.mkdir(parents=True, exist_ok=True)
    writer = _Writer(done.folder, limits, progress)
    try:
        for index, member in enumerate(members):
            if progress is not None:
                progress.report(index, total, "Unpacking")
            name = member.name.replace("\\", "/")
            base = name.rsplit("/", 1)[-1]
            suffix = os.path.splitext(base)[1].lower()
            if suffix in ARCHIVES:
                done.refused.append((member.name, "An archive within the archive is not opened: unpack it first."))
            elif name.startswith("__MACOSX/") or not (is_picture(base) or (suffix in also and base[0] != ".")):
                done.others += 1
            elif problem := member.problem or _bad_name(name):
                done.refused.append((member.name, problem))
            elif len(done.files) >= limits.files:
                raise ValueError(f"This archive holds more than {limits.files:,} photos, the limit.")
            else:
                try:
                    done.files.append(writer.write(member, name))
                except (FileExistsError, NotADirectoryError):
                    done.refused.append((member.name, "The archive holds another file of this name."))
                except _UnfoldsError:
                    done.refused.append((member.name, "It unfolds to far more than it is stored in, as no photo does."))
                except broken:
                    done.refused.append((member.name, "It is damaged in the archive."))
    except BaseException:
        writer.take_back()
        raise
    return done


class _UnfoldsError(Exception):
    pass


class _Writer:
    """Writes members below a folder and counts their bytes as they come: what a header says proves nothing."""

    def __init__(self, folder: Path, limits: Limits, progress: Progress | None):
        self._folder, self._limits, self._progress = folder, limits, progress
        self._made: list[Path] = []
        self._bytes = 0

    def write(self, member: Member, name: str) -> Path:
        *folders, base = name.split("/")
        place = self._folder
        for folder in folders:
            place /= folder
            if not place.is_dir() or place.is_symlink():
                place.mkdir()  # FileExistsError where something else lies there, a link too
                self._made.append(place)
        target = place / base
        with target.open("xb") as file:
            try:
                with member.open() as source:
                    self._copy(source, file, member.packed)
            except BaseException:
                target.unlink()
                raise
        self._made.append(target)
        return target

    def _copy(self, source: BinaryIO, file: BinaryIO, packed: int | None) -> None:
        size = 0
        while chunk := source.read(CHUNK):
            size += len(chunk)
            self._bytes += len(chunk)
            if self._bytes > self._limits.bytes:
                raise ValueError(f"This archive unfolds to more than {self._limits.bytes / 1e9:g} GB, the limit.")
            if packed is not None and size > max(SMALL, self._limits.ratio * packed):
                raise _UnfoldsError
            if self._progress is not None:
                self._progress.report(self._progress.done, self._progress.total, self._progress.text)
            file.write(chunk)

    def take_back(self) -> None:
        for path in reversed(self._made):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def _bad_name(name: str) -> str:
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "Its name is an absolute path."
    if ".." in parts:
        return "Its name leads out of the folder (../)."
    if "" in parts or "." in parts or not name.isprintable():
        return "Its name is not one that a file can have."
    if any(len(part.encode(errors="surrogatepass")) > 255 for part in parts) or len(name) > 1000:
        return "Its name is too long."
    return ""
