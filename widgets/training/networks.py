"""Networks to choose from, in words: those whose weights have to be downloaded say so."""

from __future__ import annotations

from ...models.loading import load_fastai
from ...models.training.settings import ARCHITECTURES
from ...models.words import megabytes


def networks_in_words() -> dict[str, str]:
    """Each architecture with what is to be said of it; loads fastai, asks no network.

    >>> networks_in_words()
    {'mobilenet_v2': 'mobilenet_v2', 'resnet18': 'resnet18 (47 MB to download)', ...}
    """
    load_fastai()
    from ...models.weights import bytes_to_download

    sizes = {arch: bytes_to_download(arch) for arch in ARCHITECTURES}
    return {arch: f"{arch} ({megabytes(size)} to download)" if size else arch for arch, size in sizes.items()}


def download_in_words(arch: str) -> str:
    """A sentence on what has to be downloaded for one architecture, "" where nothing has.

    >>> download_in_words("resnet18")
    'Its pretrained weights, 47 MB, are not on this computer yet: they are downloaded first.'
    """
    load_fastai()
    from ...models.weights import bytes_to_download

    size = bytes_to_download(arch)
    if not size:
        return ""
    return f"Its pretrained weights, {megabytes(size)}, are not on this computer yet: they are downloaded first."
