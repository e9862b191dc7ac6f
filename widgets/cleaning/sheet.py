"""A sentence, a list of files, and what can be done about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import anywidget
from traitlets import Dict

from ..assets import joined

AT_ONCE = 200  # lines of a list that are sent; somebody who wants to read more takes the CSV


class Choice(NamedTuple):
    """A button: what it says, what it does, and whether it is the one that is meant to be pressed."""

    text: str
    pressed: Callable[[], None]
    primary: bool = False


class Sheet(anywidget.AnyWidget):
    """A sentence with buttons, and under it a list, each line of which may have a button too.

    >>> sheet = Sheet()
    >>> sheet.show("2 files are to be deleted.", heads=["File"], lines=[["a.jpg"], ["b.jpg"]],
    ...            choices=[Choice("Delete them", delete, primary=True), Choice("Not now", sheet.clear)])

    `pick` is the text of each line's button and `picked(index)` what it calls. A click counts only for what
    is shown when it arrives. Lines of a list beyond AT_ONCE are counted, not shown. `save(name, csv)` hands the
    page that pressed a button a file.
    """

    _esm = joined("dom.js", "cleaning/sheet.js")
    _css = joined("base.css", "cleaning/sheet.css")

    _shown = Dict(help="version, sentence, list and texts of buttons").tag(sync=True)

    def __init__(self, *, label: str = "", **kwargs):
        super().__init__(**kwargs)
        self._label = label
        self._version = 0
        self._choices: list[Choice] = []
        self._picked: Callable[[int], None] | None = None
        self._lines = 0
        self._page = ""
        self.on_msg(self._receive)

    def show(
        self,
        text: str = "",
        *,
        bad: bool = False,
        heads: Sequence[str] = (),
        lines: Sequence[Sequence[str]] = (),
        choices: Sequence[Choice] = (),
        pick: str = "",
        picked: Callable[[int], None] | None = None,
    ) -> None:
        self._choices, self._picked, self._lines = list(choices), picked, min(len(lines), AT_ONCE)
        shown = {
            "label": self._label,
            "text": text,
            "bad": bad,
            "heads": list(heads),
            "lines": [list(map(str, line)) for line in lines[:AT_ONCE]],
            "more": max(0, len(lines) - AT_ONCE),
            "choices": [[choice.text, choice.primary] for choice in choices],
            "pick": pick,
        }
        if {**shown, "version": self._version} != self._shown or lines:
            self._version += 1
            self._shown = {**shown, "version": self._version}

    def clear(self) -> None:
        self.show()

    def save(self, name: str, text: str) -> None:
        """Hand a file to the page whose button was pressed last."""
        self.send({"type": "save", "page": self._page, "name": name, "text": text})

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("version") != self._version:
            return
        kind, index, page = content.get("type"), content.get("index"), content.get("page")
        if type(index) is not int or not isinstance(page, str):
            return
        self._page = page[:64]
        if kind == "press" and 0 <= index < len(self._choices):
            self._choices[index].pressed()
        elif kind == "pick" and self._picked is not None and 0 <= index < self._lines:
            self._picked(index)
