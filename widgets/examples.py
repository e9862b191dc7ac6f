"""Pictures to try a classifier on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anywidget
from traitlets import Bytes, List, Unicode

from .assets import joined


class Examples(anywidget.AnyWidget):
    """A row of small pictures to pick from, for a visitor who has no photo at hand.

    >>> examples = Examples(["teddy"], [jpeg_bytes], picked=print)

    `picked` is called with the index of the picture that was clicked.
    """

    _esm = joined("dom.js", "examples.js")
    _css = joined("base.css", "examples.css")

    _names = List(Unicode()).tag(sync=True)
    _thumbnails = List(Bytes()).tag(sync=True)

    def __init__(self, names: Sequence[str], thumbnails: Sequence[bytes], *, picked: Callable[[int], None], **kwargs):
        super().__init__(_names=list(names), _thumbnails=list(thumbnails), **kwargs)
        self._count = len(names)
        self._picked = picked
        self.on_msg(self._receive)

    def _receive(self, _widget, content, buffers) -> None:
        index = content.get("index") if isinstance(content, dict) else None
        if type(index) is int and 0 <= index < self._count:
            self._picked(index)
