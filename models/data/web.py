"""One file from the web, to an address that was checked, with an end to everything."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import BinaryIO
from urllib.parse import quote, urljoin

from .addresses import NoNetwork, checked_addresses, is_public, web_address

REDIRECTS = 5
CONNECT_SECONDS, SILENT_SECONDS, WHOLE_SECONDS = 8, 15, 180
_NO_ROUTE = (errno.ENETUNREACH, errno.ENETDOWN)


class Again(Exception):
    """It may work later: `str` is a sentence, `seconds` when the server says to come back (0: it does not say)."""

    def __init__(self, sentence: str, seconds: float = 0):
        super().__init__(sentence)
        self.seconds = seconds


class Web:
    """Fetches files by http and https from public hosts only, from several threads if need be.

    >>> with open("bear.jpg", "wb") as file:
    ...     Web().get("https://example.org/bear.jpg", file, max_bytes=25_000_000)

    A host is looked up, its addresses are checked with `allowed`, and the connection goes to one of those,
    at each redirect anew. No proxy, no cookies, no compression. `abort()` breaks off what is on its way.
    """

    def __init__(self, *, allowed: Callable[[str], bool] = is_public):
        self._allowed = allowed
        self._open: set[_Connection] = set()

    def get(
        self, url: str, file: BinaryIO, *, max_bytes: int, seconds: float = WHOLE_SECONDS, resume: bool = False
    ) -> None:
        """Write what is at `url` to `file`; `seconds` is the most that may take from a server that does answer.

        To `resume`, `file` stands at the end of what it has already, which is then not asked for again; of a
        server that gives no parts of files, it gets all anew.
        Raises ValueError with a sentence for what will never do, Again for what may, NoHost and
        NoNetwork like `checked_addresses`.
        """
        for _ in range(REDIRECTS + 1):
            parts = web_address(url)
            secure = parts.scheme == "https"
            port = parts.port or (443 if secure else 80)
            addresses = checked_addresses(parts.hostname, port, allowed=self._allowed)
            connection = _Connection(parts.hostname, port, secure=secure, addresses=addresses)
            self._open.add(connection)
            try:
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                begin = file.tell() if resume else 0
                onwards = self._ask(connection, path, file, begin, max_bytes, seconds)
            except ssl.SSLCertVerificationError as error:
                raise ValueError(f"{parts.hostname} has no valid certificate.") from error
            except (TimeoutError, ConnectionRefusedError) as error:
                raise Again(f"{parts.hostname} does not answer.") from error
            except (http.client.HTTPException, OSError) as error:
                if getattr(error, "errno", None) in _NO_ROUTE:
                    raise NoNetwork from error
                if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise
                raise Again(f"The connection to {parts.hostname} broke off.") from error
            finally:
                self._open.discard(connection)
                connection.close()
            if onwards is None:
                return
            url = urljoin(url, onwards)
        raise ValueError("This address leads from one to the next without end.")

    def abort(self) -> None:
        for connection in list(self._open):
            connection.abort()

    def _ask(
        self, connection: _Connection, path: str, file: BinaryIO, begin: int, max_bytes: int, seconds: float
    ) -> str | None:
        """One request; the address it leads on to, if it does."""
        began = time.monotonic()
        headers = {"User-Agent": _user_agent(), "Accept": "image/*, */*;q=0.1", "Connection": "close"}
        if begin:
            headers["Range"] = f"bytes={begin}-"
        connection.request("GET", _quoted(path), headers=headers)
        response = connection.getresponse()
        location = response.headers.get("Location")
        if response.status in (301, 302, 303, 307, 308) and location:
            return _quoted(location)
        part = response.headers.get("Content-Range", "").startswith(f"bytes {begin}-")
        goes_on = begin > 0 and response.status == 206 and part
        if begin and not goes_on and response.status in (200, 206, 416):  # 416: it is not that long any more
            file.seek(0)
            file.truncate()
            if response.status != 200:
                return _quoted(path)  # once more, for all of it
        elif response.status != 200 and not goes_on:
            raise _refusal(response)
        size = begin if goes_on else 0
        expected = None if response.length is None else size + response.length
        if (expected or 0) > max_bytes:
            raise ValueError(f"This file is larger than {max_bytes / 1e6:g} MB, the limit.")
        while size != expected and (chunk := response.read1(1 << 16)):
            size += len(chunk)
            if size > max_bytes:
                raise ValueError(f"This file is larger than {max_bytes / 1e6:g} MB, the limit.")
            if time.monotonic() - began > seconds:
                raise Again(f"It did not arrive within {seconds:g} seconds.")
            file.write(chunk)
        if expected is not None and size < expected:
            raise http.client.IncompleteRead(b"", expected - size)
        return None


class _Connection(http.client.HTTPConnection):
    """To a host by addresses that were checked, not by its name."""

    def __init__(self, host: str, port: int, *, secure: bool, addresses: list[str]):
        self.default_port = 443 if secure else 80
        super().__init__(host, port, timeout=SILENT_SECONDS)
        self._secure, self._addresses = secure, addresses

    def connect(self) -> None:
        for index, address in enumerate(self._addresses):
            try:
                self.sock = socket.create_connection((address, self.port), CONNECT_SECONDS)
                break
            except OSError:
                if index + 1 == len(self._addresses):
                    raise
        self.sock.settimeout(SILENT_SECONDS)
        if self._secure:
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self.host)

    def abort(self) -> None:
        if self.sock is not None:
            with suppress(OSError):  # it has just ended by itself
                self.sock.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _user_agent() -> str:
    # Public image archives refuse requests that do not say what they come from.
    return f"ipyfastai/{version('ipyfastai')} (+https://github.com/ipyfastai/ipyfastai)"


def _quoted(address: str) -> str:
    """Characters that an address may not have, spaces and letters beyond ASCII, as `%XX`."""
    return quote(address, safe="%/:=&?~#+!$,;'@()*[]")


def _refusal(response: http.client.HTTPResponse) -> Exception:
    status, reason = response.status, "".join(filter(str.isprintable, response.reason))[:60]
    if status in (408, 425, 429) or status >= 500:
        wait = response.headers.get("Retry-After", "")
        return Again(f"The server is busy or out of order ({status} {reason}).", int(wait) if wait.isdecimal() else 0)
    if status in (404, 410):
        return ValueError(f"There is nothing at this address ({status} {reason}).")
    return ValueError(f"The server does not give it out ({status} {reason}).")
