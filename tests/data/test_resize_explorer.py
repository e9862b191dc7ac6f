"""`ResizeExplorer`, without a browser."""

import io

import numpy as np
import pytest
from drawings import encoded, quarters
from ipyfastai.models.data.resizing import ResizeSettings, draw
from ipyfastai.widgets import ResizeExplorer
from ipyfastai.widgets.uploads import Upload
from PIL import Image

PHOTO = Image.fromarray(quarters(120, 60))


@pytest.fixture
def explorer():
    made = ResizeExplorer(PHOTO, value=ResizeSettings("squish", size=96), count=3)
    yield made
    made.close()


def pictures(explorer):
    return [np.asarray(Image.open(io.BytesIO(data)), int) for data in explorer.view._pictures[1:]]


def set_to(explorer, name, value):
    explorer._receive({"type": "set", "name": name, "value": value})


def test_it_shows_what_the_setting_makes_and_its_code(explorer):
    [group] = explorer.view._shown["groups"]
    assert group["code"] == explorer.value.code == "item_tfms=Resize(96, ResizeMethod.Squish),"
    assert group["alike"] and group["count"] == 1, "squishing is not random: one picture says it all"
    [expected] = draw(PHOTO, explorer.value, count=1)
    assert np.abs(pictures(explorer)[0] - np.asarray(expected, int)).mean() < 4, "but for JPEG"
    assert (explorer.view._shown["width"], explorer.view._shown["height"]) == (120, 60)


def test_each_control_changes_the_setting_and_the_pictures(explorer):
    set_to(explorer, "method", "random_crop")
    set_to(explorer, "min_scale", 0.5)
    set_to(explorer, "size", 48)
    assert explorer.value == ResizeSettings("random_crop", size=48, min_scale=0.5)
    assert [one.shape for one in pictures(explorer)] == [(48, 48, 3)] * 3
    first = explorer.view._pictures
    explorer._receive({"type": "again"})
    assert explorer.view._pictures != first and explorer.view._settings["seed"] == 1
    set_to(explorer, "split", "valid")
    assert explorer.view._shown["groups"][0]["alike"]
    set_to(explorer, "split", "train")
    set_to(explorer, "count", 5)
    assert len(pictures(explorer)) == 5


def test_presets_and_presizing_beside_the_naive_order(explorer):
    explorer._receive({"type": "preset", "name": "fastai"})
    assert explorer.view._shown["groups"][0]["code"].endswith("batch_tfms=aug_transforms(),")
    set_to(explorer, "order", "presize")
    set_to(explorer, "compare", True)
    presized, naive = explorer.view._shown["groups"]
    assert (presized["title"], naive["title"]) == ("Presized", "The naive order")
    assert "Resize(460, ResizeMethod.Squish)" in presized["code"] and "size=96" in presized["code"]
    assert "Rotate(max_deg=10" in naive["code"] and "Resize(96, ResizeMethod.Squish)" in naive["code"]
    assert len(explorer.view._pictures) == 1 + 3 + 3
    for a, b in zip(pictures(explorer)[:3], pictures(explorer)[3:], strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.8, "the same draws"
    explorer._receive({"type": "preset", "name": "none"})
    assert "aug_transforms" not in explorer.value.code


def test_the_value_can_be_set_and_watched(explorer):
    seen = []
    explorer.observe(lambda change: seen.append(change.new.size), "value")
    explorer.value = ResizeSettings(size=32)
    set_to(explorer, "size", 64)
    assert seen == [32, 64] and explorer.view._settings["size"] == 64


def test_a_visitor_s_own_photo(explorer):
    explorer.upload.value = (Upload.keep("me & <i>you</i>.png", encoded(Image.new("RGB", (50, 80), "blue"), "PNG")),)
    state = explorer.view._shown
    assert (state["name"], state["width"], state["height"]) == ("me & <i>you</i>.png", 50, 80)
    assert pictures(explorer)[0].reshape(-1, 3).mean(0).argmax() == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 10_000),
        ("size", "96"),
        ("size", 96.0),
        ("size", True),
        ("rotate", float("nan")),
        ("rotate", None),
        ("method", "melt"),
        ("method", {"a": 1}),
        ("flip", ["none"]),
        ("count", 10_000),
        ("count", True),
        ("split", ["train"]),
        ("compare", "yes"),
        ("__class__", "x"),
        ("_image", "/etc/passwd"),
        (["size"], 96),
    ],
)
def test_what_a_page_may_not_set_changes_nothing(explorer, name, value):
    before = explorer.value, explorer.compare, explorer.view._shown, explorer.view._pictures
    set_to(explorer, name, value)
    assert (explorer.value, explorer.compare, explorer.view._shown, explorer.view._pictures) == before


def test_messages_that_make_no_sense(explorer):
    before = explorer.value, explorer.view._pictures
    for content in (
        None,
        3,
        [],
        {},
        {"type": 3},
        {"type": "preset", "name": "x"},
        {"type": "preset", "name": ["none"]},
    ):
        explorer.view._handle_custom_msg(content, [])
    assert (explorer.value, explorer.view._pictures) == before


def test_bad_arguments_are_refused_at_once(tmp_path):
    with pytest.raises(TypeError, match="image must be a picture or a path"):
        ResizeExplorer(3)
    with pytest.raises(ValueError, match="count must be from 1 to 12"):
        ResizeExplorer(PHOTO, count=0)
    (tmp_path / "no.jpg").write_text("hello")
    with pytest.raises(ValueError):
        ResizeExplorer(tmp_path / "no.jpg")


def test_without_a_photo_there_is_an_example():
    assert "CC BY" in ResizeExplorer(count=1).view._shown["name"]
