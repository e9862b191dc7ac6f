"""python -m ipyfastai.models.bears: from a folder of photos to the bundle that is shipped."""

import shutil

import pytest
from drawings import DATA, HTML
from ipyfastai.models import Classifier, bears
from ipyfastai.models.interpretation.predictions import predictions, probabilities
from PIL import Image

pytestmark = pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A small copy of the sample data: 20 bears of each kind, some strangers, one broken file."""
    root = tmp_path_factory.mktemp("data")
    for label in ("black", "grizzly", "teddy"):
        (root / "bears" / label).mkdir(parents=True)
        for file in sorted((DATA / "bears" / label).glob("*.jpg"))[:20]:
            shutil.copy(file, root / "bears" / label)
    (root / "pets" / "images").mkdir(parents=True)
    for file in sorted((DATA / "pets" / "images").glob("*.jpg"))[::30]:
        shutil.copy(file, root / "pets" / "images")
    (root / "pets" / "images" / "broken.jpg").write_bytes(HTML)
    return root


def test_writes_a_bundle_whose_card_states_what_it_printed(few, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
    out = tmp_path / "bears.onnx"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    options = ["--out", str(out), "--size", "96", "--epochs", "8", "--source", "The album of a zoo."]
    bears.main(["--data", str(few / "bears"), *options])
    printed = capsys.readouterr().out
    classifier = Classifier.load(out)
    assert classifier.labels == ("black", "grizzly", "teddy")
    error = classifier.card.metrics["error rate"]
    assert f"error {error['value']:.1%}; always the commonest label: {error['baseline']:.1%}" in printed
    assert error["value"] < error["baseline"] == pytest.approx(8 / 12)
    assert set(classifier.card.unfamiliar) == {"held-back bears", "cats and dogs"}
    assert classifier.card.unfamiliar["cats and dogs"]["count"] == 10  # without the broken file
    assert "street scenes is left out" in printed
    sides = [max(Image.open(file).size) for file in (few / "bears").rglob("*.jpg")]
    assert f"60 colour photos, at most {max(sides)} pixels" in classifier.card.data
    assert (classifier.card.date, classifier.card.data_source) == ("1970-01-02", "The album of a zoo.")
    assert classifier.card.split.endswith("Looked at while the novelty measure was chosen: cats and dogs.")
    unseen = [file for file in sorted((DATA / "bears").rglob("*.jpg")) if int(file.stem) > 60]
    answers = classifier.batch(map(Image.open, unseen))
    right = [max(answer, key=answer.get) == file.parent.name for file, answer in zip(unseen, answers, strict=True)]
    assert sum(right) / len(right) > 0.7


def test_training_twice_gives_the_same_network(few, monkeypatch):
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
    once, again = (
        probabilities(predictions(bears.train(few / "bears", size=64, epochs=1), splits=["valid"])) for _ in range(2)
    )
    assert once == pytest.approx(again, abs=1e-5)


def test_the_shipped_card_names_the_date_the_licence_and_the_count_of_photos():
    card = Classifier.shipped("bears").card
    assert card.date == "2026-11-21"
    assert "Apache-2.0" in card.licence and "belong to their authors" in card.licence
    assert card.data_source == bears.SOURCE
    assert all(name in card.split for name in bears.STRANGERS), "none of them was unseen"
    assert "black taken for grizzly (3)" in card.not_intended_for
    assert card.data.startswith(f"{len(list((DATA / 'bears').rglob('*.jpg')))} colour photos")
