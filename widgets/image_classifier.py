"""A photo in, an answer out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from ipywidgets import Button, VBox
from PIL import Image
from traitlets import All, Any, default

from ..models.images import jpeg, open_image
from ..models.memory import give_back
from .answer import Answer
from .background import offload, start
from .card_view import CardView
from .examples import Examples
from .image_upload import ImageUpload
from .picture import Picture
from .predictions_table import PredictionsTable
from .probability_bars import ProbabilityBars
from .results import THUMBNAIL_SIDE, Result, classified, table

KEPT = 1000  # results; the oldest photos go first, so that a long visit does not fill the disk
PACE = 0.2  # seconds between two updates of the table while many photos are classified


class ImageClassifier(VBox):
    """Upload photos, see what a classifier says of them, and tell it where it is wrong.

    >>> ImageClassifier(Classifier.shipped("bears"))
    >>> ImageClassifier(lambda image: {"light": 0.9, "dark": 0.1}, run="button", label="Light or dark?")

    `classifier` is any callable from a `PIL.Image` to {label: probability}. If it has `labels`, a
    visitor can flag a wrong answer with the right one; if it has a `card` (a `ModelCard`), that
    stands behind a fold; if its answer has `unfamiliar` (see `Prediction`), the page says so.
    `run="button"` waits for a click; `examples` are paths, images or (name, path or image) pairs;
    `history=False` forgets the earlier photos when new ones come.

    `value` is a DataFrame with a row for each photo of the last choice: `item`, `predicted`,
    `confidence`, `label` (the visitor's word), `unfamiliar`, `novelty`, `error`, `probabilities`.
    `flags` holds all rows that a visitor flagged. Other options go to `ImageUpload`, `max_side` among them.
    Raises TypeError for a classifier that is not callable, ValueError for an unknown `run`.
    """

    value = Any(help="the last results as a DataFrame")

    def __init__(
        self,
        classifier: Callable[[Image.Image], Mapping[str, float]],
        *,
        run: Literal["auto", "button"] = "auto",
        examples: Iterable = (),
        history: bool = True,
        label: str = "Drop photos here",
        max_side: int | None = 1280,
        **upload_options,
    ):
        if not callable(classifier):
            raise TypeError(f"classifier must be callable with an image, got {type(classifier).__name__}")
        if run not in ("auto", "button"):
            raise ValueError(f'run must be "auto" or "button", got {run!r}')
        self.classifier = classifier
        self.history = history
        self._results: list[Result] = []
        self._cleared: list[Result] = []  # what Undo brings back
        self._batch: list[Result] = []  # the results of the last choice
        self._seen: tuple = ()
        self._queue: deque = deque()
        self._done = self._total = 0
        self._working = False
        self._selected: Result | None = None
        self._shown_at = 0.0

        waits = run == "button"
        self.upload = ImageUpload(label=label, max_side=max_side, show_files=waits, **upload_options)
        self.button = Button(description="Classify", button_style="primary", disabled=True) if waits else None
        self.picture = Picture()
        self.bars = ProbabilityBars()
        self.answer = Answer(self.labels, flagged=self._flag)
        self.table = PredictionsTable(
            flagged=self._flag, chosen=self._choose, cancelled=self._cancel, cleared=self._clear
        )
        self._examples = [_Example(example) for example in examples]
        card = getattr(classifier, "card", None)
        children = [
            self.upload,
            self._example_row() if self._examples else None,
            self.button,
            self.answer,
            self.bars,
            self.picture,
            self.table,
            CardView(card.sections()) if card is not None else None,
        ]
        super().__init__([child for child in children if child is not None])
        self.add_class("ipyfastai-image-classifier")
        self.upload.observe(self._arrived, "value")
        if self.button is not None:
            self.button.on_click(lambda _: self._begin())

    @property
    def labels(self) -> list[str]:
        """The labels a photo can have: the classifier's own, and any that it has answered with."""
        own = getattr(self.classifier, "labels", ())
        return list(dict.fromkeys([*own, *(label for r in self._results for label in r.probabilities)]))

    @property
    def flags(self):
        """A DataFrame like `value` of the photos that were flagged with their right label."""
        return table(result for result in self._results if result.label)

    # `value` costs pandas: it is made when somebody looks at it, and from then on kept up to date.

    @default("value")
    def _table(self):
        return table(self._batch)

    def observe(self, handler, names=All, type="change"):
        if names is All or "value" in names:
            self.value  # noqa: B018
        super().observe(handler, names=names, type=type)

    # What comes in.

    def _arrived(self, change) -> None:
        new = [upload for upload in change["new"] if upload not in self._seen]
        if new and not self._seen:  # the uploader began anew: it empties `value` first
            self._new_batch()
        self._seen = change["new"]
        if self.button is not None and not self._working:  # what was taken back before the click
            self._queue = deque(waiting for waiting in self._queue if waiting[1] in self._seen)
        self._queue.extend((upload.name, upload) for upload in new)
        if self.button is None:
            self._begin()
        else:
            self.button.disabled = not self._queue

    def _pick(self, index: int) -> None:
        example = self._examples[index]
        self._new_batch()
        self._queue.append((example.name, example))
        self._begin()

    def _new_batch(self) -> None:
        self._batch = []
        if not self.history:
            self._results = []

    def _example_row(self) -> Examples:
        thumbnails = [jpeg(example.picture(THUMBNAIL_SIDE), THUMBNAIL_SIDE) for example in self._examples]
        return Examples([example.name for example in self._examples], thumbnails, picked=self._pick)

    # The work: one photo after the other in a thread, the kernel free for Cancel meanwhile.

    def _begin(self) -> None:
        if self.button is not None:
            self.button.disabled = True
        if not self._working:
            self._working = True  # here already: more photos may arrive before the work's first step
            start(self._work())

    async def _work(self) -> None:
        self._done = 0
        try:
            while self._queue:
                self._total = self._done + len(self._queue)
                if self._total > 1 and self._done == 0:
                    self._show()
                name, source = self._queue.popleft()
                result = await offload(classified, self.classifier, name, source)
                self._done += 1
                self._results.append(result)
                self._batch.append(result)
                del self._results[:-KEPT]
                if len(self._batch) == 1:
                    await self._select(result)
                elif time.monotonic() - self._shown_at > PACE:
                    self._show()
                await offload(result.preview)
        finally:
            self._working = False
            self._done = self._total = 0
            self._show()
            self._publish()
        await offload(give_back)

    def _cancel(self) -> None:
        self._queue.clear()
        self.upload.cancel()  # else the rest of the choice would go on as it arrives

    # What goes out.

    async def _select(self, result: Result) -> None:
        """Show one result large: the answer at once, then its picture."""
        self._selected = result
        self.bars.value = {label: min(1.0, value) for label, value in result.probabilities.items()}
        self._show()
        preview = await offload(result.preview)
        if self._selected is result:  # no other was chosen meanwhile
            with self.picture.hold_sync():
                self.picture.value = preview
                self.picture.alt = f"{result.item}: {result.error or result.predicted}"
                self.picture.caption = result.item

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        labels = self.labels
        if self._selected is not None:
            self.answer.show(self._selected.row(), labels)
        self.table.show(
            self._results,
            labels,
            selected=self._selected.id if self._selected else "",
            done=self._done,
            total=self._total if self._total > 1 else 0,
            undo=bool(self._cleared),
        )

    def _publish(self) -> None:
        if self.trait_has_value("value"):
            self.value = self._table()

    # What a visitor does with the results.

    def _find(self, id: str) -> Result | None:
        return next((result for result in self._results if result.id == id), None)

    def _choose(self, id: str) -> None:
        if result := self._find(id):
            start(self._select(result))

    def _flag(self, id: str, label: str) -> None:
        result = self._find(id)
        if result is not None and (label == "" or label in self.labels):
            result.label = label
            self._show()
            self._publish()

    def _clear(self, clear: bool) -> None:
        self._cleared, self._results = (self._results, []) if clear else ([], self._cleared + self._results)
        self._show()


class _Example:
    """A picture given by path, as an image, or as a pair with its name in front."""

    def __init__(self, example):
        self.name, self._source = example if isinstance(example, tuple) else (None, example)
        if self.name is None:
            self.name = "example" if isinstance(self._source, Image.Image) else Path(self._source).stem

    def picture(self, at_least: int | None = None) -> Image.Image:
        if isinstance(self._source, Image.Image):
            return self._source.convert("RGB")
        return open_image(self._source, at_least=at_least)
