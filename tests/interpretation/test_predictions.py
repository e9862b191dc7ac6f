"""The predictions table: from a fastai Learner as fastai itself sees it, from any framework, and bad ones."""

import random
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.interpret import ClassificationInterpretation
from fastai.learner import Learner
from fastai.losses import BCEWithLogitsLossFlat, CrossEntropyLossFlat
from fastai.vision.all import ImageBlock, ImageDataLoaders, Resize, aug_transforms
from ipyfastai.models import check_predictions, predictions, predictions_table
from ipyfastai.models.interpretation.predictions import labels, probabilities
from ipyfastai.models.progress import Cancelled, Progress
from learners import Tiny, draw_colours
from torch import nn


def interpreted(learn, split):
    """What fastai's own interpretation says of a split, its items seen as in validation."""
    dataset = learn.dls[split].dataset
    loader = learn.dls.test_dl(dataset.items, with_labels=True)
    with learn.no_bar():
        return ClassificationInterpretation.from_learner(learn, dl=loader)


@pytest.fixture(scope="module")
def table(colour_learner):
    return predictions(colour_learner)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_each_item_has_the_loss_and_the_probabilities_that_fastai_gives_it(colour_learner, table, split):
    part = table[table.split == split]
    number = ["train", "valid"].index(split)
    theirs = interpreted(colour_learner, number)
    assert part.item.tolist() == [str(item) for item in colour_learner.dls[number].dataset.items]
    assert part.loss.to_numpy() == pytest.approx(theirs.losses.numpy(), abs=1e-5)
    with colour_learner.no_bar():
        expected, targets, decoded = colour_learner.get_preds(dl=theirs.dl, with_decoded=True)
    assert probabilities(part) == pytest.approx(expected.numpy(), abs=1e-5)
    assert part.label.cat.codes.tolist() == targets.tolist()
    assert part.predicted.cat.codes.tolist() == decoded.tolist()
    assert part.confidence.to_numpy() == pytest.approx(expected.max(1).values.numpy(), abs=1e-5)


def test_the_table_is_as_the_contract_says(table):
    assert labels(table) == ["blue", "green", "red"] == list(table.predicted.cat.categories)
    assert list(table.columns[:6]) == ["item", "split", "label", "predicted", "confidence", "loss"]
    assert list(table.columns[6:]) == [f"probability of {label}" for label in labels(table)]
    assert probabilities(table).dtype == np.float32
    assert all(Path(item).is_absolute() and Path(item).parent.name == label
               for item, label in zip(table.item, table.label, strict=True))  # fmt: skip
    assert (table.loss > 0).all(), "smoothed labels: nothing is ever quite right"


def test_training_items_are_neither_augmented_nor_shuffled(colours):
    dls = ImageDataLoaders.from_folder(
        colours, valid_pct=0.4, seed=0, item_tfms=Resize(32), bs=4, num_workers=0,
        batch_tfms=aug_transforms(max_rotate=180, p_affine=1, p_lighting=1, max_lighting=0.9),
    )  # fmt: skip
    learn = Learner(dls, network(), loss_func=CrossEntropyLossFlat())
    once, again = (predictions(learn, splits=["train"]) for _ in range(2))
    assert len(once) == len(dls.train_ds) % 4 + len(dls.train_ds) // 4 * 4, "the last batch is looked at too"
    pd.testing.assert_frame_equal(once, again)
    plain = ImageDataLoaders.from_folder(colours, valid_pct=0.4, seed=0, item_tfms=Resize(32), bs=4, num_workers=0)
    learn.dls = plain
    pd.testing.assert_frame_equal(once, predictions(learn, splits=["train"]), rtol=1e-4)


def network(labels=3):
    torch.manual_seed(0)
    return nn.Sequential(Tiny().features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, labels))


def learner(dls, loss, model=None):
    return Learner(dls, model or network(), loss_func=loss)


class Calls(nn.Module):
    """Counts the items that pass through."""

    def __init__(self, model):
        super().__init__()
        self.model, self.seen = model, 0

    def forward(self, x):
        self.seen += len(x)
        return self.model(x)


def test_each_item_is_looked_at_once(colour_learner):
    model = Calls(network())
    learn = learner(colour_learner.dls, CrossEntropyLossFlat(), model)
    assert len(predictions(learn)) == 30 == model.seen
    assert len(predictions(learn, splits=["valid"])) == 6 == model.seen - 30


def test_the_learner_and_the_random_numbers_are_as_before(colour_learner):
    learn = learner(colour_learner.dls, CrossEntropyLossFlat())
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    history, losses = learn.recorder.values.copy(), learn.recorder.losses.copy()
    learn.model.train()
    learn.model[0][1].eval()  # as a frozen layer may be
    modes = [module.training for module in learn.model.modules()]
    before, callbacks = dict(vars(learn)), list(learn.cbs)
    states = random.getstate(), torch.get_rng_state()
    order = learn.dls.train.rng.getstate()
    numbers = np.random.get_state()[1].copy()
    predictions(learn)
    assert [module.training for module in learn.model.modules()] == modes
    assert vars(learn).keys() == before.keys() and all(vars(learn)[name] is before[name] for name in before)
    assert list(learn.cbs) == callbacks and all(callback.learn is learn for callback in callbacks)
    assert learn.recorder.values == history and learn.recorder.losses == losses and len(losses) == 6
    assert learn.loss_func.reduction == "mean"
    assert (random.getstate(), learn.dls.train.rng.getstate()) == (states[0], order)
    assert torch.equal(torch.get_rng_state(), states[1]) and (np.random.get_state()[1] == numbers).all()
    assert learn.dls.train_ds.split_idx == 0 and learn.dls.train.shuffle


def test_cancel_stops_between_two_batches_and_leaves_nothing(colour_learner):
    learn = learner(colour_learner.dls, CrossEntropyLossFlat())
    callbacks = [type(callback) for callback in learn.cbs]

    class Impatient(Progress):
        def report(self, done, total=None, text=""):
            if done >= 8:
                self.cancel()
            super().report(done, total, text)

    progress = Impatient()
    with pytest.raises(Cancelled):
        predictions(learn, progress=progress)
    assert (progress.done, progress.total) == (8, 30)
    assert [type(callback) for callback in learn.cbs] == callbacks and learn.model.training
    assert len(predictions(learn)) == 30


@pytest.mark.parametrize(
    "loss", [nn.CrossEntropyLoss(), F.cross_entropy, partial(F.cross_entropy, label_smoothing=0.1)]
)
def test_losses_without_an_activation_of_their_own_mean_logits(colour_learner, loss):
    learn = learner(colour_learner.dls, loss)
    ours = predictions(learn, splits=["valid"])
    with torch.no_grad():
        x, y = colour_learner.dls.valid.one_batch()
        logits = learn.model.eval()(x)
        assert probabilities(ours)[: len(y)] == pytest.approx(logits.softmax(1).numpy(), abs=1e-5)
        assert ours.loss[0] == pytest.approx(
            float(loss(logits[:1].as_subclass(torch.Tensor), y[:1].as_subclass(torch.Tensor))), abs=1e-5
        )


def test_items_of_a_data_frame_are_the_paths_that_the_learner_makes_of_them(colours):
    files = sorted(colours.rglob("*.png"))
    frame = pd.DataFrame({"name": [str(file.relative_to(colours)) for file in files],
                          "kind": [file.parent.name for file in files]})  # fmt: skip
    dls = ImageDataLoaders.from_df(frame, path=colours, item_tfms=Resize(32), bs=4, num_workers=0)
    table = predictions(learner(dls, CrossEntropyLossFlat()))
    assert sorted(table.item) == [str(file) for file in files]


def test_a_data_set_of_torch_has_items_by_name(colours):
    data = [(torch.rand(3, 32, 32), index % 3) for index in range(8)]
    dls = DataLoaders.from_dsets(data[:5], data[5:], bs=2, num_workers=0)
    dls.vocab = ["a", "b", "c"]
    table = predictions(learner(dls, CrossEntropyLossFlat()))
    assert table.item.tolist()[:1] + table.item.tolist()[-1:] == ["train item 1", "valid item 3"]
    assert table.label.tolist() == list("abcabcab")


def test_what_is_not_one_label_for_each_item_is_refused(colours):
    files = sorted(colours.rglob("*.png"))
    options = {"item_tfms": Resize(32), "bs": 4, "num_workers": 0}
    several = ImageDataLoaders.from_lists(colours, files, [["a", "b"]] * len(files), **options)
    with pytest.raises(ValueError, match="does not choose one label for each item"):
        predictions(learner(several, BCEWithLogitsLossFlat(), network(2)))
    pictures = ImageDataLoaders.from_lists(colours, files, files, y_block=ImageBlock, **options)
    with pytest.raises(ValueError, match="knows no labels"):
        predictions(learner(pictures, F.mse_loss))
    fine = ImageDataLoaders.from_folder(colours, valid_pct=0.2, **options)
    with pytest.raises(ValueError, match="does not choose one label for each item"):
        predictions(learner(fine, CrossEntropyLossFlat(), network(7)))
    with pytest.raises(ValueError, match="'train' or 'valid', not 'test'"):
        predictions(learner(fine, CrossEntropyLossFlat()), splits=["test"])


def test_a_model_that_answers_nan_is_told(colour_learner):
    learn = learner(colour_learner.dls, CrossEntropyLossFlat())
    nn.init.constant_(learn.model[-1].bias, float("nan"))
    with pytest.raises(ValueError, match="answers NaN for 24 of 24 items in train.*learning rate"):
        predictions(learn)


def test_an_item_in_both_splits_is_told_before_the_work(tmp_path):
    files = sorted(draw_colours(tmp_path / "colours", 3).rglob("*.png"))
    frame = pd.DataFrame({"name": [*files, files[0]], "kind": [file.parent.name for file in [*files, files[0]]],
                          "held_back": [False] * len(files) + [True]})  # fmt: skip
    dls = ImageDataLoaders.from_df(frame, path="/", valid_col="held_back", item_tfms=Resize(32), bs=4, num_workers=0)

    class Never(Callback):
        def before_batch(self):
            raise AssertionError("the work has begun")

    learn = learner(dls, CrossEntropyLossFlat())
    with learn.added_cbs(Never()), pytest.raises(ValueError, match="is in train and in valid.*splits="):
        predictions(learn)
    assert len(predictions(learn, splits=["valid"])) == 1


# Any framework.


def test_labels_answers_and_probabilities_of_any_framework():
    shares = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    table = predictions_table(["a", "b", "c"], ["x", "x", "y"], probabilities=shares, labels=["x", "y"])
    assert table.predicted.tolist() == ["x", "y", "y"] and table.split.tolist() == ["valid"] * 3
    assert table.confidence.tolist() == pytest.approx([0.9, 0.6, 0.8])
    assert table.loss.tolist() == pytest.approx(-np.log([0.9, 0.4, 0.8]))
    plain = predictions_table([Path("a"), "b"], ["x", "y"], ["y", "y"], split=["train", "test"])
    assert plain.item.tolist() == ["a", "b"] and plain.split.tolist() == ["train", "test"]
    assert plain[["confidence", "loss"]].isna().to_numpy().all() and probabilities(plain) is None


def test_positions_and_names_of_labels():
    for values in ([2, 0], np.array([2, 0]), torch.tensor([2, 0]), pd.Series([2, 0], index=[7, 8])):
        assert predictions_table(["a", "b"], values, values, labels=["x", "y", "z"]).label.tolist() == ["z", "x"]
    digits = predictions_table(["a", "b"], [10, 2], [2.0, 10.0])
    assert labels(digits) == ["2", "10"], "numbers by their size"
    assert digits.label.tolist() == ["10", "2"] == digits.predicted.tolist()[::-1]
    assert labels(predictions_table(["a"], [5], [7], labels=[7, 5, 3])) == ["7", "5", "3"]
    assert labels(predictions_table(["a"], [None], ["x"], labels=[None, "x"])) == ["None", "x"]
    assert labels(predictions_table(["a", "b"], ["Bear", " bear"], ["<b>", "bear"])) == [" bear", "<b>", "Bear", "bear"]


def test_pictures_in_memory_are_items():
    pictures = np.zeros((2, 5, 4, 3), np.uint8)
    assert predictions_table(pictures, [0, 1], [0, 0]).item[1].shape == (5, 4, 3)


def test_no_items_and_one_label():
    empty = predictions_table([], [], [], labels=["a", "b"])
    assert len(empty) == 0 and labels(empty) == ["a", "b"]
    assert labels(check_predictions(predictions_table([], [], probabilities=np.zeros((0, 2)), labels="ab"))) == [
        "a",
        "b",
    ]
    one = predictions_table(["i", "j"], ["a", "a"], ["a", "a"])
    assert labels(one) == ["a"] and len(one) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"predicted": None}, "give predicted, probabilities or both"),
        ({"predicted": ["x"]}, "2 items, but predicted has 1"),
        ({"label": ["x", "y", "x"]}, "2 items, but label has 3"),
        ({"loss": [1.0]}, "2 items, but loss has 1"),
        ({"split": ["train"]}, "2 items, but split has 1"),
        ({"labels": ["x", "w"]}, "Row 2 has the label 'y', which is none of the labels: 'x', 'w'"),
        ({"predicted": [0, 2], "labels": ["x", "y"]}, "Row 2 has the predicted 2"),
        ({"labels": ["x", "y", 1, "1"]}, "Two labels read the same: '1'"),
        ({"label": ["x", None]}, "Row 2 has no label"),
        ({"label": ["x", float("nan")]}, "Row 2 has no label"),
        ({"label": [["x"], ["y"]]}, "Row 1 has a list as its label: one label for each item"),
        ({"loss": ["low", 2]}, "Row 1 has the loss 'low', which is no number"),
        ({"probabilities": [[0.5, 0.5], [0.9, 0.8]]}, "row 2 do not .* sum to 1 .*1.7.*softmax"),
        ({"probabilities": [[2.0, -1.0], [1, 0]]}, "row 1 do not lie between 0 and 1"),
        ({"probabilities": [[0.5, np.nan], [1, 0]]}, "row 1"),
        ({"probabilities": [[1.0], [1.0]]}, "2 × 1; 2 items and 2 labels need 2 × 2. Say labels="),
        ({"items": ["i", "i"]}, "'i' stands in the table more than once: one row for each item"),
        ({"items": ["i", None]}, "Row 2 has no item"),
        ({"split": ["train", None]}, "Row 2 has no split"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(options, says):
    options = {"items": ["i", "j"], "label": ["x", "y"], "predicted": ["y", "y"], **options}
    with pytest.raises(ValueError, match=says):
        predictions_table(options.pop("items"), options.pop("label"), options.pop("predicted"), **options)


def frame(**columns):
    return pd.DataFrame({"item": ["i", "j"], "label": ["x", "y"], "predicted": ["y", "y"], **columns}, index=[5, 5])


def test_a_bare_table_is_completed_and_numbered():
    checked = check_predictions(frame(group=[1, 2]))
    assert list(checked.columns) == ["item", "split", "label", "predicted", "confidence", "loss", "group"]
    assert checked.index.tolist() == [0, 1] and checked.group.tolist() == [1, 2]
    with_shares = check_predictions(frame(**{"probability of y": [0.75, 1], "probability of x": [0.25, 0]}))
    assert labels(with_shares) == ["y", "x"], "their order is the model's"
    assert with_shares.confidence.tolist() == [0.75, 1] and with_shares.loss[0] == pytest.approx(np.log(4))
    assert np.isfinite(with_shares.loss).all()


def test_what_was_checked_stays_as_it_is(table):
    pd.testing.assert_frame_equal(check_predictions(table), table)
    part = check_predictions(table[table.split == "valid"])
    assert labels(part) == labels(table) and part.index.tolist() == list(range(6))


def test_categories_of_two_kinds_become_one():
    one, two = pd.Categorical(["x", "y"], ["y", "x"]), pd.Categorical(["y", "y"], ["x", "y"])
    assert labels(check_predictions(frame().assign(label=one, predicted=two))) == ["y", "x"]
    apart = frame().assign(label=pd.Categorical(["x", "x"]), predicted=pd.Categorical(["z", "y"]))
    assert labels(check_predictions(apart)) == ["x", "y", "z"]


def test_a_loss_that_is_nan_or_infinite_stays():
    assert check_predictions(frame(loss=[np.nan, np.inf])).loss.tolist() == pytest.approx([np.nan, np.inf], nan_ok=True)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ([1, 2], "is a pandas DataFrame, not list"),
        (frame().drop(columns=["label", "predicted"]), "no column 'label' and none 'predicted'"),
        (frame(confidence=[93, 20]), "A confidence lies between 0 and 1"),
        (frame(**{"probability of x": [1, 1]}), "Row 2 has the label 'y', which is none of the labels: 'x'"),
        (pd.concat([frame(), frame()[["label"]]], axis=1), "column 'label' stands in the table twice"),
        (frame().assign(label=pd.Categorical.from_codes([0, -1], ["x"])), "Row 2 has no label"),
    ],
)
def test_bad_tables_are_refused_with_a_sentence(table, says):
    with pytest.raises(ValueError, match=says):
        check_predictions(table)


def test_two_hundred_labels_and_a_hundred_thousand_rows():
    codes = np.random.default_rng(0).integers(0, 200, (2, 100_000))
    names = [f"label {number}" for number in range(200)]
    table = predictions_table([f"{row}.jpg" for row in range(100_000)], *codes, labels=names, split="train")
    assert labels(table) == names and (table.predicted.cat.codes == codes[1]).all()
