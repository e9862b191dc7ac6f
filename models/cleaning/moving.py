"""A file from one name to another: nothing overwritten, nothing lost, no link followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .dataset import check_name, sync_folder, write_all

NO_HARD_LINKS = (errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
SAFE = os.open in os.supports_dir_fd and os.link in os.supports_dir_fd
Identity = tuple[int, int]  # size in bytes, time of the last change in nanoseconds


class Tree:
    """A folder whose files are reached step by step from an open descriptor, so that no link leads away.

    >>> with Tree("data/bears") as bears, Tree("data/.bears.ipyfastai") as beside:
    ...     move(bears, "black/1.jpg", beside, "trash/1.jpg")

    Needs what POSIX calls openat. Source: openat(2), "Rationale for openat()".
    """

    def __init__(self, path: str | os.PathLike):
        if not SAFE:
            raise RuntimeError("Files can be moved safely on Linux and macOS only.")
        self.path = Path(path)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *exception) -> None:
        os.close(self._descriptor)

    @contextmanager
    def parent(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder a name lies in, and its last part.

        Raises ValueError where the way there leads over a link, FileNotFoundError where there is none.
        """
        check_name(name)
        *folders, last = name.split("/")
        descriptor = os.dup(self._descriptor)
        try:
            for folder in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=descriptor)
                try:
                    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
                except OSError as error:
                    if error.errno in (errno.ELOOP, errno.ENOTDIR):
                        raise ValueError("Its folder is a link to elsewhere, and links are left alone.") from error
                    raise
                os.close(descriptor)
                descriptor = inner
            yield descriptor, last
        finally:
            os.close(descriptor)

    def status(self, name: str) -> os.stat_result | None:
        """What lies at a name, itself and not what it links to; None where there is nothing."""
        try:
            with self.parent(name) as (folder, last):
                return os.stat(last, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError), self.parent(name) as (folder, last):
            os.unlink(last, dir_fd=folder)

    def remove_empty(self, name: str) -> None:
        """Remove a folder, if nothing is in it."""
        try:
            with self.parent(name) as (folder, last):
                os.rmdir(last, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise

    def sync(self, name: str) -> None:
        """Wait until the names beside `name` are on the disk, if the way there is still ours."""
        with suppress(FileNotFoundError, ValueError), self.parent(name) as (folder, _):
            sync_folder(folder)


def identity(status: os.stat_result) -> Identity:
    return status.st_size, status.st_mtime_ns


def move(source: Tree, name: str, target: Tree, to: str, *, expected: Identity | None = None, part: str) -> None:
    """Give a file another name, on another disk too; `to` must be free, its folder is made where it is not there.

    >>> move(bears, "black/1.jpg", bears, "grizzly/1.jpg", part=".half-copied")

    On one disk the file itself is renamed: by a hard link to its new name before the old one goes, or,
    where there are no hard links, onto an empty file that reserved the name. To another disk it is copied
    under the name `part` beside `to`, which takes its place when it is whole. At every moment the whole file has
    at least one name. Raises ValueError with a sentence for what has changed meanwhile, OSError for the rest.
    """
    try:
        with source.parent(name) as (old, last), target.parent(to, make=True) as (new, wanted):
            status = os.stat(last, dir_fd=old, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("This is not a file, or a link to one elsewhere; it is left alone.")
            if expected is not None and identity(status) != tuple(expected):
                raise ValueError("The file has changed meanwhile; it is left alone.")
            _rename(old, last, new, wanted, part)
    except FileNotFoundError as error:
        raise ValueError("The file is gone.") from error
    except FileExistsError as error:
        raise ValueError("Meanwhile there is another file of that name; nothing is overwritten.") from error


def _rename(old: int, last: str, new: int, wanted: str, part: str) -> None:
    try:
        os.link(last, wanted, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EXDEV:
            _copy(old, last, new, part)
            try:
                _rename(new, part, new, wanted, part)
            except OSError:
                os.unlink(part, dir_fd=new)
                raise
            sync_folder(new)
        elif error.errno in NO_HARD_LINKS:
            _rename_onto_reservation(old, last, new, wanted)
            return
        else:
            raise
    try:
        os.unlink(last, dir_fd=old)
    except OSError:
        with suppress(OSError):  # what matters is why it cannot be moved
            os.unlink(wanted, dir_fd=new)
        raise


def _rename_onto_reservation(old: int, last: str, new: int, wanted: str) -> None:
    os.close(os.open(wanted, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=new))
    try:
        os.rename(last, wanted, src_dir_fd=old, dst_dir_fd=new)
    except OSError:
        os.unlink(wanted, dir_fd=new)
        raise


def _copy(old: int, last: str, new: int, part: str) -> None:
    with suppress(FileNotFoundError):  # of a process that did not end well
        os.unlink(part, dir_fd=new)
    reading = os.open(last, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=old)
    try:
        before = os.fstat(reading)
        writing = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(before.st_mode), dir_fd=new)
        try:
            while piece := os.read(reading, 1 << 20):
                write_all(writing, piece)
            os.utime(writing, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.fsync(writing)
            if identity(os.fstat(reading)) != identity(before) or os.fstat(writing).st_size != before.st_size:
                raise ValueError("The file is being written by somebody else; it is left alone.")
        except BaseException:
            os.unlink(part, dir_fd=new)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)
