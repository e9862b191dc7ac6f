"""A photo in, an answer out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
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
from .composite import discard
from .examples import Examples
from .image_upload import ImageUpload
from .picture import Picture
from .predictions_table import PredictionsTable
from .probability_bars import ProbabilityBars
from .results import THUMBNAIL_SIDE, Result, classified, table
from .uploads import Upload
from .work_queue import Batch, WorkQueue

KEPT = 1000  # results; the oldest photos go first, so that a long visit does not fill the disk
PACE = 0.2  # seconds between two updates of the table while many photos are classified


class ImageClassifier(VBox):
    """Upload photos, see what a classifier says of them, and tell it where it is wrong.

    >>> ImageClassifier(Classifier.shipped("bears"))
    >>> ImageClassifier(lambda image: {"light": 0.9, "dark": 0.1}, run="button", label="Light or dark?")

    `classifier` is any callable from a `PIL.Image` to {label: probability}. It is given each photo
    upright and in RGB; a browser shrinks large ones to `max_side` pixels first, and a JPEG is decoded
    at a reduced size of no less than `decode_side` pixels (None: whole, for both). If it has `labels`,
    a visitor can flag a wrong answer with the right one; if it has a `card` (a `ModelCard`), that
    stands behind a fold; if its answer has `unfamiliar` (see `Prediction`), the page says so.
    `run="button"` waits for a click; `examples` are paths, images or (name, path or image) pairs;
    `history=False` forgets the earlier photos when new ones come. Other options go to `ImageUpload`.

    `value` is a DataFrame with a row for each photo of the last choice: `item`, `predicted`,
    `confidence`, `label` (the visitor's word), `unfamiliar`, `novelty`, `error`, `probabilities`.
    `flags` is one of all photos that were flagged.
    Raises TypeError for a classifier that is not callable, ValueError for an unknown `run`.
    """

    value = Any(read_only=True, help="the last results as a DataFrame")

    def __init__(
        self,
        classifier: Callable[[Image.Image], Mapping[str, float]],
        *,
        run: Literal["auto", "button"] = "auto",
        examples: Iterable = (),
        history: bool = True,
        label: str = "Add photos",
        max_side: int | None = 1280,
        decode_side: int | None = 640,
        **upload_options,
    ):
        if not callable(classifier):
            raise TypeError(f"classifier must be callable with an image, got {type(classifier).__name__}")
        if run not in ("auto", "button"):
            raise ValueError(f'run must be "auto" or "button", got {run!r}')
        self.classifier = classifier
        self.history = history
        self._labels = dict.fromkeys(getattr(classifier, "labels", ()))
        self._results: list[Result] = []
        self._batch = Batch()  # the last choice, which `value` shows
        self._choice = Batch()  # the last choice that was uploaded
        self._taken: set[Upload] = set()  # what of it was handed to the classifier
        self._selected: Result | None = None
        self._cleared: tuple[list[Result], Batch] | None = None  # what Undo brings back
        self._shown_at = 0.0
        self._queue = WorkQueue(
            partial(classified, classifier, decode_side=decode_side), finished=self._finished, idle=self._rest
        )

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
            self.button.on_click(lambda _: self._take())

    @property
    def labels(self) -> list[str]:
        """The labels a photo can have: the classifier's own, and any that it has answered with."""
        return list(self._labels)

    @property
    def flags(self):
        """A DataFrame like `value` of the photos that were flagged with their right label."""
        return table(result for result in self._results if result.label)

    def close(self) -> None:
        """Stop, and let go of the classifier and all photos."""
        if self.children:  # not where the constructor raised
            self._cancel()
        discard(*self.children)
        super().close()

    # `value` costs pandas: it is made when somebody looks at it, and from then on kept up to date.

    @default("value")
    def _table(self):
        return table(self._batch)

    def observe(self, handler, names=All, type="change"):
        if names is All or "value" in names:
            self.value  # noqa: B018
        super().observe(handler, names=names, type=type)

    def _publish(self) -> None:
        if self.trait_has_value("value"):
            self.set_trait("value", self._table())

    # What comes in.

    @property
    def _waiting(self) -> list[Upload]:
        return [upload for upload in self.upload.value if upload not in self._taken]

    def _arrived(self, change) -> None:
        self._taken &= set(change["new"])
        if self.button is None:
            self._take()
        else:
            self.button.disabled = not self._waiting

    def _take(self) -> None:
        """Hand over what has arrived; its first photos begin a batch, later ones of the choice join it."""
        if waiting := self._waiting:
            if not self._taken:
                self._choice = self._new_batch()
            self._taken.update(waiting)
            self._queue.put(self._choice, [(upload.name, upload) for upload in waiting])
        if self.button is not None:
            self.button.disabled = True

    def _pick(self, index: int) -> None:
        example = self._examples[index]
        self._queue.put(self._new_batch(), [(example.name, example)])

    def _new_batch(self) -> Batch:
        self._batch = Batch()
        if not self.history:
            self._results = []
            self._queue.drop()
        return self._batch

    def _example_row(self) -> Examples:
        thumbnails = [jpeg(example.picture(THUMBNAIL_SIDE), THUMBNAIL_SIDE) for example in self._examples]
        return Examples([example.name for example in self._examples], thumbnails, picked=self._pick)

    def _cancel(self) -> None:
        dropped = self._queue.drop()
        self.upload.cancel()  # else the rest of the choice would go on as it arrives
        if self.button is not None:  # they stand in the list still: another click takes them
            self._taken.difference_update(source for source in dropped if isinstance(source, Upload))
            self.button.disabled = not self._waiting

    # What comes out, one after the other.

    async def _finished(self, batch: Batch, result: Result) -> None:
        if self.history or batch is self._batch:
            self._labels.update(dict.fromkeys(result.probabilities))
            self._results.append(result)
            batch.append(result)
            del self._results[:-KEPT], batch[:-KEPT]
        if batch is self._batch and len(batch) == 1:
            await self._select(result)
        elif time.monotonic() - self._shown_at > PACE:
            self._show()
        await offload(result.preview)

    async def _rest(self) -> None:
        self._show()
        self._publish()
        await offload(give_back)

    async def _select(self, result: Result | None) -> None:
        """Show one result large, or none: the answer at once, then its picture."""
        self._selected = result
        probabilities = result.probabilities if result else {}
        self.bars.value = {label: min(1.0, value) for label, value in probabilities.items()}
        self._show()
        preview = await offload(result.preview) if result else b""
        if self._selected is result:  # no other was chosen meanwhile
            with self.picture.hold_sync():
                self.picture.value = preview
                self.picture.alt = f"{result.item}: {result.error or result.predicted}" if result else ""
                self.picture.caption = result.item if result else ""

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        self.answer.show(self._selected.row() if self._selected else {}, self.labels)
        done, total = self._queue.done, self._queue.total
        self.table.show(
            self._results,
            self.labels,
            selected=self._selected.id if self._selected else "",
            done=done if total > 1 else 0,
            total=total if total > 1 else 0,
            undo=self._cleared is not None,
        )

    # What a visitor does with the results.

    def _find(self, id: str) -> Result | None:
        return next((result for result in self._results if result.id == id), None)

    def _choose(self, id: str) -> None:
        if result := self._find(id):
            start(self._select(result))

    def _flag(self, id: str, label: str) -> None:
        result = self._find(id)
        if result is not None and (label == "" or label in self._labels):
            result.label = label
            self._show()
            self._publish()

    def _clear(self, clear: bool) -> None:
        if clear and self._results:
            self._cancel()
            self._cleared = (self._results, self._batch)
            self._results, self._batch = [], Batch()
            start(self._select(None))
        elif not clear and self._cleared:
            (results, batch), self._cleared = self._cleared, None
            self._batch = self._batch or batch
            self._results = (results + self._results)[-KEPT:]
            start(self._select(self._selected or (batch[0] if batch else results[-1])))
        self._publish()


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
