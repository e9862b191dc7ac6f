"""What a classifier says of one photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anywidget
from traitlets import Dict, List, Unicode

from .assets import joined


class Answer(anywidget.AnyWidget):
    """The answer in words, whether to trust it, and a way to say that it is wrong.

    >>> Answer(["black", "grizzly"], flagged=lambda id, label: print(id, label))

    `show(row, labels)` takes a row as `Result.row` makes it, {} for nothing to show, and the labels
    to choose the right one from. `flagged` is called with the row's id and the label that the
    visitor says is right ("" takes it back).
    """

    _esm = joined("dom.js", "answer.js")
    # ImageClassifier is a plain VBox and brings no style of its own: the one widget that only it uses does.
    _css = joined("base.css", "answer.css", "image_classifier.css")

    _row = Dict().tag(sync=True)
    _labels = List(Unicode()).tag(sync=True)

    def __init__(self, labels: Sequence[str], *, flagged: Callable[[str, str], None], **kwargs):
        super().__init__(_labels=list(labels), **kwargs)
        self._flagged = flagged
        self.on_msg(self._receive)

    def show(self, row: dict, labels: Sequence[str]) -> None:
        with self.hold_sync():  # one message, so that a page draws once
            self._labels = list(labels)
            self._row = row

    def _receive(self, _widget, content, buffers) -> None:
        receive_flag(content, self._flagged)


def receive_flag(content, flagged: Callable[[str, str], None]) -> None:
    """Pass a page's flag on if it is one; whether its id and label exist is for `flagged` to check."""
    if isinstance(content, dict) and content.get("type") == "flag":
        id, label = content.get("id"), content.get("label")
        if isinstance(id, str) and isinstance(label, str):
            flagged(id, label)
