"""What is wrong with a set of images, before anything learns from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from ..duplicates import Fingerprint, fingerprint, group_duplicates
from ..images import open_image
from ..progress import Progress
from .items import check_items, folder_items, image_files
from .report import ImageReport

WORKERS = min(4, os.cpu_count() or 1)
TINY, SMALL = 8, 64  # pixels of the shorter side: useless by itself, and where most others have far more
PLAIN = 3.0  # standard deviation, of 255, in each colour
NARROW = 3  # times as long as wide


def check_images(
    images: str | Path | pd.DataFrame, *, root: str | Path | None = None, progress: Progress | None = None
) -> ImageReport:
    """Open every image of a folder or an items table and report what is wrong with them.

    >>> report = check_images("bears")
    >>> report.unreadable.reason.tolist()
    ['This is a web page, not a photo, whatever its name says. Save the picture itself.']

    Nothing is changed. A folder's images are labelled by the folder that each lies in; `root` is the folder
    that those of a table lie in, by which they are named and from which they may be put aside. Raises ValueError
    for a folder that is not there, cannot be read or holds no image, and for a table without items.
    """
    if isinstance(images, pd.DataFrame):
        items = check_items(images)
    else:
        root, items = images, folder_items(images)
    root = None if root is None else Path(os.path.abspath(root))
    looks = list(_look_at_all([Path(item) for item in items.item], progress))
    good = np.array([look.reason == "" for look in looks])
    unreadable = items[~good].assign(reason=[look.reason for look in looks if look.reason])
    readable = items[good].reset_index(drop=True)
    looks = [look for look in looks if not look.reason]
    readable = readable.assign(
        width=[look.size[0] for look in looks],
        height=[look.size[1] for look in looks],
        remark=_remarks(looks),
        exact=_same([look.digest for look in looks]),
        copies=_with_exact(looks, progress),
        seen=[look.stat for look in looks],
    )
    others = {str(file) for file in image_files(root)[0]}.difference(items.item) if root is not None else ()
    return ImageReport(root, readable, unreadable.reset_index(drop=True), len(others))


class _Look(NamedTuple):
    """What one opening of a file tells."""

    reason: str = ""
    size: tuple[int, int] = (0, 0)
    plain: bool = False
    digest: bytes = b""
    print: Fingerprint | None = None
    stat: tuple[int, int] = (0, 0)


def _look_at_all(files: Sequence[Path], progress: Progress | None) -> Iterable[_Look]:
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="ipyfastai-check") as pool:
        looks = [pool.submit(_look, file) for file in files]
        try:
            for index, look in enumerate(looks):
                if progress is not None:
                    progress.report(index, len(files), f"Opened {index:,} of {len(files):,} photos")
                yield look.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _look(file: Path) -> _Look:
    try:
        status = file.stat()
        image = open_image(file, at_least=SMALL)
        digest = _digest(file)
    except OSError as error:
        return _Look(f"This file cannot be read: {error.strerror}.")
    except ValueError as error:
        return _Look(str(error))
    stat = (status.st_mtime_ns, status.st_size)
    return _Look("", image.info["original_size"], _is_plain(image), digest, fingerprint(image), stat)


def _digest(file: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.digest()


def _is_plain(image: Image.Image) -> bool:
    small = np.asarray(image.resize((64, 64), Image.Resampling.BOX), np.float32)
    return bool((small.std(axis=(0, 1)) < PLAIN).all())


def _remarks(looks: Sequence[_Look]) -> list[str]:
    shorter = [min(look.size) for look in looks]
    usual = float(np.median(shorter)) if looks else 0
    return [_remark(look, usual) for look in looks]


def _remark(look: _Look, usual: float) -> str:
    """What stands out; small is what is far smaller than most: a set of 28-pixel digits is none of small images."""
    width, height = look.size
    if min(width, height) < max(TINY, min(SMALL, usual / 3)):
        return f"It is only {width} × {height} pixels."
    if look.plain:
        return "It is all of one colour."
    if max(width, height) > NARROW * min(width, height):
        return f"Its shape is odd: {width} × {height} pixels."
    return ""


def _same(values: Sequence[bytes]) -> np.ndarray:
    """Equal values share a number, the place of the first of them."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(value, place) for place, value in enumerate(values)], int)


def _with_exact(looks: Sequence[_Look], progress: Progress | None) -> np.ndarray:
    """Near duplicates share a number; so do exact ones, which have no look to compare where they are plain."""
    exact = _same([look.digest for look in looks])
    firsts = np.unique(exact)
    groups = group_duplicates([looks[place].print for place in firsts], progress=progress)
    return firsts[groups][np.searchsorted(firsts, exact)]
