"""Training runs beside fastai's own methods, on networks that train in a second."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.tracker import EarlyStoppingCallback
from fastai.metrics import accuracy
from fastai.torch_core import set_seed
from full_disk import full_at
from ipyfastai.models import CollabSettings, TrainingRun, TrainingSettings
from ipyfastai.models.training.checkpoint import Checkpoint
from ipyfastai.models.training.registry import running
from learners import untrained

PATIENCE = 60  # seconds, on a crowded machine


def weights(learn):
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def trained(source, folder, settings=None, **options):
    run = TrainingRun(source, settings or TrainingSettings(**options), folder=folder)
    assert run.start() and run.wait(PATIENCE)
    return run


class Gate(Callback):
    """Lets a test do something while a batch is trained: the `at`-th one waits for it."""

    order = 54

    def __init__(self, at=3):
        self.at, self.reached, self.opened = at, threading.Event(), threading.Event()

    def before_batch(self):
        if self.training and self.train_iter == self.at:
            self.reached.set()
            assert self.opened.wait(PATIENCE)


def at_gate(learn, folder, *, at=3, **options):
    """A run that waits in its `at`-th batch."""
    learn.add_cb(gate := Gate(at))
    run = TrainingRun(learn, TrainingSettings(**options), folder=folder)
    run.start()
    assert gate.reached.wait(PATIENCE), run.problem
    return run, gate


@pytest.mark.parametrize(
    "options, method",
    [
        ({"epochs": 2, "seed": 4}, lambda learn: learn.fine_tune(2)),
        (
            {"epochs": 1, "frozen_epochs": 2, "learning_rate": 5e-3, "weight_decay": 0.1},
            lambda learn: learn.fine_tune(1, 5e-3, freeze_epochs=2, wd=0.1),
        ),
        (
            {"epochs": 2, "frozen_epochs": 0, "discriminative": False, "learning_rate": 1e-2},
            lambda learn: learn.fit_one_cycle(2, 1e-2),
        ),
        (
            {"epochs": 2, "frozen_epochs": 0, "learning_rate": 1e-2},
            lambda learn: learn.fit_one_cycle(2, slice(1e-4, 1e-2)),
        ),
        (
            {"epochs": 2, "frozen_epochs": 0, "schedule": "flat_cosine", "discriminative": False},
            lambda learn: learn.fit_flat_cos(2, 2e-3),
        ),
        (
            {"epochs": 2, "frozen_epochs": 0, "schedule": "fixed", "discriminative": False},
            lambda learn: learn.fit(2, 2e-3),
        ),
    ],
    ids=["fine_tune", "fine_tune with options", "fit_one_cycle", "slice", "fit_flat_cos", "fit"],
)
def test_the_weights_are_those_of_fastais_own_method(colours, tmp_path, options, method):
    theirs, ours = untrained(colours), untrained(colours)
    set_seed(4)
    with theirs.no_bar(), theirs.no_logging():
        method(theirs)
    set_seed(4)
    run = trained(ours, tmp_path, **options)
    assert run.state == "finished" and run.problem is None
    assert same(weights(theirs), weights(ours))
    # The last call of fit is what fastai's recorder still knows: all of one phase.
    losses, count = run.losses, len(theirs.recorder.lrs)
    assert np.array_equal(losses.learning_rate[-count:], np.array(theirs.recorder.lrs))
    assert np.array_equal(losses.smoothed[-count:], np.array([float(loss) for loss in theirs.recorder.losses]))
    rows = run.history[["train_loss", "valid_loss", "error_rate"]].tail(len(theirs.recorder.values))
    assert np.array_equal(rows.to_numpy(), np.array([list(row) for row in theirs.recorder.values]))
    assert list(losses.iteration) == list(range(len(losses.raw))) and np.isfinite(losses.raw).all()


def test_what_is_shown_of_a_finished_run(colours, tmp_path):
    learn = untrained(colours)
    states, callbacks = [], list(learn.cbs)
    run = TrainingRun(learn, TrainingSettings(epochs=2), folder=tmp_path)
    run.listeners.append(lambda run: states.append((run.state, run.progress["iteration"])))
    assert run.state == "ready" and run.history.empty and run.progress["epoch"] == 0 and run.name is None
    run.start()
    assert run.wait(PATIENCE)
    batches = len(learn.dls.train)
    assert list(run.history["epoch"]) == [1, 2, 3] and list(run.history["frozen"]) == [True, False, False]
    assert (run.history["seconds"] > 0).all()
    assert run.progress["iteration"] == run.progress["iterations"] == 3 * batches
    assert run.progress["seconds_left"] == 0
    assert run.name == next(tmp_path.iterdir()).name
    assert list(learn.cbs) == callbacks and learn.logger is print  # nothing of the run stays in the learner
    assert running() == []
    deadline = threading.Event()
    while not states or states[-1] != ("finished", 3 * batches):
        assert not deadline.wait(0.05) and len(states) < 1000


def test_the_baseline_is_what_always_the_same_answer_gives(colours, tmp_path):
    learn = untrained(colours)
    learn.metrics = [*learn.metrics, accuracy]
    targets = [[item.parent.name for item in loader.items] for loader in learn.dls.loaders]
    answer = max(learn.dls.vocab, key=targets[0].count)
    right = targets[1].count(answer) / len(targets[1])
    run = trained(learn, tmp_path, epochs=0)
    assert run.baseline == pytest.approx({"error_rate": 1 - right, "accuracy": right})


def test_start_and_stop_twice_do_no_harm_and_what_was_learned_stays(colours, tmp_path):
    learn = untrained(colours)
    before = weights(learn)
    run, gate = at_gate(learn, tmp_path, epochs=3, frozen_epochs=0)
    assert not run.start()
    assert run.stop() and not run.stop() and run.state == "stopping"
    gate.opened.set()
    assert run.wait(PATIENCE)
    assert run.state == "stopped" and not run.stop() and not run.start() and not run.pause() and not run.resume()
    assert len(run.losses.raw) == 4  # the batch that was being trained was trained
    assert not same(before, weights(learn)) and run.history.empty
    assert [path.name for path in tmp_path.iterdir()] == [run.name]


def test_a_stopped_run_has_the_weights_that_so_many_batches_give(colours, tmp_path):
    expected = untrained(colours)

    class Four(Callback):
        def after_batch(self):
            if self.train_iter == 4:
                from fastai.callback.core import CancelFitException

                raise CancelFitException()

    set_seed(2)
    with expected.no_bar(), expected.no_logging():
        expected.fit_one_cycle(3, slice(2e-5, 2e-3), cbs=Four())
    learn = untrained(colours)
    run, gate = at_gate(learn, tmp_path, epochs=3, frozen_epochs=0, seed=2)
    run.stop()
    gate.opened.set()
    run.wait(PATIENCE)
    assert same(weights(expected), weights(learn))


def test_pause_waits_and_changes_nothing(colours, tmp_path):
    expected, learn = untrained(colours), untrained(colours)
    straight = trained(expected, tmp_path, epochs=2, seed=1)
    run, gate = at_gate(learn, tmp_path, epochs=2, seed=1)
    assert run.pause() and run.state == "paused" and not run.pause()
    gate.opened.set()
    assert not run.wait(0.3)
    assert run.progress["batch"] == 4 and run.resume() and not run.resume()
    assert run.wait(PATIENCE) and run.state == "finished"
    assert same(weights(expected), weights(learn)) and np.array_equal(run.losses.raw, straight.losses.raw)


def test_stop_ends_a_pause(colours, tmp_path):
    run, gate = at_gate(untrained(colours), tmp_path, epochs=2)
    run.pause()
    gate.opened.set()
    assert run.stop() and run.wait(PATIENCE) and run.state == "stopped"


def test_one_learner_is_trained_by_one_run_at_a_time(colours, tmp_path):
    learn = untrained(colours)
    run, gate = at_gate(learn, tmp_path / "a", epochs=1)
    other = TrainingRun(learn, folder=tmp_path / "b")
    with pytest.raises(RuntimeError, match="being trained already"):
        other.start()
    assert other.state == "ready"
    assert running() == [run] == running(tmp_path / "a") and running(tmp_path / "b") == []
    assert running(settings=TrainingSettings) == [run] and running(settings=CollabSettings) == []
    gate.opened.set()
    run.wait(PATIENCE)
    learn.remove_cb(gate)
    assert other.start() and other.wait(PATIENCE) and other.state == "finished"


def test_a_listener_can_be_slow_and_can_fail(colours, tmp_path, caplog):
    run = TrainingRun(untrained(colours), TrainingSettings(epochs=1), folder=tmp_path)
    slow = threading.Event()
    run.listeners += [lambda run: 1 / 0, lambda run: slow.wait(PATIENCE)]
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished"
    slow.set()
    assert "a listener of a training run failed" in caplog.text


def test_the_same_seed_gives_the_same_run_from_data_and_from_a_function(colours, tmp_path):
    dls = untrained(colours).dls
    options = {"epochs": 1, "frozen_epochs": 0, "seed": 3, "arch": "squeezenet1_1", "pretrained": False}
    first, second = (trained(dls, tmp_path, **options) for _ in range(2))
    assert same(weights(first.learner), weights(second.learner)) and first.learner is not second.learner
    assert np.array_equal(first.losses.raw, second.losses.raw)
    assert first.name != second.name

    made = trained(lambda settings: untrained(colours, seed=settings.seed), tmp_path, epochs=1, seed=3)
    learn = untrained(colours, seed=3)
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(1)
    assert same(weights(made.learner), weights(learn))


def test_another_batch_size_is_for_this_run_only(colours, tmp_path):
    learn = untrained(colours)
    dls = learn.dls
    run = trained(learn, tmp_path, epochs=1, frozen_epochs=0, batch_size=8)
    assert len(run.losses.raw) == dls.train.n // 8 == 3
    assert learn.dls is dls and dls.train.bs == 4
    same_size = trained(untrained(colours), tmp_path, epochs=1, frozen_epochs=0, batch_size=4)
    assert len(same_size.losses.raw) == len(dls.train)


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it would be used")
def test_mixed_precision_without_a_gpu_is_left_out_and_said(colours, tmp_path):
    theirs, ours = untrained(colours), untrained(colours)
    run = trained(theirs, tmp_path, epochs=1, seed=1, mixed_precision=True)
    trained(ours, tmp_path, epochs=1, seed=1)
    assert "Mixed precision needs a GPU" in run.advice[0] and same(weights(theirs), weights(ours))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_mixed_precision_on_a_gpu_is_fastais(colours, tmp_path):
    theirs, ours = untrained(colours), untrained(colours)
    set_seed(1, reproducible=True)
    with theirs.no_bar(), theirs.no_logging():
        theirs.to_fp16().fine_tune(1)
    run = trained(ours, tmp_path, epochs=1, seed=1, mixed_precision=True)
    assert run.state == "finished" and same(weights(theirs), weights(ours))
    assert not hasattr(ours, "mixed_precision")


def test_early_stopping_ends_the_run_as_it_ends_a_fit(colours, tmp_path):
    learn = untrained(colours)
    learn.add_cb(EarlyStoppingCallback(min_delta=100, patience=1))
    run = trained(learn, tmp_path, epochs=5, frozen_epochs=0)
    assert run.state == "finished" and len(run.history) == 2


def test_the_best_epoch_can_be_had_back(colours, tmp_path):
    learn = untrained(colours)
    kept = []

    class Keep(Callback):
        order = 56

        def after_epoch(self):
            kept.append(weights(self.learn))

    learn.add_cb(Keep())
    run = TrainingRun(learn, TrainingSettings(epochs=4, frozen_epochs=0, learning_rate=0.1), folder=tmp_path)
    with pytest.raises(RuntimeError, match="has ended"):
        run.load_best()
    run.start()
    run.wait(PATIENCE)
    figures = run.history[["error_rate", "valid_loss"]].to_numpy().tolist()
    assert run.load_best() == run.best == 1 + figures.index(min(figures))
    assert same(weights(learn), kept[run.best - 1])


def test_an_epoch_that_could_not_be_kept_is_not_gone_back_to(colours, tmp_path, monkeypatch):
    full_at(monkeypatch, Checkpoint, 2)
    run = trained(untrained(colours), tmp_path, frozen_epochs=0, epochs=2, learning_rate=1e-3)
    monkeypatch.setattr(TrainingRun, "best", 2)  # which of them is, is a matter of chance
    with pytest.raises(RuntimeError, match="Epoch 2, the best, could not be saved"):
        run.load_best()


def test_what_cannot_be_trained_is_said_in_a_sentence(colours, tmp_path):
    with pytest.raises(TypeError, match="takes a fastai Learner"):
        TrainingRun("learn.pkl", folder=tmp_path)
    learn = untrained(colours)
    learn.splitter = lambda model: list(model.parameters())
    run = trained(learn, tmp_path, frozen_epochs=1)
    assert run.state == "failed" and "set frozen epochs to 0" in run.problem["message"]
    run = trained(untrained(colours), tmp_path, batch_size=100)
    assert "fewer photos than the batch size" in run.problem["message"]
    run = trained(lambda settings: None, tmp_path)
    assert "gave NoneType, no fastai Learner" in run.problem["message"]
    assert list(Path(tmp_path).iterdir()) == []  # no folder of a run that never was
