"""Pretrained weights: whether they are at hand, or have to be downloaded first."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import torch.hub
from torchvision.models import get_model_weights

WEIGHTS_FOLDER = "IPYFASTAI_WEIGHTS"


def stored_weights(arch: str) -> Path | None:
    """The file of these weights that `$IPYFASTAI_WEIGHTS` has, None where it has none.

    >>> stored_weights("mobilenet_v2")
    PosixPath('/home/ada/weights/mobilenet_v2.safetensors')
    """
    folder = os.environ.get(WEIGHTS_FOLDER)
    file = Path(folder, f"{arch}.safetensors") if folder else None
    return file if file and file.is_file() else None


def bytes_to_download(arch: str) -> int:
    """What torchvision will download for the weights of one of its networks: 0 where they are at hand.

    >>> bytes_to_download("resnet18")
    46830452

    Nothing is asked of any network: the size is what torchvision's own list says, the folder it keeps downloads
    in is looked into.
    """
    weights = get_model_weights(arch).DEFAULT
    kept = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(weights.url).path).name)
    if stored_weights(arch) or kept.is_file():
        return 0
    return round(weights.meta["_file_size"] * 2**20)
