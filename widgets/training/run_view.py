"""A training to watch and to steer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
from traitlets import Bool, Dict

from ..assets import joined

if TYPE_CHECKING:
    from ...models.training.run import TrainingRun

ACTIVE = ("running", "paused", "stopping")
ACTIONS = ("start", "pause", "resume", "stop", "try", "fresh", "again", "best")


class RunView(anywidget.AnyWidget):
    """How a `TrainingRun` goes: progress, losses and metrics as they come, advice, and buttons to steer it.

    >>> view = RunView(acted=print)
    >>> view.show(run)

    Call `show` as often as there is something new: a page is sent only the batches and epochs that it has not
    got yet, and a page that comes later asks for all. `acted(action, value)` is called for a button, with one of
    ACTIONS; whether it makes sense now is for it to decide. Without `curves` there are no charts, no table of
    epochs and no button for the best one's weights: for whoever takes care of several runs.
    """

    _esm = joined("dom.js", "training/scale.js", "training/chart.js", "training/run_charts.js", "training/run_view.js")
    _css = joined("base.css", "training/chart.css", "training/run_view.css")

    _curves = Bool(True, help="whether there are charts and a table of epochs").tag(sync=True)
    _shown = Dict(help="state, words, progress, problem, advice and what can be resumed").tag(sync=True)

    def __init__(self, *, acted: Callable[[str, Any], Any], curves: bool = True, **kwargs):
        super().__init__(_curves=curves, **kwargs)
        self._acted = acted
        self._run: TrainingRun | None = None
        self._number = 0  # of the run shown, so that a page tells the batches of one from those of another
        self._sent = (0, 0)  # batches and epochs that every page has been sent
        self.on_msg(self._receive)
        self.say()

    def show(self, run: TrainingRun) -> None:
        """Bring all pages up to date with a run."""
        if run is not self._run:
            self._run, self._number, self._sent = run, self._number + 1, (0, 0)
        self._send_new(*self._sent)

    def say(
        self, *, note: str = "", fresh: bool | None = None, resumable: Sequence[dict] = (), taken: int | None = None
    ) -> None:
        """Everything but the curves: `note` is a sentence for what was refused, `fresh` whether the next training
        begins with the first weights (None: not asked), `resumable` the runs to go on with, `taken` the epoch
        whose weights were taken instead of the last."""
        shown = {"note": note, "fresh": fresh, "resumable": list(resumable), "taken": taken}
        if (run := self._run) is not None:
            shown |= _state(run, self._number)
        self._shown = shown

    def _send_new(self, batches: int, epochs: int) -> None:
        """The batches and epochs from these on; nothing where there are none."""
        run = self._run
        losses, history = run.losses, run.history
        count, rows = len(losses.raw), history.iloc[epochs:].to_dict("records")
        self._sent = (count, len(history))
        if count == batches and not rows and batches:
            return
        points = np.column_stack([losses.raw[batches:], losses.smoothed[batches:], losses.learning_rate[batches:]])
        content = {"type": "points", "run": self._number, "batches": batches, "epochs": epochs}
        content["rows"] = [{name: plain(value) for name, value in row.items()} for row in rows]
        self.send(content, [points.astype("<f4").tobytes()])

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("type")
        if kind == "all" and self._run is not None:
            self._send_new(0, 0)
        elif isinstance(kind, str) and kind in ACTIONS:
            self._acted(kind, content.get("value"))


def _state(run: TrainingRun, number: int) -> dict:
    from ...models.training.metrics import metric_names

    progress, history = run.progress, run.history
    return {
        "run": number,
        "name": run.name or "",
        "state": run.state,
        "text": sentence(run),
        "progress": {name: plain(value) for name, value in progress.items()},
        "metrics": metric_names(history) or list(run.baseline),
        "baseline": {name: plain(value) for name, value in run.baseline.items()},
        "trivial": run.baseline_name,
        "best": run.best,
        "epochs": len(history),
        "problem": run.problem,
        "advice": run.advice,
    }


def sentence(run: TrainingRun) -> str:
    """Where a run is, in words."""
    place = run.progress
    where = f"epoch {place['epoch']} of {place['epochs']}"
    if run.state == "running" and not place["batches"]:
        return "Preparing the training…"
    if run.state in ("running", "paused"):
        what = "validation" if place["split"] == "valid" else "training"
        frozen = ", all but the last layers frozen" if place["frozen"] else ""
        where = f"Paused: {where}" if run.state == "paused" else where.capitalize()
        return f"{where}, {what}, batch {place['batch']} of {place['batches']}{frozen}"
    if run.state == "stopping":
        return "Stopping after this batch…"
    done = len(run.history)
    if run.state == "stopped":
        kept = f"{done} of {place['epochs']} epochs were finished." if done else "No epoch was finished."
        return f"Stopped in {where}. What was learned until then is kept. {kept}"
    if run.state == "finished":
        return f"Finished: {done} epoch{'s' if done != 1 else ''}. {_best(run)}"
    if run.state == "failed":
        return f"The training ended in {where}." if place["epoch"] else "The training did not begin."
    return ""


def _best(run: TrainingRun) -> str:
    from ...models.training.metrics import in_words, metric_names

    history, best = run.history, run.best
    if best is None:
        return ""
    name = (metric_names(history) or ["valid_loss"])[0]
    value = history.set_index("epoch").loc[best, name]
    return f"The best was epoch {best}, with {in_words(name)} {value:.3g}."


def plain(value: Any) -> Any:
    """What JSON can carry: NaN, as of an epoch without a validation, becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
