"""From a trained learner to a file that others can use."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Any

from ..models.card import MAX_TEXT
from ..models.classifier import Classifier
from .composite import Composite
from .file_download import FileDownload
from .form import Field, Form
from .image_classifier import ImageClassifier
from .job import Job

if TYPE_CHECKING:
    import pandas as pd
    from fastai.learner import Learner

    from ..models.training.run import TrainingRun

_text = partial(Field, longest=MAX_TEXT)
WORDS = [
    _text("name", "Name", "text"),
    _text("summary", "What it does", "lines", rows=2, hint="Empty: the labels that it tells apart."),
    _text("data_source", "Where the photos come from", "lines", rows=2),
    _text("intended_use", "Intended use", "lines", rows=2),
    _text("not_intended_for", "Not intended for", "lines", rows=2, hint="Where a wrong answer would do harm."),
    _text("licence", "Licence", "text", hint="Of the classifier, and of the photos where they have another."),
]
REPOSITORY = Field(
    "repository",
    "GitHub repository",
    "text",
    hint="owner/name, such as ada/bears. It need not be there yet. Binder is a free service that runs what lies in "
    "such a repository: whoever opens its link gets the classifier in the browser, with nothing to install.",
)


class Publish(Composite):
    """Write a learner as one file with its model card, to download, and as a folder for Binder.

    >>> publish = Publish(learn, folder="published", table=predictions(learn), run=run)
    >>> publish.observe(lambda change: print(change.new), "value")

    The card is filled from the `run` and the predictions `table` (made anew where it is None); a person adds
    the name and what the classifier is for. `words` are what those fields hold at first. A learner that
    `export_onnx` refuses is refused with its sentence. What was published can be tried on photos at once.
    `use(learn, ...)` goes on to another learner and keeps what was written.

    `value` is the Path of the bundle, None before it is published and once there is another learner.
    """

    value = Any(None, allow_none=True, read_only=True, help="the Path of the published bundle")

    def __init__(
        self,
        learn: Learner | None = None,
        *,
        folder: str | os.PathLike,
        table: pd.DataFrame | None = None,
        run: TrainingRun | None = None,
        **words: str,
    ):
        if unknown := sorted(words.keys() - {field.name for field in WORDS}):
            raise TypeError(f"There is no field {unknown[0]!r}; there are {', '.join(field.name for field in WORDS)}.")
        self.folder = Path(folder)
        self._learn, self._table, self._run = learn, table, run
        self._binder: tempfile.TemporaryDirectory | None = None
        self.form = Form(label="About the classifier", changed=lambda name: self._ask_for_name(""))
        self.form.show([dataclasses.replace(field, value=words.get(field.name)) for field in WORDS])
        self.job = Job(button="Publish", pressed=self.publish)
        self.classifier: ImageClassifier | None = None  # to try the bundle with
        self.bundle = FileDownload("Download the classifier")
        self.repository = Form(label="Where the folder for Binder goes")
        self.repository.show([REPOSITORY])
        self.binder_job = Job(button="Make a folder for Binder", pressed=self.make_binder_folder)
        self.binder = FileDownload("Download that folder as a zip")
        self._results = [self.bundle, self.repository, self.binder_job, self.binder]
        self.parts = self.form, self.job, *self._results
        super().__init__([self.form, self.job])
        self.add_class("ipyfastai-publish")

    @property
    def words(self) -> dict[str, str]:
        """What the form says: name -> text."""
        return {field.name: self.form[field.name] for field in WORDS}

    def use(self, learn: Learner | None, *, table: pd.DataFrame | None = None, run: TrainingRun | None = None) -> None:
        """Publish this learner from now on; None where there is none yet."""
        self.job.cancel()
        self._learn, self._table, self._run = learn, table, run
        self._withdraw()

    def publish(self) -> bool:
        """Write the bundle; False while that runs already, and where it cannot, with the reason on the page."""
        if self._learn is None:
            self.job.say("There is nothing to publish yet: train first.", bad=True)
            return False
        words = self.words
        if not words["name"].strip():
            self._ask_for_name("Give it a name.")
            return False
        learn, table, run = self._learn, self._table, self._run

        def work(progress):
            from ..models.publishing.publish import publish

            return publish(learn, self.folder, table=table, run=run, progress=progress, **words)

        def done(path: Path) -> None:
            if learn is self._learn:
                self._publish(path)

        return self.job.run(work, then=done)

    def make_binder_folder(self) -> bool:
        """Make the zip of a folder that Binder serves; False while that runs already or nothing is published."""
        if self.value is None:
            return False
        bundle, repository = self.value, self.repository["repository"].strip()

        def work(progress):
            from ..models.publishing.binder import binder_folder

            room = tempfile.TemporaryDirectory(prefix="ipyfastai-binder-", ignore_cleanup_errors=True)
            folder = binder_folder(bundle, Path(room.name) / bundle.stem, repository=repository)
            return room, Path(shutil.make_archive(str(folder), "zip", room.name, folder.name))

        def done(result: tuple[tempfile.TemporaryDirectory, Path]) -> None:
            if bundle is not self.value:  # another was published meanwhile
                return result[0].cleanup()
            self._binder, path = result
            self.binder.offer(path)
            self.binder_job.say("Unpack it; its README says how to push it and holds the badge.")

        return self.binder_job.run(work, then=done)

    def close(self) -> None:
        if self.children:  # else the constructor raised
            self._withdraw()
        super().close()
        self._learn = self._table = self._run = None

    def _ask_for_name(self, problem: str) -> None:
        self.form.show([dataclasses.replace(WORDS[0], problem=problem), *WORDS[1:]])
        self.job.say(problem, bad=True)

    def _publish(self, path: Path) -> None:
        self._try(ImageClassifier(Classifier.load(path), label="Try it on photos of your own"))
        self.bundle.offer(path)
        self.binder.offer(None)
        self.children = [self.form, self.job, self.bundle, self.classifier, *self._results[1:]]
        self.job.button = "Publish again"
        self.job.say(f"Published as {path.name}. Whoever has this file can classify photos with it.")
        self.set_trait("value", path)

    def _try(self, classifier: ImageClassifier | None) -> None:
        if self.classifier is not None:
            self.classifier.close()
        self.classifier = classifier

    def _withdraw(self) -> None:
        self.set_trait("value", None)
        self._try(None)
        self._binder = None
        self.bundle.offer(None)
        self.binder.offer(None)
        for job in (self.job, self.binder_job):
            job.say("")
        self.children = [self.form, self.job]
