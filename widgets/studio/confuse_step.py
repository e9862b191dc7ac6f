"""What the trained network takes for what."""

from __future__ import annotations

import pandas as pd

from ..interpretation.confusion_matrix import ConfusionMatrix
from ..interpretation.top_losses import TopLosses
from .step import Step


class ConfuseStep(Step):
    """One look at every photo, then the confusion matrix and the worst mistakes."""

    name, title, needs = "confuse", "What it confuses", ("train",)
    wanted = "The network looks at every photo first."
    why_stale, again = "It is about an earlier training.", "Look with the network as it is now"
    needs_fastai = renews_itself = True

    def build(self) -> None:
        learn, folder = self.result("train").learner, self.result("photos")

        def work(progress):
            from ...models.interpretation.predictions import predictions

            return predictions(learn, progress=progress)

        def done(table: pd.DataFrame) -> None:
            self.matrix = ConfusionMatrix(table, root=folder)
            self.losses = TopLosses(table, root=folder, only_wrong=True)
            self.matrix.observe(lambda change: self.studio.refresh(), "value")
            self.show(self.matrix, self.losses)
            self.finish(table)

        self.prepare(work, done)

    def said(self, value: pd.DataFrame) -> str:
        held_back = value[value["split"] == "valid"]
        wrong = int((held_back["label"].astype(str) != held_back["predicted"].astype(str)).sum())
        return f"{wrong:,} of {len(held_back):,} held-back photos are called wrongly."

    def ways(self) -> list[tuple[str, str, str]]:
        cell = self.matrix.value if self.content else None
        ways = super().ways()
        if cell is not None:
            ways.append(("cell", f"Clean these: {cell[0]} called {cell[1]}", ""))
        return ways

    def press(self, name: str) -> None:
        if name == "cell":
            label, predicted = self.matrix.value
            items = self.matrix.items
            self.studio.go_to("clean")
            self.studio.steps["clean"].only(items, f"{label} called {predicted}")
        else:
            super().press(name)
