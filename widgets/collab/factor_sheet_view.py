"""Gradient descent in a spreadsheet, to watch step by step."""

from __future__ import annotations

import asyncio
import math
import re
from typing import TYPE_CHECKING

import anywidget
import numpy as np
import traitlets

from ...models.collab.ratings import Ratings
from ...models.words import counted
from ..assets import joined
from ..background import start
from .ratings_table import plain

if TYPE_CHECKING:
    import pandas as pd

    from ...models.collab.latent_factors import FactorSheet

MOST_FACTORS = 10
RATES = (0.01, 10.0)  # of the slider
RATE = 0.3
PACE = 0.1  # seconds between two looks at a run
STEPS = 2  # of each of these
POINTS = 400  # of the curve that are sent
MOST_STEPS = 5000
SPAN, LITTLE = 200, 0.01  # a run ends where so many steps lower the error by less than this share of it


class FactorSheetView(anywidget.AnyWidget):
    """The busiest users and items with random factors, their predictions and errors; steps and runs make them better.

    >>> view = FactorSheetView(ratings, factors=5)
    >>> view.step()
    >>> view.sheet.user_factors  # the tensor, with its gradient

    `sheet` is the `FactorSheet` that learns; `learning_rate`, `factors`, `biases` and `seed` are those of the page.
    `value` is a DataFrame of the predictions, a row for each user's id and a column for each title.
    ValueError for ratings among whose busiest users and items there are none.
    """

    _esm = joined(
        "dom.js", "training/scale.js", "training/chart.js", "collab/crosstab.js", "collab/factor_sheet_view.js"
    )
    _css = joined("base.css", "training/chart.css", "collab/crosstab.css", "collab/factor_sheet_view.css")

    value = traitlets.Any(read_only=True, help="the predictions as a DataFrame")

    # Written here and never read back: a page can set any synced trait.
    _shown = traitlets.Dict(help="numbers, errors and what is chosen").tag(sync=True)

    def __init__(
        self, ratings: Ratings, *, users: int = 15, items: int = 15, factors: int = 5, seed: int = 42, **kwargs
    ):
        if not isinstance(ratings, Ratings):
            raise TypeError(f"Latent factors are learned from Ratings, not from {type(ratings).__name__}")
        if not 1 <= factors <= MOST_FACTORS:
            raise ValueError(f"factors must be from 1 to {MOST_FACTORS}, not {factors}")
        self._table: pd.DataFrame = ratings.busiest(users, items)
        self._scale = list(ratings.scale)
        self.learning_rate, self.factors, self.biases, self.seed = RATE, factors, False, seed
        self.running = False
        self._runs = 0  # how many have begun
        self._note = ""
        self.sheet = self._new()
        super().__init__(**kwargs)
        self.on_msg(self._receive)
        self._show()

    def _new(self) -> FactorSheet:
        from ...models.collab.latent_factors import FactorSheet

        return FactorSheet(self._table.to_numpy(), self.factors, biases=self.biases, seed=self.seed)

    def begin(self, *, factors: int | None = None, biases: bool | None = None, seed: int | None = None) -> None:
        """Begin anew with random numbers, of another number of factors, with biases, or by another seed."""
        before = self.factors, self.biases, self.seed
        self.factors = self.factors if factors is None else factors
        self.biases = self.biases if biases is None else biases
        self.seed = self.seed if seed is None else seed
        try:
            self.sheet = self._new()
        except ValueError:
            self.factors, self.biases, self.seed = before
            raise
        self.running, self._note = False, ""
        self._show()

    def step(self) -> None:
        """One step of gradient descent."""
        self.running = False
        self._go(1)
        self._show()

    def run(self) -> None:
        """Step after step, until `pause`, or until nothing gets better."""
        if not self.running:
            self.running = True
            self._runs += 1
            start(self._run(self._runs))

    def pause(self) -> None:
        self.running = False
        self._show()

    def close(self) -> None:
        self.running = False
        super().close()

    async def _run(self, number: int) -> None:
        sheet, began = self.sheet, len(self.sheet.losses) - 1
        while self.running and sheet is self.sheet and number == self._runs:  # not paused and begun again meanwhile
            self._go(STEPS)
            if self.running and _settled(sheet.losses[began:]):
                steps = counted(len(sheet.losses) - 1, "step")
                self.running, self._note = False, f"Stopped after {steps}: the error hardly gets any lower."
            self._show()
            await asyncio.sleep(PACE)

    def _go(self, steps: int) -> None:
        from ...models.collab.latent_factors import Diverged

        self._note = ""
        try:
            for _ in range(min(steps, MOST_STEPS + 1 - len(self.sheet.losses))):
                self.sheet.step(self.learning_rate)
        except Diverged as error:
            # No rate that reads as a word with a minus in it.
            self.running, self._note = False, re.sub(r"(\d)e-0?(\d)", r"\1e−\2", str(error))
        if len(self.sheet.losses) > MOST_STEPS:
            self.running, self._note = False, f"Stopped after {MOST_STEPS:,} steps: begin anew to go on."

    def _show(self) -> None:
        import pandas as pd

        sheet = self.sheet
        predictions = sheet.predictions().detach().numpy()
        self.set_trait("value", pd.DataFrame(predictions, index=self._table.index, columns=self._table.columns))
        biases = [] if sheet.user_bias is None else [("bias", sheet.user_bias, sheet.item_bias)]
        lines = [
            (f"factor {factor + 1}", sheet.user_factors[:, factor], sheet.item_factors[:, factor])
            for factor in range(self.factors)
        ]
        steps = range(len(sheet.losses))
        kept = sorted({*steps[:: max(1, len(steps) // POINTS)], steps[-1]})
        self._shown = {
            "users": [str(user) for user in self._table.index],
            "titles": [str(title) for title in self._table.columns],
            "ratings": plain(self._table.to_numpy()),
            "predictions": plain(predictions),
            "left": [{"name": name, "values": _numbers(users)} for name, users, _ in [*lines, *biases]],
            "top": [{"name": name, "values": _numbers(items)} for name, _, items in [*lines, *biases]],
            "scale": self._scale,
            "loss": [list(kept), [round(sheet.losses[step], 5) for step in kept]],
            "step": steps[-1],
            "running": self.running,
            "note": self._note,
            "factors": self.factors,
            "most": MOST_FACTORS,
            "biases": self.biases,
            "seed": self.seed,
            "rate": self.learning_rate,
            "rates": [math.log10(rate) for rate in RATES],
        }

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, value = content.get("type"), content.get("value")
        if kind in ("step", "run", "pause", "begin"):
            getattr(self, kind)()
        elif kind == "rate" and type(value) in (int, float) and math.log10(RATES[0]) <= value <= math.log10(RATES[1]):
            self.learning_rate = float(f"{10**value:.2g}")
            self._note = ""
            self._show()
        elif kind == "factors" and type(value) is int and 1 <= value <= MOST_FACTORS:
            self.begin(factors=value)
        elif kind == "biases" and type(value) is bool:
            self.begin(biases=value)
        elif kind == "seed" and type(value) is int and 0 <= value < 2**32:
            self.begin(seed=value)


def _settled(losses: list[float]) -> bool:
    return len(losses) > SPAN and min(losses[-SPAN:]) > (1 - LITTLE) * min(losses[:-SPAN])


def _numbers(tensor) -> list[float]:
    return [round(float(number), 3) for number in np.asarray(tensor.detach())]
