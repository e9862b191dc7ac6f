"""Components to see and click: each works alone in a notebook and together in a dashboard."""

from ..models.lazy import attributes

__getattr__, __dir__, __all__ = attributes(
    __name__,
    {
        "AnyClassifier": "any_classifier",
        "AnyCleaner": "cleaning.any_cleaner",
        "AnyPredictions": "interpretation.any_predictions",
        "BatchGrid": "data.batch_grid",
        "BundleUpload": "any_classifier",
        "ConfusionMatrix": "interpretation.confusion_matrix",
        "DataCheck": "data.data_check",
        "DataSummary": "data.data_summary",
        "DeviceCard": "training.device_card",
        "FileDownload": "file_download",
        "FileUpload": "file_upload",
        "ImageClassifier": "image_classifier",
        "ImageCleaner": "cleaning.image_cleaner",
        "ImageSource": "data.image_source",
        "ImageUpload": "image_upload",
        "LRFinder": "training.lr_finder",
        "LabelRule": "data.label_rule",
        "Offer": "data.offers",
        "PictureGrid": "cleaning.picture_grid",
        "PredictionsUpload": "interpretation.predictions_upload",
        "ProbabilityBars": "probability_bars",
        "Publish": "publish",
        "ResizeExplorer": "data.resize_explorer",
        "RunsTable": "training.runs_table",
        "SplitChooser": "data.split_chooser",
        "Trainer": "training.trainer",
        "TopLosses": "interpretation.top_losses",
        "TrainingStudio": "studio.training_studio",
        "Upload": "uploads",
    },
)
