"""Faults that a training meets: made to happen, not imitated, where a test can."""

import errno
import math
import os
import shutil

import pytest
import torch
from fastai.callback.core import Callback
from fastai.vision.all import ImageDataLoaders, Resize
from ipyfastai.models import TrainingRun, TrainingSettings, load_run
from ipyfastai.models.training.faults import explain
from ipyfastai.models.vision import WeightsMissing, transfer_learner
from learners import tiny, untrained

PATIENCE = 60


def weights(learn):
    return [tensor.clone() for tensor in learn.model.state_dict().values()]


def same(first, second):
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def trained(learn, folder, **options):
    run = TrainingRun(learn, TrainingSettings(**options), folder=folder)
    run.start()
    assert run.wait(PATIENCE)
    return run


class Spoil(Callback):
    """Calls something before a batch of an epoch (both counted from 0)."""

    def __init__(self, spoil, epoch=0, batch=2):
        self.spoil, self.at = spoil, (epoch, batch)

    def before_batch(self):
        if self.training and (self.epoch, self.iter) == self.at:
            self.spoil()


def huge():
    # More than any machine has, so that PyTorch's own allocator refuses it.
    return torch.empty(1 << 50)


def test_out_of_memory_is_caught_and_a_smaller_batch_works(colours, tmp_path):
    learn = untrained(colours)
    learn.add_cb(spoil := Spoil(huge))
    run = trained(learn, tmp_path, epochs=1)
    assert run.state == "failed" and run.problem["kind"] == "out_of_memory"
    assert "Try a batch size of 2 instead of 4" in run.problem["suggestion"]
    assert all(parameter.grad is None for parameter in learn.model.parameters())
    assert learn.xb == (None,) and learn.pred is None and "loss_grad" not in vars(learn)
    learn.remove_cb(spoil)
    again = trained(learn, tmp_path, epochs=1, **run.problem["settings"])
    assert again.state == "finished" and again.settings.batch_size == 2
    assert load_run(tmp_path / run.name).problem == run.problem


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_out_of_memory_of_a_gpu_frees_it(colours, tmp_path):
    learn = untrained(colours)
    held = []

    def fill():
        held.append(torch.empty(torch.cuda.mem_get_info()[0] // 2, dtype=torch.uint8, device="cuda"))
        torch.empty(torch.cuda.mem_get_info()[1], dtype=torch.uint8, device="cuda")

    learn.add_cb(Spoil(fill))
    run = trained(learn, tmp_path, epochs=1)
    held.clear()
    torch.cuda.empty_cache()
    assert run.problem["kind"] == "out_of_memory" and torch.cuda.memory_allocated() < 1 << 28


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "no memory"), torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB")],
)
def test_every_kind_of_too_little_memory(error):
    assert explain(error, batch_size=64)["settings"] == {"batch_size": 32}
    assert "1 already" in explain(error, batch_size=1)["suggestion"]
    assert explain(error, batch_size=None)["suggestion"] == "Try a smaller batch size."


def test_a_loss_that_is_no_number_stops_and_puts_the_network_back(colours, tmp_path):
    learn, kept = untrained(colours), []

    class Keep(Callback):
        order = 56

        def after_epoch(self):
            kept.append(weights(self.learn))

    def spoil():
        with torch.no_grad():
            learn.model[1][-1].weight.fill_(math.nan)

    learn.add_cbs([Keep(), Spoil(spoil, epoch=1)])
    run = trained(learn, tmp_path, epochs=3, frozen_epochs=0, learning_rate=3e-3)
    assert run.state == "failed" and run.problem["kind"] == "diverged"
    assert "as it was at the end of epoch 1" in run.problem["message"]
    assert "try 0.0003 instead of 0.003" in run.problem["suggestion"]
    assert run.problem["settings"] == {"learning_rate": 3e-4}
    assert len(kept) == 1 and same(kept[0], weights(learn))
    assert math.isnan(run.losses.raw[-1]) and len(run.losses.raw) == len(learn.dls.train) + 3


def test_a_rate_that_is_far_too_high_ends_in_the_first_epoch(colours, tmp_path):
    learn = untrained(colours)
    learn.loss_func = lambda pred, target: pred.exp().sum()
    before = weights(learn)
    run = trained(learn, tmp_path, epochs=2, frozen_epochs=0, learning_rate=100.0, schedule="fixed")
    assert run.problem["kind"] == "diverged" and "before the training" in run.problem["message"]
    assert same(before, weights(learn))


@pytest.mark.parametrize("name", ["last.safetensors", "history.csv", "state.json"])
def test_a_full_disk_stops_nothing_and_leaves_no_half_file(colours, tmp_path, name):
    learn, expected = untrained(colours), untrained(colours)
    trained(expected, tmp_path / "other", epochs=3, frozen_epochs=0, seed=1)
    said, listed = [], []
    run = TrainingRun(learn, TrainingSettings(epochs=3, frozen_epochs=0, seed=1), folder=tmp_path / "runs")

    def fill():  # the kernel answers every write to this device with "No space left on device"
        (tmp_path / "runs" / run.name / f".{name}.part").symlink_to("/dev/full")

    def look():
        said.append(run.problem)
        listed.extend(path.name for path in (tmp_path / "runs" / run.name).iterdir() if path.name.startswith("."))

    learn.add_cbs([Spoil(fill, epoch=1, batch=1), Spoil(look, epoch=2, batch=0)])
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished"
    assert said[0]["kind"] == "disk_full" and "The disk is full: epoch 2" in said[0]["message"]
    assert listed == []
    # With room again the last epoch is saved, and with it everything.
    stored = load_run(tmp_path / "runs" / run.name)
    assert len(stored.history) == 3 and len(stored.losses.raw) == 3 * len(learn.dls.train)
    assert run.problem is None and same(weights(expected), weights(learn))


def test_a_full_disk_to_the_end_is_said_at_the_end(colours, tmp_path):
    learn = untrained(colours)
    run = TrainingRun(learn, TrainingSettings(epochs=2, frozen_epochs=0), folder=tmp_path)
    folder = []

    class Gone(Callback):
        def before_epoch(self):
            folder[:] = [tmp_path / run.name]
            (folder[0] / ".last.safetensors.part").symlink_to("/dev/full")

    learn.add_cb(Gone())
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished"
    assert "The disk is full: epoch 2" in run.problem["message"]
    assert sorted(path.name for path in folder[0].glob("*.safetensors")) == ["last.safetensors"]  # of the beginning


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_file_that_changes_during_training_is_named(colours, tmp_path, workers, damage):
    photos = shutil.copytree(colours, tmp_path / "photos")
    dls = ImageDataLoaders.from_folder(
        photos, valid_pct=0.2, seed=0, item_tfms=Resize(32), bs=4, num_workers=workers, shuffle=False
    )
    learn = transfer_learner(dls, tiny, pretrained=False)
    victim = dls.train_ds.items[-1]

    def spoil():
        victim.unlink() if damage == "gone" else victim.write_text("no picture")

    learn.add_cb(Spoil(spoil, epoch=0, batch=1))
    run = trained(learn, tmp_path / "runs", epochs=2, frozen_epochs=0)
    assert run.state == "failed" and f"{victim.parent.name}/{victim.name}" in run.problem["message"]
    assert str(tmp_path) not in repr(run.problem)
    assert ("is gone" if damage == "gone" else "cannot be opened as a photo") in run.problem["message"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(colours, tmp_path):
    (tmp_path / "runs").mkdir(mode=0o500)
    run = trained(untrained(colours), tmp_path / "runs", epochs=1)
    assert run.problem["message"] == "The files could not be used: Permission denied."


def test_a_folder_that_is_a_file_is_said(colours, tmp_path):
    (tmp_path / "runs").write_text("")
    run = trained(untrained(colours), tmp_path / "runs", epochs=1)
    assert run.state == "failed" and run.problem["kind"] == "files" and str(tmp_path) not in repr(run.problem)


def test_other_errors_are_told_without_the_servers_paths():
    told = explain(RuntimeError("bad shape in /home/someone/models/net.py\nmore"), batch_size=4)
    assert told["message"] == "The training failed with RuntimeError: bad shape in …/net.py"
    assert explain(KeyError(), batch_size=4)["message"].endswith("no further words")


def test_weights_that_cannot_be_had_are_told_with_what_to_do():
    told = explain(WeightsMissing("pass pretrained=False"), batch_size=4)
    assert told["kind"] == "weights_missing" and "could not be downloaded" in told["message"]
    assert told["suggestion"] == "Untick Pretrained in Settings, or take another network."
    assert not any(word in repr(told) for word in ("RuntimeError", "pretrained="))
