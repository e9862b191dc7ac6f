"""docs/benchmarks.md: a part for each benchmark, each written by its own run."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import psutil

from .figures import Figures, Target, comparison, rounds, targets, wrapped

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TITLE = "# Benchmarks"
INTRODUCTION = """Each part is written by the run that its first line names; `make bench` runs them all. Medians,
with the least and the most in brackets; rounds alternate between what is compared, so that a change in the
machine's speed meets all of it. A machine is never quite at rest: read the ratios before the figures."""


def part(
    command: str,
    figures: Figures,
    wanted: Sequence[Target],
    *,
    about: str,
    ours: str,
    beside: Figures | None = None,
    also: str = "",
) -> str:
    """The body of a part: when and where it was measured, what was compared, figures, targets.

    >>> part("benchmarks.training", figures, TARGETS, about="- **fine_tune**: ...", ours="Trainer")

    `beside` holds figures that targets ask for and the table does not show; `also` names what else the
    measurement depends on, as the browser.
    """
    measured = f"Measured by `python -m {command}` on {date.today()}: {machine(also)}, rounds: {rounds(figures)}."
    tables = [comparison(figures, ours)]
    if wanted:
        tables += ["### Targets", targets({**figures, **(beside or {})}, wanted)]
    return "\n\n".join([wrapped(measured), about.strip(), *tables])


def machine(also: str = "") -> str:
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / 2**30
    return f"{cores} cores, {memory:.0f} GiB, {platform.system()}" + (f", {also}" if also else "")


def put(title: str, body: str, page: Path = PAGE) -> None:
    """Write one part of the page under `## title`, in place of what an earlier run wrote there."""
    parts = _parts(page.read_text(encoding="utf-8")) if page.exists() else {}
    parts[title] = body.strip()
    text = "\n\n".join([TITLE, wrapped(INTRODUCTION), *(f"## {name}\n\n{body}" for name, body in parts.items())])
    page.parent.mkdir(exist_ok=True)
    page.write_text(text + "\n", encoding="utf-8")


def _parts(text: str) -> dict[str, str]:
    """{title: body} of the page's second-level headings, in their order."""
    _, *pieces = re.split(r"^## ", text, flags=re.MULTILINE)
    return {title: body.strip() for title, _, body in (piece.partition("\n") for piece in pieces)}
