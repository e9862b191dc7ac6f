"""Decoded samples of a batch as pictures: what a person sees of an image, its label, mask, boxes or points."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

LABEL_LENGTH = 200  # characters


@dataclass
class Picture:
    """One sample as it can be shown.

    `image` is RGB; `overlay` (RGBA, of the same size) holds a mask, boxes or points to lie over it;
    `target` is a second picture where the label is one. `legend` names the colours of the overlay.
    `item` is the place in its data set, None for a photo from elsewhere.
    """

    image: Image.Image
    label: str = ""
    overlay: Image.Image | None = None
    target: Image.Image | None = None
    legend: dict[str, str] = field(default_factory=dict)
    item: int | None = None


def picture(sample: Sequence, *, vocab: Sequence[str] | None = None, item: int | None = None) -> Picture | None:
    """A decoded sample, (image, target, …), as a `Picture`; None if no part is an image.

    >>> picture((TensorImage, Category)).label
    'yorkshire_terrier'

    An image is a Pillow image or a tensor (1, 3 or 4 channels, height, width), of integers from 0 to 255
    or floats from 0 to 1; what lies outside is cut off. `vocab` names the classes of a plain number.
    """
    images = [to_image(part) for part in sample]
    place = next((place for place, image in enumerate(images) if image is not None), None)
    if place is None:
        return None
    image = images[place]
    shown = Picture(image, item=item)
    labels = []
    for part in [*sample[:place], *sample[place + 1 :]]:
        if _is_mask(part, image):
            shown.overlay, shown.legend = _mask(part, getattr(part, "codes", None) or vocab)
        elif hasattr(part, "bbox") and hasattr(part, "lbl"):  # fastai's LabeledBBox
            names = [str(name) for name in part.lbl]
            shown.overlay, shown.legend = _boxes(image.size, part.bbox, names)
            labels.append(label_text(list(shown.legend)))
        elif type(part).__name__ == "TensorPoint":
            shown.overlay = _points(image.size, part)
            labels.append(f"{len(part.view(-1, 2))} points")
        elif type(part).__name__ == "TensorBBox":
            continue  # it comes again, with its labels
        elif (target := to_image(part)) is not None:
            shown.target = target
        else:
            labels.append(label_text(part, vocab))
    shown.label = ", ".join(filter(None, labels))
    return shown


def to_image(part: Any) -> Image.Image | None:
    """An RGB image from a Pillow image or an image tensor; None if it is neither."""
    if isinstance(part, Image.Image):
        return part.convert("RGB")
    if not is_image_tensor(part):
        return None
    values = part.detach().cpu().as_subclass(torch.Tensor)
    if values.is_floating_point():
        values = values.float().nan_to_num().clamp(0, 1).mul(255).round()
    pixels = values.clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3])


def is_image_tensor(part: Any) -> bool:
    return isinstance(part, torch.Tensor) and part.ndim == 3 and part.shape[0] in (1, 3, 4) and min(part.shape[1:]) > 1


def label_text(part: Any, vocab: Sequence[str] | None = None) -> str:
    """What a person reads of a target: a name, several, a number, or its type and shape."""
    if isinstance(part, torch.Tensor):
        part = part.tolist() if part.ndim == 0 or part.numel() <= 20 else f"{type(part).__name__} {tuple(part.shape)}"
    if isinstance(part, bool | str):
        text = str(part)
    elif isinstance(part, int) and vocab is not None and 0 <= part < len(vocab):
        text = str(vocab[part])
    elif isinstance(part, float):
        text = f"{part:.4g}"
    elif isinstance(part, Iterable):  # a list, a tuple, fastai's MultiCategory
        part = list(part)
        # A row of zeros and ones beside a vocabulary of its length is a set of labels.
        if vocab is not None and len(part) == len(vocab) and set(part) <= {0, 1}:
            part = [name for name, here in zip(vocab, part, strict=True) if here]
        text = ", ".join(label_text(one) for one in part) or "no label"
    else:
        text = str(part)
    return text if len(text) <= LABEL_LENGTH else f"{text[:LABEL_LENGTH]}…"


def colour(index: int) -> tuple[int, int, int]:
    """A colour for each class, neighbours far apart: steps of the golden angle around the hues."""
    red, green, blue = colorsys.hsv_to_rgb(index * 0.618034 % 1, 0.75, 0.75 + 0.25 * (index % 2))
    return round(red * 255), round(green * 255), round(blue * 255)


def _is_mask(part: Any, image: Image.Image) -> bool:
    if not isinstance(part, torch.Tensor) or part.is_floating_point() or part.is_complex():
        return False
    return part.ndim == 2 and (part.shape[1], part.shape[0]) == image.size


def _mask(part: torch.Tensor, codes: Sequence[str] | None) -> tuple[Image.Image, dict[str, str]]:
    """The mask as an opaque coloured picture, and its classes, the largest first."""
    values = part.cpu().as_subclass(torch.Tensor).numpy()
    classes, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    palette = np.array([(*colour(int(index)), 255) for index in classes], np.uint8)
    legend = {
        str(codes[index]) if codes is not None and 0 <= index < len(codes) else f"class {index}": _css(int(index))
        for index in (int(classes[place]) for place in np.argsort(-counts))
    }
    return Image.fromarray(palette[places.reshape(values.shape)]), legend


def _css(index: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour(index))


def _boxes(size: tuple[int, int], boxes: torch.Tensor, names: list[str]) -> tuple[Image.Image, dict[str, str]]:
    """Frames with dark edges, each class in a colour of its own everywhere; "#na#" is fastai's padding."""
    overlay, places = Image.new("RGBA", size), {}
    draw = ImageDraw.Draw(overlay)
    for name, box in zip(names, boxes.cpu().view(-1, 4).tolist(), strict=False):
        left, top, right, bottom = (round(value) for value in box)
        if name != "#na#" and right > left and bottom > top:
            place = places.setdefault(name, zlib.crc32(name.encode()) % 360)
            draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=(0, 0, 0, 255))
            draw.rectangle((left, top, right, bottom), outline=(*colour(place), 255))
    return overlay, {name: _css(place) for name, place in places.items()}


def _points(size: tuple[int, int], points: torch.Tensor) -> Image.Image:
    overlay = Image.new("RGBA", size)
    draw = ImageDraw.Draw(overlay)
    radius = max(1, max(size) // 60)
    for index, (x, y) in enumerate(points.cpu().view(-1, 2).tolist()):
        around = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(around, fill=(*colour(index), 255), outline=(0, 0, 0, 255))
    return overlay
