"""`BatchGrid` without a browser: what it shows, and what a page may ask for."""

import io

import numpy as np
import pytest
import torch
from drawings import DATA, plain
from ipyfastai.widgets import BatchGrid
from ipyfastai.widgets.uploads import Upload
from PIL import Image
from torch.utils.data import DataLoader, Dataset


class Shades(Dataset):
    """Noise as `transform`, shades that tell the item."""

    classes = ("<b>dark</b>", "light")

    def transform(self, image):
        pixels = torch.from_numpy(np.asarray(image.convert("RGB").resize((16, 12))).copy()).permute(2, 0, 1) / 255
        return (pixels * 0.9 + 0.1 * torch.rand(1)).clamp(0, 1)

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return self.transform(Image.new("RGB", (16, 12), (20 * index,) * 3)), int(index > 4)


def loaders():
    return DataLoader(Shades(), batch_size=4, shuffle=True), DataLoader(Shades(), batch_size=4)


@pytest.fixture
def grid():
    made = BatchGrid(loaders(), count=4)
    yield made
    made.close()


def shown(grid):
    return [Image.open(io.BytesIO(data)) if data else None for data in grid.view._pictures[::3]]


def test_it_opens_with_the_first_training_batch(grid):
    state = grid.view._shown
    assert (state["split"], state["number"], state["batches"], state["size"]) == ("train", 0, 3, 4)
    assert len(shown(grid)) == 4 and {picture.size for picture in shown(grid)} == {(16, 12)}
    assert set(state["labels"]) <= set(Shades.classes) and grid.value is None
    assert grid.job._shown == {}


def test_next_split_and_number_of_pictures(grid):
    first = grid.view._pictures
    grid._receive({"type": "batch", "number": 1})
    assert grid.view._shown["number"] == 1 and grid.view._pictures != first
    grid._receive({"type": "batch", "number": 0})
    assert grid.view._pictures == first, "back is the same batch again"
    grid._receive({"type": "split", "number": 1})
    assert grid.view._shown["split"] == "valid" and grid.view._shown["labels"] == ["<b>dark</b>"] * 4
    grid._receive({"type": "count", "number": 36})
    assert grid.view._shown["count"] == 36 and len(shown(grid)) == 4, "there are no more in a batch"


def test_one_photo_many_augmentations_and_back(grid):
    grid._receive({"type": "split", "number": 1})
    batch = grid.view._pictures
    grid._receive({"type": "pick", "number": 2})
    assert grid.value == ("valid", 2) and grid.view._shown["varying"]
    draws = grid.view._pictures
    assert len({bytes(data) for data in draws[::3]}) == 4
    grid._receive({"type": "again"})
    assert grid.view._pictures != draws
    grid._receive({"type": "pick", "number": 1})  # of a batch that is not shown any more
    assert grid.value == ("valid", 2)
    grid._receive({"type": "back"})
    assert grid.value is None and grid.view._pictures == batch


def test_an_uploaded_photo_and_its_removal(grid):
    grid.upload.value = (Upload.keep("mine.jpg", plain((240, 240, 240))),)
    assert grid.view._shown["photo"] == "mine.jpg" and grid.view._shown["varying"] and len(shown(grid)) == 4
    assert min(picture.getpixel((5, 5))[0] for picture in shown(grid)) > 200
    grid._receive({"type": "count", "number": 9})
    assert len(shown(grid)) == 9
    grid.upload.value = ()
    assert not grid.view._shown["varying"]


def test_a_data_set_that_opens_no_photos_says_so_and_goes_on():
    grid = BatchGrid(DataLoader([(torch.rand(3, 8, 8), 1.5)] * 4, batch_size=2))
    grid.upload.value = (Upload.keep("mine.jpg", plain()),)
    assert "has no `transform`" in grid.job._shown["text"] and grid.job._shown["state"] == "failed"
    assert not grid.view._pictures
    grid._receive({"type": "back"})
    assert grid.view._shown["labels"] == ["1.5", "1.5"] and grid.job._shown == {}


def test_batches_without_pictures():
    grid = BatchGrid(DataLoader([(torch.rand(5), 1)] * 4, batch_size=2))
    assert "hold no pictures: they are made of Tensor (2, 5)" in grid.job._shown["text"]
    assert grid.view._shown["labels"] == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "pick"},
        {"type": "pick", "number": -1},
        {"type": "pick", "number": 4},
        {"type": "pick", "number": True},
        {"type": "pick", "number": "0"},
        {"type": "split", "number": 2},
        {"type": "split", "number": None},
        {"type": "batch", "number": 3},
        {"type": "batch", "number": 1e9},
        {"type": "count", "number": 5},
        {"type": "count", "number": [4]},
        {"type": ["pick"], "number": 0},
        {"type": "back"},
        {"type": "again"},
        {"type": "close"},
    ],
)
def test_what_a_page_may_not_ask_for_changes_nothing(grid, message):
    before = grid.view._shown, grid.view._pictures, grid.value
    grid._receive(message)
    assert (grid.view._shown, grid.view._pictures, grid.value) == before


def test_what_a_page_writes_into_the_state_is_not_believed(grid):
    grid.view._shown = {"split": "/etc", "number": -7, "items": [True] * 99, "varying": True}
    grid.view._pictures = [b"x"]
    grid._receive({"type": "back"})
    grid._receive({"type": "pick", "number": 50})
    assert grid.value is None
    grid._receive({"type": "batch", "number": 1})
    assert (grid.view._shown["split"], grid.view._shown["number"], len(shown(grid))) == ("train", 1, 4)


@pytest.mark.parametrize("content", [None, 3, [], "pick"])
def test_a_message_that_is_no_object_reaches_nobody(grid, content):
    grid.view._handle_custom_msg(content, [])
    assert grid.view._shown["number"] == 0


def test_bad_arguments_are_refused_at_once():
    with pytest.raises(TypeError, match="expected DataLoaders"):
        BatchGrid(3)
    with pytest.raises(ValueError, match="count must be one of"):
        BatchGrid(loaders(), count=5)


@pytest.mark.skipif(not (DATA / "mnist_tiny").is_dir(), reason=f"no sample photos in {DATA}")
def test_small_pictures_travel_without_loss():
    from fastai.vision.all import ImageDataLoaders

    dls = ImageDataLoaders.from_folder(DATA / "mnist_tiny", bs=16, num_workers=0)
    grid = BatchGrid(dls, count=9)
    grid._receive({"type": "split", "number": 1})
    for picture, file, label in zip(shown(grid), dls.valid_ds.items, grid.view._shown["labels"], strict=False):
        assert picture.format == "PNG" and label == file.parent.name
        assert np.array_equal(np.asarray(picture), np.asarray(Image.open(file).convert("RGB")))
