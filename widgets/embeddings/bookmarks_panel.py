"""Places in an embedding to come back to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
from traitlets import Dict

from ...models.embeddings.bookmark import LARGEST, MOST, Bookmark, read_bookmarks, write_bookmarks
from ...models.embeddings.embedding import Embedding
from ...models.embeddings.layouts import LIBRARIES
from ..assets import joined
from .plot import is_row

NAME_LENGTH = 80


class BookmarksPanel(anywidget.AnyWidget):
    """A list of bookmarks to go to, to save as a file and to load from one.

    >>> panel = BookmarksPanel(embedding, keep=explorer.bookmark, go=explorer.go_to)
    >>> panel.value
    (Bookmark(name='Comedies', ...),)

    `keep(name)` makes a `Bookmark` of what is shown, `go(bookmark)` shows it; a ValueError of either is shown as
    its sentence. `value` are the bookmarks, in their order; `load(text)` takes more from JSON.
    """

    _esm = joined("dom.js", "interpretation/names.js", "embeddings/bookmarks_panel.js")
    _css = joined("base.css", "embeddings/bookmarks_panel.css")

    # Written here and never read back: a page can set any synced trait.
    _state = Dict(help="names, what was said last, and how many bytes a file may have").tag(sync=True)

    def __init__(
        self,
        embedding: Embedding,
        *,
        keep: Callable[[str], Bookmark],
        go: Callable[[Bookmark], Any],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._shape, self._columns = embedding.vectors.shape, list(embedding.metadata.columns)
        self._keep, self._go = keep, go
        self.value: tuple[Bookmark, ...] = ()
        self._show()
        self.on_msg(self._receive)

    def keep(self, name: str) -> None:
        """Add a bookmark of what is shown now; one of the same name is replaced."""
        if len(self.value) >= MOST and name not in [one.name for one in self.value]:
            return self._show(f"There are {MOST} bookmarks already. Remove one first.", bad=True)
        bookmark = self._keep(name)
        self.value = (*(one for one in self.value if one.name != name), bookmark)
        self._show(f"Kept as “{name}”.")

    def load(self, text: str) -> None:
        """Add the bookmarks of a file; those of the same names are replaced."""
        data, known = text.encode(errors="replace"), {"columns": self._columns, "layouts": tuple(LIBRARIES)}
        try:
            more = read_bookmarks(data, self._shape, **known)
        except ValueError as error:
            return self._show(str(error), bad=True)
        names = {one.name for one in more}
        kept = (*(one for one in self.value if one.name not in names), *more)
        if len(kept) > MOST:
            return self._show(f"That would be {len(kept)} bookmarks; {MOST} is the limit: remove some.", bad=True)
        self.value = kept
        self._show(f"{len(more):,} loaded.")

    def go(self, place: int) -> None:
        """Show the bookmark at this place."""
        try:
            self._go(self.value[place])
        except ValueError as error:
            self._show(str(error), bad=True)
        else:
            self._show("")

    def text(self) -> str:
        """The bookmarks as JSON; raises ValueError with a sentence where that is too long to be loaded again."""
        return write_bookmarks(self.value, self._shape).decode()

    def _show(self, said: str = "", *, bad: bool = False) -> None:
        self._state = {"names": [one.name for one in self.value], "said": said, "bad": bad, "largest": LARGEST}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, value = content.get("type"), content.get("value")
        if kind == "keep" and _is_text(value, NAME_LENGTH) and value.strip():
            self.keep(value.strip())
        elif kind == "load" and isinstance(value, str):
            self.load(value)
        elif kind == "go" and is_row(value, len(self.value)):
            self.go(value)
        elif kind == "forget" and is_row(value, len(self.value)):
            name = self.value[value].name
            self.value = (*self.value[:value], *self.value[value + 1 :])
            self._show(f"“{name}” is removed.")
        elif kind == "save" and _is_text(value, 40) and self.value:
            self._save(value)

    def _save(self, token: str) -> None:
        try:
            self.send({"type": "file", "token": token, "text": self.text()})
        except ValueError as error:
            self._show(str(error), bad=True)


def _is_text(value: Any, longest: int) -> bool:
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        value.encode()  # half of a character could be written nowhere
    except UnicodeEncodeError:
        return False
    return True
