"""Classifier: what it answers, what it refuses, how much it holds."""

import io
import math
import pickle
import zipfile

import numpy as np
import pytest
from bundles import LABELS, bundle, description, external, model
from drawings import DATA, HTML, plain
from ipyfastai.models import Classifier, ModelCard, Prediction
from ipyfastai.models.onnx_file import read_metadata
from onnx import TensorProto, helper
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


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.pkl", b"")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (HTML, "HTML"),
        (zipped(), "zip archive, as PyTorch"),
        (pickle.dumps({"a": 1}), "Python pickle"),
        (plain(), "JPEG picture"),
        (plain(kind="PNG"), "PNG picture"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "Keras"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b'{"labels": []}', "JSON"),
        (b"just some notes about bears", "not an ONNX file but a text"),
        (bytes(range(256)), "not an ONNX file"),
        (b"\x08\x07", "holds no graph"),
    ],
)
def test_refuses_what_is_no_onnx_file_and_says_what_it_is(tmp_path, data, says):
    with pytest.raises(ValueError, match=says):
        Classifier.load(data)
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(ValueError, match=says):
        Classifier.load(tmp_path / "model.onnx")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_refuses_a_truncated_file(share):
    data = bundle()
    with pytest.raises(ValueError, match="cut short|holds no graph|carries no labels"):
        Classifier.load(data[: int(len(data) * share)])


def test_every_truncation_is_a_value_error():
    data = bundle()
    for length in range(len(data)):
        with pytest.raises(ValueError):
            Classifier.load(data[:length])


def test_a_damaged_file_never_raises_anything_but_value_error():
    data, random = bundle(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        for position in random.integers(0, len(data), 3):
            damaged[position] = random.integers(0, 256)
        try:
            Classifier.load(bytes(damaged))
        except ValueError:
            pass


@pytest.mark.parametrize(
    ("described", "says"),
    [
        (..., "carries no labels and no image size"),
        ("{not json", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1, 2]", "no format version"),
        (description(format_version="1"), "no format version"),
        (description(format_version=True), "no format version"),
        (description(format_version=2), "format 2; this ipyfastai reads up to 1. Upgrade"),
        (description(labels=...), "labels must be a list"),
        (description(labels=["one"]), "2 to 10,000"),
        (description(labels=[f"{n}" for n in range(10_001)]), "2 to 10,000"),
        (description(labels=["a", "b", 3]), "every label must be a text"),
        (description(labels=["a", "b", ""]), "every label must be a text"),
        (description(labels=["a", "b", "c" * 201]), "every label must be a text of 1 to 200"),
        (description(labels=["a", "b", "a"]), "differ from one another"),
        (description(labels=["a", "b"]), r"returns .*, not .*\[2\]"),
        (description(size=...), "size must be"),
        (description(size=[8]), "size must be"),
        (description(size=[8, 8.0]), "width must be a whole number from 8 to 2048"),
        (description(size=[4, 8]), "height must be a whole number from 8 to 2048"),
        (description(size=[1_000_000, 8]), "height must be a whole number"),
        (description(size=[16, 16]), r"takes .*, not .*\[16, 16, 3\]"),
        (description(resize=...), "resize must hold"),
        (description(resize={"method": "stretch"}), "method must be one of squish, crop, pad"),
        (description(resize={"method": ["crop"]}), "method must be one of"),
        (description(resize={"method": "squish", "margin": -1}), "margin must be"),
        (description(resize={"method": "pad", "pad_mode": "wrap"}), "pad mode must be one of"),
        (description(resize={"method": "squish", "height": 9}), "resize must hold"),
        (description(novelty={}), "novelty threshold must be a finite number"),
        (description(novelty={"threshold": "1"}), "novelty threshold must be a finite number"),
        (description(novelty={"threshold": float("nan")}), "novelty threshold must be a finite number"),
        (description(novelty=[1]), "novelty threshold must be a finite number"),
        (description(card=...), "model card must be a JSON object"),
        (description(card={"name": ""}), "'name' must be given"),
    ],
)
def test_refuses_a_malformed_description_and_says_what_is_wrong(described, says):
    with pytest.raises(ValueError, match=says):
        Classifier.load(bundle(described))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"image": ("picture", TensorProto.UINT8)}, "takes .*picture"),
        ({"image": ("image", TensorProto.FLOAT)}, r"takes .*tensor\(float\)"),
        ({"channels": 1, "labels": 1}, "takes .*8, 8, 1"),
        ({"side": "any"}, "takes .*'any'"),
    ],
)
def test_refuses_a_graph_that_is_not_as_described(options, says):
    with pytest.raises(ValueError, match=says):
        Classifier.load(bundle(**options))


def test_refuses_a_graph_without_the_novelty_it_describes():
    proto = model()
    del proto.graph.output[1], proto.graph.node[3]
    with pytest.raises(ValueError, match="returns .*novelty"):
        Classifier.load(proto.SerializeToString())


def test_refuses_operators_that_onnx_runtime_does_not_know():
    proto = model()
    proto.graph.node[2].op_type = "Sorcery"
    with pytest.raises(ValueError, match="ONNX Runtime cannot load this model"):
        Classifier.load(proto.SerializeToString())


def test_notices_an_answer_of_another_width_than_the_graph_declares():
    proto = model()
    proto.graph.initializer.append(helper.make_tensor("one", TensorProto.INT64, [1], [1]))
    brightest = [  # as many copies of the answer side by side as the brightest pixel says
        helper.make_node("ReduceMax", ["pixels"], ["max"], keepdims=0),
        helper.make_node("Cast", ["max"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "one"], ["copies"]),
        helper.make_node("Concat", ["one", "copies"], ["repeats"], axis=0),
        helper.make_node("Tile", ["colour", "repeats"], ["wide"]),
    ]
    proto.graph.node[2].input[0] = "wide"
    for position, node in enumerate(brightest, start=2):
        proto.graph.node.insert(position, node)
    classifier = Classifier.load(proto.SerializeToString())
    assert len(classifier(colour(1, 1, 1))) == 3
    with pytest.raises(ValueError, match=r"answered \(1, 6\) for 1 images and 3 labels"):
        classifier(colour(2, 2, 2))


def initializer(proto):
    return proto.graph.initializer[0]


def constant_node(proto):
    node = proto.graph.node.add(op_type="Constant", output=["unused"])
    node.attribute.add(name="value", type=4).t.CopyFrom(proto.graph.initializer[0])
    return node.attribute[0].t


def in_a_branch(proto):
    branch = helper.make_graph([], "branch", [], [])
    branch.initializer.add().CopyFrom(proto.graph.initializer[0])
    node = proto.graph.node.add(op_type="If", input=["condition"], output=["unused"])
    node.attribute.add(name="then_branch", type=5).g.CopyFrom(branch)
    return node.attribute[0].g.initializer[0]


def in_a_function(proto):
    function = proto.functions.add(name="f", domain="local")
    node = function.node.add(op_type="Constant", output=["unused"])
    node.attribute.add(name="value", type=4).t.CopyFrom(proto.graph.initializer[0])
    return node.attribute[0].t


def sparse(proto):
    proto.graph.sparse_initializer.add().values.CopyFrom(proto.graph.initializer[0])
    return proto.graph.sparse_initializer[0].values


@pytest.mark.parametrize("place", [initializer, constant_node, in_a_branch, in_a_function, sparse])
@pytest.mark.parametrize("location", ["absolute", "../secret", "secret", "link"])
def test_never_reads_another_file_of_the_server(tmp_path, monkeypatch, place, location):
    folder = tmp_path / "folder"
    folder.mkdir()
    for file in (tmp_path / "secret", folder / "secret"):
        file.write_bytes(np.array([1, 2], np.int64).tobytes())
    (folder / "link").symlink_to(tmp_path / "secret")
    monkeypatch.chdir(folder)
    data = external(place, tmp_path / "secret" if location == "absolute" else location)
    with pytest.raises(ValueError, match="keeps tensors in other files"):
        Classifier.load(data)
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ValueError, match="keeps tensors in other files"):
        Classifier.load(folder / "model.onnx")


def test_a_file_that_is_also_in_onnx_runtimes_other_format_is_read_as_onnx():
    # "ORTM" at the fifth byte makes ONNX Runtime guess its own format, which read_metadata cannot check.
    disguised = b"\x12\x06" + b"xxORTM" + bundle()
    assert disguised[4:8] == b"ORTM"
    assert Classifier.load(disguised).labels == tuple(LABELS)


def test_deep_nesting_does_not_exhaust_the_stack():
    graph = b""
    for _ in range(3000):  # Model.graph > node > attribute > graph > ...
        for field in (0x32, 0x2A, 0x0A):
            graph = bytes([field]) + varint(len(graph)) + graph
    with pytest.raises(ValueError):
        Classifier.load(b"\x3a" + varint(len(graph)) + graph)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("name", ["bears"])
def test_the_shipped_bundle_is_small_and_names_no_folder_of_the_machine_it_was_made_on(name):
    from ipyfastai.models import classifier

    path = classifier.Path(classifier.__file__).with_name(f"{name}.onnx")
    data = path.read_bytes()
    assert len(data) <= 15_000_000
    assert list(read_metadata(data)) == ["ipyfastai"]
    for trace in (b"site-packages", b"/home/", b"/root/", b"/work/", b".py"):
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
