"""What a trained rung knows: its embeddings, what is liked beyond taste, and the model to keep."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ipywidgets import Widget

from ...models.collab.rungs import RUNGS
from ..composite import Composite
from ..file_download import FileDownload
from ..form import Field, Form
from ..job import Job
from .bias_ranking import BiasRanking

if TYPE_CHECKING:
    from .rung_ladder import RungLadder

EMBEDDINGS, BIASES, KEEP = "Embeddings", "Liked beyond taste", "Keep the model"
FLOORS = (20, 10, 5, 1)  # ratings that a title needs to be shown among the embeddings
ENOUGH = 30  # titles
NO_PLOT = "The embeddings are drawn with jupyter-scatter: install it with pip install 'ipyfastai[explore]'."
NO_SUM = "Its rating is no sum of factors and biases, in which taste and liking stand apart: choose another rung."
NO_BIASES = "It has no biases. The rungs above it do."
SERVE = "Serve it with: ipyfastai --recommender FILE. People and their ratings are not in it; visitors bring their own."
PREDICT = (
    "For Python with PyTorch: TrainedRung.load(FILE).predict(users, items), from ipyfastai.models. It rates only for "
    "the people it was trained with, whose ids are in it: visitors of a page need the recommender of another rung."
)


class RungResult(Composite):
    """Look at what a rung of a `RungLadder` has learned: the best one at first, or any other.

    >>> result = RungResult(ladder)
    >>> result.content  # the EmbeddingExplorer, BiasRanking or FileDownload that is shown

    Raises ValueError for a ladder that has not been climbed yet.
    """

    def __init__(self, ladder: RungLadder, **kwargs):
        if not ladder.runs or ladder.best is None:
            raise ValueError("There is no trained rung yet.")
        self._runs = dict(ladder.runs)
        self._names = list(self._runs)
        self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-model-", ignore_cleanup_errors=True)
        self.content: Widget | None = None
        self.form, self.job = Form(label="The trained rung", changed=lambda _name: self._show()), Job()
        best = self._names.index(ladder.best)
        self.form.show(
            [
                Field("rung", "Rung", "select", best, options=self._names),
                Field("what", "Look at", "choice", options=[EMBEDDINGS, BIASES, KEEP]),
            ]
        )
        super().__init__([self.form, self.job], **kwargs)
        self._show()

    @property
    def parts(self) -> tuple[Widget, ...]:
        return self.form, self.job, *([] if self.content is None else [self.content])

    def close(self) -> None:
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        super().close()
        self._temporary.cleanup()

    def _show(self) -> None:
        run = self._runs[self._names[self.form["rung"]]]
        what = (EMBEDDINGS, BIASES, KEEP)[self.form["what"]]
        old, self.content = self.content, None
        self.job.say("")
        try:
            self.content = {EMBEDDINGS: _explorer, BIASES: _biases, KEEP: self._download}[what](run)
        except ValueError as error:
            self.job.say(str(error), bad=True)
        self.children = self.parts
        if old is not None:
            old.close()

    def _download(self, run) -> FileDownload:
        folder = Path(self._temporary.name)
        if RUNGS[run.settings.rung].has_factors:
            path = run.recommender().without_users().save(folder / "films.safetensors")
            download, said = FileDownload("Download the recommender"), SERVE
        else:
            from ...models.collab.trained_rung import TrainedRung

            path = TrainedRung.of(run).save(folder / "network.safetensors")
            download, said = FileDownload("Download the network"), PREDICT
        download.offer(path)
        self.job.say(said)
        return download


def _explorer(run) -> Widget:
    if not find_spec("jscatter"):
        raise ValueError(NO_PLOT)
    from ..embeddings.explorer import EmbeddingExplorer

    counts = run.split.train.item_counts
    floor = next((least for least in FLOORS if (counts >= least).sum() >= ENOUGH), 1)
    return EmbeddingExplorer(run.embeddings(at_least=floor))


def _biases(run) -> BiasRanking:
    if not RUNGS[run.settings.rung].has_factors:
        raise ValueError(NO_SUM)
    if "item_bias" not in run.rung.tables():
        raise ValueError(NO_BIASES)
    return BiasRanking(run.recommender())
