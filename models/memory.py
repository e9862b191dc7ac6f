"""Memory that is free, given back."""

import ctypes
import sys


def give_back() -> None:
    """Return freed memory to the operating system, where the C library is glibc; else do nothing.

    >>> give_back()

    glibc keeps what is freed for later. After a model was parsed or a large photo decoded that is
    tens of megabytes that will not be needed again, in the kernel of each visitor.
    Source: malloc_trim(3).
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
