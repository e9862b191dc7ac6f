"""Bring your own vectors: upload them, then walk through them."""

from __future__ import annotations

import pandas as pd
from ipywidgets import Widget
from traitlets import Any

from ..composite import Composite, discard
from .encodings import is_categorical
from .explorer import EmbeddingExplorer
from .upload import EmbeddingUpload

GROUPS = 20  # beyond that, most of them would share a colour


class AnyEmbedding(Composite):
    """Upload vectors, with metadata or without, or take an example; then explore them.

    >>> AnyEmbedding()

    `value` is the `EmbeddingExplorer` of the last upload, None before. Options go to it.
    """

    value = Any(None, allow_none=True, read_only=True, help="the EmbeddingExplorer that is shown, if any")

    def __init__(self, **options):
        self.upload = EmbeddingUpload()
        self._options = options
        super().__init__([self.upload])
        self.upload.observe(self._loaded, "value")

    @property
    def parts(self) -> tuple[Widget, ...]:
        return (self.upload,) if self.value is None else (self.upload, self.value)

    def _loaded(self, change) -> None:
        before = self.value
        options = {"colour": grouping(change["new"].metadata), **self._options}
        try:
            explorer = EmbeddingExplorer(self.upload.basis, **options)
        except ValueError as error:
            return self.upload.job.say(str(error), bad=True)
        self.set_trait("value", explorer)
        self.children = [self.upload, self.value]
        if before is not None:
            discard(before)


def grouping(metadata: pd.DataFrame) -> str | None:
    """The first column that puts the rows into a few groups, whose colours say something at first sight.

    >>> grouping(pd.DataFrame({"title": ["Alien", "Emma", "Solaris"], "genre": ["Sci-Fi", "Drama", "Sci-Fi"]}))
    'genre'
    """
    for name, column in metadata.items():
        if is_categorical(column) and 1 < column.nunique() <= min(GROUPS, len(column) // 2 + 1):
            return name
    return None
