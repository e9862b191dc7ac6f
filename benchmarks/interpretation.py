"""Interpretation from one look at each photo beside fastai's, which looks anew for each question.

Both answer the same questions about the same learner in one process, one after the other in rounds, so that a
change in the machine's speed meets both; the answers are compared. Writes its part of docs/benchmarks.md; needs
some five minutes of a machine that does nothing else, and the sample photos. `--quick` only tries whether
everything works: one round, nothing written.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections import defaultdict

import numpy as np

from tests.drawings import DATA

from .document import part, put
from .figures import Target
from .options import need_photos, parser

TITLE = "Interpretation"
FASTAI, OURS = "ClassificationInterpretation", "predictions"
MATRIX = "confusion matrix, most confused pairs, top losses (s)"
SCORES = "the same, and precision and recall of each label (s)"
CLICK = "a cell's photos, found (ms)"
TARGETS = [Target(MATRIX, FASTAI, at_most=0.4, name=OURS), Target(SCORES, FASTAI, at_most=0.3, name=OURS)]
ABOUT = """`bears` (409 photos, 128 px) and a MobileNetV2, both splits, on {device}. Training photos are seen as
validation photos are, by both.

- **ClassificationInterpretation**: fastai's, `from_learner`, then `confusion_matrix`, `most_confused` and
  `top_losses`; for the second row `print_classification_report` too. Each but `top_losses` looks at every photo anew
- **predictions**: `models.predictions(learn)` once, then the same from its table

The answers are the same. *a cell's photos*: the rows of one cell of the matrix, worst first, in the table that is
there already."""


def learner():
    import fastai.callback.progress  # noqa: F401  gives the Learner its no_bar()
    from fastai.torch_core import set_seed
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    os.environ.setdefault("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
    set_seed(0)
    return transfer_learner(image_folder_dataloaders(DATA / "bears", size=128))


def fastais(learn, *, scores: bool) -> list:
    """For each split: the counts, the pairs and the ten highest losses."""
    from fastai.interpret import ClassificationInterpretation

    answers = []
    with learn.no_bar():
        for split in range(2):
            loader = learn.dls.test_dl(learn.dls[split].dataset.items, with_labels=True)
            interpretation = ClassificationInterpretation.from_learner(learn, dl=loader)
            counts, pairs = interpretation.confusion_matrix(), interpretation.most_confused()
            losses, _ = interpretation.top_losses(10)
            answers.append((counts, pairs, losses.numpy()))
            if scores:
                with contextlib.redirect_stdout(io.StringIO()):
                    interpretation.print_classification_report()
    return answers


def ours(learn, *, scores: bool) -> list:
    from ipyfastai.models import predictions
    from ipyfastai.models.interpretation import confusion
    from ipyfastai.models.interpretation.predictions import labels

    table, answers = predictions(learn), []
    names = labels(table)
    for split in ("train", "valid"):
        part = table[table["split"] == split]
        counts = confusion.confusion(part)
        pairs = [(names[i], names[j], count) for i, j, count in confusion.most_confused(counts)]
        answers.append((counts, pairs, confusion.top_losses(part)["loss"].to_numpy()[:10]))
        if scores:
            confusion.scores(counts, names)
    return answers


def found(learn) -> float:
    """Milliseconds from a chosen cell to its rows."""
    from ipyfastai.models import predictions
    from ipyfastai.widgets import ConfusionMatrix

    matrix = ConfusionMatrix(predictions(learn, splits=["valid"]))
    try:
        matrix.value = (matrix.labels[0], matrix.labels[1])
        began = time.perf_counter()
        len(matrix.items)
        return (time.perf_counter() - began) * 1000
    finally:
        matrix.close()


def check(theirs: list, own: list) -> None:
    for (counts, pairs, losses), (our_counts, our_pairs, our_losses) in zip(theirs, own, strict=True):
        same = (counts == our_counts).all() and pairs == our_pairs and np.allclose(losses, our_losses, atol=1e-4)
        if not same:
            raise RuntimeError(f"the answers differ: {counts} and {our_counts}")


def measure(learn, rounds: int) -> dict:
    """figures[what][name] = a value for each round."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    ours(learn, scores=False)  # a look that does not count: the disk had to read the photos
    for number in range(rounds):
        for what, scores in ((MATRIX, False), (SCORES, True)):
            answers = {}
            for name, ask in ((FASTAI, fastais), (OURS, ours)):
                began = time.perf_counter()
                answers[name] = ask(learn, scores=scores)
                figures[what][name].append(time.perf_counter() - began)
            check(answers[FASTAI], answers[OURS])
            print(f"round {number + 1}, {what}: " + ", ".join(f"{k} {v[-1]:.1f}" for k, v in figures[what].items()))
        figures[CLICK][OURS].append(found(learn))
    return figures


def main() -> None:
    command = parser(__doc__, quick="one round")
    options = command.parse_args()
    need_photos(command)
    from ipyfastai.models.training.device import device_name

    learn = learner()
    figures = measure(learn, 1 if options.quick else options.rounds)
    about = ABOUT.format(device=device_name(learn.dls.device))
    body = part("benchmarks.interpretation", figures, TARGETS, about=about, ours=OURS)
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
