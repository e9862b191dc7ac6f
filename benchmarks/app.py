"""The classifier app beside the usual fastai app and a bare Voila page, in one run (`make bench`).

Rounds alternate between the apps, so that a change in the machine's speed meets all of them; what
counts are the ratios. Writes docs/benchmarks.md. `--quick` takes one round and ten visitors.
"""

from __future__ import annotations

import argparse
import io
import math
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, Server, chromium_path

from .apps import App, apps, export_learner, kernels, pss
from .report import Target, report

PATIENCE = 60_000  # ms


def photo(side: int, *, megabytes: float | None = None) -> bytes:
    """A JPEG of `side` × 2/3 `side` pixels, with as much noise as makes it `megabytes` large."""
    y, x = np.mgrid[: side * 2 // 3, :side] / side
    scene = np.stack([np.sin(9 * x + 5 * y), np.cos(7 * y), np.sin(4 * x * y)], -1) * 100 + 128
    noise = np.random.default_rng(0).normal(size=scene.shape).astype(np.float32)

    def encoded(strength: float) -> bytes:
        out = io.BytesIO()
        Image.fromarray((scene + strength * noise).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
        return out.getvalue()

    low, high = 0.0, 60.0
    while megabytes and high - low > 0.5:
        middle = (low + high) / 2
        low, high = (middle, high) if len(encoded(middle)) < megabytes * 1e6 else (low, middle)
    return encoded(low if megabytes else 5.0)


def opened(browser: Browser, url: str, app: App) -> tuple[Page, float]:
    """A fresh visitor's page and the seconds until its button can be clicked."""
    page = browser.new_context(viewport={"width": 1000, "height": 800}).new_page()
    began = time.perf_counter()
    page.goto(url, wait_until="commit", timeout=PATIENCE)
    page.locator(app.button).first.wait_for(timeout=PATIENCE)
    return page, time.perf_counter() - began


def answered(page: Page, app: App, name: str, data: bytes, *, patience: float = PATIENCE) -> float:
    """Seconds from the choice of a file to the answer's text on the page; infinite if none comes."""
    with page.expect_file_chooser() as chooser:
        page.locator(app.button).first.click()
    changed = page.evaluate_handle(
        """(selector) => { const state = {}; const isAnswer = () => document.querySelector(selector)?.textContent;
        new MutationObserver((changes, observer) => {
          if (changes.some(({target}) => (target.closest ?? target.parentElement?.closest)?.call(
              target.closest ? target : target.parentElement, selector)) && isAnswer()) {
            state.at = performance.timeOrigin + performance.now(); observer.disconnect(); } })
        .observe(document.body, {subtree: true, childList: true, characterData: true}); return state; }""",
        app.answer,
    )
    began = time.time()
    chooser.value.set_files({"name": name, "mimeType": "image/jpeg", "buffer": data})
    try:
        page.wait_for_function("state => state.at", arg=changed, timeout=patience)
    except TimeoutError:
        return math.inf
    return changed.evaluate("state => state.at") / 1000 - began


def measure_one_visitor(browser: Browser, folder: Path, rounds: int) -> dict:
    """figures[what][app] = list of values, one for each round."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    small, large = photo(1024), photo(6000, megabytes=14.5)
    print(f"photos of {len(small) / 1e6:.2f} and {len(large) / 1e6:.1f} MB")
    for preheated in (False, True):
        for round in range(rounds):
            for app in apps(folder, preheated=preheated):
                with Server(app.command, cwd=folder) as running:
                    url, server = running.url, psutil.Process(running.process.pid)
                    warm_up(browser, url, app, server, preheated)
                    page, seconds = opened(browser, url, app)
                    figures["page, preheated (s)" if preheated else "page, cold (s)"][app.name].append(seconds)
                    if not preheated:
                        measure_answers(page, app, server, small, large, figures)
                    page.context.close()
                print(f"round {round + 1}, {'preheated' if preheated else 'cold'}, {app.name}: {seconds:.2f} s")
    return figures


def warm_up(browser: Browser, url: str, app: App, server: psutil.Process, preheated: bool) -> None:
    """One visit before the one that counts: no app is charged for files the disk had to read first."""
    opened(browser, url, app)[0].context.close()
    if preheated:  # the pool is filled anew after each visit; wait until its kernel has nothing left to do
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if kernels(server) and all(kernel.cpu_percent(1.0) < 2 for kernel in kernels(server)):
                return
        raise RuntimeError(f"no preheated kernel of {app.name} came to rest")


def measure_answers(page: Page, app: App, server: psutil.Process, small: bytes, large: bytes, figures: dict) -> None:
    kernel = max(kernels(server), key=lambda process: process.create_time())
    if app.answer:
        answers = [answered(page, app, f"{n}.jpg", small) for n in range(6)]
        figures["first answer (ms)"][app.name].append(answers[0] * 1000)
        figures["answer (ms)"][app.name].append(statistics.median(answers[1:]) * 1000)
    figures["memory of the kernel, PSS (MB)"][app.name].append(pss(kernel))
    if app.answer:
        figures["14.5 MB photo (s)"][app.name].append(answered(page, app, "large.jpg", large, patience=15_000))


def measure_crowd(browser: Browser, folder: Path, crowds: list[int]) -> list[list[str]]:
    """All visitors of a crowd open the page at once, then each asks for an answer; rows of a table."""
    rows, small = [], photo(1024)
    app = next(app for app in apps(folder, preheated=True) if app.name == "ipyfastai")
    for crowd in crowds:
        with Server(app.command, cwd=folder) as running:
            url, server = running.url, psutil.Process(running.process.pid)
            errors: list[str] = []
            pages = [browser.new_context(viewport={"width": 600, "height": 600}).new_page() for _ in range(crowd)]
            began = time.perf_counter()
            for page in pages:
                page.on("pageerror", lambda error, to=errors: to.append(str(error)))
                page.goto(url, wait_until="commit", timeout=10 * PATIENCE)
            for page in pages:
                page.locator(app.button).first.wait_for(timeout=10 * PATIENCE)
            usable = time.perf_counter() - began
            answers = [answered(page, app, "photo.jpg", small) for page in pages]
            errors += ["no answer"] * sum(math.isinf(seconds) for seconds in answers)
            memory = [pss(kernel) for kernel in kernels(server)]
            rows.append([
                str(crowd), f"{usable:.0f} s", f"{statistics.median(answers) * 1000:.0f} ms",
                f"{statistics.median(memory):.0f} MB", f"{(sum(memory) + pss(server)) / 1000:.1f} GB", str(len(errors)),
            ])  # fmt: skip
            print(rows[-1], errors[:3])
            for page in pages:
                page.context.close()
    return rows


TARGETS = [
    Target("page, cold (s)", "bare page", at_most=1.25),
    Target("page, preheated (s)", "bare page", at_most=1.25),
    Target("memory of the kernel, PSS (MB)", "fastai app", at_most=0.15),
    Target("memory of the kernel, PSS (MB)", None, at_most=140),
    Target("answer (ms)", "fastai app", at_most=0.6),
    Target("14.5 MB photo (s)", None, at_most=1.5),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, ten visitors, nothing written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        export_learner(folder)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        figures = measure_one_visitor(browser, folder, rounds=1 if options.quick else 5)
        crowds = measure_crowd(browser, folder, [10] if options.quick else [10, 25, 50])
        machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"
        text = report(figures, TARGETS, crowds, when=date.today(), machine=f"{machine}, Chromium {browser.version}")
    print(text)
    if not options.quick:
        (Path(__file__).parents[1] / "docs" / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
