"""Where images come from: one small interface, and the sources that need no network."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..progress import Progress
from .digits import write_digits
from .items import image_files, is_picture
from .unpack import Limits
from .zip_file import extract_images


@dataclass
class Fetched:
    """What a source gave: the folder to look in, the pictures, and (name, sentence) for each that did not come."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


class Source(Protocol):
    """Anything that can fill a folder with pictures, a subfolder for each label.

    >>> class MyCamera:
    ...     def fetch(self, into, *, progress=None):
    ...         ...
    ...         return Fetched(into, files, failures)

    `fetch` runs in a thread. It reports to `progress`, and when that is cancelled either returns what it
    has or lets Cancelled pass. ValueError or RuntimeError carry a sentence for a person. `into` is an empty
    folder of its own; a source of files that lie somewhere already may name their folder instead.
    """

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched: ...


@dataclass(frozen=True)
class ZipSource:
    """The pictures of a zip file (see `extract_images`), and its tables, which may hold labels.

    >>> ZipSource("bears.zip").fetch(Path("photos")).folder
    PosixPath('photos')
    """

    path: str | Path

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        done = extract_images(self.path, into, also=[".csv"], progress=progress)
        files = [file for file in done.files if is_picture(file.name)]
        if not files:
            raise ValueError("This zip holds no photos that can be used.")
        return Fetched(into, files, done.refused)


@dataclass(frozen=True)
class FolderSource:
    """A folder on the server, below the one folder that may be chosen from.

    >>> FolderSource("bears", root="/srv/data").fetch(Path("photos")).folder
    PosixPath('/srv/data/bears')

    With `copy=True` its pictures and tables are copied, so that nobody can change what others use; else
    the folder itself is worked on. Links that lead out of it are not followed but listed as failures.
    Raises ValueError for a folder that is not below `root` or holds no pictures, and for more than
    `max_bytes` to copy: a click of a stranger's must not fill a disk.
    """

    path: str | Path
    root: str | Path
    copy: bool = False
    max_bytes: int = Limits.bytes

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        root = Path(self.root).resolve()
        folder = (root / self.path).resolve()
        if not folder.is_relative_to(root):
            raise ValueError("This folder does not lie below the data folder of this server.")
        files, links = image_files(folder)
        if not files:
            raise ValueError(f"There are no photos in {folder.name!r}.")
        failures = [(str(link.relative_to(folder)), "It is a link that leads out of the folder.") for link in links]
        if not self.copy:
            return Fetched(folder, files, failures)
        tables = [path for path in folder.glob("*.csv") if not path.is_symlink()]
        size = sum(path.stat().st_size for path in [*tables, *files])
        if size > self.max_bytes:
            raise ValueError(
                f"These photos are {size / 1e9:.1f} GB; this server copies {self.max_bytes / 1e9:g} GB at most. "
                "Choose a folder within this one."
            )
        copied = []
        for index, path in enumerate([*tables, *files]):
            if progress is not None:
                progress.report(index, len(tables) + len(files), "Copying")
            target = into / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            copied.append(target)
        return Fetched(into, copied[len(tables) :], failures)


def folder_choices(root: str | Path, *, depth: int = 3, at_most: int = 1000) -> list[str]:
    """The folders below `root` that hold pictures, or folders with pictures, as paths relative to it.

    >>> folder_choices("/srv/data")
    ['bears', 'bears/black', 'bears/grizzly', 'bears/teddy', 'mnist_tiny', ...]

    Links are not followed. Looks `depth` folders deep and stops after `at_most`.
    """
    root = Path(root)
    found: set[Path] = set()
    for folder, subfolders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if len(here.parts) > depth:
            subfolders.clear()
        if any(map(is_picture, names)):
            found |= {place for place in (here, *here.parents) if 0 < len(place.parts) <= depth}
        if len(found) > at_most:
            break
    return [str(place) for place in sorted(found)][:at_most]


@dataclass(frozen=True)
class DigitsSource:
    """scikit-learn's handwritten digits (see `write_digits`): needs no network and no file.

    >>> DigitsSource(per_class=50).fetch(Path("digits"))
    """

    per_class: int | None = None

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        write_digits(into, per_class=self.per_class, progress=progress)
        return Fetched(into, image_files(into)[0])
