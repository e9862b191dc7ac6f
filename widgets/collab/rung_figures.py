"""Rungs of the ladder side by side: their curves, and their figures beside what anybody could do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Dict

from ..assets import joined
from ..training.run_view import plain

if TYPE_CHECKING:
    import pandas as pd

    from ...models.collab.run import CollabRun

POINTS = 200  # of a training loss that are sent
LESS_IS_MORE = ("mse", "rmse", "mae")


class RungFigures(anywidget.AnyWidget):
    """Curves of several `CollabRun`s in one chart while they train, then the table of their figures with its protocol.

    >>> figures = RungFigures()
    >>> figures.show_curves({"Dot product": run}, said="1 of 5")
    >>> figures.show_table(evaluate({"Dot product": run.predictor}, split), {"Dot product": run})
    """

    _esm = joined("dom.js", "training/scale.js", "training/chart.js", "collab/rung_figures.js")
    _css = joined("base.css", "training/chart.css", "collab/rung_figures.css")

    _curves = Dict(help="where the ladder is, and the curves").tag(sync=True)
    _table = Dict(help="columns, rows and the protocol").tag(sync=True)

    def show_curves(self, runs: Mapping[str, CollabRun], *, said: str = "") -> None:
        """The curves of runs by name, and a sentence on where the whole is."""
        trivial = next((run.baseline["mse"] for run in runs.values() if run.baseline), None)
        shown = {"said": said, "lines": [_line(name, run) for name, run in runs.items()], "trivial": trivial}
        if shown != self._curves:
            self._curves = shown

    def show_table(self, figures: pd.DataFrame | None, runs: Mapping[str, CollabRun]) -> None:
        """What `evaluate` gave of these runs and the baselines; None takes it away."""
        if figures is None:
            self._table = {}
            return
        best = {name: figures[name].agg("min" if name in LESS_IS_MORE else "max") for name in figures}
        self._table = {
            "columns": list(figures),
            "rows": [_row(name, row, best, runs.get(name)) for name, row in figures.iterrows()],
            "protocol": figures.attrs["protocol"],
        }


def _line(name: str, run: CollabRun) -> dict[str, Any]:
    history, losses, progress = run.history, run.losses, run.progress
    epochs = [int(epoch) for epoch in history["epoch"]] if len(history) else []
    places = range(0, len(losses.smoothed), max(1, len(losses.smoothed) // POINTS))
    batches = (progress.get("iterations") or 1) / (progress.get("epochs") or 1)
    return {
        "name": name,
        "validation": [epochs, [plain(value) for value in history["mse"]] if epochs else []],
        "training": [
            [round((place + 1) / batches, 3) for place in places],
            [plain(round(float(losses.smoothed[place]), 5)) for place in places],
        ],
    }


def _row(name: str, row: pd.Series, best: Mapping[str, float], run: CollabRun | None) -> dict[str, Any]:
    told = ""
    if run is not None:
        numbers = sum(parameter.numel() for parameter in run.rung.parameters())
        seconds = run.history["seconds"].mean()
        epoch = f"epoch {run.at_epoch}" if run.at_epoch else f"within epoch {len(run.history) + 1}"
        told = f"{epoch} of {run.settings.epochs}, {seconds:.2g} s each, {numbers:,} numbers"
    return {
        "name": name,
        "trained": run is not None,
        "told": told,
        "figures": [plain(float(value)) for value in row],
        "best": [bool(value == best[column]) for column, value in row.items()],
    }
