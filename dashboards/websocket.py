"""The websocket between a page and its kernel: no message that cannot be one reaches the code behind it."""

from __future__ import annotations

from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

V1_PROTOCOL = "v1.kernel.websocket.jupyter.org"

# The channel and the four parts of a message, and the end of the last one; then its buffers, where a
# widget sends binary data: one each, rarely more than a few.
OFFSETS = range(6, 1025)

PROTOCOL_ERROR = 1002  # RFC 6455, section 7.4.1


def is_v1_message(message: bytes | str) -> bool:
    """Whether `message` has the frame of Jupyter's websocket protocol v1.

    >>> is_v1_message(b"\\0" * 16)
    False

    That is, all of them little-endian 64-bit integers: the number of offsets, then the offsets of the
    parts, then the parts. The number comes from the browser, and Jupyter Server counts up to it.
    https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
    """
    if not isinstance(message, bytes):
        return False
    number = int.from_bytes(message[:8], "little")
    start = 8 * (number + 1)
    if number not in OFFSETS or start > len(message):
        return False
    offsets = [int.from_bytes(message[at : at + 8], "little") for at in range(8, start, 8)]
    return start <= offsets[0] and offsets == sorted(offsets) and offsets[-1] <= len(message)


class KernelWebsocketHandler(VoilaKernelWebsocketHandler):
    """Closes the connection at the first message that is malformed.

    A client that does not ask for v1 gets the older protocol, where a message is JSON; its binary form,
    which starts with a number to count up to as well, is what no page of ours sends.
    """

    def on_message(self, message: bytes | str) -> None:
        is_v1 = self.selected_subprotocol == V1_PROTOCOL
        if is_v1_message(message) if is_v1 else isinstance(message, str):
            try:
                super().on_message(message)
            except (ValueError, KeyError, TypeError, RecursionError):  # its frame was sound, what is in it is not
                self.close(PROTOCOL_ERROR, "malformed message")
        else:
            self.close(PROTOCOL_ERROR, "malformed message")
