"""What a model is fed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
from PIL import Image
from traitlets import Bytes, Dict, Int, List, Tuple, Unicode

from ...models.images import jpeg
from ..assets import joined
from ..composite import Composite
from ..image_upload import ImageUpload
from ..newest_job import NewestJob

if TYPE_CHECKING:
    from ...models.data.batches import Batch, Batches

COUNTS = (4, 9, 16, 36)
SIDE = 384  # pixels: larger pictures are sent at this size
SMALL = 96  # pixels: smaller ones are sent without loss
LEGEND = 40  # classes named


class BatchGrid(Composite):
    """Batches of any DataLoaders as pictures with their labels, and one photo as training varies it.

    >>> BatchGrid(dls)
    >>> BatchGrid(DataLoader(dataset, batch_size=32), vocab=["cat", "dog"], stats=(mean, std))

    Like fastai's `show_batch`, to click through: training and validation, the next batch, `count`
    pictures (4, 9, 16 or 36), masks, boxes and points laid over them; a photo that is picked in the grid or
    uploaded is shown as often, each with other augmentations. `dls` are fastai `DataLoaders` or loaders of
    torch that give (picture, label); `vocab` and `stats`, (means, standard deviations) to undo, are for
    those that do not tell. Looking changes neither the loaders nor any random numbers.

    `value` is (split, place in its data set) of the picked photo, None without one.
    Raises TypeError for what is no loader, ValueError for an unknown `count`.
    """

    value = Tuple(
        Unicode(), Int(), default_value=None, allow_none=True, read_only=True, help="split and item of the picked photo"
    )

    def __init__(
        self,
        dls: Any,
        *,
        count: int = 9,
        vocab: Sequence[str] | None = None,
        stats: Any = None,
        seed: int = 0,
    ):
        if count not in COUNTS:
            raise ValueError(f"count must be one of {', '.join(map(str, COUNTS))}, got {count!r}")
        from ...models.data.batches import Batches

        self._batches: Batches | None = Batches(dls, vocab=vocab, stats=stats, seed=seed)
        self._split = self._batches.splits[0]
        self._number = self._draw = 0
        self._count = count
        self._photo: tuple[str, Any] | None = None  # name and upload
        self._label = ""  # of the picked photo
        self._items: list[tuple[int | None, str]] = []  # what the grid shows: items and labels
        self.view = BatchView(self._receive)
        self.job = NewestJob()
        self.upload = ImageUpload(label="Or see what training does to a photo of yours", multiple=False, max_side=1280)
        super().__init__([self.view, self.job, self.upload])
        self.add_class("ipyfastai-batches")
        self.upload.observe(self._uploaded, "value")
        self._show()

    def close(self) -> None:
        """Stop, and let go of the loaders."""
        super().close()
        self._batches = self._photo = None

    @property
    def varying(self) -> bool:
        """Whether one photo is shown, many times."""
        return self.value is not None or self._photo is not None

    def pick(self, split: str, item: int) -> None:
        """Show many augmentations of one item of a data set."""
        self._photo, self._draw = None, 0
        self.set_trait("value", (split, item))
        self._show()

    def back(self) -> None:
        """Show the batch again."""
        self._photo = None
        self.set_trait("value", None)
        self._show()

    def _uploaded(self, change) -> None:
        if change["new"]:
            [upload] = change["new"]
            self._photo, self._label, self._draw = (upload.name, upload), "", 0
            self.set_trait("value", None)
            self._show()
        elif self._photo is not None:
            self.back()

    def _show(self) -> None:
        batches, split, number, count, draw = self._batches, self._split, self._number, self._count, self._draw
        value, photo = self.value, self._photo

        def work(progress) -> tuple[Batch, list[bytes]]:
            if photo is not None:
                made = batches.variants_of(photo[1].image, count, draw=draw, progress=progress)
            elif value is not None:
                made = batches.variants(*value, count, draw=draw, progress=progress)
            else:
                made = batches.batch(split, number, count, progress=progress)
            return made, [data for one in made.pictures for data in map(_encoded, (one.image, one.overlay, one.target))]

        state = self._state()
        self.job.run(work, then=lambda made: self._put(state, *made), failed=lambda _: self._put(state))

    def _state(self) -> dict[str, Any]:
        """What the controls show."""
        split = self.value[0] if self.value is not None else self._split
        return {
            "splits": self._batches.splits,
            "split": split,
            "number": self._number,
            "batches": self._batches.count(split),
            "size": self._batches.size(split),
            "count": self._count,
            "counts": COUNTS,
            "varying": self.varying,
            "photo": self._photo[0] if self._photo else "",
            "label": self._label,
        }

    def _put(self, state: dict[str, Any], batch: Batch | None = None, pictures: Sequence[bytes] = ()) -> None:
        shown = batch.pictures if batch is not None else ()
        legend = {name: colour for one in shown for name, colour in one.legend.items()}
        self._items = [(one.item, one.label) for one in shown] if not state["varying"] else []
        with self.view.hold_sync():
            self.view._pictures = list(pictures)
            self.view._shown = {
                **state,
                "labels": [one.label for one in shown],
                "items": [one.item is not None for one in shown],
                "legend": list(legend.items())[:LEGEND],
                "remark": batch.remark if batch is not None else "",
            }

    def _receive(self, content: dict) -> None:
        """What a page asks for, checked."""
        kind, number = content.get("type"), content.get("number")
        if kind == "back" and self.varying:
            self.back()
        elif kind == "again" and self.varying:
            self._draw += 1
            self._show()
        elif type(number) is not int or number < 0:
            return
        elif kind == "split" and number < len(self._batches.splits):
            self._split, self._number = self._batches.splits[number], 0
            self._photo = None
            self.set_trait("value", None)
            self._show()
        elif kind == "batch" and number < (self._batches.count(self._split) or number + 1):
            self._number = number
            self._show()
        elif kind == "count" and number in COUNTS:
            self._count = number
            self._show()
        elif kind == "pick" and number < len(self._items) and self._items[number][0] is not None:
            item, self._label = self._items[number]
            self.pick(self._split, item)


class BatchView(anywidget.AnyWidget):
    """The grid of `BatchGrid` with its controls; `asked(content)` is called for each message."""

    _esm = joined("dom.js", "data/picture_urls.js", "data/batch_grid.js")
    _css = joined("base.css", "data/batch_grid.css")

    _pictures = List(Bytes(), help="picture, overlay and target of each sample; empty where there is none").tag(
        sync=True
    )
    _shown = Dict(help="what the controls and captions say").tag(sync=True)

    def __init__(self, asked: Callable[[dict], None]):
        super().__init__()
        self.on_msg(lambda _widget, content, _buffers: isinstance(content, dict) and asked(content))


def _encoded(image: Image.Image | None) -> bytes:
    if image is None:
        return b""
    if image.mode == "RGB" and max(image.size) > SMALL:
        return jpeg(image, SIDE, quality=90)
    if max(image.size) > SIDE:
        image = image.copy()
        image.thumbnail((SIDE, SIDE), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
