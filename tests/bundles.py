"""A classifier bundle small enough to be written by hand, and the ways in which one can be wrong."""

import json

import onnx
from onnx import TensorProto, helper

LABELS = ["red", "green", "blue"]
SIDE = 8


def description(**changes):
    """The bundle's JSON, with entries replaced; a value of ... leaves the entry out."""
    values = {
        "format_version": 1,
        "labels": LABELS,
        "size": [SIDE, SIDE],
        "resize": {"method": "squish", "margin": 0, "pad_mode": "zeros"},
        "novelty": {"threshold": 100.0, "method": "mean brightness"},
        "card": {"name": "Colours", "date": "2026-11-21"},
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not ...}


def model(described=None, *, labels=3, image=("image", TensorProto.UINT8), side=SIDE, channels=3):
    """Softmax of each channel's mean; novelty is the mean of all. `described`: JSON value or raw text."""
    name, kind = image
    nodes = [
        helper.make_node("Cast", [name], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "rows_columns"], ["colour"], keepdims=0),
        helper.make_node("Softmax", ["colour"], ["probabilities"], axis=1),
        helper.make_node("ReduceMean", ["pixels", "all_but_first"], ["novelty"], keepdims=0),
    ]
    constants = [
        helper.make_tensor("rows_columns", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("all_but_first", TensorProto.INT64, [3], [1, 2, 3]),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info(name, kind, ["n", side, side, channels])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", labels]),
            helper.make_tensor_value_info("novelty", TensorProto.FLOAT, ["n"]),
        ],
        constants,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if described is not ...:
        text = described if isinstance(described, str) else json.dumps(described or description())
        helper.set_model_props(proto, {"ipyfastai": text})
    return proto


def bundle(described=None, **options):
    return model(described, **options).SerializeToString()


def external(tensor_of, location):
    """A bundle whose tensor, chosen by `tensor_of(model)`, is to be read from another file."""
    proto = model()
    tensor = tensor_of(proto)
    tensor.CopyFrom(onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims))
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(location))
    return proto.SerializeToString()
