"""Where the images come from: chosen, fetched, and told what came."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...models.cleaning.apply import refusal
from ...models.data.items import folder_name
from ...models.data.search import Search
from ...models.data.sources import Fetched, Source, ZipSource
from ...models.progress import Progress
from ...models.words import counted
from ..file_upload import FileUpload
from ..uploads import Upload
from .findings import Table
from .offers import standard_offers
from .source_form import Offer, SourceForm


class ZipUpload(FileUpload):
    """A drop zone for one zip of photos, a folder in it for each label.

    >>> ZipUpload(max_mb=500)
    """

    noun = "zip file"

    def __init__(
        self, *, label: str = "Add a zip of photos, with a folder for each label", max_mb: float = 1000, **kwargs
    ):
        super().__init__(label=label, accept=".zip", multiple=False, max_mb=max_mb, **kwargs)

    def _check(self, upload: Upload) -> str:
        if not zipfile.is_zipfile(upload.path):
            raise ValueError("This is not a zip file, or its end is missing: download or make it again.")
        return ""


class ImageSource(SourceForm):
    """Get images from a zip, a folder on the server, the web, a search, a known data set or a built-in one.

    >>> source = ImageSource()
    >>> source.observe(lambda change: print(change.new), "value")
    >>> ImageSource(extra=[Offer("My camera", lambda form: MyCamera())])

    `value` is the `Path` of a folder with a subfolder of pictures for each label, None before; it stays
    until another has come. It lies in a temporary folder that goes with this widget, or below `into`, where it stays.
    Folders on the server are offered below `data_root` (else IPYFASTAI_DATA_ROOT) only; they are used
    where they lie, or copied where a public server does not allow changing files. `search` is any
    callable from a term and a number to `Found`s, in place of Wikimedia Commons; `extra` are more `Offer`s.
    """

    noun, question = "photos", "Where are the photos?"

    def __init__(
        self,
        *,
        extra: Sequence[Offer] = (),
        data_root: str | Path | None = None,
        search: Search | None = None,
        into: str | Path | None = None,
        max_mb: float = 1000,
        **kwargs,
    ):
        offers = standard_offers(data_root=data_root, search=search, copy=bool(refusal()))
        super().__init__([Offer("Upload a zip"), *offers, *extra], ZipUpload(max_mb=max_mb), folder=into, **kwargs)
        self.add_class("ipyfastai-image-source")

    def fetch(self, source: Source, *, name: str = "images") -> bool:
        """Get the images of any source; False while others are being fetched."""
        if self.job.busy:
            return False

        def work(progress: Progress) -> Fetched:
            home = Path(tempfile.mkdtemp(prefix="images-", dir=self._home()))
            into = home / folder_name(name)
            kept = False
            try:
                into.mkdir()
                fetched = source.fetch(into, progress=progress)
                kept = fetched.folder.is_relative_to(home)
                return fetched
            finally:
                if not kept:
                    shutil.rmtree(home)

        return self._run(work)

    def _filled_in(self, made: Source, name: str) -> None:
        self.fetch(made, name=name)

    def _arrived(self, upload: Upload) -> None:
        self.fetch(_Held(upload), name=Path(upload.name).stem)

    def _fetched(self, fetched: Fetched) -> None:
        labels = Counter(file.parent.name for file in fetched.files)
        sentences = [("good", f"{counted(len(fetched.files), 'photo')} in {counted(len(labels), 'folder')}.")]
        if len(labels) == 1 and fetched.files:
            one = "All photos lie in one folder, so folders give no labels: these must come from file names or a table."
            sentences.append(("warn", one))
        if failures := len(fetched.failures):
            sentences.append(("warn", f"{failures:,} {'was' if failures == 1 else 'were'} left out."))
        self.findings.show(
            sentences,
            [
                Table("Photos in each folder", ["folder", "photos"], labels.most_common(), bar=1),
                Table("What was left out", ["name", "why"], fetched.failures),
            ],
        )
        self.set_trait("value", fetched.folder)


class _Held:
    """A zip that was uploaded; holding it keeps its file until it is unpacked."""

    def __init__(self, upload: Upload):
        self._upload = upload

    def fetch(self, into: Path, *, progress: Progress | None = None) -> Fetched:
        return ZipSource(self._upload.path).fetch(into, progress=progress)
