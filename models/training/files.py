"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it into place: whoever reads sees the old or the new.

    >>> write_whole(folder / "state.json", lambda part: part.write_text("{}"))

    Whatever goes wrong (OSError on a full disk), the old file stays and no part of the new one does.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def write_json(path: Path, values: dict) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False)
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
