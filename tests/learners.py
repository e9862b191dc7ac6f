"""Small fastai Learners for the tests of training and export."""

import numpy as np
from drawings import DATA
from fastai.torch_core import set_seed
from PIL import Image
from torch import nn

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


class Tiny(nn.Module):
    """A network that exports in a second; torchvision's shape: features, then a classifier."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3))
        self.classifier = nn.Linear(16, 1000)


def tiny(weights=None):
    if weights == "DEFAULT":
        raise AssertionError("the tests never download")
    return Tiny()


def draw_colours(folder, count=10):
    """`count` noisy PNGs of each colour, of many sizes, one folder per colour."""
    random = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            height, width = random.integers(20, 90, 2)
            pixels = random.normal(colour, 30, (height, width, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index:03}.png")
    return folder


def untrained(folder, *, seed=0):
    """A learner of the colours that has learned nothing; the same seed gives the same learner."""
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    set_seed(seed, reproducible=True)
    dls = image_folder_dataloaders(folder, size=32, batch_size=4)
    return transfer_learner(dls, tiny, pretrained=False)


def train_on_colours(folder):
    import fastai.callback.progress  # noqa: F401  gives a Learner its no_bar()

    learn = untrained(folder)
    with learn.no_bar(), learn.no_logging():
        learn.fit(4, 1e-2)
    return learn


def train_on_bears():
    import fastai.callback.progress  # noqa: F401
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    set_seed(0, reproducible=True)
    learn = transfer_learner(image_folder_dataloaders(DATA / "bears", size=128))
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(1, 5e-3)
    return learn
