"""A trained classifier as one file that says how it was made and how well it does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import Progress
from .run_card import run_card

if TYPE_CHECKING:
    import pandas as pd
    from fastai.learner import Learner

    from ..training.run import TrainingRun

FEWEST_FOR_NOVELTY = 20  # held-back photos: below that, no threshold for "unlike the training photos" means anything


def publish(
    learn: Learner,
    folder: str | os.PathLike,
    *,
    name: str,
    table: pd.DataFrame | None = None,
    run: TrainingRun | None = None,
    novelty: bool = True,
    progress: Progress | None = None,
    **words: str,
) -> Path:
    """Write the learner as a bundle into `folder`, with a model card filled from how it was trained.

    >>> publish(learn, "published", name="Bears", table=predictions(learn), run=run, licence="CC BY 4.0")
    PosixPath('published/bears.onnx')

    The card tells the numbers of photos, the split, the error beside that of always answering the
    commonest label, and the confusion, all from the predictions `table` (made here if it is None); with
    a `run`, its settings too. `words` are further texts of the `ModelCard`: `summary`, `data_source`,
    `intended_use`, `not_intended_for`, `licence`. With `novelty`, the bundle also measures how unlike the
    training photos a picture is, where the network allows it and 20 photos or more were held back.
    A bundle of the same name is replaced, as a whole or not at all.
    Raises ValueError, and writes nothing, for a name without letters, for a table of another model, and
    where `export_onnx` refuses the learner; Cancelled when `progress` is cancelled.
    """
    from ..export import export_onnx
    from ..interpretation.predictions import check_predictions, labels, predictions
    from ..novelty import fit_novelty
    from ..validation import Validation

    progress = progress or Progress()
    path = Path(folder) / f"{slug(name)}.onnx"
    Validation.of(learn)  # refuses here, before minutes are spent
    if table is None:
        table = predictions(learn, progress=progress)
    table = check_predictions(table)
    if labels(table) != [str(label) for label in learn.dls.vocab]:
        raise ValueError(
            "The table of predictions is about other labels than the learner: make it anew from this learner."
        )
    card = run_card(name, table, run=run, **words)
    measure = None
    if novelty and _can_measure_novelty(learn):
        progress.report(0, 2, "Learning what its training photos look like")
        measure = fit_novelty(learn)
        rate = {"rate": measure.held_back_rate, "count": measure.held_back_count}
        card.unfamiliar = {"photos that were held back": rate}
    progress.report(1, 2, "Writing the bundle and comparing it with the learner")
    path.parent.mkdir(parents=True, exist_ok=True)
    return export_onnx(learn, path, card=card, novelty=measure)


def slug(name: str) -> str:
    """The name as the stem of a file: lower case, letters and digits of any script.

    >>> slug("Bears, and others!")
    'bears_and_others'

    Raises ValueError for a name without a letter or digit.
    """
    stem = re.sub(r"[\W_]+", "_", name.lower()).strip("_")[:60].rstrip("_")
    if not stem:
        raise ValueError("Give the classifier a name with at least one letter or digit.")
    return stem


def _can_measure_novelty(learn: Learner) -> bool:
    from ..novelty import check_body_and_head

    try:
        check_body_and_head(learn.model)
    except ValueError:
        return False
    return len(learn.dls.valid_ds) >= FEWEST_FOR_NOVELTY
