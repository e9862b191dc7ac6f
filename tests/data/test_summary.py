"""Each step of a DataBlock, against what fastai's own pipelines make, and errors that explain themselves."""

import random
import shutil

import numpy as np
import pytest
import torch
from drawings import DATA, plain
from fastai.vision.all import (
    AffineCoordTfm,
    CategoryBlock,
    DataBlock,
    ImageBlock,
    MaskBlock,
    MultiCategorize,
    MultiCategoryBlock,
    Normalize,
    PILImage,
    PointBlock,
    RandomSplitter,
    RegexLabeller,
    RegressionBlock,
    Resize,
    Transform,
    TransformBlock,
    get_image_files,
    imagenet_stats,
    parent_label,
)
from ipyfastai.models.data.summary import explain_collate_error, summarise
from ipyfastai.models.progress import Cancelled, Progress
from PIL import Image
from torch.utils.data import DataLoader

needs_data = pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample photos in {DATA}")


def bears(**options):
    settings = {
        "blocks": (ImageBlock, CategoryBlock),
        "get_items": get_image_files,
        "get_y": parent_label,
        "splitter": RandomSplitter(0.2, seed=1),
    }
    return DataBlock(**{**settings, **options})


def stages(steps):
    return list(dict.fromkeys(step.stage for step in steps))


@pytest.fixture
def drawn(tmp_path):
    """Six drawn photos in two folders, of two sizes."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            (tmp_path / folder / f"{number}.png").write_bytes(plain(size=(40 + 8 * number, 30), kind="PNG"))
    return tmp_path


@needs_data
def test_every_step_has_the_shapes_that_fastai_makes():
    dblock = bears(item_tfms=Resize(64), batch_tfms=[AffineCoordTfm(size=48), Normalize.from_stats(*imagenet_stats)])
    steps = summarise(dblock, DATA / "bears", bs=5)
    assert stages(steps) == ["Items", "Split", "Input", "Target", "Item transforms", "Batch", "Batch transforms"]
    assert not any(step.problem for step in steps)
    by_name = {(step.stage, step.name): step for step in steps}
    count = len(get_image_files(DATA / "bears"))
    assert by_name["Items", "get_image_files"].parts[0].shape == (count,)
    assert [part.shape[0] for part in by_name["Split", "RandomSplitter"].parts] == [count - count // 5, count // 5]

    dls = dblock.dataloaders(DATA / "bears", bs=5, num_workers=0, shuffle=False)
    photo, label = dls.train_ds[0]
    assert by_name["Input", "PILImage.create"].parts[0].shape == photo.shape
    assert by_name["Target", "Categorize"].parts[0].text.endswith(str(label.item()))
    assert by_name["Target", "parent_label"].parts[0].text == dls.vocab[label]
    assert by_name["Item transforms", "Resize"].parts[0].shape == (64, 64)
    assert by_name["Item transforms", "ToTensor"].parts[0].shape == (3, 64, 64)
    assert "size=(64, 64)" in by_name["Item transforms", "Resize"].settings
    assert [part.shape for part in by_name["Batch", "collate"].parts] == [(5, 3, 64, 64), (5,)]
    assert by_name["Batch transforms", "IntToFloatTensor"].parts[0].text.startswith("float32")
    xs, _ = dls.one_batch()
    last = steps[-1]
    assert (last.stage, last.name, last.parts[0].shape) == ("Batch transforms", "Normalize", tuple(xs.shape))


@needs_data
def test_photos_of_several_sizes_explain_themselves():
    steps = summarise(bears(), DATA / "bears")
    last = steps[-1]
    assert (last.stage, last.name) == ("Batch", "collate")
    assert "The pictures are of different sizes" in last.problem and last.remedy.startswith("item_tfms=Resize(")
    files = bears().datasets(DATA / "bears").train.items[:4]
    width, height = PILImage.create(files[0]).size
    assert f"{files[0].parent.name}/{files[0].name}" in last.problem and f"{width} × {height} pixels" in last.problem
    assert str(DATA) not in last.problem
    fixed = bears(item_tfms=eval(last.remedy.removeprefix("item_tfms=")))
    assert not any(step.problem for step in summarise(fixed, DATA / "bears")), "the remedy cures it"


def test_a_misfit_beyond_the_first_batch_is_found(drawn):
    """fastai's own summary calls this sound: its first four photos are."""
    files = sorted(drawn.rglob("0.png")) * 3 + [drawn / "b" / "2.png"]
    dblock = bears(get_items=None, splitter=lambda items: (list(range(len(items))), []))
    last = summarise(dblock, files)[-1]
    assert last.parts[0].shape == (4, 3, 30, 40)
    assert "others would not fit" in last.problem and "b/2.png: 56 × 30 pixels" in last.problem


@needs_data
def test_masks_and_points():
    folder = DATA / "camvid_tiny"
    dblock = DataBlock(
        blocks=(ImageBlock, MaskBlock((folder / "codes.txt").read_text().split())),
        get_items=get_image_files,
        get_y=lambda file: folder / "labels" / f"{file.stem}_P.png",
    )
    steps = summarise(dblock, folder / "images")
    assert [part.shape for part in steps[-1].parts] == [(4, 3, 96, 128), (4, 96, 128)]
    assert [part.kind for part in steps[-1].parts] == ["TensorImage", "TensorMask"]
    assert [step.name for step in steps if step.stage == "Target"][:2] == ["the first item", "a lambda"]

    points = [[[1, 2], [3, 4]], [[1, 2]]]
    dblock = DataBlock(
        blocks=(ImageBlock, PointBlock),
        get_x=lambda number: Image.new("RGB", (20, 20)),
        get_y=lambda number: points[number % 2],
        splitter=lambda items: ([0, 1, 2, 3], []),
    )
    assert "different numbers of points" in summarise(dblock, range(4))[-1].problem


def test_labels_of_several_lengths(drawn):
    """MultiCategorize without one-hot encoding, as one writes it by hand."""
    labels = {"a": ["red"], "b": ["red", "blue"]}
    steps = summarise(
        bears(
            blocks=(ImageBlock, TransformBlock(type_tfms=MultiCategorize())),
            get_y=lambda file: labels[file.parent.name],
            item_tfms=Resize(16),
            splitter=lambda items: (list(range(6)), []),
        ),
        drawn,
    )
    assert "The targets are of different lengths" in steps[-1].problem and "MultiCategoryBlock" in steps[-1].remedy
    good = bears(
        blocks=(ImageBlock, MultiCategoryBlock), get_y=lambda file: labels[file.parent.name], item_tfms=Resize(16)
    )
    assert summarise(good, drawn)[-1].parts[1].shape == (4, 2)


def test_pictures_of_several_modes(drawn):
    def opened(file):
        return Image.open(file).convert("RGBA" if file.parent.name == "b" else "L" if file.name == "0.png" else "RGB")

    def to_tensor(x):
        return torch.tensor(np.atleast_3d(x)).permute(2, 0, 1) if isinstance(x, Image.Image) else x

    block = TransformBlock(type_tfms=opened, item_tfms=[Resize(16), Transform(to_tensor)])
    dblock = bears(blocks=(block, CategoryBlock), splitter=lambda items: (list(range(6)), []))
    last = summarise(dblock, drawn, bs=6)[-1]
    assert "different modes" in last.problem and "a/0.png: 1 channel (grey)" in last.problem
    assert "4 channels (colour and transparency)" in last.problem and "ImageBlock(PILImage)" in last.remedy


@pytest.mark.parametrize(
    ("samples", "sentence", "remedy"),
    [
        ([(torch.zeros(3, 2, 2), None), (torch.zeros(3, 2, 2), 1)], "target of some items is None", ""),
        ([(torch.zeros(3, 2, 2),), (torch.zeros(3, 2, 2), 1)], "different numbers of parts", ""),
        ([(Image.new("RGB", (3, 3)), 1)] * 2, "still a picture, not numbers", "ToTensor"),
        ([(torch.zeros(2), ["a"]), (torch.zeros(2), ["a", "b"])], "lists of different lengths", "MultiCategoryBlock"),
        ([(torch.zeros(2), DATA), (torch.zeros(2), DATA)], "Path, which cannot be put into a batch", "CategoryBlock"),
        ([(torch.zeros(2), 1), (torch.zeros(2), "a")], "of different types", ""),
        ([(torch.zeros(3, 5, 4), 0), (torch.zeros(5, 4), 0)], "different numbers of axes", ""),
        ([(np.zeros((3, 90, 80)), 0), (np.zeros((3, 80, 90)), 0)], "80 × 90 pixels", "Resize(64)"),
        ([{"x": torch.zeros(3), "y": 0}, {"x": torch.zeros(4), "y": 0}], "inputs are of different lengths", "Multi"),
    ],
)
def test_what_torch_refuses_is_explained(samples, sentence, remedy):
    with pytest.raises((RuntimeError, TypeError, KeyError, IndexError, AttributeError)):
        torch.utils.data.default_collate(samples)
    problem = explain_collate_error(samples)
    assert sentence in problem.sentence and remedy in problem.remedy


@pytest.mark.parametrize(
    "samples",
    [
        [(torch.zeros(3, 2, 2), 1, "name", 0.5)] * 3,
        [{"x": np.zeros(3), "y": True}] * 2,
        [(torch.zeros(3), [1, 2]), (torch.zeros(3), [3, 4])],
        [(torch.zeros(1), 1), (torch.zeros(1), 2.5)],
        [(torch.zeros(2), "a"), (torch.zeros(2), 1)],
    ],
)
def test_what_torch_accepts_is_not_complained_about(samples):
    torch.utils.data.default_collate(samples)
    assert explain_collate_error(samples) is None


def test_many_items_are_counted_not_listed():
    samples = [(torch.zeros(3, 30, 40 + (n % 5)), 0) for n in range(30)]
    problem = explain_collate_error(samples, names=[f"{n}.jpg" for n in range(30)])
    assert "0.jpg, 5.jpg, 10.jpg and 3 more: 40 × 30 pixels" in problem.sentence
    assert problem.sentence.count("pixels") == 3 and "2 other kinds" in problem.sentence and len(problem.groups) == 5


@pytest.mark.parametrize(
    ("options", "stage", "sentence"),
    [
        ({"get_y": RegexLabeller(r"(\d{5})")}, "Target", "a/"),
        ({"get_items": lambda source: []}, "Items", "holds no items"),
        ({"splitter": lambda items: ([], [0, 1])}, "Split", "Nothing is left"),
        ({"get_y": lambda file: int(file.parent.name)}, "Target", "invalid literal"),
        ({"blocks": (ImageBlock, RegressionBlock)}, "Target", "failed"),
        ({"item_tfms": [Resize(16), lambda x: 1 / 0]}, "Item transforms", "ZeroDivisionError"),
        ({"batch_tfms": Normalize()}, "Batch", "pictures are of different sizes"),
        ({"item_tfms": Resize(16), "batch_tfms": lambda x: 1 / 0}, "Batch transforms", "ZeroDivisionError"),
    ],
)
def test_a_step_that_fails_is_the_last_and_names_its_item(drawn, options, stage, sentence):
    last = summarise(bears(**options), drawn)[-1]
    assert last.stage == stage and sentence in last.problem and str(drawn) not in last.problem


@needs_data
def test_a_broken_photo_is_named_and_the_search_for_it_can_be_cancelled(drawn):
    shutil.copy(DATA / "bears_dirty" / "grizzly" / "00000123.jpg", drawn / "a" / "broken.jpg")
    dblock = bears(splitter=lambda items: (sorted(range(7), key=lambda n: items[n].name != "broken.jpg"), []))
    last = summarise(dblock, drawn)[-1]
    assert last.stage == "Input" and "a/broken.jpg" in last.problem and "UnidentifiedImageError" in last.problem
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        summarise(dblock, drawn, progress=progress)


@needs_data
def test_loaders_of_fastai_and_torch_without_a_source():
    dls = bears(item_tfms=Resize(32)).dataloaders(DATA / "bears", bs=16, num_workers=0)
    before = random.getstate(), torch.get_rng_state(), dls.train.rng.getstate()
    steps = summarise(dls, bs=3)
    assert stages(steps) == ["Input", "Target", "Item transforms", "Batch", "Batch transforms"]
    assert steps[-1].parts[0].shape == (3, 3, 32, 32)
    assert before[0] == random.getstate() and before[2] == dls.train.rng.getstate()
    assert torch.equal(before[1], torch.get_rng_state())

    sound = DataLoader([(torch.zeros(3, 8, 8), n) for n in range(9)], batch_size=4)
    assert [step.stage for step in summarise(sound)] == ["Items", "Batch"]
    assert [part.shape for part in summarise(sound)[-1].parts] == [(4, 3, 8, 8), (4,)]
    uneven = DataLoader([(torch.zeros(3, 8, 8 + n), n) for n in range(9)], batch_size=4)
    assert "item 0: 8 × 8 pixels" in summarise(uneven)[-1].problem
    assert "no items" in summarise(DataLoader([], batch_size=4))[-1].problem
