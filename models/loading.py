"""fastai and PyTorch, loaded by one thread at a time."""

from threading import Lock

_LOCK = Lock()


def load_fastai() -> None:
    """Load fastai and PyTorch, which takes seconds, or wait until another thread has.

    >>> await asyncio.to_thread(load_fastai)

    Call it first wherever a thread may be the one that loads them. Their modules import each other in circles: of two
    threads that begin at different ends Python lets one see half a module ("partially initialized", ImportError).
    """
    with _LOCK:
        import fastai.vision.all  # noqa: F401
