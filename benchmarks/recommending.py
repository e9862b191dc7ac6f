"""The recommender in use: how long an answer takes, and what a visitor's kernel needs.

A model of 60,000 items, 1,000 users and 50 factors, and a visitor with 1,000 ratings; what its numbers are makes
no difference to the time. `implicit`, where it is installed, folds in the same ratings beside it. The
page is the shipped dashboard's. Writes its part of docs/benchmarks.md. `--quick`: one round, nothing written.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import psutil
from ipyfastai.models.collab.recommender import Recommender
from ipyfastai.widgets import Recommendations
from playwright.sync_api import sync_playwright

from tests.browser import CHROMIUM_OPTIONS, Server, chromium_path

from .apps import kernels, pss, seconds_since
from .document import part, put
from .figures import OURS, Target
from .options import parser

TITLE = "Recommending"
ITEMS, USERS, FACTORS, RATED = 60_000, 1_000, 50, 1_000
IMPLICIT = "implicit"
FOLD, LIST, CLICK = (
    "fold-in of 1,000 ratings (ms)",
    "fold-in and the best ten (ms)",
    "a star is clicked: the widget (ms)",
)
KNOWN, SIMILAR, WHY, SEARCH = (
    "ten for a known user (ms)",
    "ten similar items (ms)",
    "one explanation (ms)",
    "a search (ms)",
)
READY, CHANGED, MEMORY = "page, to the list (s)", "page, star to new list (ms)", "memory of the kernel, PSS (MB)"
TARGETS = [Target(FOLD, None, 50), Target(CLICK, None, 100), Target(CHANGED, None, 250), Target(MEMORY, None, 100)]

WATCH = """() => { const head = document.querySelector('.ipyfastai-recommendations'); const watch = {};
  new MutationObserver(() => { if (!watch.at && head.textContent.includes('For you')) watch.at = performance.now(); })
    .observe(head, {subtree: true, childList: true, characterData: true});
  head.addEventListener('change', () => { watch.from = performance.now(); }, {capture: true, once: true});
  return watch; }"""


def model() -> Recommender:
    """One as large as that of 25 million MovieLens ratings, of random numbers."""
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), 6)) for _ in range(20_000)]
    titles = [" ".join(random.choice(words, 3)) + f" ({1950 + item % 70})" for item in range(ITEMS)]
    return Recommender(
        item_factors=random.normal(0, 0.3, (ITEMS, FACTORS)),
        item_bias=random.normal(0, 0.3, ITEMS),
        item_ids=[str(item) for item in range(ITEMS)],
        user_factors=random.normal(0, 0.3, (USERS, FACTORS)),
        user_bias=random.normal(0, 0.3, USERS),
        user_ids=[str(user) for user in range(USERS)],
        offset=0.5,
        rating_range=(0, 5.5),
        titles=titles,
        item_counts=random.integers(1, 10_000, ITEMS),
        item_means=random.uniform(2, 4.5, ITEMS),
    )


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def measure_answers(rounds: int) -> dict:
    figures: dict = defaultdict(lambda: defaultdict(list))
    films = model()
    random = np.random.default_rng(1)
    items = random.choice(ITEMS, RATED, replace=False).astype(np.int32)
    given = random.choice(films.steps, RATED)
    widget = Recommendations(
        films, ratings={int(item): float(rating) for item, rating in zip(items[:-1], given, strict=False)}
    )
    folded = films.fold_in_codes(items, given)
    answers = {
        FOLD: lambda: films.fold_in_codes(items, given),
        LIST: lambda: films.ranked(films.fold_in_codes(items, given), 10),
        CLICK: lambda: widget.rate(int(items[-1]), float(random.choice(films.steps))),
        KNOWN: lambda: films.ranked(7, 10),
        SIMILAR: lambda: films.nearest(7, 10),
        WHY: lambda: films.explained(folded, 7),
        SEARCH: lambda: films.search(films.titles[7][:4]),
    }
    if importlib.util.find_spec(IMPLICIT):
        others = implicit_fold_in(items, given)
    else:
        others = {}
        print(f"{IMPLICIT}: left out, it is not installed (pip install implicit)")
    for work in [*answers.values(), *others.values()]:
        work()  # a first time that does not count: indexes are made
    for _ in range(rounds):
        for what, work in answers.items():
            figures[what][OURS].append(statistics.median(milliseconds(work) for _ in range(9)))
        for what, work in others.items():
            figures[what][IMPLICIT].append(statistics.median(milliseconds(work) for _ in range(9)))
    widget.close()
    return figures


def implicit_fold_in(items: np.ndarray, given: np.ndarray) -> dict[str, Callable[[], object]]:
    """The same two answers by implicit's ALS, on factors as many and as random."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    als = AlternatingLeastSquares(factors=FACTORS, num_threads=1)
    random = np.random.default_rng(0)
    als.item_factors = random.normal(0, 0.3, (ITEMS, FACTORS)).astype(np.float32)
    als.user_factors = random.normal(0, 0.3, (USERS, FACTORS)).astype(np.float32)
    rows = csr_matrix((given.astype(np.float32), (np.zeros(RATED, int), items)), shape=(1, ITEMS))
    return {
        FOLD: lambda: als.recalculate_user(0, rows),
        LIST: lambda: als.recommend(0, rows, N=10, recalculate_user=True),
    }


def measure_page(rounds: int, figures: dict) -> None:
    command = [
        sys.executable,
        "-m",
        "ipyfastai.dashboards.app",
        "movie_recommender",
        "--no-browser",
        "--port=0",
        "--preheat=0",
    ]
    with Server(command) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        for round in range(rounds + 1):  # the first does not count: files are read
            page = browser.new_context().new_page()
            elapsed = seconds_since()
            page.goto(running.url, wait_until="commit")
            page.get_by_role("heading", name="Popular titles to begin with").wait_for(timeout=120_000)
            ready = elapsed()
            watch = page.evaluate_handle(WATCH)
            page.get_by_role("radiogroup").first.get_by_role("radio").last.click()
            page.wait_for_function("watch => watch.at", arg=watch)
            changed = watch.evaluate("watch => watch.at - watch.from")
            kernel = max(kernels(psutil.Process(running.process.pid)), key=lambda process: process.create_time())
            if round:
                for what, value in ((READY, ready), (CHANGED, changed), (MEMORY, pss(kernel))):
                    figures[what][OURS].append(value)
            page.context.close()


ABOUT = f"""A model of {ITEMS:,} items and {FACTORS} factors, a visitor with {RATED:,} ratings. A click includes
the fold-in, the list, and the reason for each of its ten lines. {IMPLICIT}, where there is a figure, folds the same
number of ratings into as many factors by its ALS, which has no biases and no sigmoid. Page and kernel: the
dashboard with its shipped model, kernels not preheated."""


def main() -> None:
    options = parser(__doc__, quick="one round").parse_args()
    rounds = 1 if options.quick else options.rounds
    figures = measure_answers(rounds)
    measure_page(rounds, figures)
    body = part("benchmarks.recommending", figures, TARGETS, about=ABOUT, ours=OURS)
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
