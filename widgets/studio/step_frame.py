"""What stands around the content of a step: its headline, and the way on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
from traitlets import Dict

from ..assets import joined


class StepHead(anywidget.AnyWidget):
    """The headline of a step: its number and title, how far it is, and a click that opens or closes it.

    >>> head = StepHead(opened=print, renewed=print, seen=print)
    >>> head.show(number=2, title="Check", state="locked", said="First: 1. Photos", open=False)

    `state` is one of `flow`; `said` a sentence beside the title. A stale step that is open says `stale`, with a
    button (where `renew` names it) that calls `renewed()`. `opened()` is called for a click on the headline.
    `go()` brings it into view and gives it the focus; `seen()` is called when a page begins to show it.
    """

    _esm = joined("dom.js", "studio/step_head.js")
    _css = joined("base.css", "studio/step.css")

    _shown = Dict(help="number, title, state and sentences").tag(sync=True)

    def __init__(self, *, opened: Callable[[], Any], renewed: Callable[[], Any], seen: Callable[[], Any], **kwargs):
        super().__init__(**kwargs)
        self._calls = {"open": opened, "renew": renewed, "seen": seen}
        self.on_msg(self._receive)

    def show(
        self, *, number: int, title: str, state: str, said: str, open: bool, stale: str = "", renew: str = ""
    ) -> None:
        self._may_renew = bool(renew)
        self._shown = {
            "number": number,
            "title": title,
            "state": state,
            "said": said,
            "open": open,
            "stale": stale,
            "renew": renew,
        }

    def go(self) -> None:
        self.send({"type": "go"})

    def _receive(self, _widget, content, buffers) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind in ("open", "seen") or (kind == "renew" and self._may_renew):
            self._calls[kind]()


class StepFoot(anywidget.AnyWidget):
    """Buttons below a step that lead on, each with the reason where it cannot be pressed yet.

    >>> foot = StepFoot(pressed=print)
    >>> foot.show([("next", "Next: Train", "")])

    `show` takes (name, text, why not) triples, the first of them the usual way; `pressed(name)` is called for one
    that may be pressed.
    """

    _esm = joined("dom.js", "studio/step_foot.js")
    _css = joined("base.css", "studio/step.css")

    _ways = Dict(help="name -> text and why not").tag(sync=True)

    def __init__(self, *, pressed: Callable[[str], Any], **kwargs):
        super().__init__(**kwargs)
        self._pressed = pressed
        self._may: set[str] = set()
        self.on_msg(self._receive)

    def show(self, ways: list[tuple[str, str, str]]) -> None:
        self._may = {name for name, _, why in ways if not why}
        self._ways = {name: {"text": text, "why": why} for name, text, why in ways}

    def _receive(self, _widget, content, buffers) -> None:
        name = content.get("name") if isinstance(content, dict) and content.get("type") == "press" else None
        if isinstance(name, str) and name in self._may:
            self._pressed(name)
