"""export_onnx: the file answers as the Learner does, or it is not written."""

import copy
import os

import numpy as np
import pytest
import torch
from drawings import DATA
from fastai.data.block import CategoryBlock, DataBlock, MultiCategoryBlock
from fastai.data.transforms import IndexSplitter, get_image_files, parent_label
from fastai.learner import Learner
from fastai.losses import BCEWithLogitsLossFlat, CrossEntropyLossFlat
from fastai.vision.augment import RandomResizedCrop, RandomResizedCropGPU, aug_transforms
from fastai.vision.augment import Resize as FastaiResize
from fastai.vision.core import PILImage, PILImageBW
from fastai.vision.data import ImageBlock
from ipyfastai.models import Classifier, ModelCard, export_onnx
from ipyfastai.models.novelty import NearestNeighbours, fit_novelty
from ipyfastai.models.onnx_file import read_metadata
from ipyfastai.models.resize import Resize
from learners import tiny
from PIL import Image
from torch import nn


def learner_probabilities(learn, files):
    """fastai's own path from files to probabilities, independent of ours."""
    with learn.no_bar(), learn.no_logging():
        return learn.get_preds(dl=learn.dls.test_dl(files))[0].numpy()


def bundle_probabilities(path, files):
    return np.array([list(answer.values()) for answer in Classifier.load(path).batch(map(Image.open, files))])


def learner(
    colours, *, item_tfms, batch_tfms=(), block=ImageBlock, target=CategoryBlock, get_y=parent_label, loss=None
):
    """An untrained Learner on the drawn colours."""
    files = get_image_files(colours)
    blocks = DataBlock(
        (block, target), get_y=get_y, splitter=IndexSplitter(range(9)), item_tfms=item_tfms, batch_tfms=[*batch_tfms]
    )
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3))
    dls = blocks.dataloaders(files, bs=4, num_workers=0)
    return Learner(dls, nn.Sequential(tiny().features, head), loss_func=loss or CrossEntropyLossFlat())


def test_answers_as_the_learner_does_on_every_bear(bear_learner, tmp_path):
    path = export_onnx(bear_learner, tmp_path / "bears.onnx", novelty=fit_novelty(bear_learner))
    files = sorted((DATA / "bears").rglob("*.jpg"))
    expected, answers = learner_probabilities(bear_learner, files), bundle_probabilities(path, files)
    assert answers.shape == (409, 3)
    assert np.abs(answers - expected).max() <= 0.02
    assert (answers.argmax(1) == expected.argmax(1)).mean() >= 0.99


def test_carries_labels_card_and_size(colour_learner, tmp_path):
    card = ModelCard("Colours", summary="Tells colours apart.")
    classifier = Classifier.load(export_onnx(colour_learner, tmp_path / "colours.onnx", card=card))
    assert classifier.labels == tuple(colour_learner.dls.vocab) == ("blue", "green", "red")
    assert classifier.card == card
    assert max(classifier(Image.new("RGB", (50, 40), (210, 30, 30))).items(), key=lambda item: item[1])[0] == "red"


def test_without_a_card_the_file_names_itself(colour_learner, tmp_path):
    card = Classifier.load(export_onnx(colour_learner, tmp_path / "colours.onnx")).card
    assert (card.name, card.labels) == ("colours", ["blue", "green", "red"])


def test_novelty_in_the_file_is_that_of_the_learner(colour_learner, colours, tmp_path):
    novelty = fit_novelty(colour_learner, k=2)
    path = export_onnx(colour_learner, tmp_path / "colours.onnx", novelty=novelty)
    files = sorted(colours.rglob("*.png"))
    answers = list(Classifier.load(path).batch(map(Image.open, files)))
    assert [answer.novelty for answer in answers] == pytest.approx(novelty.scores(colour_learner, files), abs=1e-5)
    assert [answer.unfamiliar for answer in answers] == [answer.novelty > novelty.threshold for answer in answers]


@pytest.mark.parametrize("pad_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("method", ["crop", "squish", "pad"])
@pytest.mark.parametrize("image", [(91, 40), (40, 91), (20, 20), (32, 24), (33, 25), (17, 230)], ids=str)
def test_resizes_pixel_for_pixel_as_fastai(method, pad_mode, image):
    pixels = np.random.default_rng(1).integers(0, 256, (*image[::-1], 3)).astype(np.uint8)
    theirs = FastaiResize((24, 32), method=method, pad_mode=pad_mode)(PILImage.create(pixels), split_idx=1)
    ours = Resize(24, 32, method=method, pad_mode=pad_mode)(Image.fromarray(pixels))
    assert ours.shape == (24, 32, 3)
    np.testing.assert_array_equal(ours, np.asarray(theirs))


def test_a_very_long_strip_is_padded_without_filling_the_memory():
    assert Resize(32, 32, method="pad")(Image.new("L", (1, 200_000))).shape == (32, 32, 3)
    assert Resize(32, 32, method="crop")(Image.new("L", (200_000, 1))).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("item_tfms", "batch_tfms"),
    [
        (FastaiResize(32), aug_transforms()),
        (FastaiResize((24, 40), method="squish"), ()),
        (FastaiResize(32, method="pad", pad_mode="zeros"), ()),
        (RandomResizedCrop(32, min_scale=0.5), aug_transforms()),
        (RandomResizedCrop(32, val_xtra=0.3), ()),
        (FastaiResize(64), aug_transforms(size=48)),
        (FastaiResize((60, 90)), aug_transforms(size=(24, 32), pad_mode="zeros")),
    ],
    ids=["crop", "squish", "pad", "random crop", "wide border", "whole batches", "whole batches by more than half"],
)
def test_every_way_of_resizing_can_be_exported(colours, tmp_path, item_tfms, batch_tfms):
    learn = learner(colours, item_tfms=item_tfms, batch_tfms=batch_tfms)
    path, files = export_onnx(learn, tmp_path / "colours.onnx"), sorted(colours.rglob("*.png"))
    assert np.abs(bundle_probabilities(path, files) - learner_probabilities(learn, files)).max() < 1e-4


def test_the_file_names_no_folder_of_this_machine_and_needs_no_other_file(colour_learner, tmp_path):
    data = export_onnx(colour_learner, tmp_path / "colours.onnx").read_bytes()
    assert os.listdir(tmp_path) == ["colours.onnx"]
    assert list(read_metadata(data)) == ["ipyfastai"]
    for trace in (b"site-packages", b".py", str(tmp_path).encode(), os.getcwd().encode()):
        assert trace not in data


def test_leaves_the_learner_as_it_was(colour_learner, tmp_path):
    learn = copy.deepcopy(colour_learner)
    learn.model.train()
    learn.model[0].eval()
    before = {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}
    modes = [module.training for module in learn.model.modules()]
    export_onnx(learn, tmp_path / "colours.onnx", novelty=fit_novelty(learn, k=1))
    assert [module.training for module in learn.model.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in learn.model.state_dict().items())


class Sigmoids(CrossEntropyLossFlat):
    """A loss whose idea of probabilities is not the softmax that the graph computes."""

    def activation(self, out):
        return torch.sigmoid(out)


def test_writes_nothing_when_the_answers_differ(colours, tmp_path):
    learn = learner(colours, item_tfms=FastaiResize(32), loss=Sigmoids())
    (tmp_path / "colours.onnx").write_bytes(b"the model of yesterday")
    with pytest.raises(ValueError, match="differ by up to .* Nothing was written"):
        export_onnx(learn, tmp_path / "colours.onnx")
    assert os.listdir(tmp_path) == ["colours.onnx"]
    assert (tmp_path / "colours.onnx").read_bytes() == b"the model of yesterday"


class Forgetful(NearestNeighbours):
    """A measure that becomes another one on its way into a graph."""

    def forward(self, maps):
        return super().forward(maps) + (0.01 if torch.compiler.is_exporting() else 0)


def test_writes_nothing_when_the_novelty_differs(colour_learner, tmp_path):
    novelty = fit_novelty(colour_learner, k=2)
    novelty.module = Forgetful(novelty.module.bank, k=2)
    with pytest.raises(ValueError, match=r"novelties differ by up to 0\.01 .* Nothing was written"):
        export_onnx(colour_learner, tmp_path / "colours.onnx", novelty=novelty)
    assert os.listdir(tmp_path) == []


def test_leaves_nothing_behind_when_the_disk_refuses(colour_learner, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        export_onnx(colour_learner, tmp_path / "colours.onnx")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"block": ImageBlock(PILImageBW)}, "Only RGB image classifiers .* PILImageBW"),
        (
            {"target": MultiCategoryBlock, "get_y": lambda file: [file.parent.name], "loss": BCEWithLogitsLossFlat()},
            "one label per image .* TensorMultiCategory",
        ),
        ({"loss": nn.functional.cross_entropy}, "does not say how outputs become probabilities"),
        ({"item_tfms": [FastaiResize(64), RandomResizedCrop(32)]}, "resized 2 times"),
        ({"item_tfms": FastaiResize(32, resamples=(Image.Resampling.NEAREST,) * 2)}, "Resize is .* cannot be reprod"),
        ({"batch_tfms": [RandomResizedCropGPU(16)]}, "RandomResizedCropGPU is .* cannot be reproduced"),
    ],
)
def test_refuses_what_it_cannot_reproduce_and_names_it(colours, tmp_path, options, says):
    learn = learner(colours, **{"item_tfms": FastaiResize(32), **options})
    with pytest.raises(ValueError, match=says):
        export_onnx(learn, tmp_path / "colours.onnx")
    assert os.listdir(tmp_path) == []


def test_refuses_novelty_for_a_network_without_a_body(colours, tmp_path, colour_learner):
    learn = learner(colours, item_tfms=FastaiResize(32))
    learn.model = nn.Sequential(*learn.model[0], *learn.model[1])
    with pytest.raises(ValueError, match=r"needs a network that is nn.Sequential\(body, head\)"):
        export_onnx(learn, tmp_path / "colours.onnx", novelty=fit_novelty(colour_learner, k=1))
