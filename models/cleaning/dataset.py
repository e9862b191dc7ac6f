"""The folder of a data set: names of what lies in it, and a place beside it for marks and trash."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class Dataset:
    """A folder of files, each known by its name below it.

    >>> bears = Dataset("data/bears")
    >>> bears.name("data/bears/black/00000000.jpg")
    'black/00000000.jpg'
    >>> bears.look("black/00000000.jpg").st_size
    84213

    Links are not followed, neither to a file nor to a folder on the way, and nothing outside is touched.
    Raises ValueError with a sentence for a folder that is not there.
    """

    def __init__(self, root: str | os.PathLike):
        self._given = os.path.abspath(root)
        self.path = Path(os.path.realpath(root))
        if not self.path.is_dir():
            raise ValueError(f"There is no folder {self.path.name!r}.")
        self._prefixes = tuple(str(Path(folder)).rstrip("/") + "/" for folder in {self._given, str(self.path)})
        self._real: dict[str, str] = {}  # folder as given: where it really lies
        self._folders: set[str] = {""}  # below the root, and no links

    def name(self, item: Any) -> str:
        """What an item is called below the folder, with slashes.

        Raises ValueError for one that is not a path, or that leads outside.
        """
        if not isinstance(item, str | os.PathLike):
            raise ValueError("This picture is not a file.")
        text = os.fspath(item)
        if ".." in text.split("/") or "\0" in text:
            raise ValueError("The path leads outside the folder.")
        text = os.path.abspath(text)
        for prefix in self._prefixes:
            if text.startswith(prefix):
                return text[len(prefix) :]
        folder, file = os.path.split(text)  # perhaps by another way to the same folder
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        text = f"{self._real[folder]}/{file}"
        if not text.startswith(f"{self.path}/"):
            raise ValueError("The file lies outside the folder.")
        return text[len(str(self.path)) + 1 :]

    def look(self, name: str) -> os.stat_result:
        """What the disk says of a file; ValueError with a sentence for what may not be touched."""
        check_name(name)
        folder, _, _ = name.rpartition("/")
        self._check_folder(folder)
        try:
            status = os.lstat(self.path / name)
        except FileNotFoundError:
            raise ValueError("The file is gone.") from None
        except OSError as error:
            raise ValueError(f"The file cannot be read: {reason(error)}.") from error
        if stat.S_ISLNK(status.st_mode):
            raise ValueError("This is a link to a file elsewhere, and links are left alone.")
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("This is not a file.")
        return status

    def _check_folder(self, name: str) -> None:
        if name in self._folders:
            return
        self._check_folder(name.rpartition("/")[0])
        try:
            mode = os.lstat(self.path / name).st_mode
        except FileNotFoundError:
            raise ValueError("The file is gone.") from None
        except OSError as error:
            raise ValueError(f"Its folder cannot be read: {reason(error)}.") from error
        if stat.S_ISLNK(mode):
            raise ValueError("Its folder is a link to elsewhere, and links are left alone.")
        if not stat.S_ISDIR(mode):
            raise ValueError("The file is gone.")
        self._folders.add(name)

    def state(self, *, make: bool = False) -> Path:
        """The folder for marks, trash and logs: `.NAME.ipyfastai` beside the data set.

        Beside, because some loaders take every folder within for a class. Where nothing can be made
        there, or on another disk, it is `.ipyfastai` within. Not there: only with `make`, which raises
        OSError where it is not possible; ValueError where somebody else's folder has that name.
        """
        beside = self.path.parent / f".{self.path.name}.ipyfastai"
        within = self.path / ".ipyfastai"
        for folder in (within, beside):
            if os.path.lexists(folder):
                return _own(folder, self.path)
        if not make:
            return beside
        if os.stat(self.path.parent).st_dev == os.stat(self.path).st_dev:
            try:
                return _make(beside, self.path)
            except OSError as error:
                if error.errno not in FORBIDDEN:
                    raise
        return _make(within, self.path)


def check_name(name: str) -> None:
    """Raise ValueError for a name that leads outside the folder, or in circles."""
    if not isinstance(name, str) or not name or "\0" in name or {"", ".", ".."} & set(name.split("/")):
        raise ValueError("The path leads outside the folder.")


def reason(error: OSError) -> str:
    """Why a file operation failed, in words that name no path."""
    if isinstance(error, BlockingIOError):
        return "another notebook is using it"
    if error.errno in FULL:
        return "the disk is full"
    if error.errno in FORBIDDEN:
        return "the folder is read-only or belongs to somebody else"
    return error.strerror or type(error).__name__


def _make(folder: Path, root: Path) -> Path:
    folder.mkdir(mode=stat.S_IMODE(os.stat(root).st_mode) & 0o770 | 0o700, exist_ok=True)
    return _own(folder, root)


def _own(folder: Path, root: Path) -> Path:
    """`folder`, if nobody but its user and the owner of the data set can have put it there."""
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), os.stat(root).st_uid):
        raise ValueError(f"{folder.name!r} belongs to somebody else: remove it, so that changes can be kept there.")
    return folder


def sync_folder(folder: int | Path) -> None:
    """Wait until the names in a folder are on the disk (fsync(2): a file's own fsync does not do that)."""
    descriptor = folder if isinstance(folder, int) else os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        if descriptor != folder:
            os.close(descriptor)


def write_all(file: int, data: bytes) -> None:
    """`os.write`, which may take only a part, until all is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
