"""What is known of a point, for a tooltip."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pandas as pd

from ...models.embeddings.embedding import Embedding
from ...models.thumbnails import Thumbnails
from ..background import offload

LINES = 6
TEXT_LENGTH = 120


class Tooltip:
    """Label, metadata and picture of a row.

    >>> start(Tooltip(embedding).tell(7, answer))
    """

    def __init__(self, embedding: Embedding):
        self._embedding = embedding
        self._thumbnails: Thumbnails | None = None

    async def tell(self, row: int, answer: Callable[[str, list, bytes | None], None]) -> None:
        """Call `answer(label, [(column, value)], JPEG or None)`."""
        lines = []
        for name, column in self._embedding.metadata.items():
            value = column.iloc[row]
            if pd.isna(value) or len(lines) == LINES:
                continue
            lines.append((_short(name), _short(f"{value:.4g}" if isinstance(value, float) else value)))
        answer(self._embedding.labels[row], lines, await self._picture(row))

    async def _picture(self, row: int) -> bytes | None:
        if self._embedding.thumbnails is None:
            return None
        if self._thumbnails is None:
            self._thumbnails = Thumbnails()
        try:
            return await offload(self._thumbnails.get, self._embedding.thumbnails[row], lane="thumbnails")
        except ValueError as error:  # a file that is gone, or no picture: the text is there all the same
            logging.getLogger(__name__).info("no thumbnail of row %s: %s", row, error)
            return None

    def close(self) -> None:
        if self._thumbnails is not None:
            self._thumbnails.close()


def _short(text: object) -> str:
    text = str(text)
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
