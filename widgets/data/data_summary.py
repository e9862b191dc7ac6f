"""What a DataBlock does, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import List, Tuple

from ..assets import joined
from ..composite import Composite
from ..job import Job

if TYPE_CHECKING:
    from ...models.data.summary import Step


class DataSummary(Composite):
    """Each step from the source to a batch, with the types and shapes it makes, and why it fails.

    >>> DataSummary(dblock, path)
    >>> DataSummary(dls)

    fastai's `DataBlock.summary` for people: what a sample is after each getter and transform, what a batch
    is, and where items do not fit into one, which they are, how they differ and what to add. `bs` items
    make the batch; others are checked for whether they would fit. For `DataLoaders`, of fastai or torch,
    leave `source` out.

    `value` is a tuple of `models.data.summary.Step`, None until they are there; `start()` goes through
    the data again. Raises TypeError for anything else, ValueError for a `bs` below 1.
    """

    value = Tuple(default_value=None, allow_none=True, read_only=True, help="the steps")

    def __init__(self, datablock_or_dls: Any, source: Any = None, *, bs: int = 4):
        if bs < 1:
            raise ValueError(f"bs must be positive, got {bs!r}")
        if not any(hasattr(datablock_or_dls, name) for name in ("datasets", "loaders", "dataset")):
            raise TypeError(f"expected a DataBlock or DataLoaders, got {type(datablock_or_dls).__name__}")
        self._data, self._source, self._bs = datablock_or_dls, source, bs
        self.job = Job(button="Go through it again", pressed=self.start)
        self.view = StepsView()
        super().__init__([self.view, self.job])
        self.start()

    def start(self) -> bool:
        """Go through all steps; False, and nothing else, while that is going on."""
        return self.job.run(self._summarise, then=self._show)

    def close(self) -> None:
        """Stop, and let go of the data."""
        super().close()
        self._data = self._source = None

    def _summarise(self, progress) -> list[Step]:
        from ...models.data.summary import summarise

        return summarise(self._data, self._source, bs=self._bs, progress=progress)

    def _show(self, steps: Sequence[Step]) -> None:
        self.set_trait("value", tuple(steps))
        self.view._steps = [asdict(step) for step in steps]


class StepsView(anywidget.AnyWidget):
    """The table of `DataSummary`."""

    _esm = joined("dom.js", "data/code_box.js", "data/data_summary.js")
    _css = joined("base.css", "data/code_box.css", "data/data_summary.css")

    _steps = List(help="stage, name, settings, parts, problem and remedy of each step").tag(sync=True)
