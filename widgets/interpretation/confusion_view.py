"""The confusion matrix and its most confused pairs, as a page shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
from traitlets import Bytes, Dict, Int, List, Unicode

from ..assets import joined

LABEL_LENGTH = 200  # characters of a label that a page needs


class ConfusionView(anywidget.AnyWidget):
    """A matrix of counts to look at, walk through by pointer or keys and click in.

    >>> view = ConfusionView(["black", "grizzly"], noun="photo", changed=print, chosen=print, wanted=print)
    >>> view.show(np.array([[27, 1], [2, 25]]), splits=[("valid", 55)], split=0, by="counts", order="vocab")

    The counts go to a page once for each split, as those that are not 0. A page asks by position:
    `changed(name, value)` with "split", "by" or "order", `chosen(row, column)` or `chosen(None)`, and
    `wanted(kind, token, rows)` for a "csv", "png" or "svg" of the labels at `rows`, in that order.
    """

    _esm = joined(
        "dom.js",
        "interpretation/names.js",
        "interpretation/matrix_paint.js",
        "interpretation/matrix.js",
        "interpretation/confusion_view.js",
    )
    _css = joined("base.css", "interpretation/confusion_view.css")

    # What the page shows: written here and never read back.
    _labels = List(Unicode()).tag(sync=True)
    _noun = Unicode("item").tag(sync=True)
    _cells = Bytes(help="row, column and count of each cell that is not empty, int32, little-endian").tag(sync=True)
    _similar = List(Int(), help="the labels in an order by confusion").tag(sync=True)
    _state = Dict(help="splits and the one shown, by, order, the chosen cell").tag(sync=True)

    def __init__(
        self,
        labels: Sequence[str],
        *,
        noun: str,
        changed: Callable[[str, Any], None],
        chosen: Callable[..., None],
        wanted: Callable[[str, str, list[int]], None],
        **kwargs,
    ):
        super().__init__(_labels=[label[:LABEL_LENGTH] for label in labels], _noun=noun, **kwargs)
        self._count = len(labels)
        self._splits = self._version = 0
        self._changed, self._chosen, self._wanted = changed, chosen, wanted
        self.on_msg(self._receive)

    def show(
        self,
        counts: np.ndarray | None,
        *,
        splits: Sequence[tuple[str, int]],
        split: int,
        by: str,
        order: str,
        similar: np.ndarray | None = None,
        cell: tuple[int, int] | None = None,
    ) -> None:
        """Show this; where `counts` or `similar` are None, those that were shown before."""
        self._splits = len(splits)
        with self.hold_sync():
            if counts is not None:
                rows, columns = np.nonzero(counts)
                self._version += 1
                self._cells = np.stack([rows, columns, counts[rows, columns]], 1).astype("<i4").tobytes()
            if similar is not None:
                self._similar = [int(place) for place in similar]
            self._state = {
                "version": self._version,  # a page cannot tell one buffer from another
                "splits": [list(one) for one in splits],
                "split": split,
                "by": by,
                "order": order,
                "cell": None if cell is None else list(cell),
            }

    def answer(self, kind: str, token: str, data: bytes) -> None:
        """Hand a file to the view that asked for it."""
        self.send({"type": "file", "kind": kind, "token": token}, [data])

    # Messages from the page. Anybody can send any: each field is checked before it is used.

    def _receive(self, _widget, content, buffers) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "cell":
            row, column = content.get("row"), content.get("column")
            if within(row, self._count) and within(column, self._count):
                self._chosen(row, column)
        elif kind == "clear":
            self._chosen(None)
        elif kind == "split" and within(content.get("value"), self._splits):
            self._changed("split", content["value"])
        elif kind in ("by", "order") and content.get("value") in CHOICES[kind]:
            self._changed(kind, content["value"])
        elif kind == "file":
            self._receive_wish(content.get("kind"), content.get("token"), content.get("rows"))

    def _receive_wish(self, kind: Any, token: Any, rows: Any) -> None:
        if kind not in ("csv", "png", "svg") or not isinstance(token, str) or not isinstance(rows, list):
            return
        if all(within(row, self._count) for row in rows) and 0 < len(set(rows)) == len(rows):
            self._wanted(kind, token[:64], rows)


CHOICES = {"by": ("counts", "label", "predicted"), "order": ("vocab", "alphabet", "similar")}


def within(place: Any, count: int) -> bool:
    """Whether a page has sent a position among `count` things."""
    return type(place) is int and 0 <= place < count
