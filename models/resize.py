"""How a photo becomes the fixed size a network was trained with, exactly as fastai does it."""

from dataclasses import dataclass
from reprlib import repr  # short, however long or deep a stranger's value is
from typing import Any

import numpy as np
from PIL import Image

METHODS = ("squish", "crop", "pad")
PAD_MODES = {"zeros": "constant", "border": "edge", "reflection": "reflect"}  # fastai's name: NumPy's
SMALLEST, LARGEST = 8, 2048
# Padding happens before shrinking, so a strip of 1 x 1,000,000 pixels would fill the memory.
LONGEST_PADDED = 4096


@dataclass(frozen=True)
class Resize:
    """The resizing of validation photos in fastai, without fastai.

    >>> Resize(height=160, width=160, method="squish", margin=12)(photo).shape
    (160, 160, 3)

    `method` is squish (ignore the aspect ratio), crop (fill, cut from the centre) or pad (fit, fill
    by `pad_mode`). `margin` pixels are cut off each side afterwards, which is what
    RandomResizedCrop does to validation photos. Called with a PIL image of any mode, returns uint8
    (height, width, 3). Source: fastai/vision/augment.py (Resize, RandomResizedCrop, crop_pad).
    """

    height: int
    width: int
    method: str = "squish"
    margin: int = 0
    pad_mode: str = "zeros"

    def __post_init__(self):
        for name in ("height", "width"):
            side = getattr(self, name)
            if type(side) is not int or not SMALLEST <= side <= LARGEST:
                raise ValueError(f"{name} must be a whole number from {SMALLEST} to {LARGEST}, not {repr(side)}")
        if self.method not in METHODS:
            raise ValueError(f"resize method must be one of {', '.join(METHODS)}, not {repr(self.method)}")
        if not isinstance(self.pad_mode, str) or self.pad_mode not in PAD_MODES:
            raise ValueError(f"pad mode must be one of {', '.join(PAD_MODES)}, not {repr(self.pad_mode)}")
        if type(self.margin) is not int or not 0 <= self.margin <= LARGEST:
            raise ValueError(f"margin must be a whole number from 0 to {LARGEST}, not {repr(self.margin)}")

    @classmethod
    def from_dict(cls, size: Any, values: Any) -> "Resize":
        """From a bundle's untrusted `size` [height, width] and `resize` entries; ValueError if malformed."""
        if not isinstance(size, list) or len(size) != 2:
            raise ValueError(f"size must be [height, width], not {repr(size)}")
        if not isinstance(values, dict) or not set(values) <= {"method", "margin", "pad_mode"}:
            raise ValueError(f"resize must hold method, margin and pad_mode alone, not {repr(values)}")
        return cls(*size, **values)

    def to_dict(self) -> dict[str, Any]:
        return {"method": self.method, "margin": self.margin, "pad_mode": self.pad_mode}

    def __call__(self, image: Image.Image) -> np.ndarray:
        image = image if image.mode == "RGB" else image.convert("RGB")
        if self.method != "squish":
            image = self._to_aspect_ratio(image)
        grown = (self.width + 2 * self.margin, self.height + 2 * self.margin)
        image = image.resize(grown, Image.Resampling.BILINEAR)
        if self.margin:
            image = image.crop((self.margin, self.margin, grown[0] - self.margin, grown[1] - self.margin))
        return np.asarray(image)

    def _to_aspect_ratio(self, image: Image.Image) -> Image.Image:
        """Crop or pad to the shape of the output, at the image's own scale."""
        pad = self.method == "pad"
        if pad and max(image.size) > LONGEST_PADDED:
            image = image.copy()
            image.thumbnail((LONGEST_PADDED, LONGEST_PADDED), Image.Resampling.BILINEAR)
        width, height = image.size
        ratios = (width / self.width, height / self.height)
        scale = max(ratios) if pad else min(ratios)
        # Rounded as fastai rounds; max(), because a thin strip would be cropped to nothing.
        new_width, new_height = max(1, int(scale * self.width)), max(1, int(scale * self.height))
        left, top = int((width - new_width) / 2), int((height - new_height) / 2)
        right, bottom = left + new_width, top + new_height
        image = image.crop((max(left, 0), max(top, 0), min(right, width), min(bottom, height)))
        if not pad:
            return image
        rows = (max(0, -top), max(0, bottom - height))
        columns = (max(0, -left), max(0, right - width))
        return Image.fromarray(np.pad(np.asarray(image), (rows, columns, (0, 0)), PAD_MODES[self.pad_mode]))
