"""Where something comes from: chosen among offers, fetched in the background, and told what came."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import traitlets

from ...models.progress import Progress
from ..composite import Composite
from ..file_upload import FileUpload
from ..form import Field, Form
from ..job import Job
from ..uploads import Upload
from .findings import Findings

DATA_ROOT = "IPYFASTAI_DATA_ROOT"


def server_root(data_root: str | os.PathLike | None = None) -> Path | None:
    """The only folder of the server below which others may be chosen, None where there is none."""
    root = data_root or os.environ.get(DATA_ROOT)
    return Path(root) if root and Path(root).is_dir() else None


@dataclass(frozen=True)
class Offer:
    """One way to get something: its name, the fields of its form, and what the filled-in form makes.

    >>> Offer("My camera", lambda form: MyCamera(form["count"]), [Field("count", "Photos", "number", 10, high=99)])

    `make` is given {field's name: value}: what each kind of field holds stands in `Field`. It may raise
    ValueError with a sentence for the visitor. In an `ImageSource` it makes a `Source`. `about` says in a sentence
    what this is. An offer that makes nothing is that of the upload.
    """

    name: str
    make: Callable[[Mapping[str, Any]], Any] | None = None
    fields: Sequence[Field] = ()
    about: str = ""
    button: str = "Get the photos"


class SourceForm(Composite):
    """A choice of offers with the form of the one chosen, an upload among them, and below it how fetching goes.

    >>> class NotesSource(SourceForm):
    ...     noun, question = "notes", "Where are the notes?"
    ...     def fetch(self, path):
    ...         return self._run(lambda progress: read_notes(path, progress=progress))
    ...     def _filled_in(self, made, name): self.fetch(made)
    ...     def _arrived(self, upload): self.fetch(upload.path)
    ...     def _fetched(self, notes): self.set_trait("value", notes)

    `value` is what came last, None before; it stays until something else has come. What is fetched may be kept in
    `_home()`: `folder`, where it stays, else a temporary folder that goes with this widget.
    """

    value = traitlets.Any(None, allow_none=True, read_only=True, help="what was fetched, or None")

    noun: str
    question: str

    def __init__(
        self, offers: Sequence[Offer], upload: FileUpload, *, folder: str | os.PathLike | None = None, **kwargs
    ):
        self._offers = list(offers)
        self._folder = None if folder is None else Path(folder)
        self._temporary: tempfile.TemporaryDirectory | None = None
        self._taken: Upload | None = None  # the file that is being read
        self.form = Form(label=f"Where the {self.noun} come from", changed=self._changed, pressed=self._pressed)
        self.upload, self.job, self.findings = upload, Job(), Findings()
        self.parts = self.form, self.upload, self.job, self.findings
        super().__init__(self.parts, **kwargs)
        self.upload.observe(self._uploaded, "value")
        self.upload.observe(self._chosen, "_files")
        self._draw()

    def close(self) -> None:
        """Stop, and delete what was fetched unless it lies in a folder that was given."""
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        super().close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # What subclasses do.

    def _filled_in(self, made: Any, name: str) -> None:
        """Fetch what an offer of this name made of its form."""
        raise NotImplementedError

    def _arrived(self, upload: Upload) -> None:
        """Fetch what is in a file; whoever holds the upload keeps the file."""
        raise NotImplementedError

    def _fetched(self, result: Any) -> None:
        """Tell what came, and set `value`."""
        raise NotImplementedError

    def _run(self, work: Callable[[Progress], Any]) -> bool:
        """Fetch in the background; False while something else is being fetched."""
        return self.job.run(work, then=self._fetched, ended=self._rest)

    def _home(self) -> Path:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            return self._folder
        if self._temporary is None:
            prefix = f"ipyfastai-{self.noun}-"
            self._temporary = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    # The form: a file is uploaded, everything else is filled in.

    @property
    def _offer(self) -> Offer:
        return self._offers[self.form.get("source", 0)]

    def _draw(self) -> None:
        names = [offer.name for offer in self._offers]
        offer = self._offer
        fields = [Field("source", self.question, "choice", options=names), *offer.fields]
        if offer.make is not None:
            fields.append(Field("fetch", offer.button, "button", hint=offer.about))
        self.form.show(fields)
        shown = [self.form, *([self.upload] if offer.make is None else []), self.job, self.findings]
        if list(self.children) != shown:
            self.children = shown

    def _changed(self, name: str) -> None:
        if name == "source":
            self.job.say("")
            self._draw()

    def _pressed(self, _name: str) -> None:
        offer = self._offer
        if offer.make is None or self.job.busy:
            return
        try:
            made = offer.make({field.name: self.form[field.name] for field in offer.fields})
        except ValueError as error:
            self.job.say(str(error), bad=True)
        else:
            self._filled_in(made, offer.name)

    def _chosen(self, change) -> None:
        if change["new"] and not self.job.busy:  # what was said of the file before is said of none of these
            self.job.say("")

    def _uploaded(self, change) -> None:
        if change["new"] and change["new"][0] is not self._taken and not self.job.busy:
            [self._taken] = change["new"]
            self._arrived(self._taken)

    def _rest(self) -> None:
        """One fetch has ended: what it read is let go of, and what arrived meanwhile is taken."""
        if self.upload.value and self.upload.value[0] is self._taken:
            self.upload.clear()
        self._taken = None
        self._uploaded({"new": self.upload.value})
