"""What a browser sent, on its way in and once it is here."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path
from secrets import token_hex

from PIL import Image

from ..models.images import open_image

SPOOL_LIMIT = 4_000_000_000  # bytes on disk for all uploads of one kernel, which is one visitor
CHUNK_LIMIT = 1_000_000  # bytes; a tenth of the websocket message that Jupyter servers accept
NAME_LIMIT = 255


class Upload:
    """A file that a visitor sent; it lies in a temporary folder and goes when nothing refers to it.

    >>> [upload] = widget.value
    >>> upload.name, upload.size, upload.image.size
    ('bear.jpg', 84213, (1280, 960))

    `name` is text from a stranger, `size` counts bytes, `bytes` reads them, and `image` decodes
    them anew at each access (upright, RGB), so that a hundred photos do not fill the memory.
    """

    def __init__(self, name: str, path: Path, *, max_pixels: int | None = None):
        self.name = name
        self.size = path.stat().st_size
        self._path = path
        self._max_pixels = max_pixels
        self.delete = weakref.finalize(self, path.unlink, missing_ok=True)

    @classmethod
    def keep(cls, name: str, data: bytes) -> Upload:
        """Bytes from elsewhere, kept like an upload."""
        path = spool() / token_hex(16)
        path.write_bytes(data)
        return cls(name, path)

    def __repr__(self) -> str:
        return f"Upload({self.name!r}, {self.size:,} bytes)"

    @property
    def path(self) -> Path:
        """Where it lies for as long as this object lives; a name that says nothing."""
        return self._path

    @property
    def bytes(self) -> bytes:
        return self._path.read_bytes()

    @property
    def image(self) -> Image.Image:
        return self.picture()

    def picture(self, at_least: int | None = None) -> Image.Image:
        """Like `image`, decoded at a reduced size where that is quicker (see `open_image`)."""
        return open_image(self._path, max_pixels=self._max_pixels, at_least=at_least)


class Transfer:
    """One file on its way: chunks are appended in order, whatever else arrives is told where to go on.

    `size` is what the browser said of the file; `total` what it sends, less where it shrank a photo.
    """

    def __init__(self, name: str, size: int):
        self.name = name
        self.size = size
        self.total: int | None = None
        self.received = 0
        self.state = "waiting"  # → sending → checking → ready, or refused, or cancelled
        self.message = ""
        self.upload: Upload | None = None
        self._path: Path | None = None

    @property
    def pending(self) -> bool:
        return self.state in ("waiting", "sending", "checking")

    def append(self, offset: int, chunk: bytes, total: int) -> None:
        """Write a chunk that starts at `offset`; one sent twice or too early changes nothing.

        Raises ValueError when `total` changes on the way or the chunk reaches beyond it.
        """
        if self.total is None:
            if spooled() + total > SPOOL_LIMIT:
                raise OSError(errno.ENOSPC, "the room for uploads is used up")
            self.total = total
            self._path = spool() / token_hex(16)
        if total != self.total or offset + len(chunk) > total:
            raise ValueError("a chunk does not fit its file")
        if offset == self.received:
            with self._path.open("ab") as file:
                file.write(chunk)
            self.received += len(chunk)

    def finish(self, *, max_pixels: int | None = None) -> Upload:
        """Hand what has arrived over to an `Upload`, which owns the file from here on."""
        self.upload = Upload(self.name, self._path, max_pixels=max_pixels)
        self._path = None
        return self.upload

    def end(self, state: str, message: str = "") -> None:
        """Close the transfer as `refused` or `cancelled`; what had arrived is deleted."""
        self.state, self.message, self.upload = state, message, None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


@cache
def spool() -> Path:
    """This process's own folder for uploads, readable by nobody else, gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="ipyfastai-", ignore_cleanup_errors=True)
    _folders.append(folder)
    return Path(folder.name)


def spooled() -> int:
    """Bytes of all uploads that are kept now."""
    total = 0
    for entry in os.scandir(spool()):
        with suppress(FileNotFoundError):  # let go of between the listing and the look
            total += entry.stat().st_size
    return total


_folders: list[tempfile.TemporaryDirectory] = []  # one that nobody holds is deleted at once


def clean_name(name: str) -> str:
    """A file's name as it can be shown: no folders, no control or direction characters, not endless.

    >>> clean_name("C:\\\\photos\\\\bear\\u202egpj.exe")
    'beargpj.exe'
    """
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if c.isprintable() or c == "\u200d")  # U+200D joins emoji
    return name[:NAME_LIMIT] or "unnamed"
