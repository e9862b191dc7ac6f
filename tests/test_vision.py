"""The training recipe: the split, the weights, the files that are no images, the score."""

import shutil
from urllib.error import URLError

import numpy as np
import pytest
import torch
from drawings import DATA, HTML
from ipyfastai.models.duplicates import fingerprint, group_duplicates
from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner
from learners import draw_colours, tiny
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision.models import mobilenet_v2, squeezenet1_1

needs_weights = pytest.mark.skipif(not (DATA / "weights").is_dir(), reason=f"no weights in {DATA}")


@pytest.fixture
def dls(colours):
    return image_folder_dataloaders(colours, size=32, batch_size=4)


def names(dataset):
    return [str(item) for item in dataset.items]


def test_the_same_seed_gives_the_same_split_with_every_label_on_both_sides(colours, dls):
    again, other = (image_folder_dataloaders(colours, size=32, seed=seed) for seed in (42, 7))
    assert names(dls.valid_ds) == names(again.valid_ds) != names(other.valid_ds)
    assert not set(names(dls.train_ds)) & set(names(dls.valid_ds))
    assert (len(dls.train_ds), len(dls.valid_ds)) == (24, 6)
    for label in dls.vocab:
        assert sum(f"/{label}/" in name for name in names(dls.valid_ds)) == 2


def test_split_does_not_depend_on_the_order_in_which_the_disk_lists_files(colours, dls, tmp_path):
    copy = tmp_path / "copy"
    for file in sorted(colours.rglob("*.png"), reverse=True):
        (copy / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / file.parent.name)
    copied = image_folder_dataloaders(copy, size=32)
    assert [item.name for item in copied.valid_ds.items] == [item.name for item in dls.valid_ds.items]


def test_copies_of_a_photo_are_found_and_different_photos_are_not(tmp_path):
    random = np.random.default_rng(0)
    for index in range(6):
        coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3)).astype(np.uint8))
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(tmp_path / f"{index}.png")
    photo = Image.open(tmp_path / "2.png")
    photo.resize((200, 150)).save(tmp_path / "copy.jpg", quality=40)
    files = sorted(tmp_path.iterdir())
    groups = group_duplicates([fingerprint(file) for file in files])
    assert [file.name for file in files][-1] == "copy.jpg"
    assert groups.tolist() == [0, 1, 2, 3, 4, 5, 2]


@pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")
def test_the_one_pair_of_copies_among_the_bears_is_not_split():
    bears = image_folder_dataloaders(DATA / "bears", size=32)
    pair = {"grizzly/00000036.jpg", "grizzly/00000137.jpg"}
    valid = {f"{item.parent.name}/{item.name}" for item in bears.valid_ds.items}
    assert len(pair & valid) in (0, 2)
    assert len(bears.train_ds) + len(bears.valid_ds) == 409


def test_files_that_are_no_images_are_named(tmp_path):
    folder = draw_colours(tmp_path / "colours", 4)
    (folder / "red" / "page.jpg").write_bytes(HTML)
    whole = (folder / "blue" / "000.png").read_bytes()
    (folder / "blue" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"2 of 14 files .*blue/cut\.png.*red/page\.jpg.*unreadable=\"skip\""):
        image_folder_dataloaders(folder, size=32)
    with pytest.warns(UserWarning, match=r"blue/cut\.png.*red/page\.jpg.* left out"):
        dls = image_folder_dataloaders(folder, size=32, unreadable="skip")
    assert len(dls.train_ds) + len(dls.valid_ds) == 12


def test_refuses_folders_that_teach_nothing(tmp_path):
    with pytest.raises(ValueError, match="No photos in .* one subfolder of photos for each label"):
        image_folder_dataloaders(tmp_path)
    draw_colours(tmp_path / "colours", 3)
    with pytest.raises(ValueError, match="one label only, 'red'"):
        image_folder_dataloaders(tmp_path / "colours" / "red")
    with pytest.raises(ValueError, match='unreadable must be "error" or "skip", not "ignore"|\'ignore\''):
        image_folder_dataloaders(tmp_path / "colours", unreadable="ignore")


@needs_weights
def test_weights_come_from_the_named_folder_and_stay_frozen(dls, monkeypatch):
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: pytest.fail("went to the network"))
    learn = transfer_learner(dls, mobilenet_v2)
    stored = load_file(DATA / "weights" / "mobilenet_v2.safetensors")
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    body = learn.model[0][0].state_dict()
    for name in ("0.0.weight", "18.1.running_mean", "18.1.weight"):
        assert torch.equal(body[name], stored[f"features.{name}"])


@needs_weights
def test_a_file_without_the_classifier_that_is_cut_off_will_do(dls, tmp_path, monkeypatch):
    shutil.copy(DATA / "weights" / "squeezenet1_1_features.safetensors", tmp_path / "squeezenet1_1.safetensors")
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(tmp_path))
    learn = transfer_learner(dls, squeezenet1_1)
    stored = load_file(tmp_path / "squeezenet1_1.safetensors")
    assert torch.equal(learn.model[0][0][0].weight, stored["features.0.weight"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("features.0.weight"), r"missing \['features.0.weight'\], unexpected nothing"),
        (lambda state: state.update(extra=torch.zeros(1)), r"missing nothing, unexpected \['extra'\]"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(dls, tmp_path, monkeypatch, change, says):
    state = tiny().state_dict()
    change(state)
    save_file(state, tmp_path / "tiny.safetensors")
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(tmp_path))
    with pytest.raises(ValueError, match=f"tiny.safetensors does not fit tiny: {says}"):
        transfer_learner(dls, tiny)


@pytest.mark.parametrize("folder", ["unset", "empty"])
def test_without_network_and_file_the_three_ways_are_told(dls, tmp_path, monkeypatch, folder):
    def no_network(*_, **__):
        raise URLError("no route to host")

    monkeypatch.delenv("IPYFASTAI_WEIGHTS", raising=False)
    if folder == "empty":
        monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(RuntimeError) as caught:
        transfer_learner(dls, mobilenet_v2)
    for way in ("network", "mobilenet_v2.safetensors", "IPYFASTAI_WEIGHTS", "pretrained=False"):
        assert way in str(caught.value)
    assert str(tmp_path) not in str(caught.value), "a page shows this"
    assert isinstance(caught.value.__cause__, URLError)


def test_random_weights_are_a_choice_that_asks_for_nothing(dls, monkeypatch):
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", "/nowhere")
    learn = transfer_learner(dls, tiny, pretrained=False)
    assert all(parameter.requires_grad for parameter in learn.model.parameters())
