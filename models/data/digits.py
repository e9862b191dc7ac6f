"""A data set that needs no network: scikit-learn's handwritten digits, as pictures in folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..progress import Progress


def write_digits(
    folder: str | Path, *, per_class: int | None = None, side: int = 32, progress: Progress | None = None
) -> Path:
    """Write the digits 0 to 9 as PNGs, one folder for each digit, and return `folder`.

    >>> write_digits("digits", per_class=50)
    PosixPath('digits')

    There are 1,797 in all, 174 to 183 of each; `per_class` takes that many of each at most. They are
    8 × 8 pixels, black on white here, enlarged to `side` pixels. What lies there already is left as it is.
    Raises RuntimeError where scikit-learn is not installed. Source: E. Alpaydin and C. Kaynak, "Optical
    Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (CC BY 4.0).
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise RuntimeError(
            "The built-in digits come with scikit-learn, which is not installed here: pip install scikit-learn."
        ) from error
    if per_class is not None and per_class < 1:
        raise ValueError(f"per_class must be at least 1, got {per_class}")
    digits = load_digits()
    folder = Path(folder)
    written = dict.fromkeys(range(10), 0)
    for index, (pixels, digit) in enumerate(zip(digits.images, digits.target.tolist(), strict=True)):
        if progress is not None:
            progress.report(index, len(digits.images), "Writing the digits")
        if per_class is not None and written[digit] >= per_class:
            continue
        written[digit] += 1
        path = folder / str(digit) / f"{index:04}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            grey = Image.fromarray((255 - pixels * (255 / 16)).astype(np.uint8))  # ink is 0 to 16
            grey.resize((side, side), Image.Resampling.BICUBIC).save(path)
    return folder
