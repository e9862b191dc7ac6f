"""Data, training, inference and export; nothing visual."""

from .lazy import attributes

__getattr__, __dir__, __all__ = attributes(
    __name__,
    {
        "Classifier": "classifier",
        "ModelCard": "card",
        "Prediction": "classifier",
        "Thumbnails": "thumbnails",
        "check_predictions": "interpretation.predictions",
        "export_onnx": "export",
        "open_image": "images",
        "predictions": "interpretation.predictions",
        "predictions_table": "interpretation.predictions",
    },
)
