"""Figures -> the Markdown of docs/benchmarks.md."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from .crowd import PATIENCE, Crowd

OURS = "ipyfastai"
ERRORS_OF = "{} visitors at once: how many met an error"
TITLE = "# Benchmarks"
QUICK = """# Only a quick try

**One round and a small crowd, to see that everything works: these figures are not the benchmark.**"""
MEASURED = """Measured by `python -m benchmarks.app` on {when}: {machine}. {rounds} A machine is never quite
at rest, so read the ratios before the figures."""
MANY = """Medians of {} rounds that alternate between the apps, with the least and the most in brackets."""
APPS = """
- **fastai app**: the notebook of the fastai book's chapter 2 (`load_learner`, `FileUpload`,
  `learn.predict`), MobileNetV2, plain Voila
- **ipyfastai**: `dashboards/bear_classifier.ipynb` as `ipyfastai bear_classifier` serves it, the same
  network
- **bare page**: one button, plain Voila; the floor

*page*: from the request to a button that can be clicked, a fresh visitor each time. *answer*: from the
choice of a 1024 px photo to the answer's text on the page, later photos of a visit. *memory* is read
after these answers, and once more after the large photo. *lost*: no answer within 15 s.
"""
CROWD = """All visitors open ipyfastai's page at the same moment. When the last of them can use it, all
send a 1024 px photo at the same moment. Each has a browser context of their own, but one browser on the
server's own cores draws all the pages: the times are of the server and of that browser together, and
the server alone would take less. An error is a visitor who met an exception in the page, a failed
request, or {patience} s without a page or an answer."""


@dataclass(frozen=True)
class Target:
    """Our figure is to be at most `at_most`, times that of `versus` if one is named."""

    what: str
    versus: str | None
    at_most: float

    def line(self, figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
        words = f"≤ {self.at_most:g}" + (f" × {self.versus}" if self.versus else "")
        if self.what not in figures:
            return f"| {self.what} | {words} | not measured | |"
        ours = figures[self.what][OURS]
        value, rounds = statistics.median(ours), ours
        if self.versus:
            theirs = figures[self.what][self.versus]
            value /= statistics.median(theirs)
            rounds = [a / b for a, b in zip(ours, theirs, strict=True)]
        verdict = "met" if value <= self.at_most else "**missed**"
        return f"| {self.what} | {words} | {_figure(value)}{_range(rounds)} | {verdict} |"


def report(
    figures: Mapping[str, Mapping[str, Sequence[float]]],
    targets: Sequence[Target],
    crowds: Sequence[Crowd],
    *,
    when: date,
    machine: str,
    quick: bool = False,
) -> str:
    """The whole page: figures, ratios, targets, crowds."""
    names = list(dict.fromkeys(app for row in figures.values() for app in row))
    others = [name for name in names if name != OURS]
    rounds = max(len(values) for row in figures.values() for values in row.values())
    intro = MEASURED.format(when=when, machine=machine, rounds=MANY.format(rounds) if rounds > 1 else "One round.")

    lines = [QUICK if quick else TITLE, "", _wrapped(intro), APPS]
    lines += ["## One visitor", "", *_header("", *names, *(f"{OURS} / {name}" for name in others))]
    for what, row in figures.items():
        cells = [_cell(row.get(name)) for name in names] + [_ratio(row.get(OURS), row.get(name)) for name in others]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")

    checked = {**figures, **{ERRORS_OF.format(crowd.size): {OURS: [crowd.unlucky]} for crowd in crowds}}
    lines += ["", "## Targets", "", *_header("", "target", "measured", ""), *(t.line(checked) for t in targets)]

    lines += ["", "## Many visitors at once", "", _wrapped(CROWD.format(patience=PATIENCE)), ""]
    lines += _header("visitors", "button usable: median", "worst", "answer: median", "worst",
                     "memory of a kernel", "kernels and server", "visitors with an error")  # fmt: skip
    lines += [_crowd(crowd) for crowd in crowds]
    return "\n".join(lines) + "\n"


def _crowd(crowd: Crowd) -> str:
    times = [f"{_figure(of(values))} s" for values in (crowd.usable, crowd.answers) for of in (statistics.median, max)]
    memory = [f"{crowd.kernel_memory:.0f} MB", f"{crowd.memory / 1000:.1f} GB"]
    return "| " + " | ".join([str(crowd.size), *times, *memory, str(crowd.unlucky)]) + " |"


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 104, break_long_words=False, break_on_hyphens=False)


def _header(*names: str) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def _cell(values: Sequence[float] | None) -> str:
    return _figure(statistics.median(values)) + _range(values) if values else ""


def _range(values: Sequence[float]) -> str:
    return f" ({_figure(min(values))}–{_figure(max(values))})" if min(values) < max(values) else ""


def _ratio(ours: Sequence[float] | None, theirs: Sequence[float] | None) -> str:
    if not ours or not theirs or math.isinf(statistics.median(theirs)):
        return ""
    return _figure(statistics.median(ours) / statistics.median(theirs))


def _figure(value: float) -> str:
    return "lost" if math.isinf(value) else f"{value:.3g}" if value < 100 else f"{value:.0f}"
