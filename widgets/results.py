"""What a classifier said of each photo, as records, rows for a page, CSV and a DataFrame."""

from __future__ import annotations

import csv
import io
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING

from ..models.images import jpeg
from ..models.words import inert
from .uploads import Upload

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

# Room for the crop that a 224 px network takes, and for a view on the page.
PICTURE_SIDE = 640
THUMBNAIL_SIDE = 112
COLUMNS = ("item", "predicted", "confidence", "label", "unfamiliar", "novelty", "error")


@dataclass(eq=False)
class Result:
    """One photo and what came of it; `error` is a sentence where nothing did.

    `probabilities` maps labels to probabilities, `label` is the right label by the visitor's word
    ("" while nobody has said), `novelty` how unlike the training data the photo is (NaN: unknown).
    """

    item: str
    probabilities: dict[str, float] = field(default_factory=dict)
    unfamiliar: bool = False
    novelty: float = math.nan
    error: str = ""
    note: str = ""
    label: str = ""
    thumbnail: bytes = b""
    id: str = field(default_factory=lambda: token_hex(8))
    _image: Image.Image | None = field(default=None, repr=False)
    _kept: Upload | None = field(default=None, repr=False)

    @property
    def predicted(self) -> str:
        return max(self.probabilities, key=self.probabilities.get, default="")

    @property
    def confidence(self) -> float:
        return max(self.probabilities.values(), default=math.nan)

    def row(self) -> dict:
        """What a page needs to show it (JSON: no NaN, no bytes)."""
        return {
            "id": self.id,
            "item": self.item,
            "predicted": self.predicted,
            "confidence": None if self.error else self.confidence,
            "unfamiliar": self.unfamiliar,
            "error": self.error,
            "note": self.note,
            "label": self.label,
        }

    def preview(self) -> bytes:
        """A JPEG to show large, b"" where the photo could not be opened.

        Called once, it puts that JPEG into the folder of uploads and lets go of the decoded photo:
        a long visit keeps neither pixels in memory nor the visitors' large files on disk.
        """
        image, self._image = self._image, None
        try:
            if image is not None:
                self._kept = Upload.keep(self.item, jpeg(image, PICTURE_SIDE))
            return self._kept.bytes if self._kept else b""
        except OSError:  # a full disk costs the picture, not the answer
            logging.getLogger(__name__).exception("no room to keep a picture of %r", self.item)
            return b""


def classified(
    classifier: Callable[[Image.Image], Mapping[str, float]],
    item: str,
    source,
    *,
    decode_side: int | None = PICTURE_SIDE,
) -> Result:
    """Call a classifier on one photo; whatever goes wrong is told in the result, not raised.

    >>> classified(Classifier.shipped("bears"), "bear.jpg", upload).predicted
    'grizzly'

    `source` is an `Upload`, or whatever else has `picture(at_least)`.
    """
    result = Result(item)
    try:
        image = result._image = source.picture(decode_side)
        result.thumbnail = jpeg(image, THUMBNAIL_SIDE)
    except (ValueError, OSError, MemoryError) as error:
        result.error = str(error) or "There was not enough memory to open this photo."
        return result
    if image.info.get("frames", 1) > 1:
        result.note = "This file holds several pictures: the first was used."
    try:
        prediction = classifier(image)
        result.probabilities = _probabilities(prediction)
        result.unfamiliar = bool(getattr(prediction, "unfamiliar", False))
        result.novelty = float(getattr(prediction, "novelty", math.nan))
    except Exception as error:  # anybody's classifier may raise anything, and the page must go on
        # Its words may name files of the server: they belong in the log, not before a visitor.
        logging.getLogger(__name__).exception("the classifier failed on %r", item)
        result.probabilities = {}
        result.error = f"The classifier failed on this photo ({type(error).__name__})."
    return result


def _probabilities(prediction) -> dict[str, float]:
    if not isinstance(prediction, Mapping) or not prediction:
        raise TypeError("a classifier must return {label: probability}")
    probabilities = {str(label): float(value) for label, value in prediction.items()}
    if not all(0 <= value <= 1.000001 for value in probabilities.values()):
        raise ValueError("a classifier's probabilities must lie between 0 and 1")
    return probabilities


def table(results: Iterable[Result]) -> pd.DataFrame:
    """A DataFrame with a row for each result: COLUMNS, then `probabilities` as a dict.

    `label` is "" and `confidence` NaN where nothing is known.
    """
    import pandas as pd  # 35 MB and 0.3 s that a visitor who only looks need not pay

    names = [*COLUMNS, "probabilities"]
    return pd.DataFrame([[getattr(result, name) for name in names] for result in results], columns=names)


def csv_text(results: Iterable[Result]) -> str:
    """The same as CSV, one column for each label's probability."""
    results = list(results)
    labels = list(dict.fromkeys(label for result in results for label in result.probabilities))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *(inert(f"probability of {label}") for label in labels)])
    for result in results:
        cells = [getattr(result, name) for name in COLUMNS]
        cells += [result.probabilities.get(label, "") for label in labels]
        writer.writerow(["" if cell != cell else inert(cell) for cell in cells])
    return out.getvalue()
