"""What can be decided about a climb of the ladder, as a form."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...models.collab.ratings import Ratings
from ...models.collab.rungs import RUNGS
from ...models.collab.settings import DECAYS, CollabSettings, settings_for
from ...models.collab.splits import SPLITS, Split, split_ratings
from ..form import Field, Form

SPLIT_WORDS = {"random": "At random", "time": "The latest of all", "last": "Each user's latest"}
USUAL = ("dot_product", "biases", "range", "weight_decay", "net")
DECAY_WORDS = {"adamw": "As in AdamW", "l2": "As L2 penalty"}


class LadderForm(Form):
    """How ratings are split, which rungs are trained, and how.

    >>> form = LadderForm(ratings)
    >>> form.splitter()(), form.settings()

    The settings are the lessons', batches larger for many ratings. Ratings without times are split at random only.
    """

    def __init__(self, ratings: Ratings, *, changed: Callable[[str], Any] | None = None, **kwargs):
        self._ratings, self._settings = ratings, settings_for(ratings, factors=50, epochs=5)
        self._splits = [name for name in SPLITS if name == "random" or ratings.times is not None]
        self._locked = False
        super().__init__(label="How to train", changed=lambda name: self._draw(name, changed), **kwargs)
        self.add_class("ipyfastai-ladder-form")
        self._draw()

    def lock(self, locked: bool) -> None:
        """Whether nothing can be changed: while a training runs."""
        self._locked = locked
        self._draw()

    @property
    def how(self) -> str:
        """The name of the split."""
        return self._splits[self.get("split", 0)]

    def splitter(self) -> Callable[[], Split]:
        """What splits the ratings as it is chosen now, in any thread. ValueError, a sentence, where nothing is left."""
        options = {} if self.how == "last" else {"valid_share": self["share"] / 100}
        if self.how == "random":
            options["seed"] = self["seed"]
        return partial(split_ratings, self._ratings, self.how, **options)

    def settings(self) -> list[CollabSettings]:
        """Those of each chosen rung, from the bottom of the ladder up. ValueError, a sentence, without any."""
        if not self["rungs"]:
            raise ValueError("Choose a rung to train.")
        names = [list(RUNGS)[place] for place in self["rungs"]]
        return [
            CollabSettings(
                name,
                factors=self["factors"],
                epochs=self["epochs"],
                learning_rate=self["learning_rate"],
                weight_decay=self["weight_decay"] if RUNGS[name].weight_decay else None,
                decay=DECAYS[self["decay"]],
                batch_size=self["batch_size"],
                early_stop=self["early_stop"] or None,
                seed=self["seed"],
            )
            for name in names
        ]

    def _draw(self, name: str = "", changed: Callable[[str], Any] | None = None) -> None:
        usual = self._settings
        splits = [SPLIT_WORDS[split] for split in self._splits]
        rungs, given = [step.title for step in RUNGS.values()], tuple(list(RUNGS).index(rung) for rung in USUAL)
        fields = [
            Field("split", "Held back for measuring", "choice", options=splits),
            Field("share", "Share held back, in percent", "number", 20, low=1, high=90),
            Field("rungs", "Rungs to train", "several", given, options=rungs),
            Field("epochs", "Epochs", "number", usual.epochs, low=1, high=1000),
            Field("factors", "Factors", "number", usual.factors, low=1, high=1024),
            Field("learning_rate", "Learning rate", "number", usual.learning_rate, low=1e-5, high=10, step=1e-5),
            Field("batch_size", "Batch size", "number", usual.batch_size, low=1, high=1 << 20),
            Field("weight_decay", "Weight decay", "number", 0.1, low=0, high=10, step=0.001),
            Field("early_stop", "Stop after epochs without gain", "number", 0, low=0, high=1000, hint="0: never."),
            Field("seed", "Seed", "number", usual.seed, low=0, high=2**32 - 1),
            Field("decay", "Weight decay, in the rungs with it", "choice", options=[*DECAY_WORDS.values()]),
        ]
        shown = [field for field in fields if field.name != "share" or self.get("split", 0) != self._last]
        self.show([Field(**{**vars(field), "disabled": self._locked}) for field in shown])
        if changed is not None:
            changed(name)

    @property
    def _last(self) -> int | None:
        """The place of the split that needs no share."""
        return self._splits.index("last") if "last" in self._splits else None
