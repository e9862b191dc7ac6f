"""Panels of which one is shown at a time."""

from __future__ import annotations

from collections.abc import Mapping

from ipywidgets import Widget

from ..composite import Composite
from ..form import Field, Form


class Panels(Composite):
    """Widgets below a row of buttons with their names; the first is shown.

    >>> Panels({"Points": points, "Axes": axes}, label="Tools")
    """

    def __init__(self, panels: Mapping[str, Widget], *, label: str, **kwargs):
        self._panels = list(panels.values())
        self._names = Form(label=label, changed=lambda _name: self._show())
        self._names.show([Field("panel", label, "choice", options=list(panels))])
        self.parts = (self._names, *self._panels)
        super().__init__(**kwargs)
        self._show()

    def _show(self) -> None:
        self.children = [self._names, self._panels[self._names["panel"]]]
