"""Points by name, to search and to step through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
from traitlets import Dict

from ..assets import joined
from .plot import is_row

MOST = 999  # rows
LONGEST_PATTERN = 1000  # characters; see models.embeddings.search
WORDS_LENGTH = 200


class PointList(anywidget.AnyWidget):
    """A search field, and below it a list of points of which one is the current one.

    >>> points = PointList(columns=["label", "genre"], searched=print, current=print, opened=print)
    >>> points.show("3 neighbours of Heat", [("Casino", "0.12"), ("Ronin", "0.13")])

    `searched(pattern, column)` is called for a regular expression and the place of a column, `current(place)` when
    somebody steps to a row of the list, `opened(place)` for Enter or a double click on one, `all_of_them()` for the
    button that takes all that was found, of which the list has the first 999.
    """

    _esm = joined("dom.js", "interpretation/names.js", "embeddings/point_list.js")
    _css = joined("base.css", "embeddings/point_list.css")

    # Written here and never read back: a page can set any synced trait.
    _state = Dict(help="title, rows of (name, note), the current place, what is wrong").tag(sync=True)

    def __init__(
        self,
        *,
        columns: Sequence[str],
        searched: Callable[[str, int], Any],
        current: Callable[[int], Any],
        opened: Callable[[int], Any],
        all_of_them: Callable[[], Any],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._calls = {"current": current, "open": opened}
        self._searched, self._all, self._columns = searched, all_of_them, len(columns)
        self._shown = {"columns": list(columns), "title": "", "rows": [], "current": None, "bad": "", "all": ""}
        self._put()
        self.on_msg(self._receive)

    def show(self, title: str, rows: Sequence[tuple[str, str]], *, all_of_them: str = "") -> None:
        """Show these rows, of which none is the current one; `all_of_them` is what the button for all says."""
        shown = [[name[:WORDS_LENGTH], note] for name, note in rows[:MOST]]
        self._put(title=title, rows=shown, current=None, bad="", all=all_of_them)

    def go(self, place: int | None) -> None:
        """Make the row at this place the current one."""
        self._put(current=place)

    def complain(self, sentence: str) -> None:
        """Say what is wrong with the pattern."""
        self._put(bad=sentence)

    def _put(self, **changes: Any) -> None:
        self._state = self._shown = {**self._shown, **changes}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, value = content.get("type"), content.get("value")
        if kind == "search":
            pattern, column = value, content.get("column")
            if isinstance(pattern, str) and len(pattern) <= LONGEST_PATTERN and is_row(column, self._columns):
                self._searched(pattern, column)
        elif kind in ("current", "open") and is_row(value, len(self._shown["rows"])):
            self._calls[kind](value)
        elif kind == "all" and self._shown["all"]:
            self._all()
