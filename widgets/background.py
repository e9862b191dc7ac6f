"""Long work that leaves the kernel free to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

# One thread: a visitor's pictures are decoded one after the other, so memory holds one at a time.
_pool = ThreadPoolExecutor(1, thread_name_prefix="ipyfastai")
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
    task.add_done_callback(_running.discard)


async def _to_the_end(coroutine: Coroutine) -> None:
    await coroutine
    while _running:  # what it has started in turn: `asyncio.run` would cancel that
        await asyncio.gather(*_running)


async def offload(work: Callable[..., Result], *args) -> Result:
    """`work(*args)` in the worker thread; Cancel and progress messages are handled meanwhile.

    >>> image = await offload(open_image, path)
    """
    return await asyncio.get_running_loop().run_in_executor(_pool, work, *args)
