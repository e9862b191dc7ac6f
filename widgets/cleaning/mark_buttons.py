"""What to do with the pictures that are selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
from traitlets import Dict, List

from ..assets import joined

LONGEST_TEXT = 10_000  # characters; of a name that is too long a sentence says so
ACTIONS = ("keep", "delete", "move", "unmark", "undo", "redo")


class MarkButtons(anywidget.AnyWidget):
    """Buttons that keep, delete and move, undo and redo, and the keys that do the same.

    >>> buttons = MarkButtons(acted=print, named=print)
    >>> buttons.moves(["black", "grizzly", "teddy"], {"1": 0, "2": 1, "3": 2})

    `moves` sets the labels to move to: those in `keys` (key -> index) have a button each, many stand in a
    list. `acted(action, index of a label or None)` is called for what somebody clicks, within what was offered,
    and `named(text)` for what they have typed as the name of a new class; its ValueError is shown beside that.
    """

    _esm = joined("dom.js", "cleaning/mark_buttons.js")
    _css = joined("base.css", "cleaning/mark_buttons.css")

    # What the page shows: written here and never read back.
    _labels = List(help="the labels that pictures can be moved to").tag(sync=True)
    _keys = Dict(help="key -> index of the label that it moves to").tag(sync=True)
    _able = Dict(help="whether pictures are selected, and whether there is something to undo and redo").tag(sync=True)

    def __init__(self, *, acted: Callable[[str, int | None], None], named: Callable[[str], None], **kwargs):
        super().__init__(**kwargs)
        self._acted, self._named = acted, named
        self._label_count = 0
        self.on_msg(self._receive)

    def moves(self, labels: Sequence[str], keys: Mapping[str, int]) -> None:
        self._label_count = len(labels)
        with self.hold_sync():
            self._labels, self._keys = list(labels), dict(keys)

    def enable(self, *, mark: bool, undo: bool, redo: bool) -> None:
        self._able = {"mark": mark, "undo": undo, "redo": redo}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        if content.get("type") == "name":
            self._name(content.get("text"), content.get("page"))
        elif content.get("type") == "act":
            self._act(content.get("action"), content.get("index"))

    def _act(self, action: Any, index: Any) -> None:
        if not isinstance(action, str) or action not in ACTIONS:
            return
        if action != "move":
            self._acted(action, None)
        elif type(index) is int and 0 <= index < self._label_count:
            self._acted("move", index)

    def _name(self, text: Any, page: Any) -> None:
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or not isinstance(page, str) or len(page) > 64:
            return
        problem = ""
        try:
            self._named(text)
        except ValueError as error:
            problem = str(error)
        self.send({"type": "named", "page": page, "problem": problem})
