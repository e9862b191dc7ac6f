"""Bring your own vectors: upload them, then walk through them."""

from __future__ import annotations

from traitlets import Any

from ..composite import Composite
from .explorer import EmbeddingExplorer
from .upload import EmbeddingUpload


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

    def _loaded(self, change) -> None:
        before = self.children[1:]
        self.set_trait("value", EmbeddingExplorer(change["new"], **self._options))
        self.children = [self.upload, self.value]
        for child in before:
            child.layout.close()
            child.close()
