"""Many pictures from the web at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from ..images import probe
from ..progress import Progress
from .addresses import NoHost, NoNetwork
from .web import Again, Web

SUFFIX = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}
PATIENCE = 30  # seconds that a server may ask to be left alone before the next attempt
ENOUGH = 8  # addresses that found no network before the others are not tried any more
NO_NETWORK = (
    "Nothing can be downloaded: this kernel has no network. Upload a zip of photos, or start with the built-in digits."
)
# Where there is no network, some systems say so and others only that they know no such name.
NO_HOSTS = (
    "None of these hosts can be found: the addresses are wrong or within a private network, "
    "or this kernel has no network."
)


@dataclass(frozen=True)
class Wanted:
    """A picture to fetch, and the path to give it, to which its suffix is added."""

    url: str
    stem: Path


@dataclass
class Downloaded:
    """The files that arrived, in the order they were wanted, and (url, sentence) for each of the others."""

    files: list[Path] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


def download_images(
    wanted: Sequence[Wanted],
    *,
    web: Web | None = None,
    workers: int = 8,
    retries: int = 2,
    max_bytes: int = 25_000_000,
    max_total: int = 4_000_000_000,
    progress: Progress | None = None,
) -> Downloaded:
    """Fetch pictures in parallel; what is no picture by its content is not kept.

    >>> download_images([Wanted("https://example.org/bear", Path("photos/bear/00001"))]).files
    [PosixPath('photos/bear/00001.jpg')]

    After a broken connection or a server's "busy" each is tried `retries` times more, at longer and longer
    intervals. `max_bytes` is for each file, `max_total` for all. A cancelled download keeps what had
    arrived and says so in `failures`. Raises RuntimeError, a sentence, where there is no network at all.
    """
    run = _Run(web or Web(), retries, max_bytes, max_total)
    done: dict[int, Path | Exception] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="ipyfastai-download") as pool:
        waiting = {pool.submit(run.fetch, one): index for index, one in enumerate(wanted)}
        try:
            while waiting:
                if progress is not None:
                    progress.done, progress.total = len(done), len(wanted)
                    progress.text = f"Downloaded {run.arrived} of {len(wanted)} photos"
                    if progress.cancelled:
                        run.stop("Cancelled.")
                finished, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[waiting.pop(future)] = future.result()
        except BaseException:
            run.stop("Cancelled.")
            raise
    result = Downloaded()
    for index, one in enumerate(wanted):
        if isinstance(came := done[index], Path):
            result.files.append(came)
        else:
            result.failures.append((one.url, str(came) or "There is no network."))
    if progress is not None and progress.cancelled:
        return result
    unreached = [came for came in done.values() if isinstance(came, NoNetwork | NoHost)]
    if unreached and all(isinstance(came, NoNetwork | NoHost | _StoppedError) for came in done.values()):
        raise RuntimeError(NO_NETWORK if run.lost else NO_HOSTS)
    return result


class _StoppedError(Exception):
    pass


class _Run:
    """What the threads of one download share."""

    def __init__(self, web: Web, retries: int, max_bytes: int, max_total: int):
        self._web, self._retries, self._max_bytes, self._room = web, retries, max_bytes, max_total
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._why = ""
        self.arrived = self.lost = 0

    def stop(self, why: str) -> None:
        if not self._stopped.is_set():
            self._why = why
            self._stopped.set()
        self._web.abort()

    def fetch(self, wanted: Wanted) -> Path | Exception:
        """The file, or what came between; OSError where it cannot be written."""
        for attempt in range(self._retries + 1):
            if self._stopped.is_set():
                return _StoppedError(self._why)
            try:
                return self._once(wanted)
            except Again as error:
                if attempt == self._retries or self._stopped.is_set():
                    return _StoppedError(self._why) if self._stopped.is_set() else error
                self._stopped.wait(min(PATIENCE, max(error.seconds, 0.5 * 2**attempt)))
            except (ValueError, NoNetwork) as error:
                with self._lock:
                    self.lost += isinstance(error, NoNetwork)
                if self.lost >= ENOUGH and not self.arrived:
                    self.stop("There is no network.")
                return error
        raise AssertionError("the last attempt returns")

    def _once(self, wanted: Wanted) -> Path:
        wanted.stem.parent.mkdir(parents=True, exist_ok=True)
        part = wanted.stem.with_name(f".{wanted.stem.name}.part")
        try:
            with part.open("wb") as file:
                self._web.get(wanted.url, file, max_bytes=self._max_bytes)
            size = part.stat().st_size
            with self._lock:
                if size > self._room:
                    raise ValueError("There is no room for more photos.")
                self._room -= size
            path = wanted.stem.with_name(wanted.stem.name + SUFFIX[probe(part).format])
            # Two addresses may share a stem where a folder was filled before: the first keeps it.
            path.touch(exist_ok=False)
            part.replace(path)
        except FileExistsError as error:
            raise ValueError("Another photo has this name already.") from error
        finally:
            part.unlink(missing_ok=True)
        with self._lock:
            self.arrived += 1
        return path
