"""From ratings to a recommender: look, understand, climb the ladder, see what was learned."""

from __future__ import annotations

import os
from importlib.util import find_spec

import traitlets
from ipywidgets import Widget

from ...models.collab.ratings import Ratings
from ...models.loading import load_fastai
from ...models.progress import Progress
from ..composite import Composite, discard
from ..data.findings import Findings
from ..form import Field, Form
from ..heading import Heading
from ..job import Job
from .latent_factors import LatentFactors
from .ratings_source import RatingsSource
from .ratings_table import RatingsTable
from .rung_ladder import RungLadder
from .rung_result import RungResult

LOOK = ("The ratings and their gaps", "What latent factors are")
WAIT = (
    "These ratings wait: the training below is of those before. Using them ends it where it still runs, and gives up "
    "its rungs, figures and embeddings; download first what you want to keep."
)
NO_TORCH = (
    "Training needs fastai and PyTorch, which are not installed where this notebook runs. "
    "Install them with: pip install 'ipyfastai[train]'"
)


class CollabTraining(Composite):
    """Ratings, a look at them and at latent factors, the ladder of models, and the embeddings of the best.

    >>> CollabTraining()
    >>> CollabTraining(movielens("ml-latest-small"))

    Without `ratings`, they are chosen on the page (see `RatingsSource`); others that are chosen later wait until
    somebody gives up what was trained by then. `value` is the DataFrame of the ladder's figures, None before;
    `ladder.runs` are the trained rungs.
    """

    value = traitlets.Any(None, allow_none=True, read_only=True, help="figures of the rungs, or None")

    def __init__(
        self,
        ratings: Ratings | None = None,
        *,
        folder: str | os.PathLike | None = None,
        data_root: str | os.PathLike | None = None,
    ):
        self._folder = folder
        self.source = RatingsSource(data_root=data_root, then=_load) if ratings is None else None
        self.table: RatingsTable | None = None
        self.factors: LatentFactors | None = None
        self.ladder: RungLadder | None = None
        self.result: RungResult | None = None
        self.notice = Job()
        self._waiting: Ratings | None = None
        self.warning = Findings()
        self.offer = Form(label="Other ratings", pressed=self._use)
        self.warning.show([("warn", WAIT)])
        self.offer.show([Field("use", "Use the new ratings", "button", primary=False)])
        self._look = Form(label="A look at the ratings", changed=lambda _name: self._draw())
        self._look.show([Field("look", "Show", "choice", options=LOOK)])
        self._heads = [Heading(text) for text in ("Ratings", "A look at them", "The ladder", "What the model knows")]
        super().__init__([])
        self.add_class("ipyfastai-collab-training")
        if not (find_spec("torch") and find_spec("fastai")):
            self.notice.say(NO_TORCH, bad=True)
            self.children = [self.notice]
        elif ratings is not None:
            self._begin(ratings)
        else:
            self.source.observe(self._came, "value")
            self._draw()

    @property
    def parts(self) -> tuple[Widget, ...]:
        made = (self.source, self.table, self.factors, self.ladder, self.result)
        always = (*self._heads, self.notice, self.warning, self.offer, self._look)
        return *always, *(part for part in made if part is not None)

    def _came(self, change) -> None:
        """Other ratings are used at once only where nothing is lost by that."""
        if self.ladder is None or not (self.ladder.active or self.ladder.runs):
            self._begin(change.new)
        else:
            self._waiting = change.new
            self._draw()

    def _use(self, _name: str) -> None:
        if self._waiting is not None:  # else a page was slow
            self._begin(self._waiting)

    def _begin(self, ratings: Ratings) -> None:
        """Make everything anew with other ratings."""
        self._waiting = None
        old = [part for part in (self.table, self.factors, self.ladder, self.result) if part is not None]
        self.set_trait("value", None)
        self.table, self.factors, self.result = RatingsTable(ratings), None, None
        self.ladder = RungLadder(ratings, folder=self._folder)
        self.ladder.observe(self._climbed, "value")
        self._draw()
        discard(*old)

    def _climbed(self, change) -> None:
        old, self.result = self.result, None
        if change.new is not None:
            self.result = RungResult(self.ladder)
            self.table.predictor = self.ladder.runs[self.ladder.best].predictor
        self.set_trait("value", change.new)
        self._draw()
        if old is not None:
            discard(old)

    def _draw(self) -> None:
        first, look, ladder, result = self._heads
        shown = [] if self.source is None else [first, self.source]
        if self._waiting is not None:
            shown += [self.warning, self.offer]
        if self.table is not None:
            if self._look["look"] == 1 and self.factors is None:
                self.factors = LatentFactors(self.table.ratings)
            shown += [look, self._look, self.table if self._look["look"] == 0 else self.factors, ladder, self.ladder]
        if self.result is not None:
            shown += [result, self.result]
        self.children = shown


def _load(progress: Progress) -> None:
    """What latent factors and the ladder need: it takes seconds."""
    progress.report(0, None, "Loading fastai and PyTorch")
    load_fastai()
