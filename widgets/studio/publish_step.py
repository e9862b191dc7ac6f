"""The classifier, written to a file and tried out at once."""

from __future__ import annotations

from pathlib import Path

from ..publish import Publish
from .step import Step


class PublishStep(Step):
    """Write the bundle, download it, and classify a photo with it on the spot."""

    name, title, needs = "publish", "Publish", ("train", "confuse", "clean")
    needs_fastai = renews_itself = True
    wanted = "Give it a name and publish it."
    why_stale = "What was published is of an earlier training."
    again = "Publish what there is now"

    def build(self) -> None:
        run, project = self.result("train"), self.studio.project
        words = project.facts.get("words", {})
        self.publish = Publish(
            run.learner,
            folder=project.published,
            table=self.result("confuse"),
            run=run,
            **{"name": project.name, **words},
        )
        self.publish.observe(self._published, "value")
        self.show(self.publish)

    def renew(self) -> None:
        """Another learner; what was written about it stays."""
        if not self.content:
            return super().renew()
        self.flow.begin(self.name)
        run = self.result("train")
        self.publish.use(run.learner, table=self.result("confuse"), run=run)

    def said(self, value: Path) -> str:
        return f"Published as {value.name}."

    def _published(self, change) -> None:
        if change["new"] is not None:
            self.studio.project.save(words=self.publish.words)
        self.finish(change["new"])
