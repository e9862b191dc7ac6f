"""A trained rung in a file: what comes back, and files that are none."""

import json

import numpy as np
import pytest
import torch
from ipyfastai.models import CollabRun, CollabSettings, TrainedRung, evaluate, example_ratings
from ipyfastai.models.collab.splits import random_split
from safetensors.torch import load_file, save_file

SETTINGS = {"factors": 3, "epochs": 1, "batch_size": 2048, "hidden": 7, "embedding_sizes": (4, 5)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    split = random_split(example_ratings())
    run = CollabRun(split, CollabSettings("net", **SETTINGS), folder=tmp_path_factory.mktemp("runs"), device="cpu")
    assert run.start() and run.wait(120)
    return run


@pytest.fixture
def file(run, tmp_path):
    return TrainedRung.of(run).save(tmp_path / "net.safetensors")


def test_the_network_comes_back_as_it_was(run, file):
    model = TrainedRung.load(file)
    assert model.settings == run.settings and model.scale == (0.5, 5.0)
    assert all(torch.equal(a, b) for a, b in zip(model.rung.parameters(), run.rung.parameters(), strict=True))
    ours, theirs = (evaluate(one.predictor, run.split, baselines=False) for one in (model, run))
    assert np.array_equal(ours, theirs)
    tensors = load_file(file)  # by the library's own reader; its two layers by hand
    user, item = model.user_ids[3], model.item_ids[8]
    both = torch.cat([tensors["user_factors.weight"][3], tensors["item_factors.weight"][8]])
    inner = (tensors["inner.weight"] @ both + tensors["inner.bias"]).relu()
    low, high = 0.0, 5.5
    by_hand = low + (high - low) * (tensors["outer.weight"] @ inner + tensors["outer.bias"]).sigmoid().item()
    assert model.predict([user, user], [item, model.titles[8]]) == pytest.approx([by_hand, by_hand], abs=1e-5)


@pytest.mark.parametrize("rung", ["dot_product", "embedding", "weight_decay"])
def test_every_rung_goes_into_a_file(run, tmp_path, rung):
    settings = CollabSettings(rung, **SETTINGS)
    other = CollabRun(run.split, settings, folder=tmp_path / "runs", device="cpu")
    assert other.start() and other.wait(120)
    model = TrainedRung.load(TrainedRung.of(other).save(tmp_path / "rung.safetensors"))
    valid = run.split.valid
    ours = model.predict(valid.user_ids[valid.users[:50]], valid.item_ids[valid.items[:50]])
    assert np.array_equal(ours, other.predictor.predict(valid.users[:50], valid.items[:50]))


def test_an_id_is_not_another_items_title(run):
    model = TrainedRung.of(run)
    titles = model.titles.copy()
    titles[0] = model.item_ids[1]
    mixed = TrainedRung(model.rung, model.settings, model.user_ids, model.item_ids, titles, model.scale)
    user = model.user_ids[0]
    assert mixed.predict([user], [model.item_ids[1]]) == model.predict([user], [model.item_ids[1]])


def test_nobody_is_made_up(run):
    model = TrainedRung.of(run)
    user, item = model.user_ids[0], model.item_ids[0]
    with pytest.raises(ValueError, match="There is no user 'nobody' in this model"):
        model.predict([user, "nobody"], [item, item])
    with pytest.raises(ValueError, match="There is no item 'nothing' in this model"):
        model.predict([user], ["nothing"])
    with pytest.raises(ValueError, match="2 users and 1 items"):
        model.predict([user, user], [item])
    with pytest.raises(ValueError, match="a list of ids"):
        model.predict(user, [item])


def changed(file, tensors=None, **about):
    """The file with other tensors or another description."""
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        header = opened.metadata()
    values = {**json.loads(header["about"]), **about}
    save_file({**load_file(file), **(tensors or {})}, file, {**header, "about": json.dumps(values)})


@pytest.mark.parametrize(
    "change",
    [
        {"user_ids": ["1", "2"]},
        {"user_ids": "abc"},
        {"item_ids": [1]},
        {"scale": [5]},
        {"scale": "ab"},
        {"settings": {"rung": "net", "hidden": 4096, "embedding_sizes": [1024, 1024]}},
        {"settings": {"rung": "os.system"}},
        {"settings": []},
        {"titles": ["one"]},
        {"tensors": {"inner.bias": torch.full((7,), torch.nan)}},
        {"tensors": {"inner.bias": torch.zeros(7, dtype=torch.float64)}},
        {"tensors": {"another": torch.zeros(1)}},
    ],
)
def test_a_file_that_does_not_fit_itself_is_damaged(file, change):
    changed(file, **change)
    with pytest.raises(ValueError, match="net.safetensors is damaged"):
        TrainedRung.load(file)


def test_other_files_are_refused(file, tmp_path):
    with pytest.raises(FileNotFoundError):
        TrainedRung.load(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="other.safetensors is no trained rung"):
        TrainedRung.load(tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match="cut.safetensors is damaged"):
        TrainedRung.load(tmp_path / "cut.safetensors")
