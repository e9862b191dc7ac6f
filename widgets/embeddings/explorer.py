"""An embedding to walk through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any as Anything

import numpy as np
import pandas as pd
from ipywidgets import VBox
from traitlets import Any

from ...models.embeddings.bookmark import Bookmark
from ...models.embeddings.embedding import Embedding
from ...models.words import counted
from ..background import start
from ..composite import discard
from ..job import Job
from .axes_panel import AxesPanel
from .basis import Basis
from .bookmarks_panel import BookmarksPanel
from .drawing import draw
from .looks_panel import LooksPanel
from .panels import Panels
from .plot import EmbeddingPlot
from .points_panel import PointsPanel
from .row_isolation import BUSY, RowIsolation
from .selection_actions import SelectionActions
from .selection_file import SelectionFile, at_once
from .tooltip import Tooltip
from .view import View


class EmbeddingExplorer(RowIsolation):
    """A scatter plot of vectors, with their principal components, neighbours, search and selections.

    >>> explorer = EmbeddingExplorer(item_factors, titles, metadata=movies[["genre", "year"]])
    >>> explorer.observe(lambda change: print(change.new), "value")
    >>> explorer.selection = (3, 14)

    `vectors` are (n, d) numbers, and `labels`, `metadata` and `thumbnails` a text, a row of a DataFrame and a picture
    for each, as `Embedding` takes them; or one of these, or its `Basis`, which was found in the background. `colour`
    and `size` are columns of `metadata`. What could not be used is said on the page (`embedding.notices`).

    `selection` holds the positions of the selected rows, those that were given, in order; it can be set. `value` is
    a DataFrame of them, with their labels and metadata, or None; `hovered` the position under the pointer, or None.
    Needs jupyter-scatter (`pip install 'ipyfastai[explore]'`), which draws, and a browser with WebGL.
    Raises ValueError with a sentence for what is no embedding, TraitError for positions that are not there.
    """

    hovered = Any(None, allow_none=True, read_only=True, help="the position of the row under the pointer, or None")

    def __init__(
        self,
        vectors: Anything,
        labels: Sequence[str] | None = None,
        *,
        metadata: pd.DataFrame | Mapping[str, Sequence] | None = None,
        thumbnails: Sequence | None = None,
        colour: str | None = None,
        size: str | None = None,
        **kwargs,
    ):
        given = vectors.embedding if isinstance(vectors, Basis) else vectors
        more = (labels, metadata, thumbnails)
        if isinstance(given, Embedding) and any(one is not None for one in more):
            raise ValueError("An Embedding has its own labels, metadata and thumbnails: give them to that.")
        self.embedding = given if isinstance(given, Embedding) else Embedding(given, *more)
        for column in (colour, size):
            if column is not None and column not in self.embedding.metadata:
                raise ValueError(f"There is no column {column!r} in the metadata.")
        self._tooltip = Tooltip(self.embedding)
        self.plot = EmbeddingPlot(  # first, so that a page loads what it draws with while the components are found
            text=lambda rows: self.embedding.labels[self._basis.rows[rows]].tolist(),
            about=lambda row, answer: start(self._tooltip.tell(int(self._basis.rows[row]), answer)),
            chosen=lambda rows: self._select(self._basis.rows[rows]),
            hovered=self._hover,
            key=lambda name: self.points.press(name),
            drawn=lambda: start(self.points.prepare()),
        )
        try:
            self._basis = vectors if isinstance(vectors, Basis) else Basis.of(self.embedding)
        except Exception:
            discard(self.plot)
            raise
        self.view = View(colour=colour, size=size)
        self.view.fit(self._basis)
        self._before = []
        self.points = PointsPanel(self.embedding, self.plot, select=self._select)
        self.axes = AxesPanel(
            self.view,
            changed=self._redraw,
            prepared=lambda how: self.look_at(self._basis.rows, how),
            laid_out=self._lay_out,
            chosen=self._selected,
        )
        self.looks = LooksPanel(self.view, self.embedding.metadata, changed=lambda: self._redraw(keep_view=True))
        self.bookmarks = BookmarksPanel(self.embedding, keep=self.bookmark, go=self.go_to)
        panels = {"Points": self.points, "Axes": self.axes, "Looks": self.looks, "Bookmarks": self.bookmarks}
        pressed = {"isolate": self.isolate, "back": self.back, "all": self.show_all, "csv": self._make_file}
        self._actions = SelectionActions({**pressed, "nothing": lambda: self.points.press("clear")})
        self.job = Job(cancel="Stop")
        self.job.observe(self._done, "busy")
        self.csv = SelectionFile(self.job)
        main = VBox([self.plot, self._actions, self.csv, self.job])
        tools = Panels(panels, label="Tools")
        tools.add_class("ipyfastai-embedding-tools")
        self.parts = (*main.children, main, tools)
        super().__init__([main, tools], **kwargs)
        self.add_class("ipyfastai-embedding-explorer")
        self._use(self._basis)

    # Bookmarks.

    def bookmark(self, name: str) -> Bookmark:
        """What is shown now, to come back to."""
        looks = {field.name: getattr(self.view, field.name) for field in fields(View)}
        rows = None if self._basis.is_whole else self._basis.rows
        camera = None if self.plot.camera is None else tuple(self.plot.camera)
        return Bookmark(name, how=self._basis.how, selection=self._selected(), rows=rows, camera=camera, **looks)

    def go_to(self, bookmark: Bookmark) -> None:
        """Show it again; a layout that is not there any more is made anew."""
        everything = np.arange(len(self.embedding))
        rows = everything if bookmark.rows is None else bookmark.rows

        def look() -> None:
            for field in fields(View):
                setattr(self.view, field.name, getattr(bookmark, field.name))
            self.view.fit(self._basis)
            self._redraw()
            self._select(np.empty(0, np.int64) if bookmark.selection is None else bookmark.selection)
            self.plot.look(None if bookmark.camera is None else list(bookmark.camera))
            if self.view.layout != bookmark.layout:
                self._lay_out(bookmark.layout)

        if bookmark.how == self._basis.how and np.array_equal(rows, self._basis.rows):
            return look()
        self.look_at(rows, bookmark.how, before=[] if bookmark.rows is None else [everything], then=look)

    def close(self) -> None:
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        self.job.cancel()
        self.csv.offer(None)
        self._tooltip.close()
        super().close()

    # For explorers that are linked.

    def point_out(self, position: int | None) -> None:
        """Mark a row, None for none; nothing is selected by that."""
        rows = [] if position is None else np.searchsorted(self.embedding.kept, self.present([position]))
        shown = self._basis.shown(np.asarray(rows, np.int64))
        self.points.point_out(int(shown[0]) if len(shown) else None)

    # What is drawn.

    def _use(self, basis: Basis) -> None:
        self._basis = basis
        self.view.fit(basis)
        self.points.use(basis)
        self._redraw()
        self._mark(self._selected())

    def _begun(self) -> None:
        self.axes.show(self._basis)  # what is chosen there comes true once it is found

    def _redraw(self, *, keep_view: bool = False) -> None:
        self._points = draw(self.plot, self.view, self._basis, self._points if keep_view else None)
        self.axes.show(self._basis)
        self.looks.show()
        self.plot.select(self._basis.shown(self._selected()))
        if not keep_view:
            self._offer_file()

    def _lay_out(self, name: str) -> None:
        if name in self._basis.layouts:
            return self._show_layout(self._basis, name)
        basis = self._basis

        def work(progress) -> np.ndarray:
            from ...models.embeddings.layouts import layout

            return layout(name, basis.vectors, progress=progress)

        def use(points: np.ndarray) -> None:
            basis.layouts[name] = points
            self._show_layout(basis, name)

        self._work(work, then=use)
        self._begun()

    def _done(self, change) -> None:
        """What could not be done meanwhile can be now."""
        if not change["new"]:
            self.axes.show(self._basis)
            self._offer_actions()

    def _show_layout(self, basis: Basis, name: str) -> None:
        if basis is self._basis:
            self.view.layout = name
            self._redraw()

    # What is selected, and pointed at.

    def _show_selection(self, rows: np.ndarray) -> None:
        self._mark(rows)
        self._offer_file()

    def _mark(self, rows: np.ndarray) -> None:
        self.plot.select(self._basis.shown(rows))
        self.points.show_selection(rows)
        self.axes.show_ends()
        of, few = counted(len(self._basis.rows), "point"), self.embedding.labels[rows[:3]].tolist()
        names = f": {', '.join(few)}{' …' if len(rows) > len(few) else ''}" if few else ""
        isolated = f"{of} of {len(self.embedding):,} isolated; " if self._before else ""
        self.plot.say(said=f"{isolated}{len(rows):,} of {of} selected{names}")
        self._offer_actions()

    def _offer_actions(self) -> None:
        count, of = len(self.selection), len(self._basis.rows)
        self._actions.offer(selected=count, of=of, isolated=bool(self._before), at_once=self._at_once)

    def _offer_file(self) -> None:
        self.csv.offer(None)
        if 0 < len(self.selection) <= self._at_once:
            self._make_file()

    @property
    def _at_once(self) -> int:
        return at_once(self.embedding.metadata.shape[1] + 3)  # a label, and where a point lies

    def _make_file(self) -> None:
        selected = self._selected()
        rows = selected if len(selected) else self._basis.rows
        table = self._table(rows)
        where = self.view.table(self._basis, rows).set_axis(table.index)
        if not self.csv.make(pd.concat([table, where], axis=1), "selection" if len(selected) else "points"):
            raise ValueError(BUSY)

    def _hover(self, shown: int | None) -> None:
        self.set_trait("hovered", None if shown is None else int(self.embedding.kept[self._basis.rows[shown]]))
