"""The choice of what lies along x and y."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...models.embeddings.axes import Direction, custom_axis
from ...models.embeddings.layouts import about, available
from ...models.embeddings.prepare import WAYS
from ...models.words import counted, quoted
from ..composite import Composite
from ..form import Field, Form
from ..heading import Heading
from .basis import Basis
from .variance_bars import VarianceBars
from .view import View

WORDS = {"as they are": "As they are", "standardise": "Standardise the columns", "sphere": "Scale rows to length 1"}
MOST = 20  # axes of one's own
NAME_LENGTH = 80
COMPONENTS = "Principal components"
NOTHING = "Nothing"
OWN = "Select some points and make them A, then others and make them B: the axis goes from B to A."


class AxesPanel(Composite):
    """Principal components, other layouts and axes of one's own.

    >>> AxesPanel(view, changed=redraw, prepared=print, laid_out=print, chosen=lambda: explorer.selection)

    `view` is changed in place, and then `changed()` is called. `prepared(how)` and `laid_out(name)` are called for
    what takes work; the panel shows what is so far, until `show` is called, and a ValueError of either as its
    sentence. `chosen()` gives the positions that
    make one end of an axis of one's own.
    """

    def __init__(
        self,
        view: View,
        *,
        changed: Callable[[], Any],
        prepared: Callable[[str], Any],
        laid_out: Callable[[str], Any],
        chosen: Callable[[], np.ndarray],
        **kwargs,
    ):
        self.view, self._changed, self._prepared, self._laid_out = view, changed, prepared, laid_out
        self._chosen, self._basis = chosen, None
        self.directions: list[Direction] = []
        self._ends: dict[str, np.ndarray] = {}
        self._layouts = [COMPONENTS, *(name for name, installed in available().items() if installed)]
        self._axes = Form(label="Axes", changed=self._set, pressed=self._press)
        self._own = Form(label="An axis of your own", pressed=self._make)
        self._bars = VarianceBars(chosen=self._put)
        for form in (self._axes, self._own):
            form.add_class("ipyfastai-embedding-axes")
        self.parts = self._axes, self._bars, Heading("An axis of your own"), self._own
        super().__init__(self.parts, **kwargs)

    def show(self, basis: Basis, **problems: str) -> None:
        """Offer what this basis has; `problems` are what is wrong with fields."""
        self._basis, view = basis, self.view
        components = not view.layout
        for axis in (view.x, view.y):
            if isinstance(axis, Direction) and axis not in self.directions:  # of a bookmark
                self._take(axis)
        names = [*map(basis.name, range(len(basis.pca.ratios))), *(one.name for one in self.directions), NOTHING]
        fields = [
            Field("layout", "Layout", "select", options=self._layouts, hint=self._about(basis)),
            Field("how", "Vectors", "select", options=[WORDS[way] for way in WAYS]),
        ]
        if components:
            fields += [Field(axis, axis, "select", options=names) for axis in ("x", "y")]
            fields += [Field("swap", "Swap x and y", "button", primary=False)]
        fields += [Field("flip_x", "Flip x", "check"), Field("flip_y", "Flip y", "check")]
        fields += [Field("equal", "Same scale on x and y", "check")]
        form = self._axes
        form["layout"] = self._layouts.index(view.layout or COMPONENTS)
        form["how"] = WAYS.index(basis.how)
        form["x"], form["y"] = map(self._place, (view.x, view.y))
        form["flip_x"], form["flip_y"], form["equal"] = view.flip_x, view.flip_y, view.equal
        form.show([replace(field, problem=problems.get(field.name, "")) for field in fields])
        on = [axis if components and isinstance(axis, int) else None for axis in (view.x, view.y)]
        self._bars.show(basis.pca.ratios.tolist() if components else [], x=on[0], y=on[1])
        self.show_ends()

    def show_ends(self, problem: str = "") -> None:
        """Say what the two ends of an axis of one's own are, and what could be."""
        count, both = len(self._chosen()), len(self._ends) == 2
        fields = []
        for end in "AB":
            about = f"{end}: {self._described(end)}" if end in self._ends else OWN if end == "A" else ""
            text = f"{end} is what is selected"
            fields += [
                Field(f"take {end}", text, "button", primary=False, disabled=not count, hint=about),
                Field(f"name {end}", f"Name of {end}", "text", longest=NAME_LENGTH),
            ]
        fields += [
            Field("on x", "A − B on x", "button", primary=False, disabled=not both),
            Field("on y", "A − B on y", "button", primary=False, disabled=not both, problem=problem),
        ]
        self._own.show(fields)

    def _about(self, basis: Basis) -> str:
        missing = [name for name, installed in available().items() if not installed]
        there, how = self._layouts[1:], about(len(basis.rows))
        hints = [f"{' and '.join(there)}: {how}"] if there and how else []
        hints += [f"{' and '.join(missing)}: not installed here."] if missing else []
        return " ".join(hints)

    def _place(self, axis: int | Direction | None) -> int:
        count = len(self._basis.pca.ratios)
        if axis is None:
            return count + len(self.directions)
        if isinstance(axis, Direction):
            return count + self.directions.index(axis)
        return axis

    def _axis(self, place: int) -> int | Direction | None:
        count = len(self._basis.pca.ratios)
        if place < count:
            return place
        return self.directions[place - count] if place - count < len(self.directions) else None

    def _described(self, end: str) -> str:
        rows = self._ends[end]
        labels = self._basis.embedding.labels[rows[:3]]
        return f"{counted(len(rows), 'point')}, {quoted(labels)}"

    # What a visitor does.

    def _set(self, name: str) -> None:
        view, value = self.view, self._axes[name]
        if name == "how" or (name == "layout" and value):
            try:
                return self._prepared(WAYS[value]) if name == "how" else self._laid_out(self._layouts[value])
            except ValueError as error:
                return self.show(self._basis, **{name: str(error)})
        if name in ("x", "y"):
            setattr(view, name, self._axis(value))
        elif name == "layout":
            view.layout = ""
        else:
            setattr(view, name, value)
        self._changed()

    def _press(self, _name: str) -> None:
        self.view.swap()
        self._changed()

    def _put(self, axis: str, component: int) -> None:
        setattr(self.view, axis, component)
        self._changed()

    def _make(self, name: str) -> None:
        if name.startswith("take "):
            self._ends[name[-1]] = np.asarray(self._chosen(), np.int64)
            self.show_ends()
            return
        plus, minus = self._ends["A"], self._ends["B"]
        try:
            unit = custom_axis(self._basis.embedding.vectors, plus, minus)
        except ValueError as error:
            return self.show_ends(str(error))
        names = [self._own[f"name {end}"].strip() or self._own_name(end) for end in "AB"]
        direction = Direction(" − ".join(names), unit)
        self._take(direction)
        setattr(self.view, name[-1], direction)
        self.view.layout = ""
        self._changed()

    def _take(self, direction: Direction) -> None:
        """Offer it too; of too many, the oldest that is not in view goes."""
        if len(self.directions) >= MOST:
            self.directions.remove(next(one for one in self.directions if one not in (self.view.x, self.view.y)))
        self.directions.append(direction)

    def _own_name(self, end: str) -> str:
        rows = self._ends[end]
        return self._basis.embedding.labels[rows[0]][:NAME_LENGTH] if len(rows) == 1 else counted(len(rows), "point")
