"""A million vectors: principal components and neighbours beside scikit-learn's, and the explorer in a browser.

The figures in Python take turns; then a page that our server serves draws a million points, searches them and
finds neighbours, measured in the page from what somebody does to the frame that shows the answer. Writes its part of
docs/benchmarks.md; needs some five minutes of a machine that does nothing else, and 4 GB of memory. `--quick` only
tries whether everything works: one round, 50,000 vectors, nothing written.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from ipyfastai.models.embeddings.embedding import Embedding
from ipyfastai.models.embeddings.neighbours import Neighbours
from ipyfastai.models.embeddings.pca import PCA
from ipyfastai.models.embeddings.search import Search
from ipyfastai.widgets import EmbeddingExplorer
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, chromium_path, serve_notebook

from .apps import kernels, pss
from .document import part, put
from .figures import OURS, Target, comparison
from .options import count, parser

TITLE = "Embeddings"
WIDTH = 50
FULL, COVARIANCE = "scikit-learn, full", "scikit-learn, covariance_eigh"
BRUTE = "scikit-learn, brute force"
FIT = "PCA, all components, and two coordinates of each vector (s)"
NEAR = "{k} nearest by {metric} distance (s)"
SEARCH = "search of all labels by {what} (s)"
DRAWN = "first draw in the browser, from the end of the PCA (s)"
MADE = "the explorer is made, in the kernel (s)"
SEEN_SEARCH, SEEN_NEAR = "search, as seen on the page (s)", "10 neighbours, as seen on the page (s)"
SEEN_COLOUR, SEEN_AXIS = "another colour, as seen on the page (s)", "another axis, as seen on the page (s)"
PAN, ZOOM = "a step of panning (ms)", "a step of zooming (ms)"
KERNEL, RENDERER = "memory of the kernel, PSS (MB)", "memory of the page's process, PSS (MB)"
PATTERNS = {"a word": "item 99", "a regular expression": r"977|\(1[5-7]\)$", "one that finds nothing": "zzz"}
KS, METRICS = (10, 999), ("cosine", "euclidean")
TARGETS = [
    Target(FIT, None, at_most=0.5),
    Target(FIT, COVARIANCE, at_most=1),
    *(Target(NEAR.format(k=k, metric=metric), None, at_most=0.1) for k in KS for metric in METRICS),
    *(Target(SEARCH.format(what=what), None, at_most=0.1) for what in PATTERNS),
    Target(DRAWN, None, at_most=3),
    *(Target(what, None, at_most=50) for what in (PAN, ZOOM)),
]
ABOUT = """{count:,} vectors of {width} numbers, drawn from twelve overlapping groups; a label for each.

- **ipyfastai**: `PCA`, `Neighbours` and `Search` of `models/embeddings`, exact; the covariances are added up in double
  precision, in which an offset far from zero costs no digits
- **scikit-learn**: `PCA(svd_solver=...)`, two components, and `NearestNeighbors(algorithm="brute")`

As seen on the page: `EmbeddingExplorer` with all of them. *first draw* is from the moment at which the kernel has the
principal components to the frame that shows the points; what goes to the browser is sent in that time. Search and
neighbours are from the key and from the selection of a point to the frame with the list, another colour and another
axis from the choice to the frame that is drawn so. A step of panning or zooming: the pointer drags, or its wheel
turns, {steps} times, each time until the browser asks for the next frame; while they move, the page draws a part of
the points where it cannot draw all in time. A browser without a GPU draws by the processor, as here."""
CELL = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.embedding import explorer
explorer({count})
"""

# In the page: resolves with the time (ms since 1970) of the frame in which the points are drawn.
PAINTED = """() => new Promise((resolve) => {
  const look = () => {
    if (!document.querySelector(".scatter[data-drawn]")) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
  };
  look();
})"""
# Seconds from what `begin` does to the frame in which the list's title is another.
ANSWERED = """([begin, value]) => new Promise((resolve) => {
  const title = document.querySelector(".ipyfastai-point-list h4"), before = title.textContent;
  const plot = [...document.querySelectorAll(".ipyfastai-embedding-plot .scatter div")].find((one) => one.api)?.api;
  const field = document.querySelector(".ipyfastai-point-list input");
  const began = performance.now();
  if (begin === "select") plot.select([value]);
  else {
    field.value = value;
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  }
  const look = () => {
    if (title.textContent === before) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => resolve((performance.now() - began) / 1000)));
  };
  look();
})"""
# Seconds from the choice in a list of that name to the frame that shows the points drawn anew.
REDRAWN = """([label, place]) => new Promise((resolve) => {
  const scatter = document.querySelector(".ipyfastai-embedding-plot .scatter");
  const field = [...document.querySelectorAll("label")].find((one) => one.textContent.trim() === label);
  const list = field.control ?? document.getElementById(field.htmlFor);
  const began = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve((performance.now() - began) / 1000)));
  }).observe(scatter, { attributeFilter: ["data-drawn"] });
  list.selectedIndex = place;
  list.dispatchEvent(new Event("change", { bubbles: true }));
})"""
NEXT_FRAME = "() => new Promise((resolve) => requestAnimationFrame(resolve))"
STEPS = 60  # movements of the pointer, or notches of its wheel


def vectors(number: int) -> np.ndarray:
    random = np.random.default_rng(0)
    table = random.standard_normal((number, WIDTH), dtype=np.float32)
    table *= np.geomspace(2, 0.3, WIDTH, dtype=np.float32)
    table += random.normal(0, 1.5, (12, WIDTH)).astype(np.float32)[random.integers(0, 12, number)]
    return table


def labels(number: int) -> list[str]:
    return [f"The item {row} of {row % 977} ({row % 100:02})" for row in range(number)]


# In the kernel.


def explorer(number: int) -> None:
    """Shows the explorer once a button is pressed; the moment of its principal components is the button's text."""
    from ipyfastai.widgets.embeddings import basis
    from IPython.display import display
    from ipywidgets import Button, VBox

    embedding = Embedding(vectors(number), labels(number), {"group": np.arange(number) % 12})
    button, box = Button(description="Show"), VBox()

    def show(_button: Button) -> None:
        class Timed(basis.PCA):
            @classmethod
            def fit(cls, *arguments, **options) -> PCA:
                fitted = PCA.fit(*arguments, **options)
                button.description = str(time.time() * 1000)
                return fitted

        basis.PCA, before = Timed, basis.PCA
        try:
            shown = EmbeddingExplorer(embedding)
        finally:
            basis.PCA = before
        box.children = [shown]

    button.on_click(show)
    button.add_class("show")
    display(VBox([button, box]))


# Beside it.


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(number: int, rounds: int) -> dict:
    """figures[what][name] = a value for each round, in Python."""
    from sklearn.decomposition import PCA as SklearnPCA
    from sklearn.neighbors import NearestNeighbors

    figures: dict = defaultdict(lambda: defaultdict(list))
    table = vectors(number)
    embedding = Embedding(table, labels(number))
    neighbours, search = Neighbours(table), Search(embedding.labels)
    theirs = {metric: NearestNeighbors(algorithm="brute", metric=metric).fit(table) for metric in METRICS}
    for place in range(rounds):
        row = (place + 1) * 777 % number
        figures[FIT][OURS].append(timed(lambda: PCA.fit(table).transform(table, 2)))
        for name, solver in ((COVARIANCE, "covariance_eigh"), (FULL, "full")):
            figures[FIT][name].append(
                timed(lambda solver=solver: SklearnPCA(2, svd_solver=solver).fit_transform(table))
            )
        for k in KS:
            for metric in METRICS:
                what, one = NEAR.format(k=k, metric=metric), table[[row]]
                figures[what][OURS].append(timed(lambda k=k, metric=metric, row=row: neighbours.of(row, k, metric)))
                figures[what][BRUTE].append(
                    timed(lambda k=k, metric=metric, one=one: theirs[metric].kneighbors(one, k + 1))
                )
        for what, pattern in PATTERNS.items():
            figures[SEARCH.format(what=what)][OURS].append(timed(lambda pattern=pattern: search(pattern)))
        figures[MADE][OURS].append(timed(lambda: EmbeddingExplorer(embedding).close()))
        print(f"round {place + 1} of {rounds}")
    return figures


def measure_page(browser: Browser, number: int, rounds: int) -> dict:
    """The same of what a page shows."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    with serve_notebook(CELL.format(root=str(Path(__file__).parents[1]), count=number)) as url:
        for _ in range(rounds):
            before = {one.pid for one in psutil.Process().children(recursive=True)}
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(600_000)
            page.goto(url)
            page.locator(".show").click()
            painted = page.evaluate(PAINTED)
            figures[DRAWN][OURS].append((painted - float(page.locator(".show").inner_text())) / 1000)
            page.wait_for_timeout(2000)  # labels are asked for, and drawn
            _ask(page, figures)
            _move(page, figures)
            _redraw(page, figures)
            for what, value in _memory(before).items():
                figures[what][OURS].append(value)
            page.context.close()
    return figures


def _ask(page: Page, figures: dict) -> None:
    for pattern in PATTERNS.values():
        figures[SEEN_SEARCH][OURS].append(page.evaluate(ANSWERED, ["search", pattern]))
        page.wait_for_timeout(500)
    for row in (7, 7777, 20_000):
        figures[SEEN_NEAR][OURS].append(page.evaluate(ANSWERED, ["select", row]))
        page.wait_for_timeout(500)


def _move(page: Page, figures: dict) -> None:
    """Drag the points about, then zoom in, and out again."""
    box = page.locator(".ipyfastai-embedding-plot .scatter").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    figures[PAN][OURS].append(_steps(page, lambda step: page.mouse.move(x + 3 * step, y + step)))
    page.mouse.up()
    page.wait_for_timeout(2000)
    page.mouse.move(x, y)
    figures[ZOOM][OURS].append(_steps(page, lambda step: page.mouse.wheel(0, -40 if step < STEPS / 2 else 40)))
    page.wait_for_timeout(2000)


def _steps(page: Page, move: Callable[[int], None]) -> float:
    """Milliseconds of a step, each being drawn before the next."""

    def go() -> None:
        for step in range(STEPS):
            move(step)
            page.evaluate(NEXT_FRAME)

    return timed(go) / STEPS * 1000


def _redraw(page: Page, figures: dict) -> None:
    for panel, label, places, what in (("Looks", "Colour", (1, 0), SEEN_COLOUR), ("Axes", "y", (2, 1), SEEN_AXIS)):
        page.get_by_role("button", name=panel, exact=True).click()
        page.get_by_label(label, exact=True).wait_for()
        for place in places:
            figures[what][OURS].append(page.evaluate(REDRAWN, [label, place]))
            page.wait_for_timeout(1000)


def _memory(before: set[int]) -> dict[str, float]:
    new = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
    pages = [one for one in new if "--type=renderer" in " ".join(one.cmdline())]
    return {KERNEL: max(map(pss, kernels(psutil.Process()))), RENDERER: max(map(pss, pages))}


def main() -> None:
    command = parser(__doc__, quick="one round, 50,000 vectors")
    command.add_argument("--count", type=count, default=1_000_000, metavar="N", help="vectors, default: %(default)s")
    options = command.parse_args()
    rounds, number = (1, 50_000) if options.quick else (options.rounds, options.count)
    figures = measure(number, rounds)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        chromium = f"Chromium {browser.version}"
        page = measure_page(browser, number, min(rounds, 3))
        browser.close()
    about = ABOUT.format(count=number, width=WIDTH, steps=STEPS)
    body = part("benchmarks.embedding", figures, TARGETS, about=about, ours=OURS, beside=page, also=chromium)
    body = "\n\n".join([body, "### In the browser", comparison(page)])
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
