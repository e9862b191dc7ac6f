"""What a model is, behind a fold."""

from __future__ import annotations

from collections.abc import Iterable

import anywidget
from traitlets import List, Unicode

from .assets import joined

Section = tuple[str, "str | list[list[str]]"]


class CardView(anywidget.AnyWidget):
    """A model card behind a fold: paragraphs and tables under their titles.

    >>> CardView(Classifier.shipped("bears").card.sections())

    A section is a title with a paragraph, or with the rows of a table, the first of them its header.
    """

    _esm = joined("dom.js", "card_view.js")
    _css = joined("base.css", "card_view.css")

    _sections = List().tag(sync=True)
    title = Unicode("About this model").tag(sync=True)

    def __init__(self, sections: Iterable[Section], **kwargs):
        super().__init__(_sections=[list(section) for section in sections], **kwargs)
