"""A zip of photos, as a stranger uploads it."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from ..progress import Progress
from .unpack import Extracted, Limits, Member, unpack

DIRECTORY = 100_000_000  # bytes of an archive's own list of contents; one line of it takes 46 and a name
_NO_ZIP = "This is not a zip file, or its end is missing: download or make it again."


def extract_images(
    path: str | Path,
    folder: str | Path,
    *,
    also: Iterable[str] = (),
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Extracted:
    """Unpack the pictures of a zip below `folder`; its folders become labels.

    >>> done = extract_images("bears.zip", "photos", also=[".csv"])
    >>> len(done.files), done.refused
    (409, [('evil.zip', 'An archive within the archive is not opened: unpack it first.')])

    Refused, each with a sentence: absolute names and `../`, links and devices, files that are locked
    with a password, packed by other means than deflate, damaged, of a name that is taken, or that
    unfold like a bomb; archives within the archive are not opened. Nothing is ever overwritten.
    Raises ValueError for a file that is no zip, one locked as a whole, one without pictures, and past
    `limits`, which count what is really written; then `folder` holds no more than before.
    """
    try:
        with (
            _Short(path) as file,
            zipfile.ZipFile(file) as archive,
        ):
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
            done = unpack(
                (
                    Member(one.filename, lambda one=one: archive.open(one), one.compress_size, _problem(one))
                    for one in members
                ),
                folder,
                also=also,
                limits=limits,
                total=len(members),
                broken=(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError),
                progress=progress,
            )
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError(_NO_ZIP) from error
    if not done.files:
        raise ValueError(_why_nothing(done, members))
    return done


def _problem(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "It is a link, which is not followed." if kind == stat.S_IFLNK else "It is no file."
    if entry.flag_bits & 1:
        return "It is locked with a password."
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "It is packed in a way that is not supported: make the zip with plain deflate."
    return ""


def _why_nothing(done: Extracted, members: list[zipfile.ZipInfo]) -> str:
    reasons = {reason for _, reason in done.refused}
    if reasons == {"It is locked with a password."}:
        return "This zip is locked with a password. Make one without."
    if not members:
        return "This zip is empty."
    what = f" {done.refused[0][1]}" if len(reasons) == 1 else ""
    return f"This zip holds no photos that can be used.{what}"


class _Short(io.FileIO):
    """A file that gives no more at a time than any sane archive asks for: zipfile reads the list of contents
    in one go, as long as the archive claims it to be."""

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            raise zipfile.BadZipFile("its list of contents is too long")
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset < 0 and whence == 0:
            raise zipfile.BadZipFile("it points to before its beginning")
        return super().seek(offset, whence)
