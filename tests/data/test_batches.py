"""Batches as pictures, from loaders of fastai and torch that are as they were afterwards."""

import copy
import random

import numpy as np
import pandas as pd
import pytest
import torch
from drawings import DATA
from fastai.tabular.all import Categorify, TabularDataLoaders
from fastai.vision.all import (
    BBoxBlock,
    BBoxLblBlock,
    CategoryBlock,
    DataBlock,
    ImageBlock,
    ImageDataLoaders,
    MaskBlock,
    Normalize,
    PILImage,
    PointBlock,
    RandomResizedCrop,
    RandomSplitter,
    RegexLabeller,
    Resize,
    aug_transforms,
    get_annotations,
    get_image_files,
    imagenet_stats,
    parent_label,
)
from ipyfastai.models.data.batches import Batches
from ipyfastai.models.progress import Cancelled, Progress
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

needs_data = pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample photos in {DATA}")
BREED = RegexLabeller(r"([^/]+)_\d+\.jpg$")


@pytest.fixture(scope="module")
def pets():
    """Pets with everything at random and normalised."""
    files = sorted(get_image_files(DATA / "pets" / "images"))[:64]
    return DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_y=BREED,
        splitter=RandomSplitter(0.25, seed=1),
        item_tfms=RandomResizedCrop(96, min_scale=0.3),
        batch_tfms=[*aug_transforms(), Normalize.from_stats(*imagenet_stats)],
    ).dataloaders(files, bs=8, num_workers=0)


class Drawn(Dataset):
    """Pictures of one shade each, with the number of that shade as label; mean 0.5 taken off."""

    classes = ("dark", "middle", "light")

    def __init__(self, count=12, transform=None):
        self.count, self.transform = count, transform

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = Image.new("RGB", (20, 16), (40 + 80 * (index % 3),) * 3)
        return (self.transform or as_tensor)(image), index % 3


def as_tensor(image):
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) / 255


def shade(picture):
    return picture.image.getpixel((3, 3))[0]


def state(dls):
    """All that drawing a batch could change."""
    loaders = [
        (
            loader.rng.getstate(),
            loader.bs,
            loader.num_workers,
            "get_idxs" in vars(loader),
            [sorted((key, str(value)) for key, value in vars(f).items()) for f in [*loader.after_item.fs]],
            [sorted((key, str(value)) for key, value in vars(f).items()) for f in [*loader.after_batch.fs]],
            (loader.after_item.split_idx, loader.after_batch.split_idx),
        )
        for loader in dls
    ]
    return loaders, random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()


@needs_data
def test_nothing_is_changed_by_looking(pets):
    before = copy.deepcopy(state(pets))
    batches = Batches(pets)
    first = batches.batch("train", 0, 4)
    batches.batch("valid", 1, 4)
    batches.variants("valid", 3, 4)
    batches.variants_of(Image.new("RGB", (90, 60)), 3)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        batches.batch("train", progress=progress)
    assert state(pets) == before
    again = Batches(pets).batch("train", 0, 4)
    assert [one.item for one in first.pictures] == [one.item for one in again.pictures]
    assert all(a.image.tobytes() == b.image.tobytes() for a, b in zip(first.pictures, again.pictures, strict=True))


@needs_data
def test_valid_pictures_are_those_of_fastai_with_their_labels(pets):
    """Validation is not random: pixel by pixel what the loader's own decoding gives."""
    shown = Batches(pets).batch("valid", 1, 8).pictures
    xs, _ = list(pets.valid)[1]
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in imagenet_stats)
    for index, (one, x) in enumerate(zip(shown, xs, strict=True)):
        expected = ((x.cpu() * std + mean).clamp(0, 1) * 255).long()
        assert np.abs(np.asarray(one.image).transpose(2, 0, 1) - np.asarray(expected)).max() <= 1
        assert one.item == 8 + index
        assert one.label == BREED(pets.valid_ds.items[one.item])


@needs_data
def test_training_batches_are_shuffled_and_do_not_overlap(pets):
    batches = Batches(pets)
    assert batches.splits == ["train", "valid"] and batches.count("train") == 6 and batches.size("train") == 8
    items = [one.item for number in range(6) for one in batches.batch("train", number, 8).pictures]
    assert len(set(items)) == 48 and items != sorted(items)
    for one in batches.batch("train", 2, 3).pictures:
        assert one.label == BREED(pets.train_ds.items[one.item])
    with pytest.raises(ValueError, match="no batch 7 in train"):
        batches.batch("train", 6)


@needs_data
def test_one_photo_many_augmentations(pets):
    batches = Batches(pets)
    item = batches.batch("valid", 0, 1).pictures[0].item
    several = batches.variants("valid", item, 6).pictures
    assert {one.label for one in several} == {BREED(pets.valid_ds.items[item])}
    assert len({one.image.tobytes() for one in several}) == 6, "training transforms are random"
    again, others = batches.variants("valid", item, 6), batches.variants("valid", item, 6, draw=1)
    assert [one.image.tobytes() for one in again.pictures] == [one.image.tobytes() for one in several]
    assert not {one.image.tobytes() for one in others.pictures} & {one.image.tobytes() for one in several}


@needs_data
def test_a_photo_from_elsewhere_goes_through_the_training_transforms(pets):
    photo = Image.new("RGB", (300, 200), (200, 30, 30))
    several = Batches(pets).variants_of(photo, 5).pictures
    assert {one.image.size for one in several} == {(96, 96)} and {one.label for one in several} == {""}
    for one in several:
        red, green, blue = np.asarray(one.image).reshape(-1, 3).mean(0)
        assert red > 2 * green and abs(green - blue) < 3


@needs_data
def test_segmentation_masks_lie_over_the_picture():
    folder = DATA / "camvid_tiny"
    codes = (folder / "codes.txt").read_text().split()
    dls = DataBlock(
        blocks=(ImageBlock, MaskBlock(codes)),
        get_y=lambda file: folder / "labels" / f"{file.stem}_P.png",
        splitter=RandomSplitter(0.2, seed=0),
        batch_tfms=Normalize.from_stats(*imagenet_stats),
    ).dataloaders(sorted(get_image_files(folder / "images")), bs=4, num_workers=0)
    [one, *_] = Batches(dls).batch("valid", 0, 2).pictures
    file = dls.valid_ds.items[one.item]
    mask = np.asarray(Image.open(folder / "labels" / f"{file.stem}_P.png"))
    assert set(one.legend) == {codes[value] for value in np.unique(mask)}
    assert next(iter(one.legend)) == codes[np.bincount(mask.ravel()).argmax()], "the largest first"
    overlay = np.asarray(one.overlay)
    for name, colour in one.legend.items():
        here = mask == codes.index(name)
        assert (overlay[here] == [*bytes.fromhex(colour[1:]), 255]).all()
    assert np.abs(np.asarray(one.image).astype(int) - np.asarray(Image.open(file).convert("RGB"))).max() <= 1
    [photo] = Batches(dls).variants_of(Image.new("RGB", (128, 96)), 1).pictures
    assert photo.overlay is None


@needs_data
def test_several_labels():
    table = pd.read_csv(DATA / "coco_tiny" / "labels.csv")
    dls = ImageDataLoaders.from_df(
        table, DATA / "coco_tiny", folder="train", label_delim=" ", valid_col="is_valid", item_tfms=Resize(64), bs=8,
        num_workers=0,
    )  # fmt: skip
    for one in Batches(dls).batch("train", 0, 8).pictures:
        assert set(one.label.split(", ")) == set(dls.train_ds.items.iloc[one.item]["labels"].split())
    assert Batches(dls).variants_of(Image.new("RGB", (90, 60)), 2).pictures[0].image.size == (64, 64)


@needs_data
def test_boxes_and_points():
    folder = DATA / "coco_tiny"
    boxes = dict(zip(*get_annotations(folder / "train.json"), strict=True))
    dls = DataBlock(
        blocks=(ImageBlock, BBoxBlock, BBoxLblBlock),
        get_y=[lambda file: boxes[file.name][0], lambda file: boxes[file.name][1]],
        n_inp=1,
        splitter=RandomSplitter(0.2, seed=0),
        item_tfms=Resize(128),
    ).dataloaders([folder / "train" / name for name in sorted(boxes)][:40], bs=4, num_workers=0)
    for one in Batches(dls).batch("valid", 0, 4).pictures:
        corners, names = boxes[dls.valid_ds.items[one.item].name]
        assert set(one.legend) == set(names)
        left, top, right, bottom = (round(value) for value in corners[0])
        middle = one.overlay.getpixel((min(127, (left + right) // 2), max(0, top)))
        assert middle[3] == 255, "the frame's upper edge"
    assert Batches(dls).variants_of(Image.new("RGB", (90, 60)), 2).pictures[0].image.size == (128, 128)

    mouse = pd.read_csv(DATA / "mouse_keypoints" / "points.csv").set_index("fname")
    dls = DataBlock(
        blocks=(ImageBlock, PointBlock),
        get_y=lambda file: mouse.loc[file.name].to_numpy(),
        splitter=RandomSplitter(0.2, seed=0),
    ).dataloaders(sorted(get_image_files(DATA / "mouse_keypoints" / "images"))[:20], bs=4, num_workers=0)
    [one] = Batches(dls).batch("valid", 0, 1).pictures
    for x, y in mouse.loc[dls.valid_ds.items[one.item].name].to_numpy().reshape(-1, 2):
        assert one.overlay.getpixel((round(x), round(y)))[3] == 255
    assert one.label == "4 points"


def test_a_plain_torch_loader_with_classes_of_its_data_set():
    train = DataLoader(Drawn(), batch_size=4, shuffle=True)
    valid = DataLoader(Subset(Drawn(), [2, 5, 7]), batch_size=2)
    before = torch.get_rng_state()
    batches = Batches((train, valid))
    [first, second] = batches.batch("valid", 0).pictures
    assert (first.label, second.label) == ("light", "light") and shade(first) == shade(second) == 200
    assert [one.label for one in batches.batch("valid", 1).pictures] == ["middle"]
    items = [one.item for number in range(3) for one in batches.batch("train", number).pictures]
    assert sorted(items) == list(range(12)) and items != sorted(items)
    for one in batches.batch("train").pictures:
        assert one.label == Drawn.classes[one.item % 3]
    assert torch.equal(before, torch.get_rng_state())


def test_a_loader_s_own_generator_is_put_back():
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(Drawn(), batch_size=4, shuffle=True, generator=generator)
    before = generator.get_state()
    Batches(loader).batch("train", 1)
    assert torch.equal(before, generator.get_state())


def test_normalised_values_come_back_with_stats_and_are_stretched_with_a_remark_without():
    def normalised(image):
        return (as_tensor(image) - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / 0.25

    loader = DataLoader(Drawn(transform=normalised), batch_size=3)
    known = Batches(loader, stats=([0.5, 0.4, 0.3], [0.25] * 3)).batch("train")
    assert [shade(one) for one in known.pictures] == [40, 120, 200] and not known.remark
    assert known.pictures[0].image.getpixel((0, 0)) == (40, 40, 40)
    guessed = Batches(loader).batch("train")
    assert "stretched" in guessed.remark
    assert shade(guessed.pictures[0]) < shade(guessed.pictures[1]) < shade(guessed.pictures[2])


def test_torch_variants_use_the_data_set_s_transform():
    def jittered(image):
        return as_tensor(image) * torch.rand(1)

    batches = Batches(DataLoader(Drawn(transform=jittered), batch_size=4))
    assert len({shade(one) for one in batches.variants("train", 2, 8).pictures}) > 4
    assert len({shade(one) for one in batches.variants_of(Image.new("RGB", (20, 16), "white"), 8).pictures}) > 4
    with pytest.raises(ValueError, match="no `transform`"):
        Batches(DataLoader(Drawn(), batch_size=4)).variants_of(Image.new("RGB", (20, 16)), 2)


def test_dictionaries_streams_and_whole_batches():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter([{"label": index % 3, "image": Drawn()[index][0]} for index in range(5)])

    batches = Batches({"stream": DataLoader(Stream(), batch_size=2)}, vocab=["a", "b", "c"])
    assert batches.count("stream") is None
    assert [(one.label, shade(one)) for one in batches.batch("stream", 1).pictures] == [("c", 200), ("a", 40)]
    with pytest.raises(ValueError, match="no batch 4"):
        batches.batch("stream", 3)
    whole = DataLoader(Stream(), batch_size=None)
    with pytest.raises(ValueError, match="no pictures"):
        Batches(whole).batch("train")


@needs_data
def test_a_batch_without_pictures_says_what_it_is_made_of():
    table = pd.read_csv(DATA / "adult_sample" / "adult.csv", nrows=200)
    dls = TabularDataLoaders.from_df(
        table, y_names="salary", procs=[Categorify], cat_names=["race"], cont_names=["age"], bs=16
    )
    with pytest.raises(ValueError, match=r"hold no pictures: they are made of Tensor \(\d+, 1\)"):
        Batches(dls).batch("train")
    with pytest.raises(TypeError, match="expected DataLoaders"):
        Batches(3)
    with pytest.raises(ValueError, match="no loader"):
        Batches([])


@needs_data
def test_items_that_do_not_fit_together_are_named():
    files = sorted(get_image_files(DATA / "bears" / "black"))[:12]
    dls = DataBlock(
        blocks=(ImageBlock, CategoryBlock), get_y=parent_label, splitter=RandomSplitter(0.3, seed=0)
    ).dataloaders(files, bs=4, num_workers=0)
    width, height = PILImage.create(dls.valid_ds.items[0]).size
    with pytest.raises(ValueError, match=f"different sizes.*black/.*{width} × {height} pixels.*item_tfms=Resize"):
        Batches(dls).batch("valid")


def test_a_mirrored_label_vector_reads_as_names():
    loader = DataLoader([(torch.rand(3, 8, 8), torch.tensor([1, 0, 1]))], batch_size=1)
    [one] = Batches(loader, vocab=["car", "tree", "sky"]).batch("train").pictures
    assert one.label == "car, sky"
