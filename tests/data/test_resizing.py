"""The pictures of each setting against fastai's own DataLoaders, built from the code that is shown."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawings import DATA
from fastai.vision import all as fastai
from ipyfastai.models.data.resizing import CHOICES, ResizeSettings, draw, example_photo
from ipyfastai.models.progress import Cancelled, Progress
from PIL import Image

ALL_ON = {"flip": "horizontal", "rotate": 20, "zoom": 1.4, "lighting": 0.3, "warp": 0.3}
SETTINGS = [
    *(ResizeSettings(method, size=64) for method in CHOICES["method"]),
    ResizeSettings("random_crop", size=48, min_scale=0.2, flip="dihedral", probability=0.5),
    *(ResizeSettings(size=64, presize=120, order=order, **ALL_ON) for order in CHOICES["order"]),
    *(ResizeSettings(size=64, presize=120, order=order, fill="border", **ALL_ON) for order in CHOICES["order"]),
    ResizeSettings("squish", size=64, presize=120, order="presize"),
    ResizeSettings("squish", size=64, presize=120, order="presize", lighting=0.4),
    ResizeSettings(size=64, flip="horizontal", rotate=10.0, zoom=1.1, lighting=0.2, warp=0.2),
]


@pytest.fixture(scope="module")
def photo():
    if not (DATA / "pets").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    return Image.open(sorted((DATA / "pets" / "images").glob("Bengal*"))[0]).convert("RGB")


def by_fastai(code, image, count, seed, split="train"):
    """What somebody gets who pastes the code into a DataBlock: the loader's steps, one after the other."""
    options = eval(f"dict({code})", {"dict": dict}, vars(fastai))
    dls = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock),
        get_x=lambda _: fastai.PILImage.create(image.copy()),
        get_y=lambda index: str(index % 2),
        splitter=fastai.IndexSplitter(range(count, 2 * count)),
        **options,
    ).dataloaders(range(2 * count), bs=count, num_workers=0, shuffle=False)
    loader = getattr(dls, split)
    loader.before_iter()
    random.seed(seed)
    torch.manual_seed(seed)
    xs, _ = loader.after_batch(loader.do_batch([loader.do_item(index) for index in range(count)]))
    return (xs.clamp(0, 1) * 255).long().permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: f"{one.method} {one.order} {one.fill} {one.flip}")
@pytest.mark.parametrize("split", ["train", "valid"])
def test_the_shown_code_gives_the_shown_pictures(photo, settings, split):
    pictures = draw(photo, settings, count=3, seed=5, split=split)
    expected = by_fastai(settings.code, photo, 3, 5, split)
    assert {one.size for one in pictures} == {(settings.size, settings.size)}
    assert np.array_equal(np.stack([np.asarray(one) for one in pictures]), expected)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (ResizeSettings(), "item_tfms=Resize(224),"),
        (
            ResizeSettings(flip="horizontal", rotate=10, zoom=1.1, lighting=0.2, warp=0.2),
            "item_tfms=Resize(224),\nbatch_tfms=aug_transforms(),",
        ),
        (
            ResizeSettings("pad_zeros", order="presize", rotate=30),
            "item_tfms=Resize(460, ResizeMethod.Pad, pad_mode=PadMode.Zeros),\nbatch_tfms=aug_transforms("
            "size=224, do_flip=False, max_rotate=30, max_zoom=1.0, max_lighting=0, max_warp=0),",
        ),
        (
            ResizeSettings(order="naive", rotate=30, fill="zeros"),
            "item_tfms=Resize(224),\nbatch_tfms=[Rotate(max_deg=30, p=0.75, pad_mode=PadMode.Zeros)],",
        ),
    ],
)
def test_the_code_reads_as_one_would_write_it(settings, code):
    assert settings.code == code


def test_cropping_for_training_is_random_along_the_longer_side_only(photo):
    wide = photo.resize((300, 100))
    crop = ResizeSettings(size=100)
    assert len({one.tobytes() for one in draw(wide, crop, count=5)}) > 1
    [middle, other] = draw(wide, crop, count=2, split="valid")
    assert middle.tobytes() == other.tobytes() == wide.crop((100, 0, 200, 100)).tobytes()
    squished = draw(wide, ResizeSettings("squish", size=100), count=3)
    assert len({one.tobytes() for one in squished}) == 1


def test_zeros_reflection_and_border_fill_what_padding_adds():
    ramp = Image.fromarray(np.tile(np.arange(50, 150, dtype=np.uint8)[:, None, None], (1, 60, 3)))  # 60 wide, 100 high
    left = {
        fill: np.asarray(draw(ramp, ResizeSettings(f"pad_{fill}", size=100), count=1, split="valid")[0])[:, 5, 0]
        for fill in ("zeros", "reflection", "border")
    }
    assert not left["zeros"].any() and left["border"].any() and left["reflection"].any()


def test_the_same_seed_draws_the_same_in_all_three_orders(photo):
    """Presized and naive differ in sharpness, not in what was drawn."""

    def likeness(a, b):
        a, b = (np.asarray(one.resize((24, 24)), float).ravel() for one in (a, b))
        return np.corrcoef(a, b)[0, 1]

    settings = ResizeSettings(size=96, presize=200, flip="horizontal", rotate=40, zoom=1.5, probability=1)
    presized = draw(photo, replace(settings, order="presize"), count=4, seed=2)
    naive = draw(photo, replace(settings, order="naive"), count=4, seed=2)
    at_size = draw(photo, settings, count=4, seed=2)
    for n in range(4):
        assert likeness(presized[n], naive[n]) > 0.95 and likeness(presized[n], at_size[n]) > 0.95
        assert likeness(presized[n], presized[(n + 1) % 4]) < 0.9

    def detail(pictures):  # energy between neighbours: each interpolation takes some away
        return np.mean([np.abs(np.diff(np.asarray(one, float), axis=1)).mean() for one in pictures])

    assert detail(presized) > 1.1 * detail(naive)


def test_random_numbers_go_on_as_if_nothing_had_been_drawn(photo):
    torch.manual_seed(1)
    random.seed(1)
    expected = torch.rand(3).tolist(), random.random(), np.random.get_state()[2]
    torch.manual_seed(1)
    random.seed(1)
    pictures = draw(photo, SETTINGS[7], count=2, seed=9)
    assert (torch.rand(3).tolist(), random.random(), np.random.get_state()[2]) == expected
    again = draw(photo, SETTINGS[7], count=2, seed=9)
    assert [one.tobytes() for one in again] == [one.tobytes() for one in pictures]
    assert draw(photo, SETTINGS[7], count=2, seed=10)[0].tobytes() != pictures[0].tobytes()


def test_work_that_is_not_wanted_any_more_stops(photo):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        draw(photo, ResizeSettings(), progress=progress)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "melt"}, "method must be one of crop"),
        ({"method": ["crop"]}, "method must be one of crop"),
        ({"size": 10_000}, "size must be from 16 to 512"),
        ({"size": 64.5}, "size must be a whole number"),
        ({"size": True}, "size must be a whole number"),
        ({"rotate": "90"}, "rotate must be a number"),
        ({"warp": float("nan")}, "warp must be from"),
        ({"zoom": float("inf")}, "zoom must be from"),
        ({"path": "/etc/passwd"}, "unknown settings: path"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ResizeSettings.from_dict(values)


def test_settings_survive_a_file():
    settings = SETTINGS[-1]
    assert ResizeSettings.from_dict(settings.to_dict()) == settings


def test_the_example_needs_no_network_and_is_credited():
    image, credit = example_photo()
    assert image.size == (640, 427) and "CC BY" in credit
    folder = Path(__import__("sklearn").__file__).parent / "datasets" / "images"
    assert "danielbuechele" in credit and "danielbuechele" in (folder / "README.txt").read_text()
