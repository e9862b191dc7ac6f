"""What colours and sizes stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from ..composite import Composite
from ..form import Field, Form
from .view import View

ALIKE = "All alike"
SHOWN_LENGTH = 60


class LooksPanel(Composite):
    """Colour, size and labels of the points.

    >>> LooksPanel(view, movies[["genre", "year"]], changed=redraw).show()

    `view` is changed in place, and then `changed()` is called.
    """

    def __init__(self, view: View, metadata: pd.DataFrame, *, changed: Callable[[], Any], **kwargs):
        self._view, self._columns, self._changed = view, [None, *metadata.columns], changed
        self._form = Form(label="Looks", changed=self._set)
        self.parts = (self._form,)
        super().__init__(self.parts, **kwargs)

    def show(self) -> None:
        """Show what the view has."""
        options = [ALIKE, *(name[:SHOWN_LENGTH] for name in self._columns[1:])]
        hint = "" if len(options) > 1 else "There is no metadata to colour by."
        form, view = self._form, self._view
        form["colour"], form["size"] = (self._columns.index(name) for name in (view.colour, view.size))
        form["labelled"] = view.labelled
        form.show(
            [
                Field("colour", "Colour", "select", options=options, hint=hint),
                Field("size", "Size", "select", options=options),
                Field("labelled", "Labels where there is room", "check"),
            ]
        )

    def _set(self, name: str) -> None:
        value = self._form[name]
        setattr(self._view, name, value if name == "labelled" else self._columns[value])
        self._changed()
