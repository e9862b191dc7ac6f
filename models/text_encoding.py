"""In which letters a text file is written, as its first bytes tell."""

from __future__ import annotations

import codecs
from typing import BinaryIO

HEAD = 1 << 16  # bytes
PACKED = (b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")


def text_encoding(head: bytes) -> str:
    """Python's name of the encoding: "utf-8" (with a mark at its beginning or not), "utf-16" or "cp1252".

    >>> text_encoding("Amélie".encode("latin-1"))
    'cp1252'

    Windows' letters are Latin-1's and some more; every byte but five is one of them, so that these are assumed of
    what is not UTF-8. Raises ValueError, a sentence, for no bytes, an archive, and what is no text.
    """
    if not head:
        raise ValueError("This file is empty (0 bytes).")
    if head.startswith(b"PK\x03\x04"):
        raise ValueError("This is a zip or an Excel file, whatever its name says: unpack it, or save it as CSV.")
    if head.startswith(PACKED):
        raise ValueError("This file is packed: unpack it first.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        raise ValueError("This is no text file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a character may be cut off at the end
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def file_encoding(file: BinaryIO) -> str:
    """The same of a file that is read to its end: the first letter that is not UTF-8's may stand far behind its head.

    >>> with open("predictions.csv", "rb") as file:
    ...     file_encoding(file)
    'utf-8'
    """
    encoding = text_encoding(head := file.read(HEAD))
    if encoding != "utf-8":
        return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while head:
            decoder.decode(head)
            head = file.read(1 << 20)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return encoding
