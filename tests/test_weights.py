"""Which pretrained weights are at hand, told without asking any network."""

import socket

import pytest
import torch
import torchvision.models
from ipyfastai.models.training.settings import ARCHITECTURES, TrainingSettings
from ipyfastai.models.weights import bytes_to_download, stored_weights
from ipyfastai.widgets.training.networks import download_in_words, networks_in_words
from ipyfastai.widgets.training.settings_form import SettingsForm
from safetensors.torch import save_file


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path, monkeypatch):
    monkeypatch.delenv("IPYFASTAI_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked a network"))


def network_field(form):
    [field] = [one for one in form._shown["fields"] if one["name"] == "arch"]
    return dict(field["choices"]), field["hint"]


@pytest.mark.parametrize("arch", ["squeezenet1_1", "mobilenet_v2", "resnet18"])
def test_what_has_to_be_downloaded_is_as_large_as_the_network(arch):
    tensors = getattr(torchvision.models, arch)(weights=None).state_dict().values()
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    assert bytes_to_download(arch) == pytest.approx(numbers, rel=0.02)


def test_what_torchvision_has_downloaded_is_at_hand(monkeypatch):
    kept = []

    def download(url, path, *_, **__):
        kept.append(path)
        torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert bytes_to_download("squeezenet1_1") > 0
    torchvision.models.squeezenet1_1(weights="DEFAULT")
    assert kept and bytes_to_download("squeezenet1_1") == 0
    assert bytes_to_download("resnet18") > 0


def test_a_file_of_the_named_folder_is_at_hand(tmp_path, monkeypatch):
    save_file({"any": torch.zeros(1)}, tmp_path / "resnet18.safetensors")
    assert stored_weights("resnet18") is None
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(tmp_path))
    assert stored_weights("resnet18") == tmp_path / "resnet18.safetensors"
    assert bytes_to_download("resnet18") == 0 < bytes_to_download("resnet34")
    assert networks_in_words()["resnet18"] == "resnet18"
    assert networks_in_words()["resnet34"] == "resnet34 (87 MB to download)"
    assert list(networks_in_words()) == list(ARCHITECTURES) and download_in_words("resnet18") == ""


def test_the_form_marks_them_before_anything_is_trained(tmp_path, monkeypatch):
    form = SettingsForm(TrainingSettings(arch="resnet18"), changed=lambda: None)
    choices, hint = network_field(form)
    assert choices["resnet18"] == "resnet18 (47 MB to download)"
    assert hint == "Its pretrained weights, 47 MB, are not on this computer yet: they are downloaded first."

    form.set(pretrained=False)  # random weights need no download
    choices, hint = network_field(form)
    assert choices == {arch: arch for arch in ARCHITECTURES} and "download" not in hint

    form.set(pretrained=True)
    save_file({"any": torch.zeros(1)}, tmp_path / "resnet18.safetensors")
    monkeypatch.setenv("IPYFASTAI_WEIGHTS", str(tmp_path))
    form.lock(True)  # as when a training has begun
    choices, hint = network_field(form)
    assert choices["resnet18"] == "resnet18" and "download" not in hint
