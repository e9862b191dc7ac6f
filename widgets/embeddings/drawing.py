"""From a view of an embedding to a plot."""

from __future__ import annotations

import numpy as np

from ...models.words import counted
from .basis import Basis
from .encodings import colours, sizes
from .plot import EmbeddingPlot
from .view import View

USUAL = ((2_000, 7.0), (20_000, 5.0), (200_000, 3.0))  # pixels of a point for so many of them
SMALLEST = 2.0


def draw(plot: EmbeddingPlot, view: View, basis: Basis, points: np.ndarray | None = None) -> np.ndarray:
    """Draw the rows of a basis by a view, and return where their points are, (m, 2).

    >>> points = draw(plot, View(x=0, y=1), basis)
    >>> draw(plot, View(x=0, y=1, colour="genre"), basis, points)

    With `points` from before only their looks are new, and what is in view stays.
    """
    table, rows = basis.embedding.metadata, basis.rows
    usual = next((size for count, size in USUAL if len(rows) <= count), SMALLEST)
    colour = colours(None if view.colour is None else table[view.colour])
    size = sizes(None if view.size is None else table[view.size], usual)
    importance = size.codes[rows] if len(size.codes) else None
    keep_view = points is not None
    if points is None:
        points = view.points(basis)
    plot.show(points, colour.of(rows), size.of(rows), importance=importance, keep_view=keep_view)
    plot.labelled = view.labelled
    x, y = view.names(basis)
    legends = [(what, one.legend) for what, one in (("Colour", colour), ("Size", size)) if one.legend]
    name = f"Scatter plot of {counted(plot.count, 'point')}, {x} against {y}"
    plot.say(x=x, y=y, legends=legends, name=name, notices=list(basis.embedding.notices))
    return points
