"""The drawings to try things out with."""

import numpy as np
import pytest
from ipyfastai.models.duplicates import fingerprint, group_duplicates
from ipyfastai.models.interpretation.example import EACH, SHAPES, WRONG, example_predictions
from ipyfastai.models.interpretation.predictions import check_predictions, probabilities
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.widgets.interpretation.predictions_upload import PredictionsUpload
from PIL import Image


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return example_predictions(tmp_path_factory.mktemp("drawings"))


def test_it_is_a_predictions_table_of_real_files(table):
    checked = check_predictions(table)
    assert len(checked) == EACH * len(SHAPES) and list(checked["label"].cat.categories) == list(SHAPES)
    assert np.allclose(probabilities(checked).sum(axis=1), 1)
    assert set(checked["split"]) == {"train", "valid"}
    for item, label in zip(checked["item"], checked["label"], strict=True):
        assert item.split("/")[-2] == label
        assert Image.open(item).size == (128, 128)
    groups = group_duplicates([fingerprint(item) for item in checked["item"]])
    assert len(set(groups)) > 0.9 * len(groups)  # each is another drawing


def test_the_model_is_real_and_finds_the_wrong_labels(table):
    wrong = table.index.isin(table.attrs["wrong"])
    assert wrong.sum() == WRONG
    contradicted = (table["label"].astype(str) != table["predicted"].astype(str)).to_numpy()
    assert contradicted[wrong].mean() > 0.8 and contradicted[~wrong].mean() < 0.1
    assert set(table["loss"].nlargest(WRONG // 2).index) <= set(table.attrs["wrong"])


def test_the_same_seed_draws_the_same(table, tmp_path):
    again = example_predictions(tmp_path)
    assert again["loss"].tolist() == table["loss"].tolist()
    assert example_predictions(tmp_path / "other", seed=1)["loss"].tolist() != table["loss"].tolist()


def test_it_can_be_cancelled(tmp_path):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        example_predictions(tmp_path, progress=progress)


def test_one_click_shows_it_and_says_what_it_is():
    upload = PredictionsUpload()
    upload.job._handle_msg({"content": {"data": {"method": "custom", "content": {"type": "start"}}}, "buffers": []})
    assert len(upload.value) == EACH * len(SHAPES) and upload.root.is_dir()
    assert f"{WRONG} of them with a wrong label" in upload.job._shown["text"]
    folder = upload.root
    upload.close()
    assert not folder.exists()
