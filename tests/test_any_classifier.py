"""`BundleUpload` and `AnyClassifier`: a model of the visitor's own."""

from pathlib import Path

import ipyfastai.models
import pytest
from drawings import HTML, plain
from ipyfastai.widgets import AnyClassifier, BundleUpload, ImageClassifier
from test_file_upload import A, B, Page

BEARS = Path(ipyfastai.models.__file__).with_name("bears.onnx")


def send(page, id, data, name):
    page.select((id, name, len(data)))
    for start in range(0, len(data), 500_000):
        page.chunk(id, data[start : start + 500_000], start, len(data))


@pytest.fixture(scope="module")
def bundle():
    if not BEARS.is_file():
        pytest.skip(f"no shipped bundle at {BEARS}")
    return BEARS.read_bytes()


@pytest.mark.parametrize(
    "file",
    [HTML, b"\x80\x04\x95pickle", bytes(1000), b"\x08\x07\x12\x07pytorch"],
    ids=["html", "pickle", "zeros", "onnx"],
)
def test_what_is_no_bundle_is_refused_with_a_reason(file):
    page = Page(BundleUpload())
    send(page, A, file, "model.onnx")
    assert page.states == {A: "refused"}
    assert len(page.messages[A]) > 20 and "Traceback" not in page.messages[A]
    assert page.widget.value == ()


def test_a_truncated_bundle_is_refused(bundle):
    page = Page(BundleUpload())
    send(page, A, bundle[: len(bundle) // 2], "model.onnx")
    assert page.states == {A: "refused"} and page.messages[A]


def test_a_bundle_becomes_a_classifier_and_a_bad_one_after_it_changes_nothing(bundle):
    app = AnyClassifier(history=False)
    page = Page(app.upload)
    assert app.value is None and list(app.children) == [app.upload]
    send(page, A, bundle, "bears.onnx")
    assert page.states == {A: "ready"}, page.messages
    first = app.value
    assert isinstance(first, ImageClassifier) and list(app.children) == [app.upload, first]
    assert set(first.labels) == {"black", "grizzly", "teddy"} and first.history is False
    send(Page(first.upload), A, plain(), "photo.jpg")
    assert first.value["predicted"][0] in first.labels and first.value["error"][0] == ""
    send(page, B, HTML, "page.onnx")
    assert app.value is first and page.states == {B: "refused"}


def test_one_model_at_a_time():
    page = Page(BundleUpload())
    page.select((A, "a.onnx", 9), (B, "b.onnx", 9))
    assert list(page.states) == [A]
    assert page.widget._notice == "Only one file at a time: 1 more was left out."
