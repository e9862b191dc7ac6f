"""Reads an ONNX file's envelope, without running or trusting anything in it."""

from collections.abc import Iterator
from mmap import mmap

Buffer = bytes | memoryview | mmap

# Where messages lie in messages, by field number (onnx.proto3): enough of the schema to find every
# tensor, however deep, and the metadata.
_CHILDREN = {
    "Model": {7: "Graph", 14: "Entry", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
    "Entry": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # fields of a tensor whose values lie in another file
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protobuf wire types

# What people drop in by mistake, told by how the file begins.
_NOT_ONNX = {
    b"PK\x03\x04": "a zip archive, as PyTorch saves its .pth and .pt files",
    b"\x80": "a Python pickle, as learn.export() and torch.save write them",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89HDF": "an HDF5 file, as Keras saves models",
    b"version https://git-lfs": "a Git LFS pointer: the file itself was never downloaded",
    b"<": "an HTML or XML page, often a 'not found' page that was saved instead of the file",
    b"{": "a JSON text",
}
_CONTROL = set(range(32)) - set(b"\t\n\r")  # bytes that no text has; an ONNX file begins with one
EXPORT_HINT = "Write one with ipyfastai.models.export_onnx(learn, 'model.onnx')."


def read_metadata(data: Buffer) -> dict[str, str]:
    """The metadata_props of a complete, self-contained ONNX model.

    >>> read_metadata(Path("bears.onnx").read_bytes()).keys()
    dict_keys(['ipyfastai'])

    Raises ValueError, with what to do, when `data` is no ONNX file, is cut short, or keeps tensors
    in other files. That last check is what stands between a stranger's file and the server's own: an
    ONNX tensor may name any path for its values, and the values come out as the model's answer.
    Source of the layout: onnx/onnx.proto3 and the protobuf encoding guide.
    """
    if not len(data):
        raise ValueError(f"The file is empty (0 bytes). {EXPORT_HINT}")
    head = bytes(data[:64])
    for start, what in _NOT_ONNX.items():
        if head.lstrip(b" \t\r\n").startswith(start):
            raise ValueError(f"This is not an ONNX file but {what}. {EXPORT_HINT}")
    if not _CONTROL & set(head):
        raise ValueError(f"This is not an ONNX file but a text. {EXPORT_HINT}")
    metadata: dict[str, str] = {}
    has_graph = False
    pending: list[tuple[str, int, int]] = [("Model", 0, len(data))]  # a stack, so depth needs no limit
    while pending:
        kind, start, stop = pending.pop()
        if kind == "Entry":
            texts = dict(_texts(data, start, stop))
            metadata[texts.get(1, "")] = texts.get(2, "")
            continue
        has_graph |= kind == "Graph"
        for number, wire_type, begin, end in _fields(data, start, stop):
            if kind == "Tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION):
                raise ValueError(
                    "This ONNX file keeps tensors in other files, which is refused: it must hold everything "
                    "itself. Save it as one file: onnx.save_model(model, path, save_as_external_data=False)."
                )
            if number in _CHILDREN[kind] and wire_type == _BYTES:
                pending.append((_CHILDREN[kind][number], begin, end))
    if not has_graph:
        raise ValueError(f"This is not an ONNX file: it holds no graph. {EXPORT_HINT}")
    return metadata


def _fields(data: Buffer, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, begin, end) of each field of a message; end is past its value."""
    position = start
    while position < stop:
        tag, position = _varint(data, position, stop)
        if tag >> 32:  # ONNX Runtime would cut such a tag to 32 bits, and see a field that we do not
            raise ValueError(f"This is not an ONNX file, or a damaged one. {EXPORT_HINT}")
        wire_type, begin = tag & 7, position
        if wire_type == _VARINT:
            _, position = _varint(data, position, stop)
        elif wire_type == _BYTES:
            length, begin = _varint(data, position, stop)
            position = begin + length
        elif wire_type in (_FIXED32, _FIXED64):
            position += 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"This is not an ONNX file, or a damaged one. {EXPORT_HINT}")
        if position > stop:
            raise ValueError("The ONNX file is damaged or cut short. Copy or download it again.")
        yield tag >> 3, wire_type, begin, position


def _varint(data: Buffer, position: int, stop: int) -> tuple[int, int]:
    """A base-128 number, least significant group first, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= stop:
            raise ValueError("The ONNX file is damaged or cut short. Copy or download it again.")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(f"This is not an ONNX file, or a damaged one. {EXPORT_HINT}")


def _texts(data: Buffer, start: int, stop: int) -> Iterator[tuple[int, str]]:
    for number, wire_type, begin, end in _fields(data, start, stop):
        if wire_type == _BYTES:
            yield number, bytes(data[begin:end]).decode("utf-8", errors="replace")
