"""`Trainer`: from the form to the finished run, and what a page may ask of it."""

import asyncio
import struct
import threading
import time

import pytest
from fastai.callback.core import Callback
from ipyfastai.models.training.run import TrainingRun
from ipyfastai.models.training.run_folder import runs
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.training.state import ModelState, RandomState
from ipyfastai.widgets import LRFinder, Trainer
from learners import tiny
from traitlets import TraitError

ONE = TrainingSettings(epochs=1, frozen_epochs=1, seed=1, learning_rate=5e-3)


@pytest.fixture
def dls(colours):
    from fastai.torch_core import set_seed
    from ipyfastai.models.vision import image_folder_dataloaders

    set_seed(0)  # the loaders draw their generators from it
    return image_folder_dataloaders(colours, size=32, batch_size=4)


@pytest.fixture
def learn(dls):
    from fastai.torch_core import set_seed
    from ipyfastai.models.vision import transfer_learner

    set_seed(0, reproducible=True)
    return transfer_learner(dls, tiny, pretrained=False)


def say(widget, content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def act(trainer, kind, value=None):
    say(trainer.view, {"type": kind, "value": value})


def weights(learn):
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def same(one, other):
    return all((one[name] == other[name]).all() for name in one)


class Page:
    """What a page holds after the messages that it was sent: as run_charts.js does it."""

    def __init__(self, trainer):
        self.run, self.points, self.rows, self.asked, self.sizes = None, [], [], 0, []
        self.trainer = trainer
        trainer.view.send = self.receive

    def receive(self, content, buffers=None):
        assert content["type"] == "points"
        if content["run"] != self.run:
            self.run, self.points, self.rows = content["run"], [], []
        if content["batches"] > len(self.points) or content["epochs"] > len(self.rows):
            self.asked += 1
            return say(self.trainer.view, {"type": "all"})
        floats = struct.unpack(f"<{len(buffers[0]) // 4}f", buffers[0])
        new = list(zip(floats[::3], floats[1::3], floats[2::3], strict=True))
        self.sizes.append(len(new))
        self.points = self.points[: content["batches"]] + new
        self.rows = self.rows[: content["epochs"]] + content["rows"]


def check(page, run):
    losses = run.losses
    assert [point[0] for point in page.points] == pytest.approx(list(losses.raw), rel=1e-6)
    assert [point[1] for point in page.points] == pytest.approx(list(losses.smoothed), rel=1e-6)
    assert [row["error_rate"] for row in page.rows] == list(run.history["error_rate"])


class Gate(Callback):
    """Holds a training after its first batch."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def after_batch(self):
        self.reached.set()
        self.go_on.wait(60)


async def until(true):
    while not true():
        await asyncio.sleep(0.01)


class StopAfter(Callback):
    """Stops a run when its first epoch is over."""

    def __init__(self, run):
        self.run_to_stop = run

    def after_epoch(self):
        self.run_to_stop.stop()


# The form.


def field(trainer, name):
    return next(one for one in trainer.form._shown["fields"] if one["name"] == name)


def enter(trainer, name, value):
    say(trainer.form, {"type": "set", "name": name, "value": value})


def test_what_is_entered_becomes_settings_and_what_makes_no_sense_a_sentence_beside_it(learn):
    trainer = Trainer(learn)
    for name, value in [("epochs", "5"), ("learning_rate", "3e-3"), ("schedule", "fixed"), ("discriminative", False)]:
        enter(trainer, name, value)
    settings = trainer.form.settings
    assert (settings.epochs, settings.learning_rate, settings.schedule, settings.discriminative) == (
        5,
        3e-3,
        "fixed",
        False,
    )
    assert trainer.learning_rate == 3e-3
    for name, text, sentence in [
        ("epochs", "many", "The number of epochs is a whole number from 0 to 10,000, not 'many'."),
        ("learning_rate", "-1", "The learning rate is a number from 1e-10 to 100, not -1.0."),
        ("batch_size", "0", "The batch size is a whole number from 1 to 65,536, not 0."),
        ("seed", "1.5", "The seed is a whole number from 0 to 4,294,967,295, not '1.5'."),
    ]:
        enter(trainer, name, text)
        assert (field(trainer, name)["error"], field(trainer, name)["value"]) == (sentence, text)
        assert trainer.form.settings == settings
    assert not trainer.start() and trainer.view._shown["note"].startswith("First put this right: The number of epochs")
    for name, text in [("epochs", "5"), ("learning_rate", "3e-3"), ("batch_size", ""), ("seed", "")]:
        enter(trainer, name, text)
    assert not trainer.form.errors and trainer.form.settings == settings


def test_half_of_a_character_is_a_question_mark(learn):
    trainer = Trainer(learn)
    enter(trainer, "seed", "\ud83e")
    assert field(trainer, "seed")["value"] == "?", "no message can hold the half"


def test_two_settings_that_only_make_sense_together_may_come_in_any_order(learn):
    trainer = Trainer(learn, settings=TrainingSettings(epochs=3, frozen_epochs=0))
    enter(trainer, "epochs", "0")
    assert field(trainer, "epochs")["error"].startswith("There is nothing to train")
    enter(trainer, "frozen_epochs", "2")
    assert not trainer.form.errors and trainer.form.settings.total_epochs == 2


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"type": "set"},
        {"type": "set", "name": "epochs"},
        {"type": "set", "name": "epochs", "value": 5},
        {"type": "set", "name": "discriminative", "value": "yes"},
        {"type": "set", "name": "arch", "value": "resnet18"},
        {"type": "set", "name": "mixed_precision", "value": True},
        {"type": "set", "name": "__class__", "value": "x"},
        {"type": "set", "name": ["epochs"], "value": "5"},
    ],
)
def test_what_a_page_makes_up_changes_no_setting(learn, content):
    trainer = Trainer(learn)
    before = trainer.form.settings
    say(trainer.form, content)
    assert trainer.form.settings == before and not trainer.form.errors


def test_a_page_that_writes_into_what_is_shown_changes_no_setting(learn):
    trainer = Trainer(learn)
    update = {"method": "update", "state": {"_shown": {"fields": [], "locked": False}}}
    trainer.form._handle_msg({"content": {"data": update}, "buffers": []})
    assert trainer.form.settings == TrainingSettings()


def test_the_form_offers_what_the_source_leaves_open(learn, dls):
    names = [one["name"] for one in Trainer(learn).form._shown["fields"]]
    assert "arch" not in names and "epochs" in names
    trainer = Trainer(dls)
    assert field(trainer, "arch")["value"] == "mobilenet_v2" and field(trainer, "pretrained")["value"] is True
    enter(trainer, "arch", "resnet18")
    assert trainer.form.settings.arch == "resnet18"
    mixed = field(trainer, "mixed_precision")
    assert mixed["disabled"] and mixed["hint"] == "Needs a GPU with CUDA: this trains on the CPU."
    with pytest.raises(TypeError, match="DataLoaders"):
        Trainer("learner")


def test_a_learner_with_one_group_of_layers_offers_no_frozen_epochs(learn):
    from fastai.torch_core import trainable_params

    learn.splitter = trainable_params
    trainer = Trainer(learn)
    assert field(trainer, "frozen_epochs")["disabled"] and not trainer.form.settings.discriminative
    enter(trainer, "frozen_epochs", "2")
    enter(trainer, "epochs", "1")
    assert trainer.start() and trainer.value.state == "finished" and len(trainer.value.history) == 1


def test_the_schedule_shown_is_the_one_that_is_trained(learn):
    trainer = Trainer(learn, settings=TrainingSettings(epochs=2, seed=1, learning_rate=5e-3))
    shown = trainer.form._shown["schedule"]
    trainer.start()
    trained = trainer.run.losses.learning_rate
    batches = len(learn.dls.train)
    for index, rate in enumerate(trained):  # the preview has more batches: compare it at the same place
        place = round(index / batches * shown["batches"])
        assert shown["rates"][place] == pytest.approx(rate, rel=0.05)
    assert shown["frozen"] == 1 and max(shown["rates"]) == pytest.approx(5e-3, rel=1e-3)


def test_the_rate_is_linked_both_ways_and_no_rate_is_refused(learn):
    trainer = Trainer(learn)
    trainer.learning_rate = 7e-3
    assert trainer.form.settings.learning_rate == 7e-3
    trainer.learning_rate = None  # nothing picked in the finder yet
    assert trainer.form.settings.learning_rate == 7e-3
    with pytest.raises(TraitError, match="The learning rate is a number"):
        trainer.learning_rate = -1


# Training.


def test_it_trains_like_the_run_alone_and_sends_every_point_once(learn, tmp_path):
    start, order = ModelState.capture(learn.model), RandomState.capture(learn.dls)
    trainer = Trainer(learn, folder=tmp_path / "runs", settings=ONE)
    page = Page(trainer)
    assert trainer.value is None and trainer.start()
    assert trainer.value is trainer.run and trainer.run.state == "finished"
    check(page, trainer.run)
    assert page.asked == 0
    shown = trainer.view._shown
    assert shown["text"].startswith("Finished: 2 epochs. The best was epoch") and shown["state"] == "finished"
    assert shown["baseline"]["error_rate"] == pytest.approx(2 / 3)

    trained = weights(learn)
    start.restore(learn.model)
    order.restore(learn.dls)
    alone = TrainingRun(learn, ONE, folder=tmp_path / "alone")
    alone.start()
    alone.wait()
    assert same(weights(learn), trained)


def test_a_page_that_comes_later_asks_for_all_and_gets_it(learn):
    trainer = Trainer(learn, settings=ONE)
    trainer.start()
    page = Page(trainer)
    say(trainer.view, {"type": "all"})
    check(page, trainer.run)
    late = Page(trainer)
    late.receive({"type": "points", "run": 1, "batches": 3, "epochs": 0, "rows": []}, [b""])  # it missed three
    assert late.asked == 1
    check(late, trainer.run)


def test_again_it_begins_with_the_weights_that_the_learner_came_with_or_goes_on(learn):
    trainer = Trainer(learn, settings=ONE)
    assert trainer.view._shown["fresh"] is None
    trainer.start()
    first = weights(learn)
    assert trainer.view._shown["fresh"] is True
    trainer.start()
    assert same(weights(learn), first), "the same seed, the same beginning"
    act(trainer, "fresh", False)
    trainer.start()
    assert not same(weights(learn), first)
    act(trainer, "fresh", "yes")
    assert trainer.view._shown["fresh"] is False


def test_steered_while_it_runs_and_clicked_twice(learn, tmp_path):
    settings = TrainingSettings(epochs=200, frozen_epochs=0, seed=1)

    async def steer():
        trainer = Trainer(learn, folder=tmp_path, settings=settings)
        page = Page(trainer)

        assert trainer.start() and not trainer.start()
        await until(lambda: len(page.rows) > 1)
        assert trainer.form._shown["locked"] and trainer.view._shown["state"] == "running"
        enter(trainer, "epochs", "1")
        assert trainer.form.settings == settings
        act(trainer, "pause")
        act(trainer, "pause")
        assert trainer.run.state == "paused" and trainer.view._shown["text"].startswith("Paused: epoch")
        # Another page, or the cell run again: it finds the training that goes on.
        other = Trainer(learn, folder=tmp_path)
        assert other.run is trainer.run and other.view._shown["state"] == "paused"
        assert not other.start()
        third = Trainer(learn)
        assert not third.start() and "is being trained" in third.view._shown["note"]
        act(other, "resume")
        act(trainer, "resume")
        done = len(page.rows)
        await until(lambda: len(page.rows) > done)
        sent, seen = len(page.sizes), len(page.points)
        while len(trainer.run.losses.raw) < seen + 10:
            time.sleep(0.01)  # the kernel is busy, and nobody looks at the training
        await until(lambda: len(page.sizes) > sent)
        assert page.sizes[sent] >= 10, "batches are sent together, not one by one"
        act(trainer, "stop")
        act(trainer, "stop")
        await until(lambda: trainer.value is not None and other.value is not None and trainer._offered)
        check(page, trainer.run)
        return trainer, page

    trainer, page = asyncio.run(asyncio.wait_for(steer(), 120))
    assert trainer.run.state == "stopped" and trainer.value is trainer.run
    assert "What was learned until then is kept." in trainer.view._shown["text"]
    (offered,) = trainer.view._shown["resumable"]
    assert offered["name"] == trainer.run.name and "because it was stopped" in offered["text"]


def test_the_finder_and_a_training_do_not_get_into_each_other_s_way(learn):
    gate = Gate()
    learn.add_cb(gate)

    async def both():
        trainer, finder = Trainer(learn, settings=ONE), LRFinder(learn, num_it=8)
        finder.start()
        await asyncio.to_thread(gate.reached.wait, 30)
        assert not trainer.start() and "being tried out already, by the finder" in trainer.view._shown["note"]
        gate.go_on.set()
        await until(lambda: not finder.job.busy)
        assert len(finder.curves) == 1

        gate.reached.clear(), gate.go_on.clear()
        assert trainer.start()
        await asyncio.to_thread(gate.reached.wait, 30)
        finder.start()
        await until(lambda: not finder.job.busy)
        assert finder.job._shown["text"].startswith("This learner is being trained") and len(finder.curves) == 1
        gate.go_on.set()
        await until(lambda: trainer.value is not None)
        return trainer

    assert asyncio.run(asyncio.wait_for(both(), 60)).value.state == "finished"


def test_a_run_of_a_kernel_that_died_is_offered_and_ends_as_if_nothing_had_been(dls, learn, tmp_path):
    settings = TrainingSettings(epochs=3, frozen_epochs=0, seed=1)
    start, order = weights(learn), RandomState.capture(learn.dls)
    whole = TrainingRun(learn, settings, folder=tmp_path / "whole")
    whole.start()
    whole.wait()
    expected = weights(learn)

    learn.model.load_state_dict(start)
    order.restore(learn.dls)
    part = TrainingRun(learn, settings, folder=tmp_path / "part")
    learn.add_cb(stopper := StopAfter(part))
    part.start()
    part.wait()
    learn.remove_cb(stopper)
    state = tmp_path / "part" / part.name / "state.json"
    state.write_text(state.read_text().replace('"stopped"', '"running"'))  # as a killed kernel leaves it
    assert runs(tmp_path / "part")["state"].tolist() == ["interrupted"]

    trainer = Trainer(learn, folder=tmp_path / "part")
    (offered,) = trainer.view._shown["resumable"]
    assert "because its kernel ended" in offered["text"]
    for made_up in ("../whole", "", None, 3, f"{part.name}/../{part.name}"):
        act(trainer, "again", made_up)
    assert trainer.run is None
    act(trainer, "again", offered["name"])
    assert trainer.value.state == "finished" and len(trainer.value.history) == 3
    assert trainer.form.settings == settings and trainer.view._shown["resumable"] == []
    assert same(weights(learn), expected)


def test_out_of_memory_is_explained_and_one_click_tries_half_the_batch(learn):
    import torch

    class SmallMemory(Callback):
        def before_batch(self):
            if len(self.xb[0]) > 2 and self.training:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    learn.add_cb(SmallMemory())
    trainer = Trainer(learn, settings=ONE)
    trainer.start()
    assert trainer.value is None and trainer.run.state == "failed"
    problem = trainer.view._shown["problem"]
    assert problem["kind"] == "out_of_memory" and problem["suggestion"] == "Try a batch size of 2 instead of 4."
    act(trainer, "try")
    assert trainer.value.state == "finished" and trainer.form.settings.batch_size == 2
    assert trainer.view._shown["problem"] is None


def test_a_loss_that_is_no_number_stops_it_and_names_a_lower_rate(learn):
    trainer = Trainer(learn, settings=TrainingSettings(epochs=2, frozen_epochs=0, learning_rate=100, seed=1))
    learn.loss_func = lambda output, target: output.sum() * float("nan")
    trainer.start()
    problem = trainer.view._shown["problem"]
    assert problem["kind"] == "diverged" and problem["settings"] == {"learning_rate": 10.0}
    assert trainer.value is None


def test_the_best_epoch_is_taken_instead_of_the_last(learn):
    trainer, seen = Trainer(learn, settings=TrainingSettings(epochs=4, frozen_epochs=0, learning_rate=2e-2, seed=1)), []
    act(trainer, "best")  # nothing has been trained
    trainer.start()
    trainer.observe(lambda change: seen.append(change.new), "value")
    run, last = trainer.run, weights(learn)
    act(trainer, "best")
    assert trainer.view._shown["taken"] == run.best and seen == [None, run]
    assert same(weights(learn), last) == (run.best == 4)
    with learn.no_bar():
        loss = learn.validate()[0]
    assert loss == pytest.approx(run.history.set_index("epoch")["valid_loss"][run.best], rel=1e-4)

    (trainer._folder / run.name / "best.safetensors").unlink()
    act(trainer, "best")
    assert trainer.view._shown["note"] == "No epoch was finished and saved, so there is no best one."


def test_a_function_that_builds_the_learner_is_called_anew_for_each_training(colours):
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    seen = []

    def build(settings):
        seen.append(settings)
        dls = image_folder_dataloaders(colours, size=32, batch_size=4)
        return transfer_learner(dls, tiny, pretrained=False)

    trainer = Trainer(build, settings=ONE)
    trainer.start()
    first = trainer.value.learner
    trainer.start()
    assert seen == [trainer.form.settings] * 2 and trainer.value.learner is not first
    assert trainer.view._shown["fresh"] is None
    assert same(weights(first), weights(trainer.value.learner)), "the same seed"

    broken = Trainer(lambda settings: None, settings=ONE)
    broken.start()
    assert broken.view._shown["problem"]["message"].startswith("The function that builds the learner gave NoneType")


def test_the_cost_is_measured_in_words_and_leaves_the_learner_alone(learn):
    trainer = Trainer(learn, settings=ONE)
    before = weights(learn)
    say(trainer.cost, {"type": "start"})
    text = trainer.cost._shown["text"]
    assert text.startswith("About ") and "for an epoch with frozen layers" in text and "images a second" in text
    assert same(weights(learn), before)
    enter(trainer, "epochs", "9")
    assert trainer.cost._shown == {}, "it was for other settings"


@pytest.mark.parametrize(
    "message", [None, [], {}, {"type": "explode"}, {"type": ["start"]}, {"type": "resume"}, {"type": "try"}]
)
def test_what_a_page_makes_up_starts_nothing(learn, message):
    trainer = Trainer(learn)
    say(trainer.view, message)
    assert trainer.run is None and trainer.view._shown["note"] == ""


def test_closed_it_stops(learn):
    async def close():
        trainer = Trainer(learn, settings=TrainingSettings(epochs=200, frozen_epochs=0))
        trainer.start()
        trainer.close()
        return trainer.run

    run = asyncio.run(asyncio.wait_for(close(), 60))
    assert run.wait(30) and run.state == "stopped"
