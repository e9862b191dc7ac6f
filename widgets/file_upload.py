"""Files from a visitor's browser, of any size, without losing one."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Mapping

import anywidget
from traitlets import Bool, Dict, List, Tuple, Unicode

from .assets import joined
from .background import offload, start
from .uploads import CHUNK_LIMIT, Transfer, Upload, clean_name

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class FileUpload(anywidget.AnyWidget):
    """A drop zone and buttons; files arrive in small chunks, with progress and Cancel.

    >>> upload = FileUpload(accept=".onnx", max_files=1, label="Add a model")
    >>> upload.observe(lambda change: print(change.new), "value")

    `value` is a tuple of `Upload`s and grows as files arrive; a new choice starts anew once the
    last one is done, unless `append=True`. Each file is sent in chunks of half a megabyte that are
    acknowledged one by one, so no size meets a server's message limit, and a dropped connection
    goes on where it was. Limits: `max_mb` for each file (megabytes of a million bytes), `max_files`.
    Raises ValueError for a limit that is not positive. The limits hold in the kernel, whatever a page claims.
    """

    _esm = joined("dom.js", "file_sender.js", "file_upload.js")
    _css = joined("base.css", "file_upload.css")

    value = Tuple(help="the files that have arrived, in the order they were chosen")
    busy = Bool(False, help="whether files are on their way")
    # What the page shows. It is written here and never read back: a page can set any synced trait.
    _options = Dict(help="texts and limits for the page").tag(sync=True)
    _files = List(help="id, name, size, state and message of each file").tag(sync=True)
    _notice = Unicode(help="one sentence on the choice as a whole").tag(sync=True)

    noun = "file"

    def __init__(
        self,
        *,
        label: str = "Add files",
        accept: str = "",
        multiple: bool = True,
        append: bool = False,
        max_mb: float = 25,
        max_files: int = 100,
        show_files: bool = True,
        **kwargs,
    ):
        if max_mb <= 0 or max_files < 1:
            raise ValueError(f"max_mb and max_files must be positive, got {max_mb} and {max_files}")
        self.max_mb = max_mb
        self.max_files = max_files if multiple else 1
        self.append = append
        self._transfers: dict[str, Transfer] = {}
        self._answered: deque[tuple[str, list[str]]] = deque(maxlen=8)  # the last choices and what was taken
        options = {
            "label": label,
            "accept": accept,
            "noun": self.noun,
            "max_mb": max_mb,
            "max_files": self.max_files,
            "show_files": show_files,
            **self._page_options(),
        }
        super().__init__(_options=options, **kwargs)
        self.on_msg(self._receive)

    def clear(self) -> None:
        """Forget every file, arrived or on its way."""
        for transfer in self._transfers.values():
            transfer.end("cancelled")
        self._transfers = {}
        self._notice = ""
        self._publish()

    def cancel(self) -> None:
        """Stop what is on its way; what has arrived stays."""
        for transfer in self._transfers.values():
            if transfer.pending:
                transfer.end("cancelled", "Cancelled.")
        self._publish()

    # What a kind of file adds.

    def _page_options(self) -> dict:
        return {}

    def _check_head(self, transfer: Transfer, head: bytes) -> dict:
        """Refuse (ValueError) by a file's first bytes, or say how the page is to send it."""
        return {}

    def _check(self, upload: Upload) -> str:
        """Refuse (ValueError) a file that has arrived, or return a remark on it; runs in a thread."""
        return ""

    def _finish(self, transfer: Transfer) -> Upload:
        return transfer.finish()

    # Messages from the page. Anybody can send any: each field is checked before it is used.

    def _receive(self, _widget, content, buffers) -> None:
        content = content if isinstance(content, Mapping) else {}
        handle = {
            "select": self._select,
            "head": self._head,
            "chunk": self._chunk,
            "cancel": self._cancel,
            "refuse": self._refuse,
            "clear": lambda content, buffers: self.clear(),
        }.get(content.get("type") if isinstance(content.get("type"), str) else None)
        try:
            if handle is None:
                raise ValueError("an unknown message")
            handle(content, buffers)
        except ValueError as error:
            message = f"The kernel did not understand the page: {error}."
            self.send({"type": "rejected", "choice": _text(content.get("choice")), "message": message})

    def _select(self, content, buffers) -> None:
        choice = _text(content.get("choice"))
        for answered, ids in self._answered:
            if choice and choice == answered:  # sent again, for the answer was lost with the connection
                return self.send({"type": "selected", "choice": choice, "ids": ids})
        files = content.get("files")
        if not isinstance(files, list) or not all(isinstance(file, Mapping) for file in files):
            raise ValueError("a choice without files")
        left_out = _whole(content.get("left_out", 0), "left_out", 0, 10**9)
        unsent = _whole(content.get("more", 0), "more", 0, 10**9)
        kept = self._transfers if self.append or any(t.pending for t in self._transfers.values()) else {}
        room = max(0, self.max_files - len(kept))
        chosen = {}
        for file in files[:room]:  # all of them before the first changes anything
            id, name = file.get("id"), file.get("name")
            size = _whole(file.get("size"), "size", 0, 2**53)
            if not isinstance(id, str) or not _ID.fullmatch(id) or id in kept or id in chosen:
                raise ValueError("a bad file id")
            if not isinstance(name, str):
                raise ValueError("a file without a name")
            chosen[id] = Transfer(clean_name(name), size)
            if size == 0:
                chosen[id].end("refused", "This file is empty (0 bytes).")
            elif size > self.max_mb * 1e6 and not self._may_shrink():
                chosen[id].end("refused", self._too_large(size))
        self._transfers = {**kept, **chosen}
        self._notice = self._about(
            taken=min(len(files), room), more=max(0, len(files) - room) + unsent, left_out=left_out
        )
        self._publish()
        self._answered.append((choice, list(chosen)))
        self.send({"type": "selected", "choice": choice, "ids": list(chosen)})

    def _may_shrink(self) -> bool:
        return False

    def _too_large(self, size: int) -> str:
        return f"This {self.noun} is {size / 1e6:,.1f} MB; the limit is {self.max_mb:g} MB."

    def _about(self, *, taken: int, more: int, left_out: int) -> str:
        if more > 0:
            first = "one file" if self.max_files == 1 else f"{self.max_files} files"
            return f"Only {first} at a time: {more} more {'was' if more == 1 else 'were'} left out."
        if taken == 0 and left_out == 0:
            return f"There was no {self.noun} in that."
        if left_out:
            were = "file was" if left_out == 1 else "files were"
            return f"{left_out} other {were} left out, being no {self.noun}."
        return ""

    def _find(self, content, *states: str) -> tuple[str, Transfer] | None:
        """The transfer a message names; None if it has ended meanwhile, as after Cancel."""
        id = content.get("id")
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise ValueError("a bad file id")
        transfer = self._transfers.get(id)
        return (id, transfer) if transfer is not None and transfer.state in states else None

    def _head(self, content, buffers) -> None:
        found = self._find(content, "waiting", "sending")
        if found is None:
            return
        id, transfer = found
        try:
            how = self._check_head(transfer, _one(buffers))
        except ValueError as error:
            transfer.end("refused", str(error))
        else:
            transfer.state = "sending"
            self.send({"type": "go", "id": id, "offset": transfer.received, **how})
        self._publish()

    def _chunk(self, content, buffers) -> None:
        found = self._find(content, "waiting", "sending")
        if found is None:
            return
        id, transfer = found
        transfer.state = "sending"
        offset = _whole(content.get("offset"), "offset", 0, 2**53)
        total = _whole(content.get("total"), "total", 1, 2**53)
        chunk = _one(buffers)
        if total > self.max_mb * 1e6:
            transfer.end("refused", self._too_large(total))
            return self._publish()
        try:
            transfer.append(offset, chunk, total)
        except OSError as error:
            transfer.end("refused", f"The server could not keep this {self.noun}: {error.strerror}.")
            return self._publish()
        self.send({"type": "ack", "id": id, "received": transfer.received})
        if transfer.received == total:
            transfer.state = "checking"
            self._publish()
            start(self._complete(transfer))

    async def _complete(self, transfer: Transfer) -> None:
        if transfer.state != "checking":  # cancelled before this began
            return
        upload = self._finish(transfer)
        try:
            message = await offload(self._check, upload)
        except ValueError as error:
            state, message = "refused", str(error)
        except Exception as error:  # a stranger's file may break any parser, and the page must go on
            logging.getLogger(__name__).exception("checking an upload failed")
            why = type(error).__name__
            state, message = "refused", f"The server could not open this {self.noun} ({why})."
        else:
            state = "ready"
        if transfer.state == "checking":  # not cancelled meanwhile
            transfer.state, transfer.message = state, message
            transfer.upload = upload if state == "ready" else None
            self._publish()
        if transfer.upload is None:
            upload.delete()  # now: a logged traceback may hold it for longer

    def _cancel(self, content, buffers) -> None:
        """Stop one transfer, or all that are pending; `lost` when the page that sent it is gone."""
        lost = "The page was closed before it had arrived. Choose it again."
        why = lost if content.get("lost") else "Cancelled."
        if "id" in content:
            found = self._find(content, "waiting", "sending", "checking", "ready", "refused", "cancelled")
            if found and found[1].pending:
                found[1].end("cancelled", why)
            elif found:
                del self._transfers[found[0]]
        else:
            return self.cancel()
        self._publish()

    def _refuse(self, content, buffers) -> None:
        """The page itself could not read or decode a file."""
        found = self._find(content, "waiting", "sending")
        if found:
            found[1].end("refused", self._unreadable(found[1], content.get("why")))
            self._publish()

    def _unreadable(self, transfer: Transfer, why) -> str:
        return f"The browser could not read this {self.noun}. Was it moved or deleted?"

    def _publish(self) -> None:
        self._files = [
            {"id": id, "name": t.name, "size": t.size, "state": t.state, "message": t.message}
            for id, t in self._transfers.items()
        ]
        self.busy = any(t.pending for t in self._transfers.values())
        self.value = tuple(t.upload for t in self._transfers.values() if t.state == "ready")


def _text(value) -> str:
    return value[:64].encode(errors="replace").decode() if isinstance(value, str) else ""  # it is sent back


def _whole(value, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"a bad {name}")
    return value


def _one(buffers) -> bytes:
    if not buffers or len(buffers) != 1 or not 1 <= len(buffers[0]) <= CHUNK_LIMIT:
        raise ValueError("a chunk must be one buffer of 1 to 1,000,000 bytes")
    return bytes(buffers[0])
