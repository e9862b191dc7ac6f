"""The learning-rate range test, run so that nothing shows of it afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from fastai.callback.schedule import LRFinder, ParamScheduler, minimum, slide, steep, valley
from fastai.learner import Learner

from ..progress import Progress
from .registry import borrowed
from .state import quiet, restored
from .workers import own_workers

SUGGESTIONS: dict[str, Callable] = {"valley": valley, "steep": steep, "slide": slide, "minimum": minimum}
FEWEST = 6  # batches, as in fastai: a curve of fewer points has no shape
SKIPPED_END = 5  # points where the loss already runs away


@dataclass(frozen=True)
class LRCurve:
    """Loss over learning rate, and the rates that the curve's shape suggests.

    `rates` and `losses` are (n,): the learning rate of each batch and fastai's smoothed loss after it.
    `suggestions` maps "valley", "steep", "slide" and "minimum" (already divided by 10) to a rate; a rule that
    the curve is too short for is left out. `marks` gives each of them its point (rate, loss) on the curve.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestions: dict[str, float]
    marks: dict[str, tuple[float, float]]


def find_learning_rate(
    learn: Learner,
    *,
    start_lr: float = 1e-7,
    end_lr: float = 10,
    num_it: int = 100,
    stop_div: bool = True,
    progress: Progress | None = None,
) -> LRCurve:
    """Train on ever higher rates until the loss runs away: fastai's `lr_find`, with the same numbers.

    >>> curve = find_learning_rate(learn)
    >>> curve.suggestions["valley"]
    0.0012022644514217973

    The learner is afterwards as before: weights, buffers, optimizer, frozen layers, callbacks and random
    generators, also after a Cancel (which raises `Cancelled`) or an error. Nothing is printed or written.
    ValueError for rates that do not rise, and for a learner whose weights or first loss are not finite.
    Source: L. Smith, "Cyclical Learning Rates for Training Neural Networks" (2015); fastai `lr_find`.
    """
    progress = progress or Progress()
    if not 0 < start_lr < end_lr < math.inf:
        raise ValueError(f"The rates must rise from above 0: from {start_lr:g} to {end_lr:g} is no range.")
    if isinstance(num_it, bool) or not isinstance(num_it, int) or num_it < FEWEST:
        raise ValueError(f"The finder needs at least {FEWEST} batches, not {num_it!r}.")
    if not len(learn.dls.train):
        raise ValueError("There is no batch to train on: fewer photos than the batch size, or none.")
    check_finite(learn)
    finder = _Finder(progress, start_lr=start_lr, end_lr=end_lr, num_it=num_it, stop_div=stop_div)
    with borrowed(learn), restored(learn), quiet(learn), own_workers():
        learn.fit(num_it // len(learn.dls.train) + 1, cbs=finder)
        rates, losses = torch.tensor(learn.recorder.lrs), torch.tensor(learn.recorder.losses)
    progress.report(num_it, num_it)
    if not len(losses) or not torch.isfinite(losses[0]):
        raise ValueError("The loss of the very first batch is not a number: check the data and the loss function.")
    suggestions, marks = _suggest(rates, losses, num_it)
    finite = int(torch.isfinite(losses).long().cumprod(0).sum())  # NaN never ends
    return LRCurve(rates[:finite].numpy(), losses[:finite].numpy(), suggestions, marks)


def check_finite(learn: Learner) -> None:
    """ValueError if a weight of the learner is NaN or infinite."""
    for name, parameter in learn.model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise ValueError(
                f"This learner cannot learn any more: its weights ({name}) hold values that are not numbers, most "
                "likely from a training at too high a rate. Build it again, or load weights from before that."
            )


class _Finder(LRFinder):
    """fastai's finder without its file: `restored` keeps the learner, in memory."""

    name = "lr_finder"  # by which early stopping, CSV logs and others know to stand back

    def __init__(self, progress: Progress, **options):
        super().__init__(**options)
        self.watch = progress

    def before_fit(self):
        ParamScheduler.before_fit(self)
        self.best_loss = math.inf

    def after_batch(self):
        super().after_batch()
        done, rate = self.train_iter, self.opt.hypers[-1]["lr"]
        self.watch.report(done, self.num_it, f"Learning rate {rate:.1e}, loss {self.smooth_loss.item():.3f}")

    def after_fit(self):
        pass


def _suggest(rates: torch.Tensor, losses: torch.Tensor, num_it: int) -> tuple[dict, dict]:
    """What fastai's rules say of the curve, cut as `lr_find` cuts it before asking them."""
    rates, losses = rates[num_it // 10 : -SKIPPED_END], losses[num_it // 10 : -SKIPPED_END]
    if (broken := torch.nonzero(torch.isnan(losses.view(-1)))).numel():
        rates, losses = rates[: broken.min()], losses[: broken.min()]
    suggestions, marks = {}, {}
    for name, rule in SUGGESTIONS.items():
        # Each rule reaches back some points; on a shorter curve it would fail or speak of nothing.
        if len(losses) < (16 if name == "slide" else 3):
            continue
        rate, (at, loss) = rule(rates, losses, num_it)
        suggestions[name], marks[name] = float(rate), (float(at), float(loss))
    return suggestions, marks
