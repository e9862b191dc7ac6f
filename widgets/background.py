"""Long work that leaves the kernel free to answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

from ..models.openmp import free_threads

Result = TypeVar("Result")

_running: set[asyncio.Task] = set()  # the event loop itself keeps only weak references to tasks


def start(coroutine: Coroutine) -> None:
    """Run a coroutine on the kernel's event loop, or to its end where no loop runs (a script, a test).

    >>> start(classify_all())
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_to_the_end(coroutine))
        return
    task = loop.create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_ended)


async def offload(work: Callable[..., Result], *args, lane: str = "files") -> Result:
    """`work(*args)` in a thread; Cancel and progress messages are handled meanwhile.

    >>> image = await offload(open_image, path)

    What goes by the same `lane` is done one after the other: pictures, so that memory holds one of
    them at a time, and a classifier, because not every one can be called from two threads at once.
    """
    return await asyncio.get_running_loop().run_in_executor(_thread(lane), work, *args)


async def in_own_thread(work: Callable[..., Result], *args) -> Result:
    """`work(*args)` in a thread that is there for it alone, as `asyncio.to_thread` otherwise.

    >>> table = await in_own_thread(predictions, learn)

    For what computes much: a thread that stays, as those of a pool do, keeps the helper threads that OpenMP gave
    it, and they slow down whoever computes next. Those of this thread would too, so they are let go.
    """
    free_threads()
    thread = ThreadPoolExecutor(1, thread_name_prefix="ipyfastai-work")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, copy_context().run, work, *args)
    finally:
        thread.shutdown(wait=False)


@cache
def _thread(lane: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=f"ipyfastai-{lane}")


async def _to_the_end(coroutine: Coroutine) -> None:
    await coroutine
    while _running:  # what it has started in turn: `asyncio.run` would cancel that
        await asyncio.gather(*_running)


def _ended(task: asyncio.Task) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception() is not None:
        logging.getLogger(__name__).error("a widget's background work failed", exc_info=task.exception())
