"""Components to see and click: each works alone in a notebook and together in a dashboard."""

from ..models.lazy import attributes

__getattr__, __dir__, __all__ = attributes(
    __name__,
    {
        "AnyClassifier": "any_classifier",
        "BatchGrid": "data.batch_grid",
        "BundleUpload": "any_classifier",
        "DataSummary": "data.data_summary",
        "FileDownload": "file_download",
        "ConfusionMatrix": "interpretation.confusion_matrix",
        "FileUpload": "file_upload",
        "ImageClassifier": "image_classifier",
        "ImageUpload": "image_upload",
        "LRFinder": "training.lr_finder",
        "PictureGrid": "cleaning.picture_grid",
        "ProbabilityBars": "probability_bars",
        "Publish": "publish",
        "ResizeExplorer": "data.resize_explorer",
        "Trainer": "training.trainer",
        "Upload": "uploads",
    },
)
