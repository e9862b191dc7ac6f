"""A run that ends before its time goes on as if it had not: after Stop, after an error, after kill -9."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.optimizer import OptimWrapper, ranger
from fastai.torch_core import set_seed
from ipyfastai.models import TrainingRun, TrainingSettings, load_run, runs
from ipyfastai.models.training.checkpoint import Checkpoint
from learners import untrained

PATIENCE = 60
SETTINGS = {"epochs": 3, "frozen_epochs": 1, "learning_rate": 5e-3, "seed": 7}


class StopAt(Callback):
    """Stops the run, as a person does, in a batch (counted from 1) of an epoch of the run."""

    order = 54

    def __init__(self, run, epoch, batch=2):
        self.stopped, self.at = run, (epoch, batch)

    def after_batch(self):
        if self.training and (self.stopped.progress["epoch"], self.iter + 1) == self.at:
            self.stopped.stop()


def weights(learn):
    return list(learn.model.state_dict().values())


def same(first, second):
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def learner(colours, optimizer="adam"):
    learn = untrained(colours)
    if optimizer == "lookahead":
        learn.opt_func = ranger
    if optimizer == "torch":
        learn.opt_func = lambda params, **options: OptimWrapper(params, torch.optim.AdamW, **options)
    return learn


def straight(learn, folder, **options):
    run = TrainingRun(learn, TrainingSettings(**SETTINGS | options), folder=folder)
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished", run.problem
    return run


def resumed(folder, learn):
    run = TrainingRun.from_folder(folder, learn)
    assert run.state == "ready"
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished", run.problem
    return run


def assert_equal(run, expected):
    assert same(weights(run.learner), weights(expected.learner))
    for name in ("iteration", "learning_rate", "raw", "smoothed"):
        assert np.array_equal(getattr(run.losses, name), getattr(expected.losses, name)), name
    assert run.history.drop(columns="seconds").equals(expected.history.drop(columns="seconds"))
    # The optimizers are in the same state too: training on gives the same.
    for learn in (run.learner, expected.learner):
        set_seed(0)
        with learn.no_bar(), learn.no_logging():
            learn.fit(1, 1e-3)
    assert same(weights(run.learner), weights(expected.learner))


@pytest.mark.parametrize(
    "epoch, options",
    [
        (1, {}),
        (2, {}),
        (3, {}),
        (4, {"schedule": "flat_cosine"}),
        (3, {"schedule": "fixed", "batch_size": 3}),
        (3, {"optimizer": "lookahead"}),
        (3, {"optimizer": "torch"}),
    ],
    ids=str,
)
def test_a_stopped_run_goes_on_after_its_last_finished_epoch(colours, tmp_path, epoch, options):
    options = dict(options)
    optimizer = options.pop("optimizer", "adam")
    expected = straight(learner(colours, optimizer), tmp_path / "straight", **options)
    learn = learner(colours, optimizer)
    run = TrainingRun(learn, TrainingSettings(**SETTINGS | options), folder=tmp_path)
    learn.add_cb(StopAt(run, epoch))
    run.start()
    assert run.wait(PATIENCE) and run.state == "stopped" and len(run.history) == epoch - 1
    set_seed(99)  # a new kernel, whose generators are anywhere
    again = resumed(tmp_path / run.name, learner(colours, optimizer))
    assert_equal(again, expected)
    stored = load_run(tmp_path / run.name)
    assert stored.state == "finished" and np.array_equal(stored.losses.raw, expected.losses.raw)
    assert stored.history.drop(columns="seconds").equals(expected.history.drop(columns="seconds"))


CHILD = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from fastai.callback.core import Callback
    from ipyfastai.models import TrainingRun, TrainingSettings
    from learners import untrained

    class Die(Callback):
        def before_batch(self):
            if run.progress["epoch"] == 3 and self.training and self.iter == 3:
                print("dying", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    learn = untrained({colours!r})
    learn.add_cb(Die())
    run = TrainingRun(learn, TrainingSettings(**{settings!r}), folder={folder!r})
    run.start()
    run.wait()
"""


def test_a_killed_kernel_resumes_at_the_last_finished_epoch(colours, tmp_path):
    tests, folder = str(Path(__file__).parents[1]), str(tmp_path / "runs")
    code = textwrap.dedent(CHILD).format(tests=tests, colours=str(colours), settings=SETTINGS, folder=folder)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL and "dying" in done.stdout, done.stderr
    table = runs(tmp_path / "runs")
    assert list(table["state"]) == ["interrupted"] and list(table["epochs_done"]) == [2]

    expected = straight(learner(colours), tmp_path / "straight")
    set_seed(99)
    run = resumed(tmp_path / "runs" / table.index[0], learner(colours))
    assert_equal(run, expected)
    assert list(runs(tmp_path / "runs")["state"]) == ["finished"]


def test_a_run_that_died_after_its_last_epoch_only_gets_its_weights_back(colours, tmp_path):
    expected = straight(learner(colours), tmp_path)
    state = tmp_path / expected.name / "state.json"
    state.write_text(state.read_text().replace("finished", "running"))
    (tmp_path / expected.name / ".last.safetensors.part").write_bytes(b"half")
    if expected.best == len(expected.history):  # and just before it was also put down as the best
        (tmp_path / expected.name / "best.safetensors").unlink()
    run = resumed(tmp_path / expected.name, learner(colours))
    assert run.best == run.load_best() == expected.best == expected.load_best()
    assert same(weights(run.learner), weights(expected.learner))
    run, again = (Checkpoint.load(tmp_path / expected.name / name) for name in ("last.safetensors", "best.safetensors"))
    assert run.epochs == len(expected.history) and again.epochs == expected.best


def test_what_there_is_nothing_to_go_on_with_is_said(colours, tmp_path):
    run = straight(learner(colours), tmp_path, epochs=1)
    folder = tmp_path / run.name
    with pytest.raises(ValueError, match="is finished: there is nothing"):
        TrainingRun.from_folder(folder, learner(colours))
    state = folder / "state.json"
    state.write_text(state.read_text().replace("finished", "stopped"))
    other = learner(colours)
    other.dls = other.dls.__class__(*(loader.new(bs=2) for loader in other.dls.loaders))
    again = TrainingRun.from_folder(folder, other)
    again.start()
    again.wait(PATIENCE)
    assert again.state == "failed" and "The data are not those" in again.problem["message"]
    state.write_text(state.read_text().replace("failed", "stopped"))
    other = learner(colours)
    other.model = torch.nn.Sequential(other.model, torch.nn.Identity())
    again = TrainingRun.from_folder(folder, other)
    again.start()
    again.wait(PATIENCE)
    assert again.state == "failed" and "belong to another network" in again.problem["message"]
    (folder / "last.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"last.safetensors is damaged"):
        TrainingRun.from_folder(folder, learner(colours))
    (folder / "last.safetensors").unlink()
    with pytest.raises(ValueError, match="no checkpoint"):
        TrainingRun.from_folder(folder, learner(colours))
    with pytest.raises(ValueError, match="holds no training run"):
        TrainingRun.from_folder(tmp_path, learner(colours))


def test_a_run_is_not_resumed_beside_itself(colours, tmp_path):
    learn = learner(colours)
    tried = []

    class Twice(Callback):
        def before_batch(self):
            if self.training and self.train_iter == 3 and not tried:
                assert load_run(tmp_path / run.name).state == "running"
                with pytest.raises(ValueError, match="is running"):
                    TrainingRun.from_folder(tmp_path / run.name, learner(colours))
                tried.append(True)
                raise CancelFitException()

    learn.add_cb(Twice())
    run = TrainingRun(learn, TrainingSettings(**SETTINGS), folder=tmp_path)
    run.start()
    assert run.wait(PATIENCE) and run.problem is None and tried


def test_a_checkpoint_is_no_pickle_and_keeps_everything(colours, tmp_path):
    learn = learner(colours)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(1, 1e-2)
    path = tmp_path / "a.safetensors"
    Checkpoint.capture(learn, phase=1, epoch=2, epochs=3, iteration=4).save(path)
    header = int.from_bytes(path.read_bytes()[:8], "little")
    assert path.read_bytes()[8:9] == b"{" and header < path.stat().st_size  # the safetensors format
    loaded = Checkpoint.load(path)
    assert (loaded.phase, loaded.epoch, loaded.epochs, loaded.iteration) == (1, 2, 3, 4)
    other = untrained(colours, seed=5)
    loaded.restore(other)
    assert same(weights(learn), weights(other))
    known = [[sorted(one.items()) for one in opt.state_dict()["state"]] for opt in (learn.opt, other.opt)]
    assert repr(known[0]) == repr(known[1]) and other.opt.hypers == learn.opt.hypers
    assert other.dls.rng.getstate() == learn.dls.rng.getstate()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ValueError, match="a.safetensors is damaged"):
        Checkpoint.load(path)
