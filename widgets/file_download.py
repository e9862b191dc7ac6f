"""A file of the kernel's, for the visitor to keep."""

from __future__ import annotations

import os
from pathlib import Path

import anywidget
from traitlets import Dict

from .assets import joined

CHUNK = 500_000  # bytes: far below the message limits of servers and gateways
MOST = 2**53  # bytes: beyond, neither a page counts exactly nor a system seeks


class FileDownload(anywidget.AnyWidget):
    """A button that hands over a file, piece by piece, with progress and Cancel.

    >>> download = FileDownload("Download the classifier")
    >>> download.offer("published/bears.onnx")

    There is no button until a file is offered; `offer(None)` takes it away. The page asks for one piece
    after the other, so that neither a server's message limit nor a dropped connection stops a large file.
    """

    _esm = joined("dom.js", "file_download.js")
    _css = joined("base.css")

    _offered = Dict(help="what the button says; name, size and number of the file").tag(sync=True)

    def __init__(self, label: str = "Download", **kwargs):
        super().__init__(**kwargs)
        self.label = label
        self._path: Path | None = None
        self._number = 0
        self.on_msg(self._receive)

    def offer(self, path: str | os.PathLike | None, *, name: str | None = None) -> None:
        """Offer the file under its own name or another; raises OSError where there is none."""
        self._number += 1
        self._path = None if path is None else Path(path)
        if self._path is None:
            self._offered = {}
            return
        file = {"name": name or self._path.name, "size": self._path.stat().st_size, "number": self._number}
        self._offered = {"label": self.label, **file}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("type") != "get":
            return
        token, number, offset = content.get("token"), content.get("number"), content.get("offset")
        if not isinstance(token, str) or type(number) is not int or type(offset) is not int:
            return
        if not 0 <= offset <= MOST:
            return
        # Every view hears the answer; the one that asked knows its token.
        answer = {"token": token[:64], "number": number, "offset": offset}
        if self._path is None or number != self._number:
            return self.send({"type": "gone", **answer})
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                piece = file.read(CHUNK)
        except OSError:
            return self.send({"type": "gone", **answer})
        self.send({"type": "piece", **answer}, [piece])
