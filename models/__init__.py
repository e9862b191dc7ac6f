"""Data, training, inference and export; nothing visual.

Names load on first use, so that `from ipyfastai.models import Classifier` costs a visitor's kernel
ONNX Runtime and never torch.
"""

from importlib import import_module

_HOME = {
    "Classifier": "classifier",
    "ModelCard": "card",
    "Prediction": "classifier",
    "export_onnx": "export",
    "open_image": "images",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
