"""A learner becomes a bundle whose card says what the run and the predictions say."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models import Classifier
from ipyfastai.models.publishing.publish import publish, slug
from ipyfastai.models.publishing.run_card import run_card
from ipyfastai.models.training.settings import TrainingSettings
from PIL import Image

LABELS = ["blue", "green", "red"]


def table(label, predicted, split):
    kind = pd.CategoricalDtype(LABELS)
    columns = {"item": [f"{n}.png" for n in range(len(label))], "split": split}
    columns |= {"label": pd.Categorical(label, dtype=kind), "predicted": pd.Categorical(predicted, dtype=kind)}
    return pd.DataFrame({**columns, "confidence": 0.9, "loss": 0.1})


@pytest.fixture
def known():
    """Six photos to learn from, four held back of which one is answered wrongly."""
    label = ["red"] * 3 + ["green"] * 2 + ["blue"] + ["red", "green", "green", "blue"]
    predicted = label[:6] + ["red", "green", "red", "blue"]
    return table(label, predicted, ["train"] * 6 + ["valid"] * 4)


def run(epochs=3, **settings):
    """What a run says of itself that has trained three epochs."""
    given = {"frozen_epochs": 1, "learning_rate": 0.0021, "seed": 7, **settings}
    return SimpleNamespace(settings=TrainingSettings(epochs, **given), history=pd.DataFrame({"epoch": range(3)}))


def test_the_card_tells_counts_split_error_and_confusion(known):
    card = run_card("  Colours ", known)
    assert card.name == "Colours" and card.labels == LABELS
    assert card.summary == "Tells blue, green and red apart."
    assert card.data == "10 photos: blue 2, green 4, red 4."
    assert card.split.startswith("4 of 10 photos (40 %) were held back") and "is 25.0 %" in card.split
    # Always "red", the commonest to learn from, is wrong for three of the four.
    assert card.metrics == {"error rate": {"value": 0.25, "baseline": 0.75}}
    assert card.confusion == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]  # true blue, green, red
    assert card.training == ""


def test_the_card_tells_the_run(known):
    card = run_card("Colours", known, run=run(arch="mobilenet_v2", weight_decay=0.01, batch_size=16))
    assert card.training == (
        "mobilenet_v2, pretrained on ImageNet; 3 epochs of 4 planned, the first 1 with all but the last "
        "layers frozen; schedule one-cycle, learning rate 0.0021, weight decay 0.01, batches of 16."
    )
    assert "seed 7" in card.split
    assert ("How it was trained", card.training) in card.sections()


def test_what_a_run_leaves_to_its_learner_is_not_told(known):
    card = run_card("Colours", known, run=run(epochs=2, schedule="fixed", seed=None))
    assert card.training == (
        "A network of its author's; 3 epochs, the first 1 with all but the last layers frozen; schedule fixed, "
        "learning rate 0.0021."
    )
    assert "seed" not in card.split


def test_words_of_the_author_replace_what_is_filled_in(known):
    card = run_card("Colours", known, summary="Paint.", licence=" CC0 ", data_source="")
    assert (card.summary, card.licence, card.data_source) == ("Paint.", "CC0", "")


def test_many_labels_are_counted_not_listed():
    names = [f"kind {n:03}" for n in range(200)]
    kind = pd.CategoricalDtype(names)
    rows = pd.DataFrame({"item": names * 2, "split": ["train"] * 200 + ["valid"] * 200, "confidence": 1.0, "loss": 0.0})
    rows["label"] = rows["predicted"] = pd.Categorical(names * 2, dtype=kind)
    card = run_card("Kinds", rows)
    assert card.data == "400 photos of 200 labels, 2 to 2 of each."
    assert card.summary == "Tells 200 kinds of photos apart."


def test_without_held_back_photos_nothing_is_claimed(known):
    with pytest.raises(ValueError, match="No photos were held back"):
        run_card("Colours", known[known["split"] == "train"])


@pytest.mark.parametrize(
    "name, stem",
    [("Bears, and others!", "bears_and_others"), ("Медведи", "медведи"), ("../../etc", "etc"), ("a" * 99, "a" * 60)],
)
def test_a_name_becomes_a_file_name(name, stem):
    assert slug(name) == stem


@pytest.mark.parametrize("name", ["", "  ", "…", "__"])
def test_a_name_without_letters_is_refused(name):
    with pytest.raises(ValueError, match="at least one letter or digit"):
        slug(name)


@pytest.fixture(scope="module")
def published(colour_learner, tmp_path_factory):
    return publish(colour_learner, tmp_path_factory.mktemp("out") / "new", name="Three colours", licence="CC0")


def test_the_bundle_classifies_and_carries_the_card(published, colours):
    assert published.name == "three_colours.onnx"
    classifier = Classifier.load(published)
    assert classifier.card.name == "Three colours" and classifier.card.licence == "CC0"
    red = classifier(Image.new("RGB", (50, 40), (200, 40, 40)))
    assert max(red, key=red.get) == "red"


def test_the_card_agrees_with_the_bundles_own_answers(published, colour_learner):
    """The confusion of the card, counted once more by asking the written file about each held-back photo."""
    classifier = Classifier.load(published)
    matrix = np.zeros((3, 3), dtype=int)
    for path in colour_learner.dls.valid_ds.items:
        with Image.open(path) as image:
            answer = classifier(image.convert("RGB"))
        matrix[LABELS.index(path.parent.name), LABELS.index(max(answer, key=answer.get))] += 1
    assert classifier.card.confusion == matrix.tolist()
    wrong = 1 - np.trace(matrix) / matrix.sum()
    assert classifier.card.metrics["error rate"]["value"] == pytest.approx(wrong)


def test_a_table_of_another_model_is_refused(colour_learner, known, tmp_path):
    other = known.assign(
        label=known["label"].cat.rename_categories({"red": "rot"}),
        predicted=known["predicted"].cat.rename_categories({"red": "rot"}),
    )
    with pytest.raises(ValueError, match="other labels than the learner"):
        publish(colour_learner, tmp_path / "out", name="Colours", table=other)
    assert not (tmp_path / "out").exists()
