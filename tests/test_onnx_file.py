"""onnx_file: what is no ONNX file, what is damaged, and what reaches for other files of the server."""

import io
import pickle
import zipfile

import numpy as np
import onnx
import pytest
from bundles import LABELS, bundle, external, model
from drawings import HTML, plain
from ipyfastai.models import Classifier
from onnx import helper


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


def field(number, content, *, beyond=0):
    """A length-delimited field; `beyond` is added to its tag."""
    return varint((number << 3 | 2) + beyond) + varint(len(content)) + content


def test_a_tag_that_onnx_runtime_would_cut_to_32_bits_hides_nothing(tmp_path, monkeypatch):
    """ONNX Runtime 1.31 reads such a field as `external_data`, here a file in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(np.array([1, 2], np.int64).tobytes())
    proto = model()
    tensor = proto.graph.initializer[0]
    entry = onnx.StringStringEntryProto(key="location", value="secret").SerializeToString()
    bare = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims).SerializeToString()
    hidden = bare + field(13, entry, beyond=2**32) + varint((14 << 3) + 2**32) + b"\x01"
    graph = proto.graph.SerializeToString().replace(field(5, tensor.SerializeToString()), field(5, hidden))
    proto.ClearField("graph")
    with pytest.raises(ValueError, match="damaged"):
        Classifier.load(proto.SerializeToString() + field(7, graph))


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
