"""Looking for a learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anywidget
import numpy as np
from traitlets import Dict, TraitError, Tuple

from ..assets import joined
from ..composite import Composite
from ..job import Job
from .rates import Rate, rate_text, typed_number

if TYPE_CHECKING:
    from fastai.learner import Learner

SHOWN = 6  # of the curves, the newest: more could not be told apart
FLAT = 0.03  # of its first loss: a curve that falls less than this says little
RULES = {
    "valley": ("The valley", "the middle of the longest stretch on which the loss falls. A good first choice."),
    "steep": ("The steepest point", "where the loss falls most from one batch to the next. Noise can fool it."),
    "slide": ("The slide", "coming from the right, the first place where the curve is calm again."),
    "minimum": ("Minimum/10", "a tenth of the rate at which the loss is lowest."),
}


class LRFinder(Composite):
    """Try ever higher learning rates on a few batches, see where the loss falls, and pick one.

    >>> finder = LRFinder(learn)
    >>> dlink((finder, "value"), (trainer, "learning_rate"))

    `start_lr`, `end_lr`, `num_it` and `stop_div` go to `models.training.lr_finder.find_learning_rate`, which
    leaves the learner as it was, also when stopped. A rate is picked on the newest curve (a click, arrow keys),
    by the button of a suggestion, or typed.

    `value` is the picked rate, None until then; `curves` is a tuple of `LRCurve`, the newest last.
    Raises TraitError where `value` is set to what is no learning rate.
    Source: L. Smith, "Cyclical Learning Rates for Training Neural Networks" (2015).
    """

    value = Rate("the picked learning rate")
    curves = Tuple(help="a curve for each run, the newest last")

    def __init__(
        self,
        learn: Learner,
        *,
        start_lr: float = 1e-7,
        end_lr: float = 10,
        num_it: int = 100,
        stop_div: bool = True,
    ):
        self._learn = learn
        self._options = {"start_lr": start_lr, "end_lr": end_lr, "num_it": num_it, "stop_div": stop_div}
        self._count = 0  # runs ever, so that a curve keeps its name when others are cleared
        self._names: tuple[int, ...] = ()
        self._cleared: tuple = ()  # what Undo brings back
        self.job = Job(button="Find a learning rate", pressed=self.start, cancel="Stop")
        self.chart = LRCurves(pick=self._pick, take=self._take, typed=self._typed, clear=self.clear, undo=self.undo)
        super().__init__([self.job, self.chart])
        self.observe(lambda _: self._show(), ["value", "curves"])

    def start(self) -> bool:
        """Run the finder; False, and nothing else, while it runs already."""
        return self.job.run(self._find, then=self._add)

    def stop(self) -> None:
        """Stop at the next batch; nothing is kept of this run."""
        self.job.cancel()

    def clear(self) -> None:
        """Take the curves away, but not the picked rate."""
        if self.curves:
            self._cleared = (self._names, self.curves)
            self._names, self.curves = (), ()

    def undo(self) -> None:
        """Bring back what was cleared."""
        if self._cleared:
            (names, curves), self._cleared = self._cleared, ()
            self._names, self.curves = (*names, *self._names), (*curves, *self.curves)

    def close(self) -> None:
        super().close()
        self._learn = None

    def _find(self, progress):
        from ...models.training.lr_finder import find_learning_rate

        return find_learning_rate(self._learn, **self._options, progress=progress)

    def _add(self, curve) -> None:
        self._count += 1
        self._names, self._cleared = (*self._names, self._count), ()
        self.curves = (*self.curves, curve)
        self.job.button = "Run it again"

    # What a page sends, checked.

    def _pick(self, index: int) -> None:
        if self.curves and 0 <= index < len(self.curves[-1].rates):
            self.value = float(self.curves[-1].rates[index])

    def _take(self, rule: str) -> None:
        if self.curves and rule in self.curves[-1].suggestions:
            self.value = self.curves[-1].suggestions[rule]

    def _typed(self, text: str) -> None:
        try:
            self.value = typed_number(text)
        except TraitError as error:
            self._show(str(error))

    def _show(self, problem: str = "") -> None:
        numbered = list(zip(self._names, self.curves, strict=False))[-SHOWN:]
        self.chart.show(numbered, self.value, problem=problem, undo=bool(self._cleared))


class LRCurves(anywidget.AnyWidget):
    """Curves of loss over learning rate, what they suggest, and a field for the picked rate.

    >>> LRCurves(pick=print, take=print, typed=print, clear=print, undo=print)

    `show(numbered, value)` takes (number of the run, `LRCurve`) pairs, the newest last. For what a visitor does
    `pick(index)` is called with a point of the newest curve, `take(rule)`, `typed(text)`, `clear()` and `undo()`:
    whether there is such a point or rule is for them to check.
    """

    _esm = joined("dom.js", "training/scale.js", "training/chart.js", "training/lr_finder.js")
    _css = joined("base.css", "training/chart.css", "training/lr_finder.css")

    _shown = Dict(help="curves, limits, suggestions, value, problem").tag(sync=True)

    def __init__(self, *, pick, take, typed, clear, undo, **kwargs):
        super().__init__(**kwargs)
        self._pick, self._take, self._typed, self._clear, self._undo = pick, take, typed, clear, undo
        self.on_msg(self._receive)

    def show(self, numbered, value: float | None, *, problem: str = "", undo: bool = False) -> None:
        newest = numbered[-1][1] if numbered else None
        self._shown = {
            "curves": [_plain(number, curve) for number, curve in reversed(numbered)],
            "limits": _limits([curve for _, curve in numbered]),
            "suggestions": _suggestions(newest) if newest else [],
            "notice": _notice(newest) if newest else "",
            "value": value,
            "problem": problem,
            "undo": undo,
        }

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, index, text = content.get("type"), content.get("index"), content.get("text")
        if kind == "pick" and type(index) is int:
            self._pick(index)
        elif kind in ("take", "type") and isinstance(text, str):
            (self._take if kind == "take" else self._typed)(text)
        elif kind == "clear":
            self._clear()
        elif kind == "undo":
            self._undo()


def _plain(number: int, curve) -> dict:
    losses = [loss if math.isfinite(loss) else None for loss in map(float, curve.losses)]
    return {"name": f"run {number}", "number": number, "rates": list(map(float, curve.rates)), "losses": losses}


def _limits(curves) -> list[float] | None:
    """The losses worth showing: what runs away at the end would press everything else flat."""
    losses = [curve.losses[np.isfinite(curve.losses)] for curve in curves]
    if not any(len(one) for one in losses):
        return None
    low, high = (float(bound(list(map(bound, losses)))) for bound in (min, max))
    first = float(max(one[0] for one in losses))
    high = min(high, first + max(first - low, 0.2 * abs(first)))
    return [low - 0.03 * (high - low), high] if high > low else None


def _suggestions(curve) -> list[dict]:
    return [
        {
            "rule": rule,
            "name": "minimum/10" if rule == "minimum" else rule,
            "rate": rate,
            "loss": _finite(float(curve.losses[int(np.abs(np.log(curve.rates / rate)).argmin())])),
            "text": f"{RULES[rule][0]} suggests {rate_text(rate)}: {RULES[rule][1]}",
        }
        for rule, rate in curve.suggestions.items()
    ]


def _notice(curve) -> str:
    if not curve.suggestions:
        return "The curve is too short for a suggestion: the loss ran away at once. Pick a point on it, or type a rate."
    losses = curve.losses[np.isfinite(curve.losses)]
    if losses[0] - losses.min() < FLAT * abs(losses[0]):
        return (
            "The loss hardly falls at any of these rates: the suggestions say little. Is the learner trained already?"
        )
    return ""


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
