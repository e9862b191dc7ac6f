"""fastai's own image data sets by name."""

from __future__ import annotations

from pathlib import Path

from ..progress import Progress
from .archive import download_archive
from .downloads import NO_NETWORK
from .sources import Fetched
from .tar_file import extract_tar
from .unpack import Limits
from .web import Web

# Names in fastai.data.external.URLs, and what they are. Those whose labels are not folders say so.
DATASETS = {
    "MNIST_TINY": "Handwritten 3s and 7s, 1,400 small ones (0.3 MB)",
    "MNIST_SAMPLE": "Handwritten 3s and 7s, 14,000 of them (3 MB)",
    "MNIST": "Handwritten digits, 70,000 of them (16 MB)",
    "IMAGENETTE_160": "Ten easy things from ImageNet, 13,000 photos (99 MB)",
    "IMAGEWOOF_160": "Ten dog breeds from ImageNet, 13,000 photos (92 MB)",
    "CALTECH_101": "101 kinds of things, 9,000 photos (132 MB)",
    "CIFAR": "Ten kinds of things, 60,000 tiny photos (168 MB)",
    "PETS": "37 breeds of cats and dogs, 7,400 photos, labels in the file names (811 MB)",
    "DOGS": "Dogs and cats, 37,500 photos (839 MB)",
}


class FastaiSource:
    """One of fastai's image data sets, downloaded once into fastai's own cache.

    >>> FastaiSource("MNIST_TINY").fetch(Path("photos"))

    Does what `untar_data(URLs.MNIST_TINY)` does, with progress and Cancel, checks the archive by fastai's
    own list of sizes and hashes, and unpacks pictures and tables only, into a folder of its own.
    Raises ValueError for a name that is not in `DATASETS`; RuntimeError without network or fastai.
    """

    def __init__(self, name: str, *, web: Web | None = None):
        if name not in DATASETS:
            raise ValueError(f"There is no data set {name!r} here. Choose one of {', '.join(DATASETS)}.")
        self.name = name
        self._web = web or Web()

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        try:
            import fastai.data
            from fastai.data.external import URLs, fastai_cfg
            from fastdownload import FastDownload, read_checks
        except ImportError as error:
            raise RuntimeError("fastai, which knows where its data sets are, is not installed here.") from error
        url = getattr(URLs, self.name)
        known = FastDownload(fastai_cfg(), module=fastai.data)
        archive = known.arch_path() / url.rsplit("/", 1)[-1]
        if not (archive.exists() and known.check(url, archive)):
            size = (read_checks(known.module).get(url) or (None,))[0]
            download_archive(
                url, archive, name=self.name, no_network=NO_NETWORK, size=size, web=self._web, progress=progress
            )
            if not known.check(url, archive):
                archive.unlink()
                raise RuntimeError(f"{self.name} arrived damaged or changed, and was not used. Try again.")
        done = extract_tar(archive, into, also=[".csv"], limits=Limits(bytes=20_000_000_000), progress=progress)
        return Fetched(into, [file for file in done.files if file.suffix != ".csv"], done.refused)
