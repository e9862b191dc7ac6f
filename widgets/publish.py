"""From a trained learner to a file that others can use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anywidget
from traitlets import Any, Dict

from ..models.card import MAX_TEXT
from ..models.classifier import Classifier
from .assets import joined
from .composite import Composite
from .file_download import FileDownload
from .image_classifier import ImageClassifier
from .job import Job

if TYPE_CHECKING:
    import pandas as pd
    from fastai.learner import Learner

    from ..models.training.run import TrainingRun

# name -> (label, hint, lines)
WORDS = {
    "name": ("Name", "", 1),
    "summary": ("What it does", "Empty: the labels that it tells apart.", 2),
    "data_source": ("Where the photos come from", "", 2),
    "intended_use": ("Intended use", "", 2),
    "not_intended_for": ("Not intended for", "Where a wrong answer would do harm.", 2),
    "licence": ("Licence", "Of the classifier, and of the photos where they have another.", 1),
}
REPOSITORY = {"repository": ("GitHub repository", "owner/name, such as ada/bears. It need not be there yet.", 1)}


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

    value = Any(None, allow_none=True, help="the Path of the published bundle")

    def __init__(
        self,
        learn: Learner | None = None,
        *,
        folder: str | os.PathLike,
        table: pd.DataFrame | None = None,
        run: TrainingRun | None = None,
        **words: str,
    ):
        self.folder = Path(folder)
        self._learn, self._table, self._run = learn, table, run
        self._binder: tempfile.TemporaryDirectory | None = None
        self.form = WordsForm(WORDS, **words)
        self.job = Job(button="Publish", pressed=self.publish)
        self.classifier: ImageClassifier | None = None  # to try the bundle with
        self.bundle = FileDownload("Download the classifier")
        self.repository = WordsForm(REPOSITORY)
        self.binder_job = Job(button="Make a folder for Binder", pressed=self.make_binder_folder)
        self.binder = FileDownload("Download that folder as a zip")
        self._results = [self.bundle, self.repository, self.binder_job, self.binder]
        self.parts = self.form, self.job, *self._results
        super().__init__([self.form, self.job])
        self.add_class("ipyfastai-publish")

    def use(self, learn: Learner | None, *, table: pd.DataFrame | None = None, run: TrainingRun | None = None) -> None:
        """Publish this learner from now on; None where there is none yet."""
        self.job.cancel()
        self._learn, self._table, self._run = learn, table, run
        self._withdraw()

    def publish(self) -> bool:
        """Write the bundle; False, and nothing else, while that runs already."""
        if self._learn is None:
            self.job.say("There is nothing to publish yet: train first.", bad=True)
            return False
        words = dict(self.form.value)
        if not words["name"].strip():
            self.form.complain("name", "Give it a name.")
            return False
        self.form.complain("name", "")
        learn, table, run = self._learn, self._table, self._run

        def work(progress):
            from ..models.publishing.publish import publish

            return publish(learn, self.folder, table=table, run=run, progress=progress, **words)

        def done(path: Path) -> None:
            if learn is self._learn:
                self._publish(path)

        return self.job.run(work, then=done)

    def make_binder_folder(self) -> bool:
        """Make the zip of a folder that Binder serves; False while that runs already."""
        if self.value is None:
            return False
        bundle, repository = self.value, self.repository.value["repository"].strip()

        def work(progress):
            from ..models.publishing.binder import binder_folder

            room = tempfile.TemporaryDirectory(prefix="ipyfastai-binder-", ignore_cleanup_errors=True)
            folder = binder_folder(bundle, Path(room.name) / bundle.stem, repository=repository)
            return room, Path(shutil.make_archive(str(folder), "zip", room.name, folder.name))

        def done(result: tuple[tempfile.TemporaryDirectory, Path]) -> None:
            self._binder, path = result
            self.binder.offer(path)
            self.binder_job.say("Unpack it; its README says how to push it and holds the badge.")

        return self.binder_job.run(work, then=done)

    def close(self) -> None:
        if self.children:  # else the constructor raised
            self._withdraw()
        super().close()
        self._learn = self._table = self._run = None

    def _publish(self, path: Path) -> None:
        self._try(ImageClassifier(Classifier.load(path), label="Try it on photos of your own"))
        self.bundle.offer(path)
        self.binder.offer(None)
        self.children = [self.form, self.job, self.bundle, self.classifier, *self._results[1:]]
        self.job.button = "Publish again"
        self.job.say(f"Published as {path.name}. Whoever has this file can classify photos with it.")
        self.value = path

    def _try(self, classifier: ImageClassifier | None) -> None:
        if self.classifier is not None:
            self.classifier.close()
        self.classifier = classifier

    def _withdraw(self) -> None:
        self.value = None
        self._try(None)
        self._binder = None
        self.bundle.offer(None)
        self.binder.offer(None)
        for job in (self.job, self.binder_job):
            job.say("")
        self.children = [self.form, self.job]


class WordsForm(anywidget.AnyWidget):
    """Labelled fields for text, of one line or more.

    >>> form = WordsForm({"name": ("Name", "A hint.", 1)}, name="Bears")
    >>> form.value
    {'name': 'Bears'}

    `fields` maps names to (label, hint, lines). What is typed arrives when a field is left; `changed()` is
    called then. Raises TypeError for words that are no field.
    """

    _esm = joined("dom.js", "publish.js")
    _css = joined("base.css", "publish.css")

    _shown = Dict(help="the fields with what they hold").tag(sync=True)

    def __init__(
        self, fields: dict[str, tuple[str, str, int]], *, changed: Callable[[], object] = lambda: None, **words: str
    ):
        super().__init__()
        if unknown := set(words) - set(fields):
            raise TypeError(f"There is no field {sorted(unknown)[0]!r}; there are {', '.join(fields)}.")
        self.value = {name: words.get(name, "") for name in fields}
        self._fields, self._changed, self._errors = fields, changed, {}
        self.on_msg(self._receive)
        self._show()

    def complain(self, name: str, sentence: str) -> None:
        """Show what is wrong with a field; "" takes it away."""
        self._errors[name] = sentence
        self._show()

    def _show(self) -> None:
        self._shown = {
            "fields": [
                {
                    "name": name,
                    "label": label,
                    "hint": hint,
                    "lines": lines,
                    "value": self.value[name],
                    "error": self._errors.get(name, ""),
                }
                for name, (label, hint, lines) in self._fields.items()
            ]
        }

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("type") != "typed":
            return
        name, text = content.get("name"), content.get("text")
        if isinstance(name, str) and name in self.value and isinstance(text, str):
            text = text[:MAX_TEXT].encode(errors="replace").decode()  # half of a character fits into no file
            self.value = {**self.value, name: text}
            self._errors.pop(name, None)
            self._show()
            self._changed()
