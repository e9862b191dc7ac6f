"""What a trained rung knows: its embeddings, what is liked beyond taste, and the model to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ipywidgets import Widget

from ...models.collab.rungs import RUNGS
from ...models.progress import Progress
from ..composite import Composite, discard
from ..file_download import FileDownload
from ..form import Field, Form
from ..newest_job import NewestJob
from .bias_ranking import BiasRanking

if TYPE_CHECKING:
    from ...models.collab.run import CollabRun
    from .rung_ladder import RungLadder

Made = tuple[Callable[[], Widget], str]

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

    What is shown is made in the background, since some of it goes through all ratings; `content` is None until then.
    Raises ValueError for a ladder that has not been climbed yet.
    """

    def __init__(self, ladder: RungLadder, **kwargs):
        if not ladder.runs or ladder.best is None:
            raise ValueError("There is no trained rung yet.")
        self._runs = dict(ladder.runs)
        self._names = list(self._runs)
        self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-model-", ignore_cleanup_errors=True)
        self.content: Widget | None = None
        self.form, self.job = Form(label="The trained rung", changed=lambda _name: self._show()), NewestJob()
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

    @property
    def _chosen(self) -> tuple[CollabRun, str]:
        return self._runs[self._names[self.form["rung"]]], (EMBEDDINGS, BIASES, KEEP)[self.form["what"]]

    def _show(self) -> None:
        chosen = run, what = self._chosen
        folder = Path(self._temporary.name)
        self._put(None)
        self.job.say("")
        self.job.run(lambda progress: _make(what, run, folder, progress), then=lambda made: self._made(chosen, *made))

    def _made(self, chosen: tuple[CollabRun, str], make: Callable[[], Widget], said: str) -> None:
        if chosen == self._chosen:  # else something else was chosen meanwhile, and is being made
            self._put(make())
            self.job.say(said)

    def _put(self, content: Widget | None) -> None:
        old, self.content = self.content, content
        self.children = self.parts
        if old is not None:
            discard(old)


# What is chosen, made in a thread: what makes the widget of it, and a sentence to stand above that.


def _explorer(run: CollabRun, folder: Path, progress: Progress) -> Made:
    if not find_spec("jscatter"):
        raise ValueError(NO_PLOT)
    progress.report(0, None, "Getting the embeddings")
    from ..embeddings.explorer import EmbeddingExplorer

    counts = run.split.train.item_counts
    floor = next((least for least in FLOORS if (counts >= least).sum() >= ENOUGH), 1)
    return partial(EmbeddingExplorer, run.embeddings(at_least=floor)), ""


def _biases(run: CollabRun, folder: Path, progress: Progress) -> Made:
    if not RUNGS[run.settings.rung].has_factors:
        raise ValueError(NO_SUM)
    if "item_bias" not in run.rung.tables():
        raise ValueError(NO_BIASES)
    progress.report(0, None, "Making a recommender of all ratings")
    return partial(BiasRanking, run.recommender()), ""


def _kept(run: CollabRun, folder: Path, progress: Progress) -> Made:
    if RUNGS[run.settings.rung].has_factors:
        progress.report(0, None, "Making a recommender of all ratings")
        path = run.recommender().without_users().save(folder / "films.safetensors")
        return partial(_download, "Download the recommender", path), SERVE
    from ...models.collab.trained_rung import TrainedRung

    path = TrainedRung.of(run).save(folder / "network.safetensors")
    return partial(_download, "Download the network", path), PREDICT


def _make(what: str, run: CollabRun, folder: Path, progress: Progress) -> Made:
    made = {EMBEDDINGS: _explorer, BIASES: _biases, KEEP: _kept}[what](run, folder, progress)
    progress.report(1, 1)  # where somebody has cancelled it, it is not shown
    return made


def _download(text: str, path: Path) -> FileDownload:
    download = FileDownload(text)
    download.offer(path)
    return download
