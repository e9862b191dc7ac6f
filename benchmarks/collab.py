"""A training of ratings beside fastai's `collab_learner`, and beside scikit-surprise where that is installed.

Each training runs in a fresh process, one after the other in rounds of one seed each, so that a change in the
machine's speed meets all of them; all learn and are measured with the same ratings. Writes its part of
docs/benchmarks.md; needs some five minutes of a machine that does nothing else, and ml-latest-small.
`--quick` only tries whether everything works: one short round, nothing written.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

from tests.drawings import DATA

from .document import part, put
from .figures import OURS, Target
from .options import count, parser

TITLE = "Collaborative filtering: training"
FASTAI, LARGE, SURPRISE = "collab_learner", "the same, batches of {}", "surprise.SVD"
EPOCH, WHOLE, MSE = "epoch (s)", "training (s)", "validation MSE"
WORSE = "validation MSE above that of collab_learner, mean of the seeds"
TARGETS = [Target(EPOCH, FASTAI, at_most=0.2), Target(WORSE, None, at_most=0.005)]
FACTORS, EPOCHS, RATE, DECAY, BATCH = 50, 5, 5e-3, 0.1, 64
LARGE_BATCH, LARGE_RATE = 2048, 1e-2
SURPRISE_EPOCHS = 20  # its own default
ABOUT = """ml-latest-small: {train:,} of its ratings to learn from, {valid:,} to measure with, the same for all, a seed
for each round. {factors} factors, biases, a sigmoid range of 0 to 5.5, {epochs} epochs of one cycle to {rate:g}, weight
decay {decay:g} (AdamW), batches of {batch}, unless said otherwise; on {device}. An epoch is the whole training, with
validation, by their number.

- **ipyfastai**: `CollabRun` with `CollabSettings("weight_decay")`, its checkpoints and files included
- **{large}**: one cycle to {large_rate:g}
- **collab_learner**: fastai's, `fit_one_cycle`, without progress bars. Its loader of tables draws with replacement
  (`TabWeightedDL`), so that an epoch shows it 63 % of the ratings, some more than once; in its order ours learns what
  it does
- **surprise.SVD**: {surprise}

A lookup of {batch} rows of {items:,} × {factors} took {lookup:.2g} ms, the product with one-hot rows {product:.2g} ms,
{ratio:,.0f} times as long: medians of 20, in the same run."""


def ratings():
    """The same split in every process."""
    from ipyfastai.models import movielens
    from ipyfastai.models.collab.splits import random_split

    return random_split(movielens(DATA / "movielens" / "ml-latest-small"))


def trained(split, settings) -> tuple:
    """A finished `CollabRun` on the CPU, and the seconds that it took."""
    from ipyfastai.models import CollabRun

    with tempfile.TemporaryDirectory() as folder:
        run = CollabRun(split, settings, folder=folder, device="cpu")
        began = time.perf_counter()
        run.start()
        run.wait()
        seconds = time.perf_counter() - began
    if run.state != "finished":
        raise RuntimeError(run.problem)
    return run, seconds


def ours(seed: int, epochs: int, batch: int = BATCH, rate: float = RATE) -> dict:
    from ipyfastai.models import CollabSettings

    options = {"factors": FACTORS, "epochs": epochs, "learning_rate": rate, "weight_decay": DECAY, "batch_size": batch}
    run, seconds = trained(ratings(), CollabSettings("weight_decay", seed=seed, **options))
    return {WHOLE: seconds, EPOCH: seconds / epochs, MSE: run.history["mse"].iloc[-1]}


def large(seed: int, epochs: int) -> dict:
    return ours(seed, epochs, LARGE_BATCH, LARGE_RATE)


def fastai(seed: int, epochs: int) -> dict:
    import pandas as pd
    from fastai.collab import TabularCollab, collab_learner
    from fastai.data.block import TransformBlock
    from fastai.tabular.core import Categorify
    from fastai.torch_core import set_seed

    split = ratings()
    columns = {"user": "users", "item": "items", "rating": "values"}
    parts = (split.train, split.valid)
    tables = [pd.DataFrame({name: getattr(one, column) for name, column in columns.items()}) for one in parts]
    places = range(len(split.train)), range(len(split.train), len(split.train) + len(split.valid))
    table = pd.concat(tables, ignore_index=True)
    set_seed(seed)
    options = {"y_names": ["rating"], "y_block": TransformBlock(), "splits": [list(place) for place in places]}
    dls = TabularCollab(table, [Categorify], ["user", "item"], **options).dataloaders(bs=BATCH)
    learn = collab_learner(dls, n_factors=FACTORS, y_range=(0, 5.5))
    began = time.perf_counter()
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(epochs, RATE, wd=DECAY)
        seconds = time.perf_counter() - began
        mse = learn.validate()[0]
    return {WHOLE: seconds, EPOCH: seconds / epochs, MSE: mse}


def surprise(seed: int, epochs: int) -> dict:
    from surprise import SVD, Dataset, Reader, accuracy

    split = ratings()
    columns = ["user", "item", "rating"]
    train, valid = (one.table[columns].astype({"user": str, "item": str}) for one in (split.train, split.valid))
    known = Dataset.load_from_df(train, Reader(rating_scale=split.train.scale)).build_full_trainset()
    model = SVD(n_factors=FACTORS, n_epochs=SURPRISE_EPOCHS, random_state=seed)
    began = time.perf_counter()
    model.fit(known)
    seconds = time.perf_counter() - began
    mse = accuracy.mse(model.test(list(valid.itertuples(index=False, name=None))), verbose=False)
    return {WHOLE: seconds, EPOCH: seconds / SURPRISE_EPOCHS, MSE: mse}


LEGS = {FASTAI: fastai, OURS: ours, LARGE.format(LARGE_BATCH): large, SURPRISE: surprise}


def in_a_process(name: str, seed: int, epochs: int) -> dict:
    options = ["--only", name, "--seed", str(seed), "--epochs", str(epochs)]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.collab", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(rounds: int, epochs: int) -> tuple[dict, list[str]]:
    """figures[what][name] = a value for each round; and what was left out."""
    missing = [] if importlib.util.find_spec("surprise") else [SURPRISE]
    figures: dict = defaultdict(lambda: defaultdict(list))
    for seed in range(rounds):
        for name in LEGS:
            if name in missing:
                continue
            result = in_a_process(name, seed, epochs)
            for what in (EPOCH, WHOLE, MSE):
                figures[what][name].append(result[what])
            print(f"seed {seed}, {name}: {result[EPOCH]:.2f} s an epoch, MSE {result[MSE]:.4f}")
    return figures, missing


def about(epochs: int, missing: list[str]) -> str:
    from ipyfastai.models.collab.one_hot import lookup_times
    from ipyfastai.models.training.device import device_name

    split = ratings()
    seconds = lookup_times(split.train.n_items, FACTORS, BATCH)
    product, lookup = (1000 * seconds[name] for name in ("one-hot product", "lookup"))
    said = f"scikit-surprise's, without a range, {SURPRISE_EPOCHS} epochs of plain gradient descent, its defaults"
    return ABOUT.format(
        train=len(split.train),
        valid=len(split.valid),
        factors=FACTORS,
        epochs=epochs,
        rate=RATE,
        decay=DECAY,
        batch=BATCH,
        device=device_name("cpu"),
        large=LARGE.format(LARGE_BATCH),
        large_rate=LARGE_RATE,
        surprise="not measured: scikit-surprise is not installed (extra `bench`)" if missing else said,
        items=split.train.n_items,
        lookup=lookup,
        product=product,
        ratio=product / lookup,
    )


def main() -> None:
    command = parser(__doc__, quick="one round of one epoch")
    command.set_defaults(rounds=3)
    command.add_argument("--epochs", type=count, default=EPOCHS, metavar="N", help="default: %(default)s")
    command.add_argument("--only", choices=LEGS, help="time one training and print its outcome as JSON")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of that one")
    options = command.parse_args()
    if not (DATA / "movielens" / "ml-latest-small").is_dir():
        command.error(f"no MovieLens in {DATA}: name the folder that has movielens/ml-latest-small in IPYFASTAI_DATA")
    if options.only:
        print(json.dumps(LEGS[options.only](options.seed, options.epochs)))
        return
    epochs = 1 if options.quick else options.epochs
    figures, missing = measure(1 if options.quick else options.rounds, epochs)
    if missing:
        print(f"{SURPRISE}: left out, scikit-surprise is not installed (pip install scikit-surprise)")
    gaps = [mine - theirs for mine, theirs in zip(figures[MSE][OURS], figures[MSE][FASTAI], strict=True)]
    beside = {WORSE: {OURS: [statistics.fmean(gaps)]}}
    body = part("benchmarks.collab", figures, TARGETS, about=about(epochs, missing), ours=OURS, beside=beside)
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
