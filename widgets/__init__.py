"""Components to see and click: each works alone in a notebook and together in a dashboard."""

from .any_classifier import AnyClassifier, BundleUpload
from .file_upload import FileUpload
from .image_classifier import ImageClassifier
from .image_upload import ImageUpload
from .predictions_table import PredictionsTable
from .probability_bars import ProbabilityBars
from .uploads import Upload

__all__ = [
    "AnyClassifier",
    "BundleUpload",
    "FileUpload",
    "ImageClassifier",
    "ImageUpload",
    "PredictionsTable",
    "ProbabilityBars",
    "Upload",
]
