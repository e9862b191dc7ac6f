"""A headline between widgets."""

from __future__ import annotations

import anywidget
from traitlets import Unicode

from .assets import joined


class Heading(anywidget.AnyWidget):
    """The headline of a part of a page, for eyes and for screen readers.

    >>> VBox([Heading("Ratings"), RatingsTable(ratings)])
    """

    _esm = joined("dom.js", "heading.js")
    _css = joined("base.css", "heading.css")

    text = Unicode(help="what it says").tag(sync=True)

    def __init__(self, text: str, **kwargs):
        super().__init__(text=text, **kwargs)
