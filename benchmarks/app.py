"""The classifier app beside the usual fastai app and a bare Voila page, in one run (`make bench`).

Rounds alternate between the apps, so that a change in the machine's speed meets all of them; what
counts are the ratios. Writes docs/benchmarks.md; needs some ten minutes of a machine that does
nothing else. `--quick` only tries whether everything works: one round, ten visitors, nothing written.
"""

from __future__ import annotations

import math
import shutil
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, Server, chromium_path

from .apps import WATCH_ANSWER, App, apps, export_learner, kernels, pss, seconds_since, wait_until_preheated
from .crowd import Crowd, visit
from .document import put
from .figures import OURS, Target
from .options import parser
from .report import ERRORS_OF, TITLE, report

PATIENCE = 60_000  # ms
CROWDS = (10, 25, 50)
TARGETS = [
    Target("page, cold (s)", "bare page", at_most=1.25),
    Target("page, preheated (s)", "bare page", at_most=1.25),
    Target("memory of the kernel, PSS (MB)", "fastai app", at_most=0.15),
    Target("memory of the kernel, PSS (MB)", None, at_most=140),
    Target("answer (ms)", "fastai app", at_most=0.6),
    Target("14.5 MB photo (s)", None, at_most=1.5),
    Target(ERRORS_OF.format(50), None, at_most=0),
]


def photo(path: Path, side: int, *, noise: float) -> Path:
    """A JPEG of `side` × 2/3 `side` pixels; the more noise, the larger the file."""
    y, x = np.mgrid[: side * 2 // 3, :side].astype(np.float32) / side
    scene = np.stack([np.sin(9 * x + 5 * y), np.cos(7 * y), np.sin(4 * x * y)], -1) * 100 + 128
    scene += noise * np.random.default_rng(0).standard_normal(scene.shape, dtype=np.float32)
    Image.fromarray(scene.clip(0, 255).astype(np.uint8)).save(path, "JPEG", quality=92)
    return path


def opened(browser: Browser, url: str, app: App) -> tuple[Page, float]:
    """A fresh visitor's page and the seconds until its button can be clicked."""
    page = browser.new_context(viewport={"width": 1000, "height": 800}).new_page()
    elapsed = seconds_since()
    page.goto(url, wait_until="commit", timeout=PATIENCE)
    page.locator(app.button).first.wait_for(timeout=PATIENCE)
    return page, elapsed()


def answered(page: Page, app: App, photo: Path, *, patience: float = PATIENCE) -> float:
    """Seconds from the choice of a file to the answer's text on the page; infinite if none comes.

    The file lies on the disk, as a visitor's does: Playwright takes seconds to hand over 14.5 MB of bytes.
    """
    with page.expect_file_chooser() as chooser:
        page.locator(app.button).first.click()
    watch = page.evaluate_handle(WATCH_ANSWER, app.answer)
    elapsed = seconds_since()
    chooser.value.set_files(photo)
    try:
        page.wait_for_function("watch => watch.at", arg=watch, timeout=patience)
    except TimeoutError:
        return math.inf
    return elapsed(watch.evaluate("watch => watch.at"))


def measure_one_visitor(browser: Browser, folder: Path, rounds: int) -> dict:
    """figures[what][app] = list of values, one for each round."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    small = [photo(folder / "0.jpg", 1024, noise=5)]
    small += [Path(shutil.copy(small[0], folder / f"{number}.jpg")) for number in range(1, 6)]
    large = photo(folder / "large.jpg", 6000, noise=24.8)
    print(f"photos of {small[0].stat().st_size / 1e6:.2f} and {large.stat().st_size / 1e6:.1f} MB")
    for preheated in (False, True):
        for round in range(rounds):
            for app in apps(folder, preheated=preheated):
                with Server(app.command, cwd=folder) as running:
                    url, server = running.url, psutil.Process(running.process.pid)
                    # A visit that does not count: no app is charged for files the disk had to read first.
                    opened(browser, url, app)[0].context.close()
                    if preheated:  # the pool is filled anew after each visit
                        wait_until_preheated(server)
                    page, seconds = opened(browser, url, app)
                    figures["page, preheated (s)" if preheated else "page, cold (s)"][app.name].append(seconds)
                    if not preheated:
                        measure_answers(page, app, server, small, large, figures)
                    page.context.close()
                print(f"round {round + 1}, {'preheated' if preheated else 'cold'}, {app.name}: {seconds:.2f} s")
    return figures


def measure_answers(
    page: Page, app: App, server: psutil.Process, small: list[Path], large: Path, figures: dict
) -> None:
    def note(what: str, value: float) -> None:
        figures[what][app.name].append(value)

    kernel = max(kernels(server), key=lambda process: process.create_time())
    if app.answer:
        answers = [answered(page, app, path) for path in small]
        note("first answer (ms)", answers[0] * 1000)
        note("answer (ms)", statistics.median(answers[1:]) * 1000)
    note("memory of the kernel, PSS (MB)", pss(kernel))
    if app.answer:
        seconds = answered(page, app, large, patience=15_000)
        note("14.5 MB photo (s)", seconds)
        if math.isfinite(seconds):  # a kernel that the photo never reached has nothing to show
            note("memory after the large photo (MB)", pss(kernel))


def measure_crowds(folder: Path, sizes: tuple[int, ...]) -> list[Crowd]:
    app = next(app for app in apps(folder, preheated=True) if app.name == OURS)
    crowds, small = [], photo(folder / "crowd.jpg", 1024, noise=5)
    for size in sizes:
        crowds.append(visit(app, folder, size, small))
        print(f"{size} visitors, {crowds[-1].unlucky} with errors {list(filter(None, crowds[-1].errors))[:3] or ''}")
    return crowds


def main() -> None:
    command = parser(__doc__, quick="one round, ten visitors")
    options = command.parse_args()
    elapsed = seconds_since()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_learner(folder)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
            chromium = f"Chromium {browser.version}"
            figures = measure_one_visitor(browser, folder, rounds=1 if options.quick else options.rounds)
        print(f"one visitor: {elapsed():.0f} s")
        crowds = measure_crowds(folder, CROWDS[:1] if options.quick else CROWDS)
        print(f"everything: {elapsed():.0f} s\n")
    text = report(figures, TARGETS, crowds, browser=chromium)
    print(text)
    if not options.quick:
        put(TITLE, text)


if __name__ == "__main__":
    main()
