"""Where the images come from: chosen, fetched, and told what came."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from traitlets import Any

from ...models.cleaning.apply import refusal
from ...models.data.items import folder_name
from ...models.data.search import Search
from ...models.data.sources import Fetched, Source, ZipSource
from ...models.progress import Progress
from ...models.words import counted
from ..composite import Composite
from ..file_upload import FileUpload
from ..form import Field, Form
from ..job import Job
from ..uploads import Upload
from .findings import Findings, Table
from .offers import Offer, standard_offers

ZIP = "Upload a zip"


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


class ImageSource(Composite):
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

    value = Any(None, allow_none=True, read_only=True, help="the folder of the images, or None")

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
        self._into = None if into is None else Path(into)
        self._temporary: tempfile.TemporaryDirectory | None = None
        self._taken: Upload | None = None  # the zip that is being unpacked
        self._offers = [*standard_offers(data_root=data_root, search=search, copy=bool(refusal())), *extra]
        self.form = Form(label="Where the photos come from", changed=self._changed, pressed=self._pressed)
        self.upload = ZipUpload(max_mb=max_mb)
        self.job = Job()
        self.findings = Findings()
        self.parts = self.form, self.upload, self.job, self.findings
        super().__init__(self.parts, **kwargs)
        self.add_class("ipyfastai-image-source")
        self.upload.observe(self._uploaded, "value")
        self.upload.observe(self._chosen, "_files")
        self._draw()

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

        return self.job.run(work, then=self._fetched, ended=self._rest)

    def close(self) -> None:
        """Stop, and delete what was fetched unless it lies in `into`."""
        super().close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _home(self) -> Path:
        if self._into is not None:
            self._into.mkdir(parents=True, exist_ok=True)
            return self._into
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ipyfastai-images-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    # The form: a zip is uploaded, everything else is filled in.

    @property
    def _offer(self) -> Offer | None:
        place = self.form.get("source", 0)
        return self._offers[place - 1] if place else None

    def _draw(self) -> None:
        names = [ZIP, *(offer.name for offer in self._offers)]
        fields = [Field("source", "Where are the photos?", "choice", options=names)]
        if offer := self._offer:
            fields += offer.fields
            fields.append(Field("fetch", offer.button, "button", hint=offer.about))
        self.form.show(fields)
        shown = [self.form, *([] if offer else [self.upload]), self.job, self.findings]
        if list(self.children) != shown:
            self.children = shown

    def _changed(self, name: str) -> None:
        if name == "source":
            self.job.say("")
            self._draw()

    def _pressed(self, name: str) -> None:
        offer = self._offer
        if offer is None or self.job.busy:
            return
        try:
            source = offer.make({field.name: self.form[field.name] for field in offer.fields})
        except ValueError as error:
            self.job.say(str(error), bad=True)
        else:
            self.fetch(source, name=offer.name)

    def _chosen(self, change) -> None:
        if change["new"] and not self.job.busy:  # what was said of the zip before is said of none of these
            self.job.say("")

    def _uploaded(self, change) -> None:
        if change["new"] and change["new"][0] is not self._taken and not self.job.busy:
            [self._taken] = change["new"]
            self.fetch(_Held(self._taken), name=Path(self._taken.name).stem)

    def _rest(self) -> None:
        """One fetch has ended: what it unpacked is let go of, and what arrived meanwhile is taken."""
        self._draw()
        if self.upload.value and self.upload.value[0] is self._taken:
            self.upload.clear()
        self._taken = None
        self._uploaded({"new": self.upload.value})

    # What came.

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
