"""The examples mean what they say, and features of a classifier are what its last layer is given."""

import numpy as np
import pytest
import torch
from ipyfastai.models.embeddings.example import example_embedding, examples
from ipyfastai.models.embeddings.image_features import image_features
from ipyfastai.models.embeddings.neighbours import Neighbours
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.thumbnails import Thumbnails
from sklearn.datasets import load_digits


@pytest.mark.parametrize(
    ("name", "column", "share"), [("Invented films", "genre", 0.7), ("Handwritten digits", "digit", 0.9)]
)
def test_neighbours_are_of_a_kind(name, column, share):
    embedding = example_embedding(name)
    neighbours, kinds = Neighbours(embedding.vectors), embedding.metadata[column].astype(str).to_numpy()
    alike = [kinds[neighbours.of(row, 3)[0]] == kinds[row] for row in range(0, len(embedding), 7)]
    assert np.mean(alike) > share


def test_digits_have_their_pictures(tmp_path):
    embedding = example_embedding("Handwritten digits")
    np.testing.assert_array_equal(embedding.vectors, load_digits().data)
    assert len(embedding.thumbnails) == 1797 and Thumbnails(tmp_path).get(embedding.thumbnails[0])[:2] == b"\xff\xd8"


def test_without_scikit_learn_there_are_films(monkeypatch):
    monkeypatch.setattr("ipyfastai.models.embeddings.example.find_spec", lambda name: None)
    assert examples() == ("Invented films",)
    with pytest.raises(ValueError, match="There is no example 'Handwritten digits' here; there is Invented films"):
        example_embedding("Handwritten digits")


def test_features_are_what_the_last_layer_is_given(colour_learner):
    embedding = image_features(colour_learner, splits=["valid"])
    last = [layer for layer in colour_learner.model.modules() if isinstance(layer, torch.nn.Linear)][-1]
    probabilities = colour_learner.get_preds(dl=colour_learner.dls.valid)[0].numpy()
    with torch.no_grad():
        again = last(torch.from_numpy(embedding.vectors.copy())).softmax(1).numpy()
    order = [colour_learner.dls.valid.items.index(item) for item in colour_learner.dls.valid.items]
    np.testing.assert_allclose(again, probabilities[order], atol=1e-5)
    assert not last._forward_pre_hooks, "the hook is gone"
    table = embedding.metadata
    assert table.label.tolist() == [str(item.parent.name) for item in colour_learner.dls.valid.items]
    assert table.predicted.tolist() == [colour_learner.dls.vocab[row] for row in probabilities.argmax(1)]
    np.testing.assert_allclose(table.confidence, probabilities.max(1), atol=1e-5)
    assert embedding.labels[0] == "/".join(colour_learner.dls.valid.items[0].parts[-2:])
    assert [str(item) for item in colour_learner.dls.valid.items] == list(embedding.thumbnails)


def test_both_splits_and_cancel(colour_learner):
    assert set(image_features(colour_learner).metadata.split) == {"train", "valid"}
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        image_features(colour_learner, progress=progress)
