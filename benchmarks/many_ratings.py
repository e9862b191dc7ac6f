"""As many ratings as MovieLens's largest release has: an epoch of ours, and as much of fastai's as a minute holds.

The ratings are generated, 25,000,095 by 162,541 users of 59,047 titles, since what they say makes no difference to
the time. Each training runs in a fresh process, one after the other in rounds. Writes its part of
docs/benchmarks.md; needs some ten minutes of a machine that does nothing else, and 8 GB of memory. `--quick`: one
round of 1,000,000 ratings, nothing written.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict

import numpy as np

from .collab import trained
from .document import part, put
from .figures import OURS, Target
from .options import count, parser

TITLE = "Collaborative filtering: 25 million ratings"
COUNT, USERS, ITEMS, FACTORS = 25_000_095, 162_541, 59_047, 50
FASTAI, FASTAI_SECONDS = "collab_learner", 60
SPEED, WHOLE, MEMORY = "millions of ratings a second", "epoch (s)", "memory of the process at most (GB)"
COST = "seconds for a million ratings"
TARGETS = [Target(COST, FASTAI, at_most=0.2)]
ABOUT = """{number:,} generated ratings by {users:,} users of {items:,} titles, {factors} factors, batches of {batch:,},
on {device}; a tenth is held back.

- **ipyfastai**: `CollabRun` with the settings that `models.collab.movie_recommender` takes for so many, an epoch with
  its validation, checkpoint and files
- **collab_learner**: fastai's, the batches that it trains in {seconds} s, without validation; making its loaders of
  the table is not counted"""


def ratings(number: int):
    """Ratings of which some users and some titles have many more than others."""
    from ipyfastai.models.collab.ratings import Ratings

    random = np.random.default_rng(0)
    users, items = (
        (most * random.random(number, np.float32) ** 3).astype(np.int32).clip(max=most - 1) for most in (USERS, ITEMS)
    )
    liking = random.normal(0, 0.5, ITEMS).astype(np.float32)[items] + random.normal(3.5, 1, number).astype(np.float32)
    values = (np.round(2 * liking) / 2).clip(0.5, 5)
    names = [np.arange(most).astype(str) for most in (USERS, ITEMS)]
    return Ratings(users, items, values, user_ids=names[0], item_ids=names[1])


def settings(number: int):
    from ipyfastai.models.collab.settings import settings_for

    return settings_for(range(number), factors=FACTORS, epochs=1)


def ours(number: int) -> dict:
    from ipyfastai.models.collab.splits import random_split

    split = random_split(ratings(number), valid_share=0.1)
    _, seconds = trained(split, settings(number))
    return told(len(split.train), seconds) | {WHOLE: seconds}


def fastai(number: int) -> dict:
    import pandas as pd
    from fastai.callback.core import Callback, CancelFitException
    from fastai.collab import CollabDataLoaders, collab_learner

    one = ratings(number)
    table = pd.DataFrame({"user": one.users, "item": one.items, "rating": one.values})
    dls = CollabDataLoaders.from_df(table, valid_pct=0.1, seed=0, bs=settings(number).batch_size)

    class Minute(Callback):
        trained = 0

        def before_fit(self) -> None:
            self.began = time.perf_counter()

        def after_batch(self) -> None:
            self.trained += len(self.yb[0])
            self.seconds = time.perf_counter() - self.began
            if self.seconds > FASTAI_SECONDS:
                raise CancelFitException

    learn = collab_learner(dls, n_factors=FACTORS, y_range=(0, 5.5))
    watch = Minute()
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(1, 5e-3, wd=0.1, cbs=watch)
    return told(watch.trained, watch.seconds)


def told(trained: int, seconds: float) -> dict:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {SPEED: trained / seconds / 1e6, COST: seconds / trained * 1e6, MEMORY: peak / 1e9}


LEGS = {FASTAI: fastai, OURS: ours}


def measure(number: int, rounds: int) -> dict:
    """figures[what][name] = a value for each round."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    for place in range(rounds):
        for name in LEGS:
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.many_ratings", "--only", name]
            done = subprocess.run([*command, "--count", str(number)], stdout=subprocess.PIPE, text=True, check=True)
            result = json.loads(done.stdout.splitlines()[-1])
            for what, value in result.items():
                figures[what][name].append(value)
            print(f"round {place + 1} of {rounds}, {name}: {result}")
    return figures


def main() -> None:
    command = parser(__doc__, quick="one round of 1,000,000 ratings")
    command.set_defaults(rounds=2)
    command.add_argument("--count", type=count, default=COUNT, metavar="N", help="ratings, default: %(default)s")
    command.add_argument("--only", choices=LEGS, help="time one training and print its outcome as JSON")
    options = command.parse_args()
    if options.only:
        print(json.dumps(LEGS[options.only](options.count)))
        return
    number = 1_000_000 if options.quick else options.count
    from ipyfastai.models.training.device import device_name

    figures = measure(number, 1 if options.quick else options.rounds)
    about = ABOUT.format(
        number=number,
        users=USERS,
        items=ITEMS,
        factors=FACTORS,
        batch=settings(number).batch_size,
        device=device_name("cpu"),
        seconds=FASTAI_SECONDS,
    )
    body = part("benchmarks.many_ratings", figures, TARGETS, about=about, ours=OURS)
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
