"""One large file from the web, kept: a download that broke off goes on where it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import BinaryIO

from ..progress import Progress
from .addresses import NoHost, NoNetwork
from .web import Again, Web

ATTEMPTS = 3
PATIENCE = 30  # seconds that a server may ask to be left alone before the next attempt


def download_archive(
    url: str,
    path: Path,
    *,
    name: str,
    no_network: str,
    size: int | None = None,
    max_bytes: int = 10_000_000_000,
    web: Web | None = None,
    progress: Progress | None = None,
) -> None:
    """Fetch `url` to `path`, with progress and Cancel.

    >>> download_archive("https://example.org/ratings.zip", Path("ratings.zip"), name="Ratings", no_network="Go out.")

    What arrived before it broke off or was cancelled stays beside `path`, as `.part`, and is not asked for
    again. `name` is what people call it, `no_network` what to tell them where there is none, `size` its bytes if known.
    Raises RuntimeError, a sentence, for what does not arrive; Cancelled.
    """
    web = web or Web()
    part = path.with_name(f"{path.name}.part")
    for attempt in range(ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab") as file:
                counted = _Counted(file, f"Downloading {name}", size, progress)
                web.get(url, counted, max_bytes=max_bytes, seconds=24 * 3600, resume=True)
            part.replace(path)
            return
        except (NoNetwork, NoHost) as error:
            raise RuntimeError(no_network) from error
        except Again as error:
            if attempt + 1 == ATTEMPTS:
                raise RuntimeError(f"{name} could not be downloaded: {error}") from error
            _pause(min(PATIENCE, max(error.seconds, 0.5 * 2**attempt)), progress)
        except ValueError as error:
            part.unlink(missing_ok=True)
            raise RuntimeError(f"{name} could not be downloaded: {error}") from error
        except OSError as error:  # Web's own are Again
            raise RuntimeError(f"{name} could not be kept here: {error.strerror}.") from error
        finally:
            if part.exists() and not part.stat().st_size:
                part.unlink()


def _pause(seconds: float, progress: Progress | None) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if progress is not None:
            progress.report(progress.done, progress.total, progress.text)
        time.sleep(min(0.1, left))


class _Counted:
    """A file that tells how much was written to it."""

    def __init__(self, file: BinaryIO, text: str, total: int | None, progress: Progress | None):
        self._file, self._text, self._total, self._progress = file, text, total, progress

    def write(self, data: bytes) -> int:
        if self._progress is not None:
            self._progress.report(self._file.tell(), self._total, self._text)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def truncate(self) -> int:
        return self._file.truncate()
