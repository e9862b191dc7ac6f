"""One process at a time."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows: only one notebook at a time should use a data set there
    fcntl = None

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network disks

PATIENCE = 2.0  # seconds; a step takes milliseconds


@contextmanager
def locked(file: int, *, patience: float | None = None) -> Iterator[None]:
    """Hold an open file for oneself; the lock goes with the process, however that ends.

    >>> with locked(descriptor):
    ...     os.write(descriptor, line)

    Raises BlockingIOError when another holds it for longer than `patience` seconds
    (PATIENCE by default).
    Source: flock(2).
    """
    deadline = time.monotonic() + (PATIENCE if patience is None else patience)
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.005)
        except OSError as error:
            if error.errno in NO_LOCKS:
                break
            raise
    try:
        yield
    finally:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_UN)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
