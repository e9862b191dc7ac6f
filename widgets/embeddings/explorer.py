"""An embedding to walk through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any as Anything

import numpy as np
import pandas as pd
from ipywidgets import VBox
from traitlets import Any, TraitError, observe, validate

from ...models.embeddings.bookmark import Bookmark
from ...models.embeddings.embedding import Embedding
from ...models.words import counted
from ..background import start
from ..composite import Composite
from ..form import Field, Form
from ..job import Job
from .axes_panel import AxesPanel
from .basis import Basis
from .bookmarks_panel import BookmarksPanel
from .encodings import colours, sizes
from .looks_panel import LooksPanel
from .plot import EmbeddingPlot
from .points_panel import PointsPanel
from .positions import checked_positions
from .selection_actions import SelectionActions
from .selection_file import PLENTY, SelectionFile
from .tooltip import Tooltip
from .view import View

USUAL = ((2_000, 7.0), (20_000, 5.0), (200_000, 3.0))  # pixels of a point for so many of them


class EmbeddingExplorer(Composite):
    """A scatter plot of vectors, with their principal components, neighbours, search and selections.

    >>> explorer = EmbeddingExplorer(item_factors, titles, metadata=movies[["genre", "year"]])
    >>> explorer.observe(lambda change: print(change.new), "value")
    >>> explorer.selection = (3, 14)

    `vectors` are (n, d) numbers, or an `Embedding`; `labels`, `metadata` and `thumbnails` as it takes them: a text, a
    row of a DataFrame and a picture for each; `colour` and `size` are columns of `metadata`. What could not be used is
    said on the page (`embedding.notices`).

    `selection` holds the positions of the selected rows, those that were given, in order; it can be set. `value` is
    a DataFrame of them, with their labels and metadata, or None; `hovered` the position under the pointer, or None.
    Needs jupyter-scatter (`pip install 'ipyfastai[explore]'`), which draws, and a browser with WebGL.
    Raises ValueError with a sentence for what is no embedding, TraitError for positions that are not there.
    """

    selection = Any((), help="positions of the selected rows")
    value = Any(None, allow_none=True, read_only=True, help="the selected rows as a DataFrame, or None")
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
        given = isinstance(vectors, Embedding)
        self.embedding = vectors if given else Embedding(vectors, labels, metadata, thumbnails)
        # How many rows were given, those that were left out too.
        self.count = int(self.embedding.kept[-1]) + 1 if given else len(vectors)
        for column in (colour, size):
            if column is not None and column not in self.embedding.metadata:
                raise ValueError(f"There is no column {column!r} in the metadata.")
        self.plot = EmbeddingPlot(  # first, so that a page loads what it draws with while the components are found
            text=lambda rows: self.embedding.labels[self._basis.rows[rows]].tolist(),
            about=lambda row, answer: start(self._tooltip.tell(int(self._basis.rows[row]), answer)),
            chosen=lambda rows: self._select(self._basis.rows[rows]),
            hovered=self._hover,
            key=self._press_key,
            drawn=lambda: start(self.points.prepare()),
        )
        self.view = View(colour=colour, size=size)
        self._basis = Basis.of(self.embedding, np.arange(len(self.embedding)), "as they are")
        self.view.fit(self._basis)
        self._before: list[np.ndarray] = []  # rows that were looked at before what is isolated now
        self._tooltip = Tooltip(self.embedding)
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
        self._panels = {"Points": self.points, "Axes": self.axes, "Looks": self.looks, "Bookmarks": self.bookmarks}
        self._tabs = Form(label="Tools", changed=lambda _name: self._show_panel())
        self._tabs.show([Field("panel", "Tools", "choice", options=list(self._panels))])
        pressed = {"isolate": self.isolate, "back": self.back, "all": self.show_all, "csv": self._make_file}
        pressed["nothing"] = lambda: self._select(np.empty(0, np.int64))
        self._actions = SelectionActions(pressed)
        self.job = Job(cancel="Stop")
        self.csv = SelectionFile(self.job)
        self._main = VBox([self.plot, self._actions, self.csv, self.job])
        self._tools = VBox([self._tabs])
        self.parts = (*self._main.children, *self._panels.values(), self._tabs, self._main, self._tools)
        super().__init__([self._main, self._tools], **kwargs)
        self.add_class("ipyfastai-embedding-explorer")
        self._show_panel()
        self._use(self._basis)

    # What it is asked for, in Python or on the page.

    def isolate(self) -> None:
        """Look at the selected rows alone, along the principal components of these."""
        rows = self._selected()
        if len(rows) >= 2:
            self.look_at(rows, before=[*self._before, self._basis.rows])

    def back(self) -> None:
        """Undo the last `isolate`; its rows are selected then."""
        if self._before:
            self.look_at(self._before[-1], before=self._before[:-1], select=self._basis.rows)

    def show_all(self) -> None:
        """Look at all rows again; what was isolated is selected then."""
        if self._before:
            self.look_at(self._before[0], before=[], select=self._basis.rows)

    def look_at(
        self,
        rows: np.ndarray,
        how: str | None = None,
        *,
        before: list[np.ndarray] | None = None,
        select: np.ndarray | None = None,
        then: Callable[[], Anything] | None = None,
    ) -> None:
        """Prepare these rows in this way and find their principal components, in the background."""
        how = how or self._basis.how

        def use(basis: Basis) -> None:
            changed = before is not None
            if changed:
                self._before = before
            self._use(basis)
            if changed:
                self._select(np.empty(0, np.int64) if select is None else select)
            if then is not None:
                then()

        begun = self.job.run(lambda progress: Basis.of(self.embedding, rows, how, progress=progress), then=use)
        if not begun:
            self.axes.show(self._basis)

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

    def present(self, positions: Sequence[int]) -> tuple[int, ...]:
        """Those of these positions that were not left out."""
        given = np.array(positions, np.int64)
        return tuple(given[self._is_kept(given)].tolist())

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

    def _redraw(self, *, keep_view: bool = False) -> None:
        view, basis, table = self.view, self._basis, self.embedding.metadata
        colour = colours(None if view.colour is None else table[view.colour])
        usual = next((size for count, size in USUAL if len(basis.rows) <= count), 2.0)
        size = sizes(None if view.size is None else table[view.size], usual)
        importance = size.codes[basis.rows] if len(size.codes) else None
        if not keep_view:
            self._points = view.points(basis)
        self.plot.show(
            self._points, colour.of(basis.rows), size.of(basis.rows), importance=importance, keep_view=keep_view
        )
        self.plot.labelled = view.labelled
        x, y = view.names(basis)
        legends = [(what, one.legend) for what, one in (("Colour", colour), ("Size", size)) if one.legend]
        name = f"Scatter plot of {counted(self.plot.count, 'point')}, {x} against {y}"
        self.plot.say(x=x, y=y, legends=legends, name=name, notices=list(self.embedding.notices))
        self.axes.show(basis)
        self.looks.show()
        self._show_selection()

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

        self.job.run(work, then=use)
        self.axes.show(basis)

    def _show_layout(self, basis: Basis, name: str) -> None:
        if basis is self._basis:
            self.view.layout = name
            self._redraw()

    def _show_panel(self) -> None:
        self._tools.children = [self._tabs, list(self._panels.values())[self._tabs["panel"]]]

    # Selections.

    @validate("selection")
    def _check_selection(self, proposal):
        positions = checked_positions(proposal.value)
        missing = positions[~self._is_kept(positions)]
        if len(missing):
            raise TraitError(f"There is no row at position {missing[0]}, or it was left out.")
        return tuple(positions.tolist())

    @observe("selection")
    def _selection_changed(self, _change) -> None:
        self._show_selection()

    def _is_kept(self, positions: np.ndarray) -> np.ndarray:
        kept = self.embedding.kept
        return kept[np.searchsorted(kept, positions).clip(max=len(kept) - 1)] == positions

    def _selected(self) -> np.ndarray:
        """The selected rows of the embedding: positions among those that were kept."""
        return np.searchsorted(self.embedding.kept, np.array(self.selection, np.int64))

    def _select(self, rows: np.ndarray) -> None:
        self.selection = tuple(self.embedding.kept[rows].tolist())

    def _hover(self, shown: int | None) -> None:
        self.set_trait("hovered", None if shown is None else int(self.embedding.kept[self._basis.rows[shown]]))

    def _press_key(self, name: str) -> None:
        if name == "open":
            self.points.choose()
        elif name == "clear":
            self._select(np.empty(0, np.int64))
        else:
            self.points.step(1 if name == "next" else -1)

    def _show_selection(self) -> None:
        rows = self._selected()
        self.plot.select(self._basis.shown(rows))
        self.points.show_selection(rows)
        self.axes.show_ends()
        self._offer_actions(rows)
        self.csv.offer(None)
        if 0 < len(rows) <= PLENTY:
            self._make_file()
        self.set_trait("value", self._table(rows) if len(rows) else None)

    def _table(self, rows: np.ndarray) -> pd.DataFrame:
        """Labels and metadata, by the positions that were given."""
        table = self.embedding.metadata.iloc[rows].set_axis(self.embedding.kept[rows])
        table.insert(0, "label", self.embedding.labels[rows], allow_duplicates=True)
        return table

    def _make_file(self) -> None:
        self.csv.make(self._table(self._selected()))

    def _offer_actions(self, rows: np.ndarray) -> None:
        of, few = counted(len(self._basis.rows), "point"), self.embedding.labels[rows[:3]].tolist()
        names = f": {', '.join(few)}{' …' if len(rows) > len(few) else ''}" if few else ""
        isolated = f"{of} of {len(self.embedding):,} isolated; " if self._before else ""
        self.plot.say(said=f"{isolated}{len(rows):,} of {of} selected{names}")
        self._actions.offer(selected=len(rows), isolated=bool(self._before))
