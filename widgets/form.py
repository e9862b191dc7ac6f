"""Choices, fields and buttons that are described in Python and checked there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import anywidget
from traitlets import Dict

from .assets import joined

MAX_TEXT = 1_000_000  # characters


@dataclass(frozen=True)
class Field:
    """One control of a form.

    >>> Field("level", "Label", "select", options=["nearest folder", "first folder"])

    `kind` and the type of its value: "choice" (buttons) and "select", the place of one of `options`; "several"
    (check boxes), a tuple of such places; "text", "pattern" and "lines" (`rows` of them), str of up to `longest`
    characters; "number", int or float from `low` to `high`; "check", bool; "button", none: the most important
    thereabouts unless `primary` is False. `hint` explains, `problem` says what is wrong with the value.
    """

    name: str
    label: str
    kind: Literal["choice", "select", "several", "text", "pattern", "lines", "number", "check", "button"]
    value: Any = None
    options: Sequence[str] = ()
    low: float = 0
    high: float = 1
    step: float = 1
    rows: int = 6
    longest: int = MAX_TEXT
    hint: str = ""
    problem: str = ""
    disabled: bool = False
    primary: bool = True

    @property
    def start(self) -> Any:
        """Its value where none was given."""
        if self.value is not None:
            return self.value
        return {"choice": 0, "select": 0, "several": (), "number": self.low, "check": False}.get(self.kind, "")

    def checked(self, value: Any) -> Any:
        """The value as a page sent it, or ValueError: anybody can send any."""
        if self.disabled:
            raise ValueError(f"{self.name} is disabled")
        if self.kind in ("choice", "select"):
            return _place(value, len(self.options))
        if self.kind == "several" and isinstance(value, list):
            return tuple(sorted({_place(one, len(self.options)) for one in value}))
        if self.kind in ("text", "pattern", "lines") and isinstance(value, str) and len(value) <= self.longest:
            value.encode()  # ValueError for half of a character, which no message and no file can hold
            return value
        if self.kind == "check" and isinstance(value, bool):
            return value
        if self.kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            if self.low <= value <= self.high:  # NaN and infinity are not
                return int(value) if float(value).is_integer() and float(self.step).is_integer() else float(value)
        raise ValueError(f"{self.name} has a bad value")


def _place(value: Any, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise ValueError("a bad place")
    return value


class Form(anywidget.AnyWidget):
    """A form whose fields may change with what is chosen.

    >>> form = Form(changed=lambda name: print(name, form[name]), pressed=print)
    >>> form.show([Field("seed", "Seed", "number", 42, high=2**31)])

    `form[name]` is a field's value: what the visitor gave, or what it started with; values of fields that
    are not shown any more are remembered. `changed(name)` is called for a change, `pressed(name)` for a button.
    """

    _esm = joined("dom.js", "form.js")
    _css = joined("base.css", "form.css")

    # Written here and never read back: a page can set any synced trait.
    _fields = Dict(help="the name of the form and its fields").tag(sync=True)

    def __init__(
        self,
        *,
        label: str = "",
        changed: Callable[[str], Any] | None = None,
        pressed: Callable[[str], Any] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._label, self._changed, self._pressed = label, changed, pressed
        self._shown: dict[str, Field] = {}
        self._values: dict[str, Any] = {}
        self.on_msg(self._receive)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def forget(self, *names: str) -> None:
        """Let these start anew when they are shown next."""
        for name in names:
            self._values.pop(name, None)

    def show(self, fields: Sequence[Field]) -> None:
        """Show these fields, in this order; one that was shown before keeps its value as far as it still fits."""
        self._shown = {field.name: field for field in fields}
        for field in fields:
            if field.name not in self._values or not _fits(field, self._values[field.name]):
                self._values[field.name] = field.start
        shown = [
            {**asdict(field), "options": list(field.options), "value": self._values[field.name]} for field in fields
        ]
        self._fields = {"label": self._label, "fields": shown}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("name"), str):
            return
        field = self._shown.get(content["name"])
        if field is None:
            return
        if field.kind == "button":
            if content.get("type") == "press" and not field.disabled and self._pressed is not None:
                self._pressed(field.name)
        elif content.get("type") == "set":
            try:
                value = field.checked(content.get("value"))
            except ValueError:
                return
            if value != self._values[field.name]:
                self._values[field.name] = value
                self.show(list(self._shown.values()))
                if self._changed is not None:
                    self._changed(field.name)


def _fits(field: Field, value: Any) -> bool:
    if field.kind == "button":
        return True
    try:
        Field(**{**asdict(field), "disabled": False}).checked(list(value) if field.kind == "several" else value)
    except (ValueError, TypeError):
        return False
    return True
