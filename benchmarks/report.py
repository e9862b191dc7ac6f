"""Figures of the classifier app -> its part of docs/benchmarks.md."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .crowd import PATIENCE, Crowd
from .document import part
from .figures import OURS, Figures, Target, figure, header, wrapped

TITLE = "The classifier app"
ERRORS_OF = "{} visitors at once: how many met an error"
APPS = """- **fastai app**: the notebook of the fastai book's chapter 2 (`load_learner`, `FileUpload`,
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


def report(figures: Figures, wanted: Sequence[Target], crowds: Sequence[Crowd], *, browser: str) -> str:
    """The part's body: figures, ratios, targets, crowds."""
    checked = {ERRORS_OF.format(crowd.size): {OURS: [crowd.unlucky]} for crowd in crowds}
    lines = [part("benchmarks.app", figures, wanted, about=APPS, ours=OURS, beside=checked, also=browser)]
    lines += ["", "### Many visitors at once", "", wrapped(CROWD.format(patience=PATIENCE)), ""]
    lines += header("visitors", "button usable: median", "worst", "answer: median", "worst",
                    "memory of a kernel", "kernels and server", "visitors with an error")  # fmt: skip
    lines += [_crowd(crowd) for crowd in crowds]
    return "\n".join(lines)


def _crowd(crowd: Crowd) -> str:
    times = [f"{figure(of(values))} s" for values in (crowd.usable, crowd.answers) for of in (statistics.median, max)]
    memory = [f"{crowd.kernel_memory:.0f} MB", f"{crowd.memory / 1000:.1f} GB"]
    return "| " + " | ".join([str(crowd.size), *times, *memory, str(crowd.unlucky)]) + " |"
