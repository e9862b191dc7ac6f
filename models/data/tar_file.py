"""A tar of photos, packed or not."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from .unpack import Extracted, Member, unpack

_NO_TAR = "This is not a tar archive, or its end is missing."


def extract_tar(path: str | Path, folder: str | Path, **options) -> Extracted:
    """Unpack the pictures of a .tar, .tgz or .tar.gz below `folder`, as `extract_images` does those of a zip.

    >>> len(extract_tar("mnist_tiny.tgz", "photos").files)
    1428

    Nothing but plain files is written: links, devices and whatever leads out of `folder` are refused. Read from its
    first byte to its last, so that a member's place in the archive proves nothing. `options` (`also`, `limits`,
    `progress`) go to `unpack`.
    """
    try:
        with tarfile.open(path, "r|*") as archive:
            done = unpack(_members(archive), folder, broken=(tarfile.StreamError,), **options)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise ValueError(_NO_TAR) from error
    if not done.files:
        raise ValueError("This archive holds no photos that can be used.")
    return done


def _members(archive: tarfile.TarFile) -> Iterator[Member]:
    for entry in archive:
        if not entry.isdir():
            problem = "" if entry.isreg() else "It is a link or no file, which is not followed."
            yield Member(entry.name.removeprefix("./"), lambda entry=entry: archive.extractfile(entry), problem=problem)
