"""Finding points: by a search, as neighbours of another, as what is selected."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ...models.embeddings.embedding import Embedding
from ...models.embeddings.neighbours import METRICS
from ...models.embeddings.neighbours import MOST as MOST_NEIGHBOURS
from ...models.embeddings.search import Search
from ...models.progress import Progress
from ...models.words import counted
from ..background import in_own_thread
from ..composite import Composite
from ..form import Field, Form
from ..newest_job import NewestJob
from .basis import Basis
from .plot import EmbeddingPlot
from .point_list import MOST, PointList

NOTHING = "A click on a point lists its nearest neighbours"
RINGS = 300  # around what a search has found; the list has more
NEAR = [
    Field("k", "How many neighbours", "number", 10, low=1, high=MOST_NEIGHBOURS),
    Field("metric", "Distance", "choice", options=[metric.capitalize() for metric in METRICS]),
]


class PointsPanel(Composite):
    """A list of points to step through, and its marks in a plot.

    >>> panel = PointsPanel(embedding, plot, select=print)
    >>> panel.use(basis)
    >>> panel.search("^star")

    Rows are positions in the embedding. `select(rows)` is called when somebody wants these selected. The nearest
    neighbours, by vectors as they were given, are listed while a single row is selected.
    """

    def __init__(self, embedding: Embedding, plot: EmbeddingPlot, *, select: Callable[[np.ndarray], Any], **kwargs):
        self._embedding, self._plot, self._select = embedding, plot, select
        self._basis: Basis | None = None
        self._prepared: Basis | None = None
        self._selected = self._found = self._listed = np.empty(0, np.int64)
        self._question: object | None = None  # of the last search, while its answer is waited for
        self._searched = False  # whether what is listed was found by a search
        self._place: int | None = None
        self._list = PointList(
            columns=["Labels", *embedding.metadata.columns],
            searched=self.search,
            current=self.go,
            opened=self.choose,
            all_of_them=lambda: self._select(self._found),
        )
        self._near = Form(label="Neighbours", changed=lambda _name: self._measured())
        self._near.show(NEAR)
        self.job = NewestJob()
        self.parts = self._list, self.job, self._near
        super().__init__(self.parts, **kwargs)

    @property
    def metric(self) -> str:
        """What is near: "cosine" or "euclidean"."""
        return METRICS[self._near["metric"]]

    @property
    def k(self) -> int:
        """How many neighbours are listed, 1 to 999."""
        return self._near["k"]

    def measure(self, k: int, metric: str) -> None:
        """Change both."""
        self._near["k"], self._near["metric"] = k, METRICS.index(metric)
        self._near.show(NEAR)

    def use(self, basis: Basis) -> None:
        """List and mark rows of this basis alone from now on."""
        self._basis = basis

    async def prepare(self) -> None:
        """Make ready, in a thread, what the first search and the first neighbours would wait for."""
        basis = self._basis
        if basis is not self._prepared:
            self._prepared = basis
            await in_own_thread(lambda: (self._search, basis.neighbours))

    @cached_property
    def _search(self) -> Search:
        return Search(self._embedding.labels, self._embedding.metadata)

    def show_selection(self, rows: np.ndarray) -> None:
        """List these rows, or the neighbours of a single one."""
        self._selected = rows
        self.list_selected()

    def search(self, pattern: str, column: int = 0) -> None:
        """Mark and list what matches a regular expression; column 0 are the labels, then those of the metadata.

        It is looked for in a thread, and listed unless by then something else is to be: another search, a selection.
        """
        if not pattern:
            return self.list_selected()
        name = None if column == 0 else self._embedding.metadata.columns[column - 1]
        question = self._question = object()

        def work(progress: Progress) -> np.ndarray | ValueError:
            try:
                return self._search(pattern, name, progress=progress)
            except ValueError as error:  # it is said where the pattern stands
                return error

        def answer(found: np.ndarray | ValueError) -> None:
            if question is not self._question:
                return
            if isinstance(found, ValueError):
                return self._list.complain(str(found))
            self._list_found(found, name)

        self.job.run(work, then=answer)

    def _list_found(self, found: np.ndarray, name: str | None) -> None:
        self._searched = True
        self._found = found if self._basis.is_whole else found[np.isin(found, self._basis.rows)]
        many = len(self._found)
        values = [""] * min(many, MOST) if name is None else self._values(name, self._found[:MOST])
        title = f"{many:,} of {counted(len(self._basis.rows), 'point')} match" if many else "Nothing matches"
        self._show(title, self._found, values, all_of_them=f"Select all {many:,}" if many > 1 else "")

    def list_selected(self) -> None:
        """List the selected rows, or the neighbours of a single one."""
        self._question = None
        self.job.drop()
        self._found, self._searched = np.empty(0, np.int64), False
        rows = self._selected
        focus = self._focus()
        if focus is not None:
            return self._list_neighbours(focus)
        self._show(f"{len(rows):,} selected" if len(rows) else NOTHING, rows, [""] * min(len(rows), MOST))

    def go(self, place: int) -> None:
        """Make one of the list the current one."""
        self._place = place
        self._list.go(place)
        self._mark()

    def step(self, by: int) -> None:
        """Go to the next or the previous one of the list."""
        count = min(len(self._listed), MOST)
        if count:
            start = -1 if self._place is None and by > 0 else self._place or 0
            self.go((start + by) % count)

    def choose(self, place: int | None = None) -> None:
        """Select one of the list alone, by default the current one; so its own neighbours are listed."""
        place = self._place if place is None else place
        if place is not None:
            self._select(self._listed[[place]])

    def press(self, key: str) -> None:
        """What a key on the plot does: "next", "previous", "open" the current one, "clear" the selection."""
        if key == "open":
            self.choose()
        elif key == "clear":
            self._select(np.empty(0, np.int64))
        else:
            self.step(1 if key == "next" else -1)

    def point_out(self, shown: int | None) -> None:
        """Mark one of those that are looked at too, None for no such one."""
        self._mark(shown)

    def _measured(self) -> None:
        if self._focus() is not None and not self._searched:
            self.list_selected()

    def _list_neighbours(self, focus: int) -> None:
        basis = self._basis
        try:
            near, distances = basis.neighbours.of(focus, self.k, self.metric)
        except ValueError as error:  # a row of zeros has none by their angle
            return self._show(str(error), basis.rows[:0], [])
        title = f"{counted(len(near), 'neighbour')} of {self._embedding.labels[basis.rows[focus]]}"
        self._show(title, basis.rows[near], [f"{distance:.3g}" for distance in distances.tolist()])

    def _focus(self) -> int | None:
        """Where the one that is selected is among those looked at."""
        shown = self._basis.shown(self._selected) if len(self._selected) == 1 else ()
        return int(shown[0]) if len(shown) else None

    def _values(self, name: str, rows: np.ndarray) -> list[str]:
        column = self._embedding.metadata[name].iloc[rows]
        return column.astype(str).mask(column.isna(), "").tolist()

    def _show(self, title: str, rows: np.ndarray, notes: list[str], *, all_of_them: str = "") -> None:
        self._listed, self._place = rows, None
        names = self._embedding.labels[rows[:MOST]].tolist()
        self._list.show(title, list(zip(names, notes, strict=True)), all_of_them=all_of_them)
        self._mark()

    def _mark(self, pointed: int | None = None) -> None:
        focus = self._focus()
        current = self._basis.shown(self._listed[[] if self._place is None else [self._place]]).tolist()
        found = self._basis.shown(self._found[:RINGS]).tolist()
        near = [] if focus is None or self._searched else self._basis.shown(self._listed).tolist()
        here = current[0] if current else None
        self._plot.mark(focus=focus, current=here, pointed=pointed, near=near, found=found)
