"""The image cleaner beside fastai's, and with 100,000 pictures, in a real browser on our server.

fastai's `ImageClassifierCleaner` and our `ImageCleaner` show the same photos of the same learner, each on a page
of its own, and take turns at changing the class, so that a change in the machine's speed meets both. Then
100,000 pictures are drawn into a folder and looked through to the end. Writes its part of
docs/benchmarks.md; needs some ten minutes of a machine that does nothing else, the sample photos, and 1 GB of
disk. `--quick` only tries whether everything works: two rounds, 5,000 pictures, nothing written.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, chromium_path, serve_notebook
from tests.drawings import DATA

from .apps import kernels, pss, seconds_since
from .document import part, put
from .figures import OURS, Target, comparison, targets
from .options import count, need_photos, parser

TITLE = "The image cleaner"
FASTAI = "ImageClassifierCleaner"
FIRST, AGAIN = "class switch, its photos not seen before (s)", "class switch, back to photos seen before (s)"
START, HALF, END = "at first", "half-way", "at the end"
KERNEL, RENDERER, HEAP = (
    "memory of the kernel, PSS (MB)",
    "memory of the page's process, PSS (MB)",
    "heap of its JavaScript (MB)",
)
PAINT, SWITCH = "first pictures of {count:,} (s)", "class switch among {count:,} (s)"
ARRIVE = "pictures there after a jump to the end of {count:,} (s)"
TARGETS = [
    Target(FIRST, None, at_most=0.1),
    Target(FIRST, FASTAI, at_most=0.2),
    Target(AGAIN, None, at_most=0.1),
    Target(AGAIN, FASTAI, at_most=0.2),
]
FLAT = [
    Target(KERNEL, START, at_most=1.15, name=END),
    Target(KERNEL, HALF, at_most=1.05, name=END),
    Target(RENDERER, HALF, at_most=1.05, name=END),
    Target(HEAP, START, at_most=1.15, name=END),
]
ABOUT = """`bears` (409 photos of three classes) and a MobileNetV2 with random weights; each on a page that our server
serves, in windows of the same size. A class is chosen in the page's own menu; *class switch* is from that
event to the frame that shows the {pictures} pictures of it, decoded.

- **ImageClassifierCleaner**: fastai's, `max_n={pictures}`, in a cell
- **ipyfastai**: `ImageCleaner(predictions(learn))`, with an empty cache of thumbnails at the start. Half a second or
  more lies between two switches, in which it makes thumbnails of what each class begins with, as for anybody
  who looks at what is there before the next choice"""
LARGE = """A folder of {count:,} drawn pictures (128 × 96 px, each another) in ten classes, and a table of
predictions. *first pictures*: from the request for the page to the frame that shows them, the start of the kernel
and the reading of the table included. The list is then scrolled to its end in {steps} steps, each one
waiting until its pictures are there. *memory* is read after the first pictures, half-way and after the
last; a browser's process takes some megabytes when it first scrolls, and keeps them."""

PICTURES = 30
WINDOW = {"width": 1900, "height": 1200}
# As wide as the window, as a notebook is: 30 pictures are on the screen at once.
WIDE = """const sheet = new CSSStyleSheet();
sheet.replaceSync("#rendered_cells { max-width: none !important }");
document.adoptedStyleSheets = [sheet];"""
PATIENCE = 600_000  # ms
STEPS = 400
CLASSES = ["black", "grizzly", "teddy"]
MENU = {FASTAI: ".widget-dropdown select", OURS: ".ipyfastai-cleaner-bar select"}
PLACES = {FASTAI: 0, OURS: 1}  # of the first class in the menu: ours begins with all of them
IMAGES = {FASTAI: ".widget-output img", OURS: ".ipyfastai-picture-grid .cell canvas"}
CELL = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.cleaner import {name}
{name}({arguments})
"""

# In the page: resolves with the moment of the frame in which `count` pictures (<img> or <canvas>) stand that did
# not before, decoded and within the window or the box they scroll in. A frame is shown when the next one is asked for.
PAINTED = """([selector, count, since]) => new Promise((resolve) => {
  const before = new Set(since);
  const isDrawn = (image) => (image.src ? image.complete && image.naturalWidth : image.width);
  const look = () => {
    const there = [...document.querySelectorAll(selector)]
      .filter((image) => isDrawn(image) && !before.has(image.src ?? image));
    if (there.length >= count) requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    else requestAnimationFrame(look);
  };
  look();
})"""
# The same from the moment at which a menu changes, in seconds.
SWITCHED = """async ([menu, index, selector, count]) => {
  const painted = PAINTED, select = document.querySelector(menu);
  const since = [...document.querySelectorAll(selector)].map((image) => image.src ?? image);
  select.selectedIndex = index;
  const began = performance.now();
  select.dispatchEvent(new Event("change", { bubbles: true }));
  return (await painted([selector, count, since]) - began) / 1000;
}""".replace("PAINTED", PAINTED)
# Scrolls to a share of the list and waits until all pictures on the screen are there; in seconds.
SCROLLED = """async ([share, selector]) => {
  const box = document.querySelector(".ipyfastai-picture-grid .scroll");
  const frame = () => new Promise(requestAnimationFrame);
  const began = performance.now();
  box.scrollTop = share * (box.scrollHeight - box.clientHeight);
  const { top, bottom } = box.getBoundingClientRect();
  for (;;) {
    await frame();
    await frame();
    const seen = [...document.querySelectorAll(selector)].filter((image) => {
      const place = image.closest(".cell").getBoundingClientRect();
      return place.bottom > top && place.top < bottom;
    });
    if (seen.length && seen.every((image) => image.width)) break;
  }
  return (performance.now() - began) / 1000;
}"""


# In the kernel.


def learner():
    from fastai.torch_core import set_seed
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    set_seed(0)
    return transfer_learner(image_folder_dataloaders(DATA / "bears", size=64, valid_pct=0.3), pretrained=False)


def fastai():
    from fastai.vision.widgets import ImageClassifierCleaner
    from IPython.display import display

    learn = learner()
    with learn.no_bar():
        cleaner = ImageClassifierCleaner(learn, max_n=PICTURES)
    display(cleaner.widget)


def ipyfastai(cache: str):
    from ipyfastai.models import Journal, Thumbnails, predictions
    from ipyfastai.widgets import ImageCleaner
    from IPython.display import display

    table = predictions(learner())
    display(ImageCleaner(table, journal=Journal(None), thumbnails=Thumbnails(cache)))


def many(folder: str, cache: str):
    """The cleaner for a folder that `draw` has filled."""
    from ipyfastai.models import Journal, Thumbnails, predictions_table
    from ipyfastai.widgets import ImageCleaner
    from IPython.display import display

    items = [f"{folder}/{name}" for name in Path(folder, "names.txt").read_text().splitlines()]
    labels = [item.rsplit("/", 2)[1] for item in items]
    shares = np.random.default_rng(0).dirichlet(np.ones(10), len(items)).astype(np.float32)
    table = predictions_table(items, labels, probabilities=shares, labels=sorted(set(labels)))
    display(ImageCleaner(table, root=folder, journal=Journal(None), thumbnails=Thumbnails(cache)))


# Beside it.


def draw(folder: Path, count: int) -> None:
    """`count` pictures, each another, in ten folders, and their names in names.txt."""
    names = [f"class {number % 10}/{number:06}.jpg" for number in range(count)]
    for label in {name.split("/")[0] for name in names}:
        (folder / label).mkdir(parents=True)

    def one(number: int) -> None:
        small = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
        out = io.BytesIO()
        Image.fromarray(small).resize((128, 96), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
        (folder / names[number]).write_bytes(out.getvalue())

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(count), chunksize=100))
    (folder / "names.txt").write_text("\n".join(names))


def cell(name: str, **arguments: str) -> str:
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return CELL.format(root=str(Path(__file__).parents[1]), name=name, arguments=given)


def opened(browser: Browser, url: str, name: str) -> tuple[Page, float]:
    """The page, and the seconds until its first pictures were painted."""
    context = browser.new_context(viewport=WINDOW)
    context.add_init_script(WIDE)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    elapsed = seconds_since()
    page.goto(url, wait_until="commit", timeout=PATIENCE)
    page.locator(IMAGES[name]).nth(PICTURES - 1).wait_for(state="attached")
    page.evaluate(PAINTED, [IMAGES[name], PICTURES, []])
    return page, elapsed()


def measure_switches(browser: Browser, rounds: int) -> dict:
    """figures[what][name] = a value for each switch; the two take turns."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as cache:
        cells = {FASTAI: cell("fastai"), OURS: cell("ipyfastai", cache=cache)}
        with serve_notebook(cells[FASTAI]) as theirs, serve_notebook(cells[OURS]) as ours:
            pages = {name: opened(browser, url, name)[0] for name, url in ((FASTAI, theirs), (OURS, ours))}
            for number in range(rounds):
                order = CLASSES[1:] + CLASSES[:1] if number % 2 == 0 else CLASSES[2:0:-1] + CLASSES[:1]
                for label in order:
                    for name, page in pages.items():
                        what = [MENU[name], PLACES[name] + CLASSES.index(label), IMAGES[name], PICTURES]
                        seconds = page.evaluate(SWITCHED, what)
                        figures[AGAIN if number else FIRST][name].append(seconds)
                        print(f"round {number + 1}, {label}, {name}: {seconds:.3f} s")
                        page.wait_for_timeout(500)  # at rest again before the other one's turn
            for page in pages.values():
                page.context.close()
    return figures


def memory(page: Page, others: set[int]) -> dict[str, float]:
    """Megabytes of the kernel and of the page, after its garbage is collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    processes = psutil.Process().children(recursive=True)
    pages = [one for one in processes if "--type=renderer" in " ".join(one.cmdline()) and one.pid not in others]
    [kernel] = kernels(psutil.Process())
    return {KERNEL: pss(kernel), RENDERER: max(map(pss, pages)), HEAP: metrics["JSHeapUsedSize"] / 1e6}


def measure_many(browser: Browser, count: int, steps: int) -> tuple[dict, dict]:
    """Seconds, and memory at the start and at the end."""
    seconds: dict = defaultdict(lambda: defaultdict(list))
    used: dict = defaultdict(lambda: defaultdict(list))
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name, "photos"), Path(name, "cache")
        draw(folder, count)
        print(f"{count:,} pictures drawn")
        with serve_notebook(cell("many", folder=str(folder), cache=str(cache))) as url:
            page, first = opened(browser, url, OURS)
            note = lambda what, value: seconds[what.format(count=count)][OURS].append(value)  # noqa: E731
            note(PAINT, first)
            for index in range(1, 6):
                note(SWITCH, page.evaluate(SWITCHED, [MENU[OURS], index, IMAGES[OURS], PICTURES]))
            page.evaluate(SWITCHED, [MENU[OURS], 0, IMAGES[OURS], PICTURES])
            waits = []
            for where, steps_there in ((START, range(0)), (HALF, range(steps // 2)), (END, range(steps // 2, steps))):
                waits += [page.evaluate(SCROLLED, [(step + 1) / steps, IMAGES[OURS]]) for step in steps_there]
                for what, value in memory(page, before).items():
                    used[what][where].append(value)
            print(f"to the end: {sum(waits):.0f} s; a step {np.median(waits):.3f} s, at most {max(waits):.3f} s")
            last = page.locator(".ipyfastai-picture-grid .cell").last.get_attribute("data-position")
            if int(last) != count - 1:
                raise RuntimeError(f"the end of {count} pictures shows number {last}")
            page.evaluate(SCROLLED, [0, IMAGES[OURS]])
            note(ARRIVE, page.evaluate(SCROLLED, [1, IMAGES[OURS]]))
            page.context.close()
    return seconds, used


def main() -> None:
    command = parser(__doc__, quick="two rounds, 5,000 pictures")
    command.add_argument("--count", type=count, default=100_000, metavar="N", help="pictures, default: %(default)s")
    options = command.parse_args()
    need_photos(command)
    rounds, pictures, steps = (2, 5_000, 20) if options.quick else (options.rounds, options.count, STEPS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        chromium = f"Chromium {browser.version}"
        figures = measure_switches(browser, rounds)
        seconds, used = measure_many(browser, pictures, steps)
        browser.close()
    about = ABOUT.format(pictures=PICTURES)
    body = part("benchmarks.cleaner", figures, TARGETS, about=about, ours=OURS, also=chromium)
    large = [comparison(seconds), comparison(used, END), targets(used, FLAT)]
    body = "\n\n".join([body, f"### {pictures:,} pictures", LARGE.format(count=pictures, steps=steps), *large])
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
