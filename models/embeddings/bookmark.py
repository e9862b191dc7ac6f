"""A view of an embedding that can be kept in a file, and checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..words import counted
from .axes import Direction
from .prepare import WAYS

FORMAT, VERSION = "ipyfastai embedding bookmarks", 1
MOST = 100  # bookmarks in a file
LONGEST = 200  # characters of a name
LARGEST = 5_000_000  # bytes of a file, as many as one message carries
LIMIT = f"A file of bookmarks has at most {LARGEST / 1e6:.0f} MB."
FEW = 1_000  # positions that are written as a list; more where that is shorter


@dataclass(frozen=True, eq=False)
class Bookmark:
    """How an embedding is looked at.

    >>> Bookmark("Comedies", x=0, y=3, colour="genre", selection=np.array([3, 14]))

    `x` and `y` are a component's position, a `Direction` or None for nothing; `layout` is "" or the name of what
    stands in place of both. `how` is the way of `prepare`. `colour` and `size` are columns of metadata
    or None. `selection` and `rows` are positions in order; `rows` those looked at, None for all. `camera` is the part
    that is in view, a 4 × 4 matrix as sixteen numbers, None for all.
    """

    name: str
    x: int | Direction | None = 0
    y: int | Direction | None = 1
    flip_x: bool = False
    flip_y: bool = False
    equal: bool = True
    how: str = "as they are"
    layout: str = ""
    colour: str | None = None
    size: str | None = None
    labelled: bool = True
    selection: np.ndarray | None = None
    rows: np.ndarray | None = None
    camera: tuple[float, ...] | None = None


def write_bookmarks(bookmarks: Sequence[Bookmark], shape: tuple[int, int]) -> bytes:
    """A JSON file of bookmarks of an embedding of `shape` (n, d).

    >>> Path("views.json").write_bytes(write_bookmarks(bookmarks, embedding.vectors.shape))

    Many positions are written as a bit for each row, in base 64. Raises ValueError with a sentence for more than
    5 MB, which `read_bookmarks` would not take either.
    """
    kept = [{field.name: _plain(getattr(one, field.name), shape[0]) for field in fields(one)} for one in bookmarks]
    file = {"format": FORMAT, "version": VERSION, "shape": [int(size) for size in shape], "bookmarks": kept}
    data = json.dumps(file, allow_nan=False).encode()
    if len(data) > LARGEST:
        raise ValueError(f"These bookmarks come to {len(data) / 1e6:.1f} MB. {LIMIT} Remove some of them.")
    return data


def read_bookmarks(
    data: bytes, shape: tuple[int, int], *, columns: Sequence[str] = (), layouts: Sequence[str] = ()
) -> list[Bookmark]:
    """The bookmarks in a JSON file, each field checked against the embedding of `shape` (n, d) that they are for.

    >>> read_bookmarks(Path("views.json").read_bytes(), embedding.vectors.shape, columns=list(embedding.metadata))

    A column of metadata or a layout (of `layouts`) that is not there is none. What the format does not know is left
    out. Raises ValueError with a sentence for what is no such file, or one of another embedding.
    """
    if len(data) > LARGEST:
        raise ValueError(LIMIT)
    try:
        file = json.loads(data, parse_constant=lambda name: None)
    except (ValueError, RecursionError) as error:  # neither JSON nor text, or nested without end
        raise ValueError("This is no file of bookmarks: it is not JSON.") from error
    if not isinstance(file, dict) or file.get("format") != FORMAT or not isinstance(file.get("bookmarks"), list):
        raise ValueError("This JSON file holds no bookmarks of an embedding.")
    if file.get("version") != VERSION:
        raise ValueError("These bookmarks were saved by another version of ipyfastai.")
    if file.get("shape") != list(shape):
        raise ValueError(f"These bookmarks are of another embedding; this one is {shape[0]:,} × {shape[1]:,}.")
    if len(file["bookmarks"]) > MOST:
        raise ValueError(f"The file has {counted(len(file['bookmarks']), 'bookmark')}; {MOST} is the limit.")
    reader = _Reader(shape, columns, layouts)
    return [reader.bookmark(one, place) for place, one in enumerate(file["bookmarks"], 1)]


class _Reader:
    """Checks what a file says: anybody can have written it."""

    def __init__(self, shape: tuple[int, int], columns: Sequence[str], layouts: Sequence[str]):
        self.count, self.width = shape
        self.columns, self.layouts = columns, layouts

    def bookmark(self, found: Any, place: int) -> Bookmark:
        if not isinstance(found, dict):
            raise ValueError(f"Bookmark {place} of the file is not one.")
        try:
            given = {
                field.name: self._field(field.name, field.type, found[field.name])
                for field in fields(Bookmark)
                if field.name in found
            }
            return Bookmark(**{"name": f"Bookmark {place}", **given})
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"Bookmark {place} of the file cannot be used: {error}.") from error

    def _field(self, name: str, kind: str, value: Any) -> Any:
        if name == "name":
            return _text(value).strip() or "A view without a name"
        if name in ("x", "y"):
            return self._axis(value)
        if kind == "bool":
            if not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
            return value
        if name == "how":
            if value not in WAYS:
                raise ValueError("its vectors are prepared in an unknown way")
            return value
        if name == "layout":
            return value if isinstance(value, str) and value in self.layouts else ""
        if name in ("colour", "size"):
            return value if isinstance(value, str) and value in self.columns else None
        if name == "camera":
            return None if value is None else _camera(value)
        return self._positions(name, value)

    def _axis(self, value: Any) -> int | Direction | None:
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value < self.width:
                raise ValueError("it shows a component that is not there")
            return value
        if not isinstance(value, dict) or not isinstance(value.get("unit"), list) or len(value["unit"]) != self.width:
            raise ValueError("it has an axis that is none")
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value["unit"]):
            raise ValueError("it has an axis that is not made of numbers")
        unit = np.array([float(one) for one in value["unit"]])
        length = float(np.linalg.norm(unit))
        if not math.isfinite(length) or not 0.99 < length < 1.01:
            raise ValueError("it has an axis that is not of length 1")
        return Direction(_text(value.get("name", "")) or "An axis", unit / length)

    def _positions(self, name: str, value: Any) -> np.ndarray | None:
        if value is None:
            return None
        positions = self._unpacked(name, value.get("bits")) if isinstance(value, dict) else self._listed(name, value)
        if name == "rows" and len(positions) < 2:
            raise ValueError("it looks at fewer than two rows")
        return positions

    def _listed(self, name: str, value: Any) -> np.ndarray:
        if not isinstance(value, list) or not all(type(one) is int for one in value):
            raise ValueError(f"its {name} are not whole numbers")
        if value and not (0 <= min(value) and max(value) < self.count):
            raise ValueError(f"its {name} are not all there")
        return np.unique(np.array(value, np.int64))

    def _unpacked(self, name: str, bits: Any) -> np.ndarray:
        try:
            packed = base64.b64decode(bits if isinstance(bits, str) else "!", validate=True)
        except (binascii.Error, ValueError) as error:  # also for what is not ASCII
            raise ValueError(f"its {name} are no bits in base 64") from error
        if len(packed) != -(-self.count // 8):
            raise ValueError(f"its {name} are those of another number of rows")
        return np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8), count=self.count, bitorder="little"))


def _camera(value: Any) -> tuple[float, ...]:
    numbers = isinstance(value, list) and all(type(one) in (int, float) and abs(one) < 1e15 for one in value)
    if not numbers or len(value) != 16:
        raise ValueError("its view is not sixteen numbers")
    return tuple(map(float, value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("its name is no text")
    return value[:LONGEST].encode(errors="replace").decode()


def _plain(value: Any, count: int) -> Any:
    if isinstance(value, Direction):
        return {"name": value.name, "unit": value.unit.tolist()}
    if not isinstance(value, np.ndarray):
        return value
    if len(value) <= FEW or len(value) * len(f"{count}, ") < count / 6:  # six bits are a letter in base 64
        return value.tolist()
    marked = np.zeros(count, bool)
    marked[value] = True
    return {"bits": base64.b64encode(np.packbits(marked, bitorder="little")).decode()}
