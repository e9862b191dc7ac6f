"""bundle: a description that does not fit, and a graph that is not as it is described."""

import copy
import json

import pytest
from bundles import LABELS, bundle, description, model
from ipyfastai.models import Classifier
from ipyfastai.models.bundle import BundleInfo
from onnx import TensorProto, helper
from PIL import Image


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
        (description(novelty={"threshold": 10**400}), "novelty threshold must be a finite number"),
        (description(novelty={"threshold": 1, "method": ["mean"]}), "novelty method must be a printable text"),
        (description(format_version=0), "no format version"),
        (description(resize={"method": "pad", "pad_mode": []}), "pad mode must be one of"),
        (description(novelty=[1]), "novelty threshold must be a finite number"),
        (description(card=...), "model card must be a JSON object"),
        (description(card={"name": ""}), "'name' must be given"),
    ],
)
def test_refuses_a_malformed_description_and_says_what_is_wrong(described, says):
    with pytest.raises(ValueError, match=says):
        Classifier.load(bundle(described))


@pytest.mark.parametrize("hidden", ["\0", "\n", "\x1b", "\u202e", "\u2066", "\ud800", "\u2028"], ids=ascii)
def test_refuses_labels_that_hide_something(hidden):
    with pytest.raises(ValueError, match="every label must be printable"):
        Classifier.load(bundle(json.dumps(description(labels=["red", "green", f"bl{hidden}ue"]))))


def test_takes_labels_of_any_language():
    labels = ["Bär", "می‌خواهم", "👩‍🚀 熊"]
    assert Classifier.load(bundle(description(labels=labels))).labels == tuple(labels)


def leaves(values, path=()):
    """The path of every value in nested JSON, whole lists and objects too."""
    inside = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in inside:
        yield from leaves(value, (*path, key))
    if path:
        yield path


FULL = description(
    card={
        "name": "Colours",
        "labels": LABELS,
        "metrics": {"error rate": {"value": 0.1, "baseline": 0.5}},
        "confusion": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "unfamiliar": {"cats": {"rate": 0.9, "count": 10}},
        "date": "2026-11-21",
    }
)
DEEP = json.loads("[" * 500 + "]" * 500)
HOSTILE = [None, [], {}, [[]], {"a": 1}, 10**400, -(10**400), 1e308, float("nan")]
HOSTILE += [float("-inf"), "", "\ud800", "x" * 100_000, True, -1, 0.5, DEEP]


@pytest.mark.parametrize("path", list(leaves(FULL)), ids=str)
def test_whatever_stands_in_the_description_only_a_value_error_comes_out(path):
    BundleInfo.from_metadata({"ipyfastai": json.dumps(FULL)})
    for value in HOSTILE:
        values = copy.deepcopy(FULL)
        place = values
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        try:
            info = BundleInfo.from_metadata({"ipyfastai": json.dumps(values)})
        except ValueError as error:
            assert len(str(error)) < 1000, "a message is not a place for a stranger's text"
        else:
            info.to_json().encode()
            assert info.card.sections()


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
    assert len(classifier(Image.new("RGB", (9, 9), (1, 1, 1)))) == 3
    with pytest.raises(ValueError, match=r"answered \(1, 6\) for 1 images and 3 labels"):
        classifier(Image.new("RGB", (9, 9), (2, 2, 2)))
