"""How a photo becomes what a model sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
from PIL import Image
from traitlets import Bool, Bytes, Dict, Instance, List

from ...models.data.resizing import ResizeSettings, draw, example_photo
from ...models.images import jpeg, open_image
from ..assets import joined
from ..composite import Composite
from ..image_upload import ImageUpload
from ..newest_job import NewestJob

MOST = 12  # draws
PHOTO_SIDE = 320  # pixels of the photo as it is shown
PRESETS = {
    "none": {"flip": "none", "rotate": 0, "zoom": 1.0, "lighting": 0, "warp": 0},
    "fastai": {"flip": "horizontal", "rotate": 10, "zoom": 1.1, "lighting": 0.2, "warp": 0.2, "probability": 0.75},
}
ORDERS = {"at_size": "", "presize": "Presized", "naive": "The naive order"}


class ResizeExplorer(Composite):
    """Turn the knobs of fastai's resizing and augmentation and see what they make of a photo.

    >>> explorer = ResizeExplorer("bear.jpg")
    >>> DataBlock(blocks=(ImageBlock, CategoryBlock), **explorer.value.transforms())

    Crop, squish, pad, random resized crop, flips, rotation, zoom, lighting, warp; several random draws, the
    same for the same seed; presizing beside the naive order; and the line of code that gives the setting.
    `image` is a picture or a path (None: an example); a visitor can upload another. The pictures are made
    by fastai's transforms.

    `value` is the setting, a `ResizeSettings` with `code` and `transforms()`; it may be set. `compare`
    adds the naive order to a presized setting.
    Raises TypeError for what is no picture or path, ValueError for a file that is no picture.
    """

    value = Instance(ResizeSettings, help="the setting that is shown")
    compare = Bool(help="whether the naive order stands beside a presized setting")

    def __init__(
        self,
        image: Image.Image | str | Path | None = None,
        *,
        value: ResizeSettings | None = None,
        compare: bool = False,
        count: int = 6,
        seed: int = 0,
    ):
        if not 1 <= count <= MOST:
            raise ValueError(f"count must be from 1 to {MOST}, got {count!r}")
        self._image, self._name = _opened(image)
        self._count, self._seed = count, seed
        self._split = "train"
        self.view = ResizeView(self._receive)
        self.job = NewestJob()
        self.upload = ImageUpload(label="Try it on a photo of yours", multiple=False, max_side=1280)
        super().__init__([self.view, self.job, self.upload], value=value or ResizeSettings(), compare=compare)
        self.add_class("ipyfastai-resizing")
        self.upload.observe(self._uploaded, "value")
        self.observe(lambda _: self._show(), ["value", "compare"])
        self._show()

    def close(self) -> None:
        """Stop, and let go of the photo."""
        super().close()
        self._image = None

    def again(self) -> None:
        """Other random draws."""
        self._seed += 1
        self._show()

    def _uploaded(self, change) -> None:
        if change["new"]:
            [upload] = change["new"]
            self._image, self._name = upload, upload.name
            self._show()

    def _show(self) -> None:
        image, settings, split, count, seed = self._image, self.value, self._split, self._count, self._seed
        shown = [settings]
        if self.compare and settings.order == "presize":
            shown.append(replace(settings, order="naive"))

        def work(progress) -> tuple[Image.Image, str, list[list[Image.Image]]]:
            photo, name = example_photo() if image is None else (_picture(image), self._name)
            try:
                return (
                    photo,
                    name,
                    [draw(photo, one, count=count, seed=seed, split=split, progress=progress) for one in shown],
                )
            except ImportError as error:
                raise RuntimeError("This needs fastai: pip install 'ipyfastai[train]'.") from error

        self.view._settings = self._state()
        self.job.run(lambda progress: _encoded(*work(progress), shown), then=self._put)

    def _state(self) -> dict[str, Any]:
        """What the controls show."""
        own = {"compare": self.compare, "split": self._split, "count": self._count, "seed": self._seed}
        return {**self.value.to_dict(), **own}

    def _put(self, made: tuple[dict, list[bytes]]) -> None:
        with self.view.hold_sync():
            self.view._shown, self.view._pictures = made

    def _receive(self, content: dict) -> None:
        """What a page asks for, checked."""
        kind, name, value = content.get("type"), content.get("name"), content.get("value")
        if kind == "again":
            self.again()
        elif kind == "preset" and isinstance(name, str) and name in PRESETS:
            self.value = replace(self.value, **PRESETS[name])
        elif kind == "set" and isinstance(name, str):
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        if name == "compare" and isinstance(value, bool):
            self.compare = value
        elif name == "split" and value in ("train", "valid"):
            self._split = value
            self._show()
        elif name == "count" and type(value) is int and 1 <= value <= MOST:
            self._count = value
            self._show()
        elif name in self.value.to_dict():
            try:
                self.value = replace(self.value, **{name: value})
            except ValueError:  # a page of ours keeps within the ranges: it is told what holds
                self.view.send_state("_settings")


class ResizeView(anywidget.AnyWidget):
    """Controls and pictures of `ResizeExplorer`; `asked(content)` is called for each message."""

    _esm = joined("dom.js", "data/picture_urls.js", "data/code_box.js", "data/resize_explorer.js")
    _css = joined("base.css", "data/code_box.css", "data/resize_explorer.css")

    _settings = Dict(help="the setting, and what else the controls show").tag(sync=True)
    _shown = Dict(help="the photo and the groups of pictures, with their code").tag(sync=True)
    _pictures = List(Bytes(), help="the photo, then the draws of each group").tag(sync=True)

    def __init__(self, asked: Callable[[dict], None]):
        super().__init__()
        self.on_msg(lambda _widget, content, _buffers: isinstance(content, dict) and asked(content))


def _opened(image: Any) -> tuple[Any, str]:
    if image is None:
        return None, ""
    if isinstance(image, Image.Image):
        return image.convert("RGB"), "The photo"
    if isinstance(image, str | Path):
        return open_image(image), Path(image).name
    raise TypeError(f"image must be a picture or a path, got {type(image).__name__}")


def _picture(image: Any) -> Image.Image:
    return image if isinstance(image, Image.Image) else image.image


def _encoded(
    photo: Image.Image, name: str, draws: list[list[Image.Image]], settings: list[ResizeSettings]
) -> tuple[dict, list[bytes]]:
    """What the page shows; of draws that are all alike one is enough."""
    groups, pictures = [], [jpeg(photo, PHOTO_SIDE)]
    for one, images in zip(settings, draws, strict=True):
        alike = len({image.tobytes() for image in images}) == 1
        images = images[:1] if alike else images
        title = ORDERS[one.order] if len(settings) > 1 else ""
        groups.append({"title": title, "code": one.code, "count": len(images), "alike": alike, "size": one.size})
        pictures += [jpeg(image, max(image.size), quality=92) for image in images]
    return {"name": name, "width": photo.width, "height": photo.height, "groups": groups}, pictures
