"""What can be done with the selected points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..form import Field, Form


class SelectionActions(Form):
    """Buttons to isolate the selection, to go back, to select nothing, and for a large file of it, or of all points.

    >>> actions = SelectionActions({"isolate": isolate, "back": back, "all": show_all, "nothing": clear, "csv": write})
    >>> actions.offer(selected=12, of=300, isolated=False, at_once=5_000)

    A ValueError of what a button calls is shown below it as its sentence, until the next `offer`.
    """

    def __init__(self, pressed: Mapping[str, Callable[[], Any]], **kwargs):
        super().__init__(label="Selection", pressed=self._press, **kwargs)
        self._calls = pressed
        self.add_class("ipyfastai-embedding-actions")

    def offer(self, *, selected: int, of: int, isolated: bool, at_once: int) -> None:
        """Show those that do something for so many selected points of so many; a file of `at_once` needs no asking."""
        texts = {"isolate": "Isolate the selection"}
        if isolated:
            texts.update(back="Undo isolating", all="Back to all points")
        texts["nothing"] = "Select nothing"
        if not selected:
            texts["csv"] = f"Make a CSV of all {of:,}"
        elif selected > at_once:
            texts["csv"] = f"Make a CSV of {selected:,} points"
        idle = {"isolate": selected < 2, "nothing": not selected}
        self.show(
            [Field(name, text, "button", primary=False, disabled=idle.get(name, False)) for name, text in texts.items()]
        )

    def _press(self, pressed: str) -> None:
        try:
            self._calls[pressed]()
        except ValueError as error:
            fields = self._shown.items()
            self.show([replace(field, problem=str(error) if name == pressed else "") for name, field in fields])
