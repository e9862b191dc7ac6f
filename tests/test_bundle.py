"""bundle: a description that does not fit, and a graph that is not as it is described."""

import pytest
from bundles import bundle, description, model
from ipyfastai.models import Classifier
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
    assert len(classifier(Image.new("RGB", (9, 9), (1, 1, 1)))) == 3
    with pytest.raises(ValueError, match=r"answered \(1, 6\) for 1 images and 3 labels"):
        classifier(Image.new("RGB", (9, 9), (2, 2, 2)))
