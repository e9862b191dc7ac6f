"""Precision, recall and F1 of each label."""

from __future__ import annotations

import csv
import io

import anywidget
import pandas as pd
from traitlets import Dict

from ..assets import joined
from ..results import inert
from .confusion_view import LABEL_LENGTH


class ClassScores(anywidget.AnyWidget):
    """A table of what a classifier gets right of each label: sort it, download it as CSV.

    >>> ClassScores(scores(confusion(table), labels(table)), noun="photo")

    Shows the columns of `models.interpretation.confusion.scores`: each share with the counts behind it.
    """

    _esm = joined("dom.js", "interpretation/names.js", "interpretation/class_scores.js")
    _css = joined("base.css", "interpretation/class_scores.css")

    _scores = Dict(help="a list for each column; None where there is nothing to divide by").tag(sync=True)

    def __init__(self, scores: pd.DataFrame, *, noun: str = "item", **kwargs):
        super().__init__(**kwargs)
        self._noun = noun
        self.on_msg(self._receive)
        self.show(scores)

    def show(self, scores: pd.DataFrame) -> None:
        """Show other scores."""
        self._table = scores
        columns = {name: [None if value != value else value for value in scores[name].tolist()] for name in scores}
        self._scores = {"noun": self._noun, "label": [label[:LABEL_LENGTH] for label in scores.index], **columns}

    def _receive(self, _widget, content, buffers) -> None:
        if isinstance(content, dict) and content.get("type") == "csv" and isinstance(content.get("token"), str):
            # Every view hears the answer; the one that asked knows its token.
            self.send({"type": "csv", "token": content["token"][:64], "text": self._csv()})

    def _csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["label", *self._table])
        for label, *values in self._table.itertuples():
            writer.writerow([inert(label), *("" if value != value else value for value in values)])
        return out.getvalue()
