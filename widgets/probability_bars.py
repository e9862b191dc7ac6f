"""Labelled probability bars."""

from __future__ import annotations

from collections.abc import Mapping

import anywidget
from traitlets import Dict, Float, Int, TraitError, Unicode, validate

from .assets import joined


class ProbabilityBars(anywidget.AnyWidget):
    """Horizontal bars, one for each label, the most probable first.

    >>> ProbabilityBars({"grizzly": 0.97, "black": 0.02, "teddy": 0.01}, top=2)

    `value` maps each label to its probability in [0, 1]; the `top` most probable are drawn.
    Raises TraitError for what is not a probability.
    """

    _esm = joined("dom.js", "probability_bars.js")
    _css = joined("base.css", "probability_bars.css")

    value = Dict(value_trait=Float(), key_trait=Unicode(), help="label -> probability").tag(sync=True)
    top = Int(5, min=1, help="how many labels to draw").tag(sync=True)

    def __init__(self, value: Mapping[str, float] | None = None, *, top: int = 5, **kwargs):
        super().__init__(value=dict(value or {}), top=top, **kwargs)

    @validate("value")
    def _probabilities(self, proposal):
        for label, probability in proposal["value"].items():
            if not 0 <= probability <= 1.000001:  # false for NaN too
                raise TraitError(f"the probability of {label!r} must lie between 0 and 1, got {probability}")
        return proposal["value"]
