"""Bring your own pictures: upload them, clean their labels, take them home."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from pathlib import Path
from secrets import token_hex

import pandas as pd
from traitlets import Any

from ...models.cleaning.dataset import Dataset
from ...models.cleaning.manifest import LABELS
from ...models.data.items import paths
from ...models.progress import Progress
from ...models.thumbnails import Thumbnails
from ...models.words import readable
from ..composite import Composite, discard
from ..file_download import FileDownload
from ..interpretation.predictions_upload import PredictionsUpload
from ..job import Job
from ..uploads import spool
from .collection import counted
from .image_cleaner import ImageCleaner

LARGEST = 1_000_000_000  # bytes of pictures that are packed for somebody to download
NO_FOLDERS = (
    "The pictures of this zip lie in no folders: put those of each class into a folder of its name, or add a CSV."
)


class PicturesUpload(PredictionsUpload):
    """A drop zone like `PredictionsUpload`, for which a zip of class folders is enough.

    >>> upload = PicturesUpload()
    >>> upload.observe(lambda change: print(change.new.label.value_counts()), "value")

    `value` is then an items table, without predictions; `own` says whether the pictures
    are the visitor's, and not the server's. A CSV needs no column `predicted`.
    """

    needed = ("item", "label")
    lists = (".csv", ".tsv")  # a data set comes with a README.txt

    def __init__(
        self, *, label: str = "Add pictures (.zip of class folders, or predictions as .csv or .zip)", **kwargs
    ):
        super().__init__(label=label, **kwargs)

    @property
    def own(self) -> bool:
        return self.root is not None and self.root.is_relative_to(spool())

    def _without_list(self, pictures: list[Path], folder: Path) -> tuple[pd.DataFrame, Path, str]:
        labels = [readable(picture.parent.name) for picture in pictures]
        if any(picture.parent == folder for picture in pictures):
            raise ValueError(NO_FOLDERS)
        said = ", ".join(f"{count:,} {label}" for label, count in Counter(labels).most_common(5))
        more = "" if len(set(labels)) <= 5 else " and others"
        table = pd.DataFrame({"item": paths(pictures), "label": labels})
        return table, folder, f"{counted(len(pictures), 'picture')}: {said}{more}."


class AnyCleaner(Composite):
    """Upload pictures or predictions, clean the labels, and download what came of it.

    >>> AnyCleaner()

    Takes what `PicturesUpload` takes. What is uploaded is the visitor's own copy, so applying is on for it,
    on a public server too; for pictures of the server (IPYFASTAI_DATA_ROOT) the server decides. After an Apply the
    cleaned pictures can be packed and downloaded, up to a gigabyte. `value` is the `ImageCleaner` of the last
    upload, None before; options go to it.
    """

    value = Any(None, allow_none=True, read_only=True, help="the ImageCleaner that is shown, if any")

    def __init__(self, **options):
        self._options = options
        self._owned = None if "thumbnails" in options else Thumbnails()
        self._zip = spool() / f"{token_hex(16)}.zip"
        self._state: Path | None = None  # marks and trash of an upload
        self.upload = PicturesUpload()
        self.pack = Job(button="Pack the cleaned pictures", pressed=self._pack)
        self.download = FileDownload("Download the cleaned pictures")
        self.parts = self.upload, self.pack, self.download
        super().__init__([self.upload])
        self.upload.observe(self._loaded, "value")

    def close(self) -> None:
        if self.comm is not None:
            self._forget()
            if self._owned is not None:
                self._owned.close()
        super().close()

    def _loaded(self, change) -> None:
        before, table, own = self.value, change["new"], self.upload.own
        here = table["item"].map(lambda item: Path(item).is_file())
        allowed = (True if here.any() else False) if own else None
        options = {"thumbnails": self._owned, "apply": allowed, **self._options}
        cleaner = ImageCleaner(table, root=self.upload.root, **options)
        cleaner.observe(self._changed, "table")
        self.set_trait("value", cleaner)
        self.parts = self.upload, cleaner, self.pack, self.download
        self.children = [self.upload, cleaner]
        if before is not None:
            discard(before)
        self._forget()
        self._state = Dataset(self.upload.root).state() if own else None

    def _changed(self, change) -> None:
        """Files have moved: what was packed before is not what is there now."""
        self.download.offer(None)
        self._zip.unlink(missing_ok=True)
        if self.upload.own:
            self.pack.say("")
            self.children = [self.upload, self.value, self.pack, self.download]

    def _pack(self) -> None:
        table = self.value.table
        self.pack.run(
            lambda progress: packed(self.upload.root, table, self._zip, progress),
            then=lambda size: self.download.offer(self._zip, name="cleaned.zip"),
            failed=lambda error: self._zip.unlink(missing_ok=True),
        )

    def _forget(self) -> None:
        self.download.offer(None)
        self._zip.unlink(missing_ok=True)
        if self._state is not None:
            shutil.rmtree(self._state, ignore_errors=True)


def packed(root: Path, table: pd.DataFrame, path: Path, progress: Progress) -> int:
    """Write a zip of the pictures of a table with a labels.csv; its size in bytes.

    >>> packed("photos", cleaner.table, "cleaned.zip", Progress())

    Raises ValueError for more than LARGEST bytes.
    """
    files = [file for file in map(Path, table["item"]) if file.is_file()]
    total = sum(file.stat().st_size for file in files)
    if total > LARGEST:
        raise ValueError(
            f"These pictures are {total / 1e9:.1f} GB, too much to download from here: "
            "download the labels as CSV, and correct your own copy by it."
        )
    labels = table.loc[table["item"].isin(set(map(str, files))), ["item", "label", "split"]]
    labels = labels.assign(item=[readable(str(Path(item).relative_to(root))) for item in labels["item"]])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # JPEGs do not get smaller
        for index, file in enumerate(files):
            progress.report(index, len(files), "Packing the pictures")
            archive.write(file, readable(str(file.relative_to(root))))
        archive.writestr(LABELS, labels.to_csv(index=False))
    return path.stat().st_size
