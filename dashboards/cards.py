"""What the gallery knows of a dashboard: read from the notebook's own metadata."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THUMBNAILS = "thumbnails"
RESOURCES = ("processor", "memory")
PICTURE_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Card:
    """One dashboard in the gallery.

    >>> Card.of(Path("bear_classifier.ipynb"))
    Card(file='bear_classifier.ipynb', title='Bear classifier', ...)

    Made from `metadata.ipyfastai = {title, summary, needs: {processor, memory}, thumbnail, order}`. All
    of it is optional and none of it is trusted: what is missing or of the wrong kind falls back to the
    notebook's first heading, its file name, or nothing.
    """

    file: str
    title: str
    summary: str = ""
    needs: tuple[str, ...] = ()
    thumbnail: str | None = None
    order: float = float("inf")

    @property
    def name(self) -> str:
        return Path(self.file).stem

    @property
    def wants_gpu(self) -> bool:
        return any("gpu" in need.lower() for need in self.needs)

    @classmethod
    def of(cls, path: Path) -> Card:
        """The card of the notebook at `path`, whatever state that file is in."""
        notebook = _read(path)
        metadata = _dict(_dict(notebook.get("metadata")).get("ipyfastai"))
        needs, order = _dict(metadata.get("needs")), metadata.get("order")
        return cls(
            file=path.name,
            title=_text(metadata.get("title")) or _first_heading(notebook) or _spoken(path.stem),
            summary=_text(metadata.get("summary")),
            needs=tuple(filter(None, (_text(needs.get(resource)) for resource in RESOURCES))),
            thumbnail=_thumbnail(path.parent, metadata.get("thumbnail")),
            order=order if isinstance(order, int | float) else float("inf"),
        )


def cards(folder: str | Path) -> list[Card]:
    """A card for every notebook in `folder`, in their `order`, then by title."""
    notebooks = (path for path in Path(folder).glob("*.ipynb") if not path.name.startswith("."))
    return sorted(map(Card.of, notebooks), key=lambda card: (card.order, card.title.lower(), card.file))


def _read(path: Path) -> dict:
    try:
        return _dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        log.warning("%s is no readable notebook: %s", path.name, error)
        return {}


def _dict(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """`value` as one line; numbers count as text, anything else as none."""
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _first_heading(notebook: dict) -> str:
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        source = _dict(cell).get("source", "")
        lines = source if isinstance(source, list) else str(source).splitlines()
        if _dict(cell).get("cell_type") == "markdown":
            for line in lines:
                if str(line).startswith("# "):
                    return _text(str(line)[2:])
    return ""


def _spoken(stem: str) -> str:
    words = stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _thumbnail(folder: Path, name: Any) -> str | None:
    """`name` if it is a picture that lies in the folder's thumbnails, else None."""
    if not isinstance(name, str) or Path(name).name != name or Path(name).suffix not in PICTURE_TYPES:
        return None
    return name if (folder / THUMBNAILS / name).is_file() else None
