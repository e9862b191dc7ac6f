"""Freed memory goes back to the operating system."""

import ctypes
import platform

import psutil
import pytest
from ipyfastai.models.memory import give_back


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory")
def test_what_was_freed_below_something_still_in_use_goes_back():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(4096) for _ in range(20_000)]
    for block in blocks:
        ctypes.memset(block, 1, 4096)
    pin = libc.malloc(64)  # lies above them, so that the heap cannot simply end earlier
    for block in blocks:
        libc.free(block)
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > 50e6
    libc.free(pin)


def test_elsewhere_it_does_nothing(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("looked for glibc on a Mac"))
    give_back()
