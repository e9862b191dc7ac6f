import pytest
import torch
from ipyfastai.models.training.tensor_file import read_tensors, write_tensors
from safetensors.torch import load_file, save_file

KINDS = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint8, torch.bool]  # fmt: skip


def tensors():
    every = {str(kind): (torch.arange(12).reshape(3, 4) % 3).to(kind) for kind in KINDS}
    return every | {"one": torch.tensor(3.5), "none": torch.zeros(0, 4)}


def same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]) and tensor.dtype == second[name].dtype, name


def test_the_library_reads_what_we_write(tmp_path):
    write_tensors(tmp_path / "a", tensors(), {"format": "1", "é": "ü"})
    same(load_file(tmp_path / "a"), tensors())
    assert read_tensors(tmp_path / "a")[1] == {"format": "1", "é": "ü"}


def test_we_read_what_the_library_writes(tmp_path):
    save_file({name: tensor.contiguous() for name, tensor in tensors().items()}, tmp_path / "a")
    found, metadata = read_tensors(tmp_path / "a")
    assert metadata == {} and found.keys() == tensors().keys()


def test_tensors_that_do_not_lie_in_one_piece(tmp_path):
    turned = torch.rand(4, 5).T
    write_tensors(tmp_path / "a", {"turned": turned}, {})
    assert torch.equal(read_tensors(tmp_path / "a")[0]["turned"], turned)


def test_what_the_format_does_not_know_and_damage(tmp_path):
    with pytest.raises(TypeError, match="holds torch.complex64"):
        write_tensors(tmp_path / "a", {"x": torch.zeros(1, dtype=torch.complex64)}, {})
    (tmp_path / "a").write_bytes(b"\x00" * 100)
    with pytest.raises(ValueError, match="a is damaged"):
        read_tensors(tmp_path / "a")
