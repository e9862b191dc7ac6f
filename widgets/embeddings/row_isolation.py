"""Which rows of an embedding are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...models.progress import Progress
from ..job import Job
from .basis import Basis
from .row_selection import RowSelection

BUSY = "Something else is being done. Wait until it has ended, or stop it."


class RowIsolation(RowSelection):
    """A widget that shows all rows of its `embedding`, or some of them along the principal components of these alone.

    >>> widget.selection = range(20)
    >>> widget.isolate()
    >>> widget.back()

    `job` does what takes work; while it is busy, all of these raise ValueError with a sentence. `_basis` is what is
    looked at: `_use(basis)` shows another, and `_begun()` is called once that is on its way.
    """

    job: Job
    _basis: Basis
    _before: list[np.ndarray]  # rows that were looked at before what is isolated now

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
        then: Callable[[], Any] | None = None,
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

        self._work(lambda progress: Basis.of(self.embedding, rows, how, progress=progress), then=use)
        self._begun()

    def _work(self, work: Callable[[Progress], Any], *, then: Callable[[Any], None]) -> None:
        if not self.job.run(work, then=then):
            raise ValueError(BUSY)

    def _use(self, basis: Basis) -> None:
        raise NotImplementedError

    def _begun(self) -> None:
        raise NotImplementedError
