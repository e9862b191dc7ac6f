"""The points of an embedding, drawn by jupyter-scatter, with what it lacks: labels, tooltips, names, keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import numpy as np
import pandas as pd
from ipywidgets import Widget, widget_serialization
from traitlets import Bool, Bytes, Dict, Instance

from ..assets import joined
from ..composite import discard
from .encodings import ONE, OTHER, Encoding
from .label_choice import LabelChoice

HEIGHT = 480  # pixels
LABEL_ROOM = (120, 26)  # pixels of a cell that gives one label
MOST_CELLS = 40  # along each side: a larger screen has no more labels
SHOWN_TEXT = 60  # characters of a label in the plot
MANY = 100_000  # points from which they are drawn as squares without blending
# A worker would first get a copy of each point, which takes longer than to index them; Escape it would hear wherever
# on the page it is pressed.
DRAWING = {"spatialIndexUseWorker": False, "deselectOnEscape": False}


class EmbeddingPlot(anywidget.AnyWidget):
    """A scatter plot of any number of points.

    >>> plot = EmbeddingPlot(text=lambda rows: titles[rows].tolist(), chosen=print)
    >>> plot.show(points)
    >>> plot.select(np.array([3, 14]))

    Rows are positions in `points`, float32 (m, 2) within [-1, 1]. The page gets these, and a byte each for colour and
    size, as binary and only when they change; it hands them to jupyter-scatter's plot itself, whose own widget would
    copy a million rows one by one. Texts it asks for: `text(rows)` gives labels, `about(row, answer)` calls
    `answer(title, lines, picture)` with what a tooltip says. `chosen(rows)` is called with an int64 array when
    somebody selects, `hovered(row or None)` for the point under the pointer, `key(name)` for "next", "previous",
    "open" and "clear" while the plot has the focus, `drawn()` when a page has drawn and asks for labels. `camera` is
    the last view, sixteen numbers or None.
    """

    _esm = joined(
        "dom.js",
        "interpretation/names.js",
        "embeddings/label_layer.js",
        "embeddings/moving.js",
        "embeddings/tooltip.js",
        "embeddings/touch.js",
        "embeddings/plot.js",
    )
    _css = joined("base.css", "embeddings/plot.css")

    # Written here and never read back: a page can set any synced trait, and put another widget in this one's place.
    scatter = Instance(Widget, help="jupyter-scatter's widget").tag(sync=True, **widget_serialization)
    labelled = Bool(True, help="whether points have their label").tag(sync=True)
    _places = Bytes(help="x and y of each point, float32").tag(sync=True)
    _codes = Bytes(help="colour and size of each point, as places in `_looks`").tag(sync=True)
    _looks = Dict(help="colours and sizes").tag(sync=True)
    _marks = Dict(help="rows that are marked, and texts").tag(sync=True)
    _words = Dict(help="names of the axes, legends, the text alternative").tag(sync=True)

    def __init__(
        self,
        *,
        text: Callable[[np.ndarray], list[str]],
        about: Callable[[int, Callable], Any] | None = None,
        chosen: Callable[[np.ndarray], Any] | None = None,
        hovered: Callable[[int | None], Any] | None = None,
        key: Callable[[str], Any] | None = None,
        drawn: Callable[[], Any] | None = None,
        **kwargs,
    ):
        self.camera: list[float] | None = None
        self.count = 0
        self._text, self._about, self._chosen, self._hovered, self._key = text, about, chosen, hovered, key
        self._when_drawn = drawn
        self._writing = False
        self._labels: LabelChoice | None = None
        self._drawn, self._said = _scatter(), {}
        super().__init__(scatter=self._drawn, **kwargs)
        self._drawn.observe(self._select_from_page, "selection")
        self._drawn.observe(self._hover_from_page, "hovering")
        self.on_msg(self._receive)

    def show(
        self,
        points: np.ndarray,
        colour: Encoding,
        size: Encoding,
        *,
        importance: np.ndarray | None = None,
        keep_view: bool = False,
    ) -> None:
        """Draw these points; with `keep_view` they are those before in other looks, else nothing is selected then."""
        self.count = len(points)
        self._labels = LabelChoice(points, importance)
        codes = np.zeros((len(points), 2), np.uint8)
        for place, encoding in enumerate((colour, size)):
            if len(encoding.codes):
                codes[:, place] = encoding.codes
        if not keep_view:
            self.camera = None
            self.send({"type": "home"})
            self._write(selection=np.empty(0, np.uint32))
        many = len(points) > MANY
        # How many are in view, by which their opacity goes, would be counted anew while the view moves.
        self._write(
            opacity=1.0,
            regl_scatterplot_options={**DRAWING, "performanceMode": many},
            opacity_by=None if many else "density",
        )
        with self.hold_sync():
            self._looks = {"colours": list(map(rgba, colour.values)), "sizes": size.values}
            self._places, self._codes = np.asarray(points, np.float32).tobytes(), codes.tobytes()

    def select(self, rows: np.ndarray) -> None:
        self._write(selection=np.asarray(rows, np.uint32))

    def mark(
        self,
        *,
        focus: int | None,
        current: int | None,
        pointed: int | None = None,
        near: Sequence[int],
        found: Sequence[int],
    ) -> None:
        """Mark a point and lines to those `near` it, rings around what was `found`, and the `current` one of a list.

        Another that becomes current is brought into view; one that is `pointed` at elsewhere is not.
        """
        rows = list(dict.fromkeys(row for row in (pointed, current, focus, *near[:40], *found[:40]) if row is not None))
        texts = self._shortened(np.array(rows, np.int64))
        self._marks = {
            "focus": focus,
            "current": current,
            "pointed": pointed,
            "near": list(near),
            "found": list(found),
            "texts": list(zip(rows, texts, strict=True)),
        }

    def say(self, **words: Any) -> None:
        """Set `x`, `y`, `legends`, `name` or `said`."""
        self._words = self._said = {**self._said, **words}

    def look(self, camera: list[float] | None) -> None:
        """Take a view that was kept."""
        self.camera = camera
        self.send({"type": "look", "view": camera} if camera else {"type": "home"})

    def look_at(self, rows: Sequence[int]) -> None:
        """Bring these points into view."""
        self.send({"type": "look_at", "rows": list(rows)})

    def close(self) -> None:
        self._drawn.unobserve_all()  # its class keeps it for ever, and with what it calls all that is drawn
        discard(self._drawn)
        super().close()

    def _write(self, **traits: Any) -> None:
        self._writing = True
        try:
            with self._drawn.hold_sync():
                for name, value in traits.items():
                    setattr(self._drawn, name, value)
        finally:
            self._writing = False

    def _shortened(self, rows: np.ndarray) -> list[str]:
        texts = self._text(rows) if len(rows) else []
        return [text if len(text) <= SHOWN_TEXT else f"{text[: SHOWN_TEXT - 1]}…" for text in texts]

    # What comes from the page: anything.

    def _select_from_page(self, change) -> None:
        if self._writing:
            return
        rows = checked_rows(change.new, self.count)
        if rows is not None and self._chosen is not None:
            self._chosen(rows)

    def _hover_from_page(self, change) -> None:
        if self._hovered is not None:
            self._hovered(change.new if is_row(change.new, self.count) else None)

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, token = content.get("type"), content.get("token")
        if kind == "camera":
            view = content.get("view")
            if is_view(view):
                self.camera = [float(part) for part in view]
        elif kind == "key" and content.get("name") in ("next", "previous", "open", "clear"):
            if self._key is not None:
                self._key(content["name"])
        elif not isinstance(token, str) or len(token) > 40:
            return
        elif kind == "labels":
            self._send_labels(token, content)
        elif kind == "about" and is_row(content.get("row"), self.count) and self._about is not None:
            row = content["row"]

            def answer(title: str, lines: list[tuple[str, str]], picture: bytes | None) -> None:
                told = {"type": "about", "token": token, "row": row, "title": title, "lines": lines}
                self.send(told, [] if picture is None else [picture])

            self._about(row, answer)

    def _send_labels(self, token: str, content: dict) -> None:
        x, y, size = (content.get(name) for name in ("x", "y", "size"))
        if not (is_range(x) and is_range(y) and is_range([0, *size] if isinstance(size, list) else None, 3)):
            return
        if self._labels is None:
            return
        across, down = (min(MOST_CELLS, max(1, int(side // room))) for side, room in zip(size, LABEL_ROOM, strict=True))
        rows = self._labels.within(x, y, across=across, down=down)
        self.send({"type": "labels", "token": token, "rows": rows.tolist(), "texts": self._shortened(rows)})
        if self._when_drawn is not None:
            self._when_drawn()


def rgba(colour: str) -> list[float]:
    """A colour as jupyter-scatter has it: four numbers from 0 to 1.

    >>> rgba("#ff0033")
    [1.0, 0.0, 0.2, 1.0]
    """
    return [*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)), 1.0]


def is_row(value: Any, count: int) -> bool:
    return type(value) is int and 0 <= value < count


def is_view(view: Any) -> bool:
    """Whether it is a 4 × 4 matrix of finite numbers."""
    return isinstance(view, list) and len(view) == 16 and all(map(_is_number, view))


def is_range(values: Any, length: int = 2) -> bool:
    """Whether it is a list of finite numbers of which the first is the smallest."""
    numbers = isinstance(values, list) and len(values) == length and all(map(_is_number, values))
    return numbers and all(values[0] < value for value in values[1:])


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15 and math.isfinite(value)


def checked_rows(values: Any, count: int) -> np.ndarray | None:
    """Rows as a page sent them, each once and in order, int64; None where they are none."""
    if values is None:
        return np.empty(0, np.int64)
    if not isinstance(values, np.ndarray) or values.ndim != 1 or (len(values) and values.dtype.kind not in "ui"):
        return None
    rows = np.unique(values.astype(np.int64))
    return rows if not len(rows) or (rows[0] >= 0 and rows[-1] < count) else None


def _scatter() -> Widget:
    """jupyter-scatter's widget, made by its own defaults around two points; the page draws the others."""
    from jscatter import Scatter

    ends = pd.DataFrame({name: [-1.0, 1.0] for name in ("x", "y", "colour", "size")})
    scatter = Scatter(
        data=ends,
        x="x",
        y="y",
        x_scale=(-1, 1),
        y_scale=(-1, 1),
        color_by="colour",
        color_map=[ONE, OTHER],
        size_by="size",
        size_map=[4, 8],
        height=HEIGHT,
        axes=False,
        legend=False,
        tooltip=False,
        zoom_animation=0,
        lasso_on_long_press=False,  # who begins to drag while a slow page is drawing would draw one
    )
    scatter.widget.tooltip_properties = []  # else a screen reader would find them, though none is ever shown
    return scatter.widget.show(buttons=[])
