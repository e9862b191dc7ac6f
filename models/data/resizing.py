"""How photos become squares: fastai's own resizing and augmentation, and the code that sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from PIL import Image

from ..progress import Progress

RANGES = {
    "size": (16, 512),
    "presize": (16, 1024),
    "min_scale": (0.05, 1.0),
    "rotate": (0, 180),
    "zoom": (1.0, 3.0),
    "lighting": (0.0, 0.9),
    "warp": (0.0, 0.8),
    "probability": (0.0, 1.0),
}
CHOICES = {
    "method": ("crop", "squish", "pad_zeros", "pad_reflection", "pad_border", "random_crop"),
    "flip": ("none", "horizontal", "dihedral"),
    "fill": ("reflection", "zeros", "border"),
    "order": ("at_size", "presize", "naive"),
}
_PAD_MODES = {"reflection": "PadMode.Reflection", "zeros": "PadMode.Zeros", "border": "PadMode.Border"}


@dataclass(frozen=True)
class Call:
    """A call of fastai, to be shown as code and to be made: one source for both.

    >>> Call("Resize", (224, Name("ResizeMethod.Squish"))).code
    'Resize(224, ResizeMethod.Squish)'
    """

    function: str
    arguments: tuple = ()
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def code(self) -> str:
        options = (f"{name}={value!r}" for name, value in self.options)
        return f"{self.function}({', '.join([*map(repr, self.arguments), *options])})"

    def make(self) -> Any:
        from fastai.vision import augment

        arguments = [_made(value) for value in self.arguments]
        return getattr(augment, self.function)(*arguments, **{name: _made(value) for name, value in self.options})


@dataclass(frozen=True, repr=False)
class Name:
    """A name of fastai as an argument, `ResizeMethod.Pad`."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _made(value: Any) -> Any:
    if not isinstance(value, Name):
        return value
    from fastai.vision import augment

    kind, member = value.text.split(".")
    return getattr(getattr(augment, kind), member)


@dataclass(frozen=True)
class ResizeSettings:
    """How photos are brought to one size and varied at random.

    >>> settings = ResizeSettings("squish", size=128, rotate=20)
    >>> print(settings.code)
    item_tfms=Resize(128, ResizeMethod.Squish),
    batch_tfms=aug_transforms(do_flip=False, max_rotate=20, max_zoom=1.0, max_lighting=0, max_warp=0),
    >>> DataBlock(blocks=(ImageBlock, CategoryBlock), **settings.transforms())

    `size` and `presize` are pixels, `min_scale` a share of the area, `rotate` degrees, `zoom` the largest
    factor, `lighting` and `warp` as in `aug_transforms`, `probability` that of each change but the flip,
    `fill` what comes in at the edges. `order`: "at_size" augments at the final size in one step;
    "presize" resizes to `presize` first and cuts to `size` while it augments, in one interpolation;
    "naive" resizes to `size` first and then interpolates anew for every change. With the same seed the
    three draw the same. Raises ValueError for values out of `RANGES` and `CHOICES`.
    Source: Howard and Gugger, Deep Learning for Coders, chapters 2 (data augmentation) and 5 (presizing).
    """

    method: str = "crop"
    size: int = 224
    min_scale: float = 0.35
    flip: str = "none"
    rotate: float = 0
    zoom: float = 1.0
    lighting: float = 0
    warp: float = 0
    probability: float = 0.75
    fill: str = "reflection"
    order: str = "at_size"
    presize: int = 460

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            whole = name in ("size", "presize")
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                raise ValueError(f"{name} must be a {'whole ' if whole else ''}number, got {value!r}")
            if not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}, got {value!r}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ResizeSettings:
        """Settings from what a file or a page holds. Raises ValueError for unknown names too."""
        known = {field.name for field in fields(cls)}
        if unknown := [name for name in values if name not in known]:
            raise ValueError(f"unknown settings: {', '.join(map(str, unknown))[:200]}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def code(self) -> str:
        """The lines that give this setting, as options of a `DataBlock` or of `ImageDataLoaders.from_folder`."""
        calls = self._batch()
        several = ", ".join(f"*{call.code}" if call.function == "aug_transforms" else call.code for call in calls)
        only = len(calls) == 1 and calls[0].function == "aug_transforms"
        batch = f"batch_tfms={calls[0].code if only else f'[{several}]'},\n" if calls else ""
        return f"item_tfms={self._item().code},\n{batch}".rstrip()

    def transforms(self) -> dict[str, Any]:
        """What the code makes: {"item_tfms": …, "batch_tfms": […]}."""
        batch = []
        for call in self._batch():
            made = call.make()
            batch += made if call.function == "aug_transforms" else [made]
        return {"item_tfms": self._item().make(), "batch_tfms": batch}

    def _item(self) -> Call:
        size = max(self.presize, self.size) if self.order == "presize" else self.size
        if self.method == "random_crop":
            return Call("RandomResizedCrop", (size,), (("min_scale", self.min_scale),))
        if self.method == "crop":
            return Call("Resize", (size,))
        if self.method == "squish":
            return Call("Resize", (size, Name("ResizeMethod.Squish")))
        mode = Name(_PAD_MODES[self.method.removeprefix("pad_")])
        return Call("Resize", (size, Name("ResizeMethod.Pad")), (("pad_mode", mode),))

    @property
    def _moves(self) -> bool:
        """Whether anything moves pixels, beyond their colours."""
        return self.flip != "none" or self.rotate > 0 or self.zoom > 1 or self.warp > 0

    def _batch(self) -> list[Call]:
        if self.order == "naive":
            return self._one_by_one()
        presized = self.order == "presize"
        size = (("size", self.size),) if presized else ()
        # Only what moves pixels brings them to `size` in `aug_transforms`: else that is a step of its own.
        resized = [Call("AffineCoordTfm", (), size)] if presized and not self._moves else []
        if not self._moves and not self.lighting:
            return resized
        options = {
            "do_flip": (self.flip != "none", True),
            "flip_vert": (self.flip == "dihedral", False),
            "max_rotate": (self.rotate, 10.0),
            "max_zoom": (self.zoom, 1.1),
            "max_lighting": (self.lighting, 0.2),
            "max_warp": (self.warp, 0.2),
            "p_affine": (self.probability, 0.75),
            "p_lighting": (self.probability, 0.75),
        }
        changed = tuple((name, value) for name, (value, default) in options.items() if value != default)
        return [*resized, Call("aug_transforms", (), (*(size if self._moves else ()), *changed, *self._pad()))]

    def _one_by_one(self) -> list[Call]:
        """Each change with an interpolation of its own, in the order in which `aug_transforms` draws them."""
        chance = (("p", self.probability),)
        flips = {"horizontal": "Flip", "dihedral": "Dihedral"}
        wanted = [
            (self.flip != "none", flips.get(self.flip, ""), (("p", 0.5), *self._pad())),
            (self.rotate > 0, "Rotate", (("max_deg", self.rotate), *chance, *self._pad())),
            (self.zoom > 1, "Zoom", (("max_zoom", self.zoom), *chance, *self._pad())),
            (self.warp > 0, "Warp", (("magnitude", self.warp), *chance, *self._pad())),
            (self.lighting > 0, "Brightness", (("max_lighting", self.lighting), *chance)),
            (self.lighting > 0, "Contrast", (("max_lighting", self.lighting), *chance)),
        ]
        return [Call(function, (), options) for on, function, options in wanted if on]

    def _pad(self) -> tuple:
        return () if self.fill == "reflection" else (("pad_mode", Name(_PAD_MODES[self.fill])),)


def draw(
    image: Image.Image,
    settings: ResizeSettings,
    *,
    count: int = 6,
    seed: int = 0,
    split: Literal["train", "valid"] = "train",
    progress: Progress | None = None,
) -> list[Image.Image]:
    """What `settings` make of a photo: `count` random draws for training, or what validation always sees.

    >>> draw(open_image("bear.jpg"), ResizeSettings("random_crop", size=128), count=3)[0].size
    (128, 128)

    The pictures are made by fastai's transforms in the order and with the split of its DataLoaders; the
    global random numbers are as before afterwards. Raises ValueError where fastai cannot resize that far.
    """
    from fastai.data.transforms import IntToFloatTensor, ToTensor
    from fastai.vision.core import PILImage
    from fasttransform import Pipeline
    from torch import stack

    from .randomness import own_randomness

    made = settings.transforms()
    place = 0 if split == "train" else 1
    on_item = Pipeline([made["item_tfms"], ToTensor()], split_idx=place)
    on_batch = Pipeline([IntToFloatTensor(), *made["batch_tfms"]], split_idx=place)
    photo, items = image.convert("RGB"), []
    with own_randomness(seed):
        for number in range(count):
            if progress is not None:
                progress.report(number, count, "Making pictures")
            items.append(on_item((PILImage(photo.copy()),))[0])
        (batch,) = on_batch.decode(on_batch((stack(items),)))
    return [Image.fromarray(one) for one in batch.permute(0, 2, 3, 1).numpy().astype("uint8")]


def example_photo() -> tuple[Image.Image, str]:
    """A photo that comes with scikit-learn (640 × 427 pixels), and whose it is."""
    from sklearn.datasets import load_sample_image

    credit = "A sample image of scikit-learn, by danielbuechele (CC BY 2.0)"
    return Image.fromarray(load_sample_image("china.jpg")), credit
