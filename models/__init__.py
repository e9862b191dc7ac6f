"""Data, training, inference and export; nothing visual."""

from .lazy import attributes

__getattr__, __dir__, __all__ = attributes(
    __name__,
    {
        "Batches": "data.batches",
        "Classifier": "classifier",
        "ImageReport": "data.report",
        "Journal": "cleaning.journal",
        "ModelCard": "card",
        "Prediction": "classifier",
        "Recommender": "collab.recommender",
        "ResizeSettings": "data.resizing",
        "Thumbnails": "thumbnails",
        "TrainingRun": "training.run",
        "TrainingSettings": "training.settings",
        "Trash": "cleaning.trash",
        "check_images": "data.check",
        "check_predictions": "interpretation.predictions",
        "dataloaders": "data.loaders",
        "device_report": "training.device",
        "export_onnx": "export",
        "find_learning_rate": "training.lr_finder",
        "folder_items": "data.items",
        "load_run": "training.run_folder",
        "open_image": "images",
        "predictions": "interpretation.predictions",
        "predictions_table": "interpretation.predictions",
        "publish": "publishing.publish",
        "random_split": "data.split",
        "runs": "training.run_folder",
        "summarise": "data.summary",
    },
)
