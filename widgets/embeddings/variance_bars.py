"""How much of the variance each principal component explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
from traitlets import Dict

from ..assets import joined
from .plot import is_row


class VarianceBars(anywidget.AnyWidget):
    """A bar for each principal component: a click puts it on x, with Shift on y.

    >>> bars = VarianceBars(chosen=lambda axis, component: print(axis, component))
    >>> bars.show(pca.ratios.tolist(), x=0, y=1)

    `chosen("x" or "y", component)` is called with a position in `ratios`.
    """

    _esm = joined("dom.js", "embeddings/variance_bars.js")
    _css = joined("base.css", "embeddings/variance_bars.css")

    # Written here and never read back: a page can set any synced trait.
    _state = Dict(help="shares of the variance, and which are on x and y").tag(sync=True)

    def __init__(self, *, chosen: Callable[[str, int], Any], **kwargs):
        super().__init__(**kwargs)
        self._chosen, self._count = chosen, 0
        self.on_msg(self._receive)

    def show(self, ratios: Sequence[float], *, x: int | None, y: int | None) -> None:
        self._count = len(ratios)
        self._state = {"ratios": [round(float(ratio), 6) for ratio in ratios], "x": x, "y": y}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("axis") not in ("x", "y"):
            return
        if is_row(content.get("component"), self._count):
            self._chosen(content["axis"], content["component"])
