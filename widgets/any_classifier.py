"""Bring your own model: upload a bundle, then photos."""

from __future__ import annotations

from ipywidgets import VBox
from traitlets import Any

from ..models.classifier import Classifier
from .composite import discard
from .file_upload import FileUpload
from .image_classifier import ImageClassifier
from .uploads import Upload


class BundleUpload(FileUpload):
    """A drop zone for a classifier bundle, an `.onnx` file as `export_onnx` writes it.

    >>> upload = BundleUpload()
    >>> upload.observe(lambda change: print([bundle.classifier.labels for bundle in change.new]), "value")

    `value` holds at most one `Upload`, its classifier in `classifier`. What cannot be loaded is
    refused with the reason. A bundle is data: loading a stranger's runs none of their code.
    """

    noun = "model"

    def __init__(self, *, label: str = "Add a model (.onnx)", max_mb: float = 200, **kwargs):
        super().__init__(label=label, accept=".onnx", multiple=False, max_mb=max_mb, **kwargs)

    def _check(self, upload: Upload) -> str:
        upload.classifier = Classifier.load(upload.bytes)
        return ""


class AnyClassifier(VBox):
    """Upload a classifier bundle, then classify photos with it.

    >>> AnyClassifier(history=False)

    `value` is the `ImageClassifier` that the last bundle made (None before); another bundle makes
    another. Options go to `ImageClassifier`.
    """

    value = Any(None, allow_none=True, help="the ImageClassifier at work, if any")

    def __init__(self, **options):
        self.upload = BundleUpload()
        self._options = options
        super().__init__([self.upload])
        self.upload.observe(self._loaded, "value")

    def _loaded(self, change) -> None:
        if not change["new"]:  # on its way or refused: the model at work stays
            return
        [bundle] = change["new"]
        name = getattr(bundle.classifier.card, "name", "") or bundle.name
        if self.value is not None:
            discard(self.value)
        self.value = ImageClassifier(bundle.classifier, label=f"Add photos for {name}", **self._options)
        self.children = [self.upload, self.value]
