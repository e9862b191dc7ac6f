"""Trainings of ratings as a person meets them: watched, stopped, killed, gone on with, and used."""

import errno
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from full_disk import full_at
from ipyfastai.models import CollabRun, CollabSettings, TrainingRun, evaluate, example_ratings, load_run, runs
from ipyfastai.models.collab import run as run_module
from ipyfastai.models.collab.advice import advice
from ipyfastai.models.collab.checkpoint import RatingsCheckpoint
from ipyfastai.models.collab.rungs import RUNGS
from ipyfastai.models.collab.splits import random_split
from ipyfastai.models.collab.trainer import Trainer, errors
from ipyfastai.models.training.registry import running

PATIENCE = 120  # seconds, on a crowded machine
SETTINGS = {"factors": 8, "epochs": 3, "batch_size": 512, "learning_rate": 2e-2}


@pytest.fixture(scope="module")
def split():
    return random_split(example_ratings())


def started(data, folder, **options):
    run = CollabRun(data, CollabSettings(**SETTINGS | options), folder=folder, device="cpu")
    assert run.start()
    return run


def trained(data, folder, **options):
    run = started(data, folder, **options)
    assert run.wait(PATIENCE), run.progress
    return run


def gone_on(folder, data):
    run = CollabRun.from_folder(folder, data, device="cpu")
    assert run.start() and run.wait(PATIENCE)
    return run


def same(one, other):
    """Whether two runs have learned the same, bit for bit, and tell the same of it but for the time."""
    tables = zip(one.rung.parameters(), other.rung.parameters(), strict=True)
    figures = [run.history.drop(columns="seconds").to_numpy(float) for run in (one, other)]
    curves = zip(vars(one.losses).values(), vars(other.losses).values(), strict=True)
    return (
        all(torch.equal(a, b) for a, b in tables)
        and np.array_equal(*figures)
        and all(np.array_equal(a, b) for a, b in curves)
    )


@pytest.fixture(scope="module")
def straight(split, tmp_path_factory):
    return trained(split, tmp_path_factory.mktemp("straight"))


class Gate:
    """Lets a test do something while a batch is trained: the `at`-th one, counted from 1, waits for it."""

    def __init__(self, monkeypatch, at, within=None):
        self.reached, self.opened = threading.Event(), threading.Event()
        step = Trainer._step

        def stepped(trainer, *arguments):
            if trainer.iteration + 1 == at:
                if within is not None:
                    within(trainer)
                else:
                    self.reached.set()
                    assert self.opened.wait(PATIENCE)
            return step(trainer, *arguments)

        monkeypatch.setattr(Trainer, "_step", stepped)

    def wait(self):
        assert self.reached.wait(PATIENCE)


def test_what_is_shown_of_a_finished_run(split, tmp_path):
    run = CollabRun(split, CollabSettings(**SETTINGS), folder=tmp_path, device="cpu")
    told = []
    run.listeners.append(lambda run: told.append((run.state, run.progress["iteration"])))
    assert run.state == "ready" and run.history.empty and run.name is None and run.progress["epoch"] == 0
    with pytest.raises(RuntimeError, match="start the run first"):
        _ = run.predictor
    assert run.start() and not run.start() and run.wait(PATIENCE)
    assert run.state == "finished" and run.problem is None and running() == []
    batches = -(-len(split.train) // 512)
    assert list(run.history) == ["epoch", "frozen", "train_loss", "valid_loss", "mse", "rmse", "mae", "seconds"]
    last = run.history.iloc[-1]
    assert list(run.history["epoch"]) == [1, 2, 3] and last["valid_loss"] == last["mse"]
    assert errors(run.rung, split.valid) == pytest.approx({name: last[name] for name in ("mse", "rmse", "mae")})
    assert list(run.losses.iteration) == list(range(3 * batches)) and np.isfinite(run.losses.raw).all()
    assert run.losses.smoothed[-1] == last["train_loss"] and run.losses.learning_rate.max() == pytest.approx(2e-2)
    progress = run.progress
    assert progress["iteration"] == progress["iterations"] == 3 * batches and progress["seconds_left"] == 0
    deadline = time.monotonic() + PATIENCE
    while not told or told[-1] != ("finished", 3 * batches):
        assert time.monotonic() < deadline, told[-3:]
        time.sleep(0.02)


def test_the_smoothed_loss_is_fastais(straight):
    from fastai.learner import AvgSmoothLoss

    class Batch:
        pass

    smooth = AvgSmoothLoss()
    for raw, smoothed in zip(straight.losses.raw, straight.losses.smoothed, strict=True):
        batch = Batch()
        batch.loss = torch.tensor(raw, dtype=torch.float32)
        smooth.accumulate(batch)
        assert smoothed == pytest.approx(float(smooth.value), rel=1e-5)


def test_the_baseline_is_that_of_the_table_of_measures(straight, split):
    table = evaluate(straight.predictor, split)
    assert straight.baseline == pytest.approx(table.loc["user + item means", ["mse", "rmse", "mae"]].to_dict())
    assert straight.history["mse"].iloc[-1] == pytest.approx(table.loc["model", "mse"])


def test_the_folder_holds_plain_files_like_any_training_run(straight):
    path = straight.folder / straight.name
    names = {"settings.json", "state.json", "history.csv", "losses.csv", "last.safetensors", "best.safetensors", "lock"}
    assert {file.name for file in path.iterdir()} == names
    stored = load_run(path)
    assert stored.settings == straight.settings and stored.state == "finished"
    assert np.array_equal(stored.losses.raw, straight.losses.raw) and stored.history.equals(straight.history)
    assert stored.about["items"]["train"] == len(straight.split.train)
    assert stored.about["protocol"] == straight.split.protocol
    row = runs(straight.folder).loc[straight.name]
    assert row["rung"] == "weight_decay" and row["mse"] == straight.history["mse"].min()
    assert row["network"] == "+ weight decay" and row["baseline mse"] == straight.baseline["mse"]
    with pytest.raises(ValueError, match="training of another kind"):
        TrainingRun.from_folder(path, object())


def test_stop_takes_hold_after_the_batch_and_the_run_goes_on_as_if_nothing_had_been(
    straight, split, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        batches = straight.progress["iterations"] // 3
        gate = Gate(patched, at=batches + 4)
        run = started(split, tmp_path)
        gate.wait()
        assert run.stop() and not run.stop() and run.state == "stopping"
        gate.opened.set()
        assert run.wait(PATIENCE) and run.state == "stopped"
        assert len(run.losses.raw) == batches + 4 and len(run.history) == 1 and run.at_epoch is None
    again = gone_on(tmp_path / run.name, split)
    assert again.state == "finished" and again.name == run.name and same(again, straight)
    stored = load_run(tmp_path / run.name)
    assert np.array_equal(stored.losses.raw, straight.losses.raw) and len(stored.history) == 3
    with pytest.raises(ValueError, match="is finished: there is nothing to go on with"):
        CollabRun.from_folder(tmp_path / run.name, split)


def test_pause_waits_and_changes_nothing(straight, split, tmp_path, monkeypatch):
    gate = Gate(monkeypatch, at=3)
    run = started(split, tmp_path)
    gate.wait()
    assert run.pause() and run.state == "paused" and not run.pause()
    gate.opened.set()
    assert not run.wait(0.3) and len(run.losses.raw) == 3  # shown as far as it is
    assert run.resume() and not run.resume() and run.wait(PATIENCE)
    assert run.state == "finished" and same(run, straight)


def test_a_killed_process_leaves_a_run_that_goes_on(straight, split, tmp_path):
    script = """
        import sys
        from ipyfastai.models import CollabRun, CollabSettings, example_ratings
        from ipyfastai.models.collab.splits import random_split
        from ipyfastai.models.collab.trainer import Trainer

        step = Trainer._step
        def stepped(trainer, *arguments):
            if trainer.iteration == 2 * trainer.batches + 3:
                print("there", flush=True)
                sys.stdin.read()
            return step(trainer, *arguments)
        Trainer._step = stepped
        settings = CollabSettings(**eval(sys.argv[1]))
        run = CollabRun(random_split(example_ratings()), settings, folder=sys.argv[2], device="cpu")
        run.start()
        run.wait()
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), repr(SETTINGS), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "there"
        (path,) = tmp_path.iterdir()
        with pytest.raises(ValueError, match="is running"):
            CollabRun.from_folder(path, split)
        os.kill(process.pid, signal.SIGKILL)
    assert load_run(path).state == "interrupted" and len(load_run(path).history) == 2
    assert same(gone_on(path, split), straight)


def test_a_run_goes_on_with_its_own_ratings_only(split, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        gate = Gate(patched, at=2)
        run = started(split, tmp_path)
        gate.wait()
        run.stop()
        gate.opened.set()
        assert run.wait(PATIENCE)
    measured_otherwise = replace(split, valid=split.valid.take(np.arange(100)))
    for data in (random_split(example_ratings(), seed=1), measured_otherwise):
        other = gone_on(tmp_path / run.name, data)
        assert other.state == "failed" and "The ratings are not those" in other.problem["message"]
    assert gone_on(tmp_path / run.name, split).state == "finished"


def test_a_loss_that_is_no_number_stops_it_and_says_what_to_lower(split, tmp_path, monkeypatch):
    def spoil(trainer):
        with torch.no_grad():
            trainer.rung.item_bias.fill_(float("nan"))

    Gate(monkeypatch, at=60, within=spoil)
    run = trained(split, tmp_path)
    assert run.state == "failed" and run.problem["kind"] == "diverged"
    assert "at the end of epoch 2" in run.problem["message"] and "try 0.002" in run.problem["suggestion"]
    assert len(run.losses.raw) == 60 and np.isnan(run.losses.raw[-1]) and np.isfinite(run.losses.raw[:-1]).all()
    assert errors(run.rung, split.valid)["mse"] == run.history["mse"].iloc[1]


def test_it_stops_early_at_the_best_epoch(split, tmp_path):
    heart = {"rung": "range", "factors": 60, "epochs": 12, "learning_rate": 5e-2, "batch_size": 256}
    run = trained(split, tmp_path, **heart, early_stop=2)
    best, done = run.best, len(run.history)
    assert run.state == "finished" and best + 2 == done < 12
    assert errors(run.rung, split.valid)["mse"] == run.history["mse"].min() == run.history["mse"][best - 1]
    assert any(f"Stopped early, after epoch {done}" in sentence for sentence in run.advice)


def test_the_best_epoch_can_be_gone_back_to(split, tmp_path):
    run = trained(split, tmp_path, rung="range", factors=60, epochs=12, learning_rate=0.1, batch_size=256)
    assert run.best < 12 and errors(run.rung, split.valid)["mse"] == run.history["mse"].iloc[-1]
    assert run.at_epoch == 12 and run.load_best() == run.best == run.at_epoch
    assert errors(run.rung, split.valid)["mse"] == run.history["mse"].min()


def test_after_the_training_only_what_was_learned_is_kept(split, tmp_path, monkeypatch):
    trainers, begin = weakref.WeakSet(), Trainer.__init__

    def noted(trainer, *arguments, **options):
        trainers.add(trainer)
        begin(trainer, *arguments, **options)

    monkeypatch.setattr(Trainer, "__init__", noted)
    run = trained(split, tmp_path)
    gc.collect()
    assert not list(trainers) and all(parameter.grad is None for parameter in run.rung.parameters())


def test_the_best_epoch_can_be_gone_back_to_when_memory_ran_out(split, tmp_path, monkeypatch):
    def exhaust(trainer):
        raise torch.OutOfMemoryError("CUDA out of memory")

    Gate(monkeypatch, at=-(-len(split.train) // 512) + 3, within=exhaust)
    run = trained(split, tmp_path)
    assert run.state == "failed" and run.problem["kind"] == "out_of_memory" and len(run.history) == 1
    assert run.load_best() == 1 and errors(run.rung, split.valid)["mse"] == run.history["mse"][0]


def test_an_epoch_that_could_not_be_kept_is_not_gone_back_to(split, tmp_path, monkeypatch):
    full_at(monkeypatch, RatingsCheckpoint, 2)
    monkeypatch.setattr(run_module, "errors", lambda *_: dict.fromkeys(("mse", "rmse", "mae"), next(figures)))
    figures = iter([0.9, 0.8, 0.85])
    run = trained(split, tmp_path)
    assert run.best == 2 and run.state == "finished"
    with pytest.raises(RuntimeError, match="Epoch 2, the best, could not be saved"):
        run.load_best()
    assert run.at_epoch == 3


def test_advice_on_ratings():
    def said(train, valid, mean=0.8):
        rows = {"epoch": range(1, len(train) + 1), "train_loss": train, "valid_loss": valid, "mse": valid}
        return " ".join(advice(pd.DataFrame(rows), {"mse": mean}, epochs=5))

    assert said([0.9], [0.95]) == "" and said([0.9, 0.7, 0.65], [0.79, 0.76, 0.75]) == ""
    assert "never got below 0.800" in said([0.9, 0.88], [0.85, 0.84])
    assert "since epoch 2 (0.700 → 0.800)" in said([0.9, 0.6, 0.3], [0.75, 0.7, 0.8])
    assert "learning rate is too high" in said([0.6, 0.9, 1.1], [0.75, 0.7, 0.72])
    assert "more epochs are likely" in said([0.9, 0.8, 0.5], [0.79, 0.78, 0.6])


def test_a_full_disk_loses_nothing(straight, split, tmp_path, monkeypatch):
    def full(checkpoint, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RatingsCheckpoint, "save", full)
    run = trained(split, tmp_path)
    assert run.state == "finished" and run.problem["kind"] == "disk_full" and same(run, straight)


@pytest.mark.parametrize("name", RUNGS)
def test_what_is_learned_speaks_numpy(split, tmp_path, name):
    run = trained(split, tmp_path, rung=name, epochs=1)
    predictor, (users, items) = run.predictor, np.divmod(np.arange(600), 200)
    found = predictor.predict(users, items)
    assert found.dtype == np.float32 and found.shape == (600,)
    assert predictor.scores(np.arange(3)).ravel() == pytest.approx(found, abs=1e-5)
    assert predictor.predict([], []).shape == (0,)
    for wrong in (([-1], [0]), ([0], [200]), ([0.5], [0])):
        with pytest.raises(ValueError, match="codes of .* are whole numbers from 0 to"):
            predictor.predict(*wrong)
    with pytest.raises(ValueError, match="2 users and 1 items"):
        predictor.predict([0, 1], [0])
    with torch.no_grad():
        run.rung.item_factors.fill_(0) if name != "embedding" and name != "net" else run.rung.item_factors.weight.fill_(
            0
        )
    assert np.array_equal(predictor.predict(users, items), found)  # a copy


@pytest.mark.parametrize("name", RUNGS)
def test_what_is_learned_recommends_without_torch(split, tmp_path, name):
    run = trained(split, tmp_path, rung=name, epochs=1)
    if name == "net":
        with pytest.raises(ValueError, match="the network has none"):
            run.recommender()
        return
    recommender, (users, items) = run.recommender(), np.divmod(np.arange(600), 200)
    assert recommender.predict(users, items) == pytest.approx(run.predictor.predict(users, items), abs=1e-4)
    assert recommender.scale == split.train.scale and list(recommender.titles) == list(split.train.titles)
    user = split.train.user_ids[split.train.users[0]]
    seen = set(split.train.titles[split.train.items[split.train.users == split.train.users[0]]])
    assert not seen & set(recommender.recommend(user, k=10)["title"])


def test_the_explorer_gets_vectors_and_titles_of_what_was_rated(straight, split):
    embedding, train = straight.embeddings(at_least=40), split.train
    kept = np.flatnonzero(train.item_counts >= 40)
    assert 2 < len(kept) < train.n_items and embedding.labels.tolist() == train.titles[kept].tolist()
    assert np.array_equal(embedding.vectors, straight.rung.item_factors.detach().numpy()[kept])
    assert embedding.metadata["ratings"].tolist() == train.item_counts[kept].tolist()
    assert {"item", "mean rating", "bias", "genre"} <= set(embedding.metadata)
    first = train.values[train.items == kept[0]]
    assert embedding.metadata["mean rating"][0] == pytest.approx(first.mean())
    with pytest.raises(ValueError, match="Fewer than two items"):
        straight.embeddings(at_least=10**6)


def test_ratings_are_split_where_nobody_has(tmp_path):
    ratings = example_ratings()
    run = CollabRun(ratings, folder=tmp_path)
    assert len(run.split.valid) == round(len(ratings) / 5) and run.split.protocol.startswith("Random split")
    with pytest.raises(ValueError, match="not DataFrame"):
        CollabRun(ratings.table, folder=tmp_path)
    with pytest.raises(ValueError, match="no ratings to train on"):
        CollabRun(type(run.split)(ratings.take([]), ratings, "none"), folder=tmp_path)
    assert list(Path(tmp_path).iterdir()) == []
