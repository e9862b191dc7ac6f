"""Many answers to look through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anywidget
from traitlets import Dict, List, Unicode

from .answer import receive_flag
from .assets import joined
from .results import Result, csv_text


class PredictionsTable(anywidget.AnyWidget):
    """A table of photos and answers: sort, filter by label, flag, download as CSV.

    >>> PredictionsTable(flagged=print, chosen=print, cancelled=print, cleared=print)

    `show(results, ...)` sets what it holds. All rows are sent again when one of them changes (some
    200 bytes each), but not their thumbnails: a page asks for those it needs. `chosen(id)`,
    `flagged(id, label)`, `cancelled()` and `cleared(bool)` (False: take it back) are called for
    what a visitor does.
    """

    _esm = joined("dom.js", "predictions_table.js")
    _css = joined("base.css", "predictions_table.css")

    _rows = List().tag(sync=True)
    _labels = List(Unicode()).tag(sync=True)
    _selected = Unicode().tag(sync=True)
    _progress = Dict(help="done and total while photos are being classified").tag(sync=True)

    def __init__(
        self,
        *,
        flagged: Callable[[str, str], None],
        chosen: Callable[[str], None],
        cancelled: Callable[[], None],
        cleared: Callable[[bool], None],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._results: dict[str, Result] = {}
        self._flagged, self._chosen, self._cancelled, self._cleared = flagged, chosen, cancelled, cleared
        self.on_msg(self._receive)

    def show(
        self,
        results: Sequence[Result],
        labels: Sequence[str],
        *,
        selected: str = "",
        done: int = 0,
        total: int = 0,
        undo: bool = False,
    ) -> None:
        self._results = {result.id: result for result in results}
        with self.hold_sync():
            self._labels = list(labels)
            self._rows = [result.row() for result in results]
            self._selected = selected
            self._progress = {"done": done, "total": total, "undo": undo}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        kind, id = content.get("type"), content.get("id")
        if kind == "thumbnails" and isinstance(content.get("ids"), list):
            self._send_thumbnails(content["ids"])
        elif kind == "csv" and isinstance(content.get("token"), str):
            results = [r for r in self._results.values() if r.label or not content.get("flags")]
            # Every view hears the answer; the one that asked knows its token.
            self.send({"type": "csv", "token": content["token"][:64], "text": csv_text(results)})
        elif kind == "choose" and isinstance(id, str) and id in self._results:
            self._chosen(id)
        elif kind == "cancel":
            self._cancelled()
        elif kind in ("clear", "undo"):
            self._cleared(kind == "clear")
        else:
            receive_flag(content, self._flagged)

    def _send_thumbnails(self, ids: list) -> None:
        known = [id for id in ids[:1000] if isinstance(id, str) and id in self._results]
        for id in known:
            if thumbnail := self._results[id].thumbnail:
                self.send({"type": "thumbnail", "id": id}, [thumbnail])
