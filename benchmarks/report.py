"""Figures -> the Markdown of docs/benchmarks.md."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

OURS = "ipyfastai"
HEAD = """# Benchmarks

Measured by `make bench` on {when}: {machine}. Medians of {rounds} rounds that alternate between the
apps; the machine is noisy, so read the ratios.

- **fastai app**: the notebook of the fastai book's chapter 2 (`load_learner`, `FileUpload`,
  `learn.predict`), MobileNetV2, plain Voila
- **ipyfastai**: `dashboards/bear_classifier.ipynb` as `ipyfastai bear_classifier` serves it, the same network
- **bare page**: one button, plain Voila; the floor

*page*: from the request to a button that can be clicked, a fresh visitor each time. *answer*: from the
choice of a 1024 px photo to the answer's text on the page, later photos of a visit. *memory* is read
after these answers.
"""


@dataclass(frozen=True)
class Target:
    """Our figure is to be at most `at_most`, times that of `versus` if one is named."""

    what: str
    versus: str | None
    at_most: float

    def line(self, medians: Mapping[str, Mapping[str, float]]) -> str:
        ours = medians[self.what][OURS]
        value = ours / medians[self.what][self.versus] if self.versus else ours
        words = f"× {self.versus}" if self.versus else ""
        verdict = "met" if value <= self.at_most else "**missed**"
        return f"| {self.what} | ≤ {self.at_most:g} {words} | {value:.3g} | {verdict} |"


def report(
    figures: Mapping[str, Mapping[str, Sequence[float]]],
    targets: Sequence[Target],
    crowds: Sequence[Sequence[str]],
    *,
    when: date,
    machine: str,
) -> str:
    """The whole page: figures, ratios, targets, crowds."""
    medians = {what: {app: statistics.median(v) for app, v in row.items()} for what, row in figures.items()}
    names = list(dict.fromkeys(app for row in figures.values() for app in row))
    rounds = max(len(values) for row in figures.values() for values in row.values())
    lines = [HEAD.format(when=when, machine=machine, rounds=rounds)]
    ratios = [f"{OURS} / {name}" for name in names if name != OURS]
    lines += ["## One visitor", "", *_header("", *names, *ratios)]
    for what, row in medians.items():
        cells = [_figure(row.get(name)) for name in names]
        cells += [_figure(_ratio(row.get(OURS), row.get(name))) for name in names if name != OURS]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    lines += ["", "## Targets", "", *_header("", "target", "measured", ""), *(t.line(medians) for t in targets)]
    lines += ["", "## Many visitors at once", ""]
    lines += ["All open ipyfastai's page at the same moment, one browser drawing all of them.", ""]
    lines += _header("visitors", "last page usable", "answer", "memory of a kernel", "kernels and server", "errors")
    lines += ["| " + " | ".join(row) + " |" for row in crowds]
    return "\n".join(lines) + "\n"


def _header(*names: str) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def _ratio(ours: float | None, other: float | None) -> float | None:
    return ours / other if ours is not None and other else None


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return "lost" if math.isinf(value) else f"{value:.3g}" if value < 100 else f"{value:.0f}"
