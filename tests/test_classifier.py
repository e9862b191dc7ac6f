"""Classifier: what it answers, how much it holds, and the bears that are shipped."""

import math

import numpy as np
import pytest
from bundles import LABELS, bundle, description
from drawings import DATA
from ipyfastai.models import Classifier, ModelCard, Prediction
from ipyfastai.models.bundle import BundleInfo
from ipyfastai.models.onnx_file import read_metadata
from ipyfastai.models.resize import Resize
from PIL import Image

needs_bears = pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")


def colour(red, green, blue, size=(20, 10)):
    return Image.new("RGB", size, (red, green, blue))


@pytest.fixture
def classifier():
    return Classifier.load(bundle())


def test_answers_with_a_probability_for_each_label(classifier):
    answer = classifier(colour(2, 1, 0))
    exponentials = [math.exp(2), math.exp(1), math.exp(0)]
    assert isinstance(answer, dict) and list(answer) == LABELS == list(classifier.labels)
    assert answer["red"] == pytest.approx(exponentials[0] / sum(exponentials), abs=1e-6)
    assert sum(answer.values()) == pytest.approx(1)


def test_says_how_unfamiliar_an_image_is(classifier):
    dark, bright = classifier(colour(99, 99, 99)), classifier(colour(101, 101, 101))
    assert (dark.novelty, dark.unfamiliar) == (pytest.approx(99), False)
    assert (bright.novelty, bright.unfamiliar) == (pytest.approx(101), True)


def test_without_a_novelty_measure_nothing_is_unfamiliar():
    answer = Classifier.load(bundle(description(novelty=None)))  # an output it does not describe
    assert math.isnan(answer(colour(255, 255, 255)).novelty)
    assert answer(colour(255, 255, 255)).unfamiliar is False


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_takes_images_of_any_mode(classifier, mode):
    assert sum(classifier(Image.new("RGB", (9, 9)).convert(mode)).values()) == pytest.approx(1)


def test_takes_a_single_pixel_and_a_thin_strip(classifier):
    assert [len(answer) for answer in classifier.batch([colour(0, 0, 0, (1, 1)), colour(0, 0, 0, (1, 5000))])]


def test_carries_its_card(classifier):
    assert classifier.card == ModelCard("Colours", date="2026-11-21")


def test_tells_the_size_that_its_network_takes(classifier):
    assert classifier.size == (8, 8)
    assert Classifier(None, BundleInfo(("a", "b"), Resize(16, 24), ModelCard("Wide"))).size == (16, 24)
    with pytest.raises(AttributeError):
        classifier.size = (9, 9)


def test_loads_the_same_from_a_path_and_from_bytes(tmp_path, classifier):
    path = tmp_path / "colours.onnx"
    path.write_bytes(bundle())
    image = colour(3, 2, 1)
    assert Classifier.load(path)(image) == Classifier.load(str(path))(image) == classifier(image)


def test_batch_answers_in_order_and_as_single_calls_do(classifier):
    images = [colour(index % 5, index % 3, index % 2) for index in range(37)]
    together = list(classifier.batch(iter(images), chunk=5))
    for image, answer in zip(images, together, strict=True):
        assert isinstance(answer, Prediction)
        assert list(answer.values()) == pytest.approx(list(classifier(image).values()), abs=1e-6)
        assert answer.novelty == pytest.approx(classifier(image).novelty)


def test_batch_reads_no_further_than_the_chunk_it_answers(classifier):
    read = []

    def photos():
        for index in range(100):
            read.append(index)
            yield colour(1, 2, 3)

    answers = classifier.batch(photos(), chunk=4)
    assert read == []
    for expected in (4, 4, 4, 4, 8):
        next(answers)
        assert len(read) == expected


def test_batch_lets_go_of_each_photo_at_once(classifier):
    alive = []

    class Photo(Image.Image):
        def __del__(self):
            alive.remove(id(self))

    def photos():
        for _ in range(50):
            photo = Photo()
            photo.__setstate__([{}, "RGB", (8, 8), None, bytes(192)])
            alive.append(id(photo))
            yield photo
            del photo
            assert len(alive) <= 1

    assert len(list(classifier.batch(photos(), chunk=16))) == 50
    assert alive == []


def test_batch_of_nothing_and_bad_chunk(classifier):
    assert list(classifier.batch([])) == []
    with pytest.raises(ValueError, match="chunk must be at least 1, not 0"):
        classifier.batch([], chunk=0)


def test_missing_file_and_unknown_shipped_name(tmp_path):
    with pytest.raises(FileNotFoundError):
        Classifier.load(tmp_path / "nothing.onnx")
    with pytest.raises(ValueError, match="No shipped classifier 'wolves'; there is .*bears"):
        Classifier.shipped("wolves")
    with pytest.raises(ValueError, match="No shipped classifier '../../secret'"):
        Classifier.shipped("../../secret")


@pytest.mark.parametrize("name", ["bears"])
def test_the_shipped_bundle_is_small_and_names_no_folder_of_the_machine_it_was_made_on(name):
    from ipyfastai.models import classifier

    path = classifier.Path(classifier.__file__).with_name(f"{name}.onnx")
    data = path.read_bytes()
    assert len(data) <= 15_000_000
    assert list(read_metadata(data)) == ["ipyfastai"]
    for trace in (b"site-packages", b"/home/", b"/root/", b".py", b"File "):
        assert trace not in data


@needs_bears
def test_the_shipped_bear_classifier_knows_bears_and_flags_strangers():
    bears = Classifier.shipped("bears")
    files = sorted((DATA / "bears").rglob("*.jpg"))
    answers = list(bears.batch(map(Image.open, files)))
    right = [max(answer, key=answer.get) == file.parent.name for file, answer in zip(files, answers, strict=True)]
    assert np.mean(right) >= 0.95
    assert np.mean([answer.unfamiliar for answer in answers]) <= 0.05
    strangers = sorted((DATA / "pets" / "images").glob("*.jpg"))[::4]
    assert np.mean([answer.unfamiliar for answer in bears.batch(map(Image.open, strangers))]) >= 0.9


@needs_bears
def test_the_shipped_card_states_the_rates_that_the_bundle_has():
    bears = Classifier.shipped("bears")
    for name, folder, pattern in [
        ("cats and dogs", "pets/images", "*.jpg"),
        ("street scenes", "camvid_tiny/images", "*.png"),
        ("puppies that an image search took for teddies", "bears_dirty/teddy", "000000[589]*.jpg"),
    ]:
        stated = bears.card.unfamiliar[name]
        files = [file for file in sorted((DATA / folder).glob(pattern)) if is_picture(file)]
        flagged = [answer.unfamiliar for answer in bears.batch(map(Image.open, files))]
        if len(files) == stated["count"]:
            assert np.mean(flagged) == pytest.approx(stated["rate"], abs=0.01)
        else:
            assert all(flagged)
    assert 0 <= bears.card.unfamiliar["held-back bears"]["rate"] <= 0.05
    assert bears.card.metrics["error rate"]["value"] <= 0.05 < bears.card.metrics["error rate"]["baseline"]


def is_picture(path):
    return path.read_bytes()[:3] == b"\xff\xd8\xff" or path.suffix == ".png"
