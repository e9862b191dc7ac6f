"""Trainings side by side."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..assets import joined
from ..background import start
from .run_view import plain
from .settings_form import in_words

if TYPE_CHECKING:
    from ...models.training.run_folder import StoredRun

POINTS = 400  # of a training loss that are sent
OVERLAID = 6  # curves that can be told apart


class RunsTable(anywidget.AnyWidget):
    """The runs of a folder: settings, seed and best figures of each, and the curves of those chosen, overlaid.

    >>> table = RunsTable("runs")
    >>> trainer.observe(lambda _: table.refresh(), "value")

    A run can be deleted, not while it is trained; it is moved aside and can be brought back until the deleted
    ones are removed for good. A folder that is not there yet is an empty table.

    `value` is a tuple of the chosen runs as `StoredRun`, in the order of choosing.
    """

    _esm = joined("dom.js", "training/scale.js", "training/chart.js", "training/runs_table.js")
    _css = joined("base.css", "training/chart.css", "training/runs_table.css")

    value = traitlets.Tuple(help="the chosen runs")
    _shown = traitlets.Dict(help="rows, curves of the chosen ones, and what was deleted").tag(sync=True)

    def __init__(self, folder: str | os.PathLike, **kwargs):
        super().__init__(**kwargs)
        self._folder = Path(folder)
        self._rows: dict[str, dict] = {}
        self._metrics: list[str] = []
        self._deleted: list[str] = []  # by this table, the last of them at the end
        self._kept_bytes = 0
        self._problem = ""
        self._turn = asyncio.Lock()
        self.observe(lambda _: self._show(), "value")
        self.on_msg(self._receive)
        self.refresh()

    def refresh(self) -> None:
        """Read the folder again."""
        start(self._do(lambda: None))

    def choose(self, *names: str) -> None:
        """Choose the runs with these names; those that are none are left out."""
        start(self._do(lambda: None, list(names)))

    def delete(self, *names: str) -> None:
        """Delete runs, so that they can be brought back."""
        start(self._do(self._delete, None, *names))

    def undo(self) -> None:
        """Bring back the runs that this table deleted last."""
        start(self._do(self._restore))

    def empty(self) -> None:
        """Remove all deleted runs of the folder for good."""
        start(self._do(self._empty))

    async def _do(self, work: Callable[..., Any], chosen: list[str] | None = None, *arguments: str) -> None:
        """Work in a thread, one after the other, and show what the folder holds then."""
        async with self._turn:
            self._problem = ""
            try:
                await asyncio.to_thread(work, *arguments)
            except ValueError as error:
                self._problem = str(error)
            except OSError as error:
                self._problem = f"The files could not be moved: {error.strerror}."
            wanted = [run.name for run in self.value] if chosen is None else chosen
            runs = await asyncio.to_thread(self._read, wanted)
        self.value = runs
        self._show()

    # In a thread.

    def _delete(self, *names: str) -> None:
        from ...models.training.deleted_runs import DeletedRuns

        self._deleted = []
        for name in names:
            DeletedRuns(self._folder).add(name)
            self._deleted.append(name)

    def _restore(self) -> None:
        from ...models.training.deleted_runs import DeletedRuns

        while self._deleted:
            DeletedRuns(self._folder).restore(self._deleted[-1])
            self._deleted.pop()

    def _empty(self) -> None:
        from ...models.training.deleted_runs import DeletedRuns

        DeletedRuns(self._folder).empty()
        self._deleted = []

    def _read(self, wanted: list[str]) -> tuple[StoredRun, ...]:
        from ...models.training.deleted_runs import DeletedRuns
        from ...models.training.run_folder import load_run

        rows, metrics, chosen = {}, {}, {}
        for name in sorted((path.parent.name for path in self._folder.glob("*/settings.json")), reverse=True):
            try:
                run = load_run(self._folder / name)
            except ValueError:
                rows[name] = {"name": name, "state": "damaged"}
                continue
            rows[name] = _row(run)
            metrics |= dict.fromkeys(rows[name]["figures"])
            if name in wanted:
                chosen[name] = run
        self._rows, self._metrics = rows, list(metrics)
        self._kept_bytes = DeletedRuns(self._folder).bytes()
        return tuple(chosen[name] for name in wanted if name in chosen)

    # The page.

    def _show(self) -> None:
        self._shown = {
            "rows": list(self._rows.values()),
            "metrics": self._metrics,
            "chosen": [run.name for run in self.value],
            "curves": [_curves(run) for run in self.value[:OVERLAID]],
            "undo": len(self._deleted),
            "kept": self._kept_bytes,
            "problem": self._problem,
        }

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, names = content.get("type"), content.get("names")
        if kind in ("choose", "delete") and isinstance(names, list):
            known = [name for name in names[:1000] if isinstance(name, str) and name in self._rows]
            (self.choose if kind == "choose" else self.delete)(*dict.fromkeys(known))
        elif kind in ("undo", "empty", "refresh"):
            getattr(self, kind)()


def _row(run: StoredRun) -> dict:
    """A run with the figures of its best epoch."""
    from ...models.training.metrics import best_epoch

    best = best_epoch(run.history)
    figures = {} if best is None else run.history.set_index("epoch").loc[best].to_dict()
    return {
        "name": run.name,
        "state": run.state,
        "epochs": f"{len(run.history)} of {run.settings.total_epochs}",
        "best": best,
        "figures": {name: plain(figures[name]) for name in _compared(run) if name in figures},
        "settings": in_words(run.settings),
        "seconds": float(run.history["seconds"].sum()) if len(run.history) else None,
    }


def _compared(run: StoredRun) -> list[str]:
    from ...models.training.metrics import metric_names

    return [*metric_names(run.history), "valid_loss"]


def _curves(run: StoredRun) -> dict:
    """A run's curves over its epochs: each a list of x and one of y."""
    history, losses = run.history, run.losses
    ends = [int(epoch) for epoch in history["epoch"]] if len(history) else []
    curves = {name: [ends, [plain(value) for value in history[name]]] for name in _compared(run) if name in history}
    places = range(0, len(losses.raw), max(1, len(losses.raw) // POINTS))
    epoch = _batches(run)
    curves["train_loss"] = [
        [round((place + 1) / epoch, 4) for place in places],
        [plain(losses.smoothed[place]) for place in places],
    ]
    return {"name": run.name, "curves": curves}


def _batches(run: StoredRun) -> float:
    """Batches of the training in an epoch."""
    photos, size = run.about["items"].get("train"), run.about["batch_size"]
    if photos and size:
        return max(1, photos // size)
    return max(1, len(run.losses.raw) / max(1, len(run.history)))
