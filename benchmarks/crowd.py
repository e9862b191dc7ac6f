"""A crowd: visitors who open one page at the same moment, then all upload at the same moment."""

from __future__ import annotations

import asyncio
import functools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.async_api import Browser, FileChooser, JSHandle, Page, async_playwright
from playwright.async_api import Error as PageError

from tests.browser import CHROMIUM_OPTIONS, Server, chromium_path

from .apps import WATCH_ANSWER, App, kernels, pss, seconds_since, wait_until_preheated

PATIENCE = 180  # seconds that a visitor waits for a page or an answer before it counts as an error
SMALL = {"width": 400, "height": 500}


@dataclass
class Crowd:
    """What a crowd met with: seconds for each visitor (infinite where nothing came), and megabytes."""

    usable: list[float]
    answers: list[float]
    errors: list[list[str]]  # of each visitor
    kernel_memory: float  # the median of all kernels
    memory: float  # of all kernels and the server

    @property
    def size(self) -> int:
        return len(self.errors)

    @property
    def unlucky(self) -> int:
        """Visitors who met with any error."""
        return sum(map(bool, self.errors))


def _counted(step: Callable) -> Callable:
    """A step of a visit that fails, or takes too long, is that visitor's error and nobody else's."""

    @functools.wraps(step)
    async def attempt(visitor: Visitor, *arguments) -> None:
        try:
            await step(visitor, *arguments)
        except PageError as error:  # a timeout is one, too
            visitor.errors.append(f"{step.__name__}: {str(error).splitlines()[0]}")

    return attempt


@dataclass
class Visitor:
    """One visitor, with a browser context of their own."""

    app: App
    page: Page
    usable: float = math.inf
    answer: float = math.inf
    errors: list[str] = field(default_factory=list)
    chooser: FileChooser | None = None
    watch: JSHandle | None = None

    @classmethod
    async def arriving(cls, app: App, browser: Browser) -> Visitor:
        visitor = cls(app, await (await browser.new_context(viewport=SMALL)).new_page())
        visitor.page.set_default_timeout(PATIENCE * 1000)
        visitor.page.on("pageerror", lambda error: visitor.errors.append(f"in the page: {error}"))
        return visitor

    @_counted
    async def open(self, url: str) -> None:
        elapsed = seconds_since()
        response = await self.page.goto(url, wait_until="commit")
        if not response.ok:
            raise PageError(f"HTTP status {response.status}")
        await self.page.locator(self.app.button).first.wait_for()
        self.usable = elapsed()

    @_counted
    async def choose(self) -> None:
        """Up to the dialog for files: nothing is sent yet."""
        self.watch = await self.page.evaluate_handle(WATCH_ANSWER, self.app.answer)
        async with self.page.expect_file_chooser() as chooser:
            await self.page.locator(self.app.button).first.click()
        self.chooser = await chooser.value

    @_counted
    async def upload(self, photo: Path) -> None:
        elapsed = seconds_since()
        await self.chooser.set_files(photo)
        # The page notes the moment itself; to ask often would only load the machine.
        await self.page.wait_for_function("watch => watch.at", arg=self.watch, polling=250)
        self.answer = elapsed(await self.watch.evaluate("watch => watch.at"))


async def _visit(app: App, url: str, server: psutil.Process, size: int, photo: Path) -> Crowd:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        visitors = [await Visitor.arriving(app, browser) for _ in range(size)]
        await asyncio.gather(*(visitor.open(url) for visitor in visitors))
        await asyncio.gather(*(visitor.choose() for visitor in visitors if math.isfinite(visitor.usable)))
        await asyncio.gather(*(visitor.upload(photo) for visitor in visitors if visitor.chooser))
        memory = [pss(kernel) for kernel in kernels(server)]
        crowd = Crowd(
            usable=[visitor.usable for visitor in visitors],
            answers=[visitor.answer for visitor in visitors],
            errors=[visitor.errors for visitor in visitors],
            kernel_memory=statistics.median(memory),
            memory=sum(memory) + pss(server),
        )
        await browser.close()
    return crowd


def visit(app: App, folder: Path, size: int, photo: Path) -> Crowd:
    """A crowd of `size` visits `app`, served afresh."""
    with Server(app.command, cwd=folder) as running:
        server = psutil.Process(running.process.pid)
        wait_until_preheated(server)
        return asyncio.run(_visit(app, running.url, server, size, photo))
