"""`Result`, `classified`, `table` and `csv_text`."""

import csv
import io
import json
import math
from collections import UserDict

import numpy as np
import pytest
from drawings import LIGHT, animation, plain
from ipyfastai.widgets.results import COLUMNS, Result, classified, csv_text, table
from ipyfastai.widgets.uploads import Upload
from PIL import Image


def upload(file=None):
    return Upload.keep("photo.jpg", plain(LIGHT) if file is None else file)


def answering(answer):
    return classified(lambda image: answer, "photo.jpg", upload())


def test_a_photo_and_its_answer():
    result = answering({"dark": 0.2, "light": 0.8})
    assert (result.predicted, result.confidence, result.error, result.note) == ("light", 0.8, "", "")
    assert Image.open(io.BytesIO(result.thumbnail)).format == "JPEG"
    for _ in range(2):
        assert Image.open(io.BytesIO(result.preview())).size == (60, 40)


def test_the_classifier_gets_an_upright_rgb_image():
    seen = []
    classified(lambda image: seen.append((image.mode, image.size)) or {"a": 1}, "x", upload())
    assert seen == [("RGB", (60, 40))]


@pytest.mark.parametrize(
    "answer", [{"a": 1}, {"a": 0, "b": 1.0}, {7: np.float32(0.5)}, UserDict(a=True), {"a": 1 + 1e-7}]
)
def test_any_mapping_of_probabilities_will_do(answer):
    result = answering(answer)
    assert result.error == ""
    assert all(type(p) is float and type(label) is str for label, p in result.probabilities.items())


NONSENSE = [
    None,
    7,
    "grizzly",
    [],
    {},
    {"a": "much"},
    {"a": None},
    {"a": math.nan},
    {"a": -0.1},
    {"a": 1.1},
    {"a": math.inf},
]


@pytest.mark.parametrize("answer", NONSENSE, ids=repr)
def test_nonsense_is_told_as_a_failure(answer):
    result = answering(answer)
    assert result.error.startswith("The classifier failed on this photo (")
    assert (result.probabilities, result.predicted) == ({}, "") and math.isnan(result.confidence)
    assert result.thumbnail, "the photo is shown all the same"


def test_what_a_classifier_raises_goes_to_the_log_not_to_the_visitor(caplog):
    def failing(image):
        raise RuntimeError("/home/publisher/secret.onnx")

    result = classified(failing, "photo.jpg", upload())
    assert result.error == "The classifier failed on this photo (RuntimeError)."
    assert "secret" not in json.dumps(result.row())
    assert "/home/publisher/secret.onnx" in caplog.text


def test_a_photo_that_cannot_be_opened_is_told_without_calling_the_classifier():
    result = classified(lambda image: pytest.fail("called"), "x", upload(b"no picture"))
    assert "text file" in result.error
    assert (result.thumbnail, result.preview()) == (b"", b"")


def test_several_pages_are_noted():
    result = classified(lambda image: {"a": 1}, "x", upload(animation("TIFF")))
    assert result.note == "This file holds several pictures: the first was used."


class Prediction(dict):
    novelty, unfamiliar = 3.5, True


def test_what_does_not_look_like_the_training_data_is_marked():
    result = answering(Prediction(a=1))
    assert (result.unfamiliar, result.novelty) == (True, 3.5)
    assert (answering({"a": 1}).unfamiliar, math.isnan(answering({"a": 1}).novelty)) == (False, True)


def test_a_row_is_json_for_every_outcome():
    for result in (answering({"a": 1}), answering(None), answering(Prediction(a=1))):
        json.dumps(result.row(), allow_nan=False)


def results():
    good = Result("bear.jpg", {"black": 0.25, "grizzly": 0.75}, novelty=1.5)
    other = Result("=HYPERLINK(1)", {"teddy": 1.0}, unfamiliar=True, label="-black")
    failed = Result('a "b",\nc.jpg', error="The classifier failed on this photo (X).")
    return [good, other, failed]


def test_a_table_has_a_row_for_each():
    frame = table(results())
    assert list(frame.columns) == [*COLUMNS, "probabilities"]
    assert list(frame["item"]) == ["bear.jpg", "=HYPERLINK(1)", 'a "b",\nc.jpg']
    assert list(frame["predicted"]) == ["grizzly", "teddy", ""]
    assert frame["confidence"].tolist()[:2] == [0.75, 1.0] and math.isnan(frame["confidence"][2])
    assert frame["probabilities"][0] == {"black": 0.25, "grizzly": 0.75}
    assert list(table([]).columns) == [*COLUMNS, "probabilities"]


def test_csv_reads_back_and_runs_nothing():
    header, *rows = csv.reader(io.StringIO(csv_text(results())))
    assert header[: len(COLUMNS)] == list(COLUMNS)
    assert header[len(COLUMNS) :] == [f"probability of {name}" for name in ("black", "grizzly", "teddy")]
    first, second, third = (dict(zip(header, row, strict=True)) for row in rows)
    assert (first["item"], float(first["confidence"]), first["novelty"]) == ("bear.jpg", 0.75, "1.5")
    assert (float(first["probability of black"]), first["probability of teddy"]) == (0.25, "")
    assert (second["item"], second["label"]) == ("'=HYPERLINK(1)", "'-black"), "a spreadsheet would run it"
    assert (third["item"], third["confidence"], third["novelty"]) == ('a "b",\nc.jpg', "", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_starts_like_a_formula(start):
    rows = list(csv.reader(io.StringIO(csv_text([Result(start + "1+1", {start + "x": 1.0})]), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(start)]
