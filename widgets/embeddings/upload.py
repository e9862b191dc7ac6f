"""Vectors that a visitor brings, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from traitlets import Any

from ...models.embeddings.embedding import Embedding
from ...models.embeddings.example import example_embedding, examples
from ...models.embeddings.files import KINDS, VectorsFile, label_column, read_metadata, read_vectors
from ...models.progress import Progress
from ...models.words import counted
from ..assets import joined
from ..composite import Composite
from ..file_upload import FileUpload
from ..form import Field, Form
from ..job import Job
from ..uploads import Upload
from .basis import Basis

Reading = Callable[[], tuple[VectorsFile | None, Embedding]]  # what a file held, if there was one


class _Zone(FileUpload):
    _css = joined("base.css", "file_upload.css", "embeddings/upload.css")


class EmbeddingUpload(Composite):
    """Drop zones for vectors and, once these are there, for metadata; or an example by one click.

    >>> upload = EmbeddingUpload()
    >>> upload.observe(lambda change: print(change.new), "value")

    Vectors are a `.npy`, `.csv`, `.tsv` or `.txt` file (see `read_vectors`), metadata a table with a row for each of
    them, in their order; a table that comes while vectors are still read is of these. Labels are the vectors' own,
    else those that the metadata names. `value` is the checked `Embedding`, None before, and stays when a later file
    cannot be used; `basis` has its principal components, which are found in the background too. A file has at most
    `max_mb` megabytes.
    """

    value = Any(None, allow_none=True, read_only=True, help="the Embedding, None before")

    def __init__(self, *, max_mb: float = 1000, **kwargs):
        kinds = {"multiple": False, "max_mb": max_mb}
        self.vectors = _Zone(label="Add vectors (.npy, .csv or .tsv)", accept=",".join(KINDS), **kinds)
        self.metadata = _Zone(
            label="Add metadata (.csv or .tsv), a row for each vector", accept=".csv,.tsv,.txt", **kinds
        )
        self.examples = Form(label="Examples", pressed=self.show_example)
        self.job = Job()
        self.parts = (self.vectors, self.metadata, self.examples, self.job)
        super().__init__([self.vectors, self.examples, self.job], **kwargs)
        self.add_class("ipyfastai-embedding-upload")
        self.basis: Basis | None = None
        self._file: VectorsFile | None = None
        self._waiting: Reading | None = None
        self._expected: Reading | None = None  # of vectors, until they are there
        self._description: Upload | None = None  # metadata of what is expected
        self.examples.show([Field(name, f"Try it: {name.lower()}", "button", primary=False) for name in examples()])
        self.vectors.observe(self._arrived, "value")
        self.metadata.observe(self._described_by, "value")

    def show_example(self, name: str) -> None:
        """Show one of `examples()`."""
        self._expect(lambda: (None, example_embedding(name)))

    def _arrived(self, change) -> None:
        if not change["new"]:
            return
        [upload] = change["new"]

        def read() -> tuple[VectorsFile, Embedding]:
            file = read_vectors(Path(upload.path), upload.name)
            return file, Embedding(file.vectors, file.labels, file.metadata)

        self._expect(read)

    def _expect(self, read: Reading) -> None:
        self._expected, self._description = read, None
        self._read(read)

    def _described_by(self, change) -> None:
        if not change["new"]:
            return
        [self._description] = change["new"]
        if self._expected is None:
            self._describe()

    def _describe(self) -> None:
        (upload, self._description), file = (self._description, None), self._file
        if file is None:
            return self.metadata.clear()  # an example has its own
        self._read(lambda: (file, _together(file, read_metadata(Path(upload.path), len(file.vectors)))))

    def _read(self, read: Reading) -> None:
        """Read this next, in the background; what is still being read is not wanted any more."""
        self._waiting = read
        self.job.cancel()
        self._next()

    def _next(self) -> None:
        if self.job.busy:
            return
        if self._waiting is None:
            return self._end()
        read, self._waiting = self._waiting, None

        def work(progress: Progress) -> tuple[VectorsFile | None, Basis]:
            progress.report(0, None, "Reading")
            file, embedding = read()
            if file is not None and file is self._file:  # only what is known of them is new
                return file, self.basis.described(embedding)
            return file, Basis.of(embedding, progress=progress)

        def keep(result: tuple[VectorsFile | None, Basis]) -> None:
            if read is self._expected:
                self._expected = None
            self._keep(*result)

        self.job.run(work, then=keep, ended=self._next)

    def _end(self) -> None:
        """Read the metadata that waits for what was expected; if that did not come, it is of nothing."""
        came, self._expected = self._expected is None, None
        if self._description is None:
            return
        if came:
            self._describe()
        else:
            self._description = None
            self.metadata.clear()

    def _keep(self, file: VectorsFile | None, basis: Basis) -> None:
        self.basis, embedding = basis, basis.embedding
        if file is not self._file and self.metadata.value and self._description is None:
            self.metadata.clear()  # it was of other vectors
        self._file = file
        self.children = [self.vectors, *([self.metadata] if file is not None else []), self.examples, self.job]
        count, width = embedding.vectors.shape
        columns = embedding.metadata.shape[1]
        more = f", {counted(columns, 'column')} of metadata" if columns else ""
        self.job.say(f"{counted(count, 'vector')} of {counted(width, 'number')} each{more}.")
        self.set_trait("value", embedding)  # last: whoever cannot show it says so here


def _together(file: VectorsFile, metadata: pd.DataFrame) -> Embedding:
    """Vectors with the metadata of another file, which also names them where they have no names."""
    labels = file.labels
    if labels is None and (named := label_column(metadata)) is not None:
        labels, metadata = metadata[named], metadata.drop(columns=named)
    if file.metadata is not None:
        metadata = pd.concat([file.metadata.drop(columns=[*metadata], errors="ignore"), metadata], axis=1)
    return Embedding(file.vectors, labels, metadata)
