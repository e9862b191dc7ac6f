"""Small pictures of large collections: made once, kept on disk, at hand when a grid asks for them."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .images import jpeg, open_image, probe, to_rgb

CACHE = ("ipyfastai", "thumbnails")
CACHE_BYTES = 1_000_000_000  # some 200,000 thumbnails of 160 pixels
SHARDS = 256  # folders; each is kept below its share of the limit, since names spread evenly
DAY = 86_400
WAITING = 2_000  # items that `warm` remembers; who scrolls on does not need the oldest any more
WORKERS = min(4, os.cpu_count() or 1)
LARGE = 20_000_000  # pixels; of larger pictures one at a time is decoded, so that memory holds one

Item = Any  # str | Path | PIL.Image.Image | np.ndarray


class Thumbnails:
    """Thumbnails as JPEG bytes, from a cache on disk where they are there already.

    >>> thumbnails = Thumbnails()
    >>> thumbnails.get("bears/black/00000000.jpg")[:2]
    b'\\xff\\xd8'
    >>> thumbnails.many(["bears/black/00000000.jpg", "bears/notes.txt"])
    [b'\\xff\\xd8...', ValueError('This is a text file, not a photo, whatever its name says.')]

    An item is a path, a PIL image, or a uint8 array (h, w, 3) or (h, w). The longer side of a thumbnail
    has at most `side` pixels; nothing is enlarged. A file that has changed (path, time or size) is drawn
    anew. The cache lies in `folder`, by default in the user's cache folder, and on a public server
    (IPYFASTAI_PUBLIC=1) in a temporary one, so that nothing of a visitor's is left. It is readable by
    its owner alone, its files have no extension by which a web server would know them for pictures, and
    those unused for longest go when it grows beyond `limit` bytes. A cache that cannot be written only
    costs time. Every method may be called from any thread.
    Raises ValueError with a sentence for an item that cannot be read.
    """

    def __init__(self, folder: str | Path | None = None, *, side: int = 160, limit: int = CACHE_BYTES):
        if type(side) is not int or not 8 <= side <= 4096:
            raise ValueError(f"side must be a whole number of pixels from 8 to 4096, not {side!r}")
        self.side, self.limit = side, limit
        self._temporary: tempfile.TemporaryDirectory | None = None
        self.folder = self._private_folder(folder)
        self._numbers = count()
        self._waiting: deque[Item] = deque(maxlen=WAITING)
        self._workers = 0
        self._lock = threading.Lock()
        self._one_large = threading.Lock()
        self._nobody_asks = threading.Event()  # set while no caller waits: only then the background works
        self._nobody_asks.set()
        self._asking = 0
        self._pool: ThreadPoolExecutor | None = None
        self._said = False
        self._closed = False

    def get(self, item: Item) -> bytes:
        """The thumbnail of one item."""
        key = self._key(item)
        found = self._read(key)
        if found is not None:
            return found
        with _Asking(self):
            return self._make(item, key)

    def many(self, items: Sequence[Item]) -> list[bytes | ValueError]:
        """The thumbnails of several items at once, in their order; for one that cannot be read, the error."""
        with _Asking(self):
            with self._lock:
                if self._pool is None and not self._closed:
                    self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ipyfastai-thumbnails")
                pool = self._pool
            return list((pool.map if pool is not None else map)(self._attempt, items))

    def warm(self, items: Iterable[Item]) -> None:
        """Make these in the background before somebody asks, the newest request first."""
        self._waiting.extend(reversed(list(items)))
        with self._lock:
            wanted = min(WORKERS, len(self._waiting)) - self._workers
            if self._closed:
                return
            for _ in range(wanted):
                self._workers += 1
                threading.Thread(target=self._work, daemon=True, name="ipyfastai-warm").start()

    def large(self, item: Item, side: int = 1024) -> bytes:
        """The picture as JPEG with at most `side` pixels; not kept."""
        with _Asking(self):
            return jpeg(self._picture(item, side), side, quality=90)

    def close(self) -> None:
        """Stop working in the background; a temporary cache is deleted."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        self._waiting.clear()
        self._nobody_asks.set()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    # Making them.

    def _work(self) -> None:
        while True:
            self._nobody_asks.wait()
            try:
                item = self._waiting.pop()
            except IndexError:
                with self._lock:
                    if not self._waiting:  # else `warm` counted on this thread
                        self._workers -= 1
                        return
                continue
            try:
                self._attempt(item)  # whoever asks for a bad one later is told why
            except Exception:
                logging.getLogger(__name__).exception("a thumbnail could not be made")

    def _attempt(self, item: Item) -> bytes | ValueError:
        try:
            key = self._key(item)
            found = self._read(key)
            return self._make(item, key) if found is None else found
        except ValueError as error:
            return error

    def _make(self, item: Item, key: str) -> bytes:
        small = jpeg(self._picture(item, self.side), self.side)
        self._write(key, small)
        return small

    def _picture(self, item: Item, side: int) -> Image.Image:
        if isinstance(item, Image.Image):
            return to_rgb(item)
        if isinstance(item, np.ndarray):
            return Image.fromarray(_checked(item))
        _status(item)
        try:
            width, height = probe(item).size
            with self._one_large if width * height > LARGE else nullcontext():
                return open_image(item, at_least=side)
        except OSError as error:
            raise _unreadable(error) from error

    def _key(self, item: Item) -> str:
        """The item's name in the cache: what it is and what it was when its thumbnail was made."""
        if isinstance(item, Image.Image):
            try:
                parts = (item.mode, str(item.size), item.tobytes())
            except OSError as error:  # its file, which is read only now, is damaged or gone
                raise _unreadable(error) from error
        elif isinstance(item, np.ndarray):
            parts = ("array", str(_checked(item).shape), np.ascontiguousarray(item).tobytes())
        else:
            status = _status(item)
            parts = (os.path.abspath(item), f"{status.st_mtime_ns} {status.st_size}")
        digest = hashlib.blake2b(str(self.side).encode(), digest_size=16)
        for part in parts:
            digest.update(b"\0" + (part if isinstance(part, bytes) else os.fsencode(part)))
        return digest.hexdigest()

    # Keeping them.

    def _read(self, key: str) -> bytes | None:
        path = self.folder / key[:2] / key[2:]
        try:
            with open(path, "rb") as file:
                data = file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        if not (data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")):  # cut off by a loss of power
            return None
        if time.time() - used > DAY:
            with suppress(OSError):  # the time only says what may go first
                os.utime(path)
        return data

    def _write(self, key: str, data: bytes) -> None:
        shard = self.folder / key[:2]
        part = shard / f"{os.getpid()}-{next(self._numbers)}.part"
        try:
            shard.mkdir(mode=0o700, exist_ok=True)
            part.write_bytes(data)
            os.replace(part, shard / key[2:])
            if key.endswith("0"):  # one time in sixteen is enough
                self._shrink(shard)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            if not self._said and not self._closed:
                self._said = True
                logging.getLogger(__name__).warning("thumbnails are not kept: %s", error.strerror or error)

    def _shrink(self, shard: Path) -> None:
        """Keep a shard below its share: what was unused for longest goes."""
        files = []
        for entry in os.scandir(shard):
            with suppress(FileNotFoundError):  # another process shrinks the same shard
                status = entry.stat()
                files.append((status.st_mtime, status.st_size, entry.path))
        excess = sum(size for _, size, _ in files) - self.limit // SHARDS
        for _, size, path in sorted(files):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= size

    def _private_folder(self, folder: str | Path | None) -> Path:
        if folder is not None:
            return _made(Path(folder))
        if not os.environ.get("IPYFASTAI_PUBLIC"):
            with suppress(OSError, RuntimeError):  # no home, or one that cannot be written
                return _made(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", *CACHE))
        self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-thumbnails-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)


class _Asking:
    """While somebody waits for a picture, the background rests."""

    def __init__(self, thumbnails: Thumbnails):
        self._thumbnails = thumbnails

    def __enter__(self) -> None:
        with self._thumbnails._lock:
            self._thumbnails._asking += 1
            self._thumbnails._nobody_asks.clear()

    def __exit__(self, *exception) -> None:
        with self._thumbnails._lock:
            self._thumbnails._asking -= 1
            if not self._thumbnails._asking:
                self._thumbnails._nobody_asks.set()


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _status(item: Item) -> os.stat_result:
    """What the disk says of a file that may be opened."""
    if not isinstance(item, str | os.PathLike):
        raise ValueError(
            f"A picture is given by its path, as a PIL image or as a uint8 array, not as {type(item).__name__}."
        )
    try:
        status = os.stat(item)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise _unreadable(error) from error
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for without end
        raise ValueError("This is not a file.")
    return status


def _checked(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)) or not array.size:
        raise ValueError(
            "A picture given as an array is uint8 with shape (height, width, 3) or (height, width), "
            f"not {array.dtype} {array.shape}."
        )
    return array


def _unreadable(error: Exception) -> ValueError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ValueError("This file is gone.")
    if isinstance(error, PermissionError):
        return ValueError("This file may not be read by the server.")
    return ValueError(f"This file cannot be read: {getattr(error, 'strerror', None) or error}.")
