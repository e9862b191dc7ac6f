"""Data, training, inference and export; nothing visual."""

from .lazy import attributes

__getattr__, __dir__, __all__ = attributes(
    __name__,
    {
        "Classifier": "classifier",
        "Journal": "cleaning.journal",
        "ModelCard": "card",
        "Prediction": "classifier",
        "Thumbnails": "thumbnails",
        "Trash": "cleaning.trash",
        "TrainingRun": "training.run",
        "TrainingSettings": "training.settings",
        "check_predictions": "interpretation.predictions",
        "export_onnx": "export",
        "find_learning_rate": "training.lr_finder",
        "load_run": "training.run_folder",
        "open_image": "images",
        "publish": "publishing.publish",
        "predictions": "interpretation.predictions",
        "predictions_table": "interpretation.predictions",
        "runs": "training.run_folder",
    },
)
