"""Figures of several rounds -> Markdown tables with ratios and targets.

`figures[what][name]` is a list of values, one for each round; `what` names a figure with its unit,
`name` who was measured. Medians count; the least and the most stand in brackets.
"""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OURS = "ipyfastai"

Figures = Mapping[str, Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class Target:
    """The figure of `name` is to be at most `at_most`, times that of `versus` if one is named.

    >>> Target("epoch (s)", "fine_tune", at_most=1.02)
    """

    what: str
    versus: str | None
    at_most: float
    name: str = OURS

    def line(self, figures: Figures) -> str:
        words = f"≤ {self.at_most:g}" + (f" × {self.versus}" if self.versus else "")
        if self.what not in figures:
            return f"| {self.what} | {words} | not measured | |"
        ours = figures[self.what][self.name]
        value, rounds = statistics.median(ours), ours
        if self.versus:
            theirs = figures[self.what][self.versus]
            value /= statistics.median(theirs)
            rounds = [a / b for a, b in zip(ours, theirs, strict=True)]
        verdict = "met" if value <= self.at_most else "**missed**"
        return f"| {self.what} | {words} | {figure(value)}{_range(rounds)} | {verdict} |"


def comparison(figures: Figures, ours: str = OURS) -> str:
    """A row for each figure, a column for each name, and ours as a ratio of each other."""
    names = list(dict.fromkeys(name for row in figures.values() for name in row))
    others = [name for name in names if name != ours]
    lines = header("", *names, *(f"{ours} / {name}" for name in others))
    for what, row in figures.items():
        cells = [_cell(row.get(name)) for name in names] + [_ratio(row.get(ours), row.get(name)) for name in others]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def targets(figures: Figures, wanted: Sequence[Target]) -> str:
    """A row for each target: what was asked, what was measured, whether it is met."""
    return "\n".join([*header("", "target", "measured", ""), *(target.line(figures) for target in wanted)])


def rounds(figures: Figures) -> int:
    return max(len(values) for row in figures.values() for values in row.values())


def wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 104, break_long_words=False, break_on_hyphens=False)


def header(*names: str) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def figure(value: float) -> str:
    return "lost" if math.isinf(value) else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _cell(values: Sequence[float] | None) -> str:
    return figure(statistics.median(values)) + _range(values) if values else ""


def _range(values: Sequence[float]) -> str:
    return f" ({figure(min(values))}–{figure(max(values))})" if min(values) < max(values) else ""


def _ratio(ours: Sequence[float] | None, theirs: Sequence[float] | None) -> str:
    if not ours or not theirs or math.isinf(statistics.median(theirs)):
        return ""
    return figure(statistics.median(ours) / statistics.median(theirs))
