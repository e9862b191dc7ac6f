"""Bring your own predictions: upload them, then look at what was confused."""

from __future__ import annotations

from traitlets import Any

from ...models.thumbnails import Thumbnails
from ..composite import Composite, discard
from .confusion_matrix import ConfusionMatrix
from .predictions_upload import PredictionsUpload
from .top_losses import TopLosses


class AnyPredictions(Composite):
    """Upload predictions, then see what was confused with what, and what was most wrong.

    >>> AnyPredictions(noun="scan")

    `value` is the `ConfusionMatrix` of the last upload (None before), `losses` its `TopLosses`. Options
    go to both.
    """

    value = Any(None, allow_none=True, read_only=True, help="the ConfusionMatrix that is shown, if any")

    def __init__(self, **options):
        self.upload = PredictionsUpload()
        self.losses: TopLosses | None = None
        self._options = options
        self._owned = None if "thumbnails" in options else Thumbnails()
        super().__init__([self.upload])
        self.upload.observe(self._loaded, "value")

    def close(self) -> None:
        if self._owned is not None:
            self._owned.close()
        super().close()

    def _loaded(self, change) -> None:
        shared = {"root": self.upload.root, "thumbnails": self._owned, **self._options}
        before = self.children[1:]
        self.set_trait("value", ConfusionMatrix(change["new"], **shared))
        self.losses = TopLosses(change["new"], **shared)
        self.children = [self.upload, self.value, self.losses]
        discard(*before)
