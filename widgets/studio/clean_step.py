"""Labels put right, and the photos that do not belong there thrown out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ..cleaning.image_cleaner import ImageCleaner
from .data_steps import COLUMNS, TEXT
from .flow import DONE
from .step import Step


class CleanStep(Step):
    """Mark, apply, and train again; or go on, where there is nothing to put right."""

    name, title, needs = "clean", "Clean the photos", ("confuse",)
    needs_fastai = renews_itself = True
    why_stale = "The photos were cleaned, or the network was trained again, since."
    again = "Show what it says now"
    wanted = "Put wrong labels right, or go on if there are none."

    def build(self) -> None:
        folder = self.result("photos")
        self.cleaner = ImageCleaner(self.result("confuse"), root=folder, apply=self.studio.may_change(folder))
        self.cleaner.observe(self._cleaned, "table")
        self.show(self.cleaner)

    def only(self, items: pd.DataFrame, title: str) -> None:
        """Show these alone."""
        self.cleaner.only(items, title)

    def said(self, value: str) -> str:
        return value

    def ways(self) -> list[tuple[str, str, str]]:
        again, onwards = "Train again on the cleaned photos", "Next: Publish"
        if self.flow.state("train") == DONE:
            return [("next", onwards, ""), ("again", again, "Nothing was applied since the training.")]
        return [("again", again, ""), ("next", onwards, "Train again first.")]

    def press(self, name: str) -> None:
        if name == "again":
            return self.studio.renew("train")
        self.finish("Nothing more to clean.")
        super().press(name)

    def _cleaned(self, change) -> None:
        """Files were moved, or came back: the photos to train on are others now."""
        data = self.result("check")
        items = change["new"][COLUMNS].astype(TEXT).reset_index(drop=True)
        self.studio.project.save_items(items)
        # The rate was found before: some photos fewer make it no worse.
        self.flow.set("check", replace(data, items=items), keep=["rate"])
        self.studio.steps["check"].keep()
