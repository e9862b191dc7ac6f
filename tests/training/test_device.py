import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.training import device
from ipyfastai.models.training.device import MemoryUser, device_report

CPU = not torch.cuda.is_available() and not torch.backends.mps.is_available()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(device, "SECONDS", 0)
    monkeypatch.setattr(device, "BATCHES", 1)


@pytest.mark.skipif(not CPU, reason="there is a GPU here")
def test_the_report_of_a_cpu(quick):
    state = torch.get_rng_state()
    report = device_report()
    assert torch.equal(torch.get_rng_state(), state)
    assert report.kind == "cpu" and report.threads == torch.get_num_threads() and report.images_per_second > 0
    assert report.name.startswith("CPU (") and f"{report.threads} thread" in report.name
    assert report.sentence.startswith("This kernel trains on the CPU: ")
    assert "×" not in report.sentence and report.cpu_images_per_second is None  # nothing measured, nothing claimed


@pytest.mark.skipif(not CPU, reason="there is a GPU here")
def test_a_figure_measured_on_a_gpu_says_how_many_times_longer(monkeypatch):
    monkeypatch.setattr(device, "images_per_second", lambda *_, **__: 25.0)
    report = device_report(gpu=("NVIDIA T4", 1000.0))
    assert report.sentence.startswith("This kernel trains on the CPU: expect 40× longer than on NVIDIA T4.")


@pytest.mark.skipif(torch.cuda.is_available() is False, reason="needs a GPU")
def test_the_report_of_a_gpu_compares_with_its_own_cpu(quick):
    report = device_report()
    assert report.kind == "cuda" and 0 < report.used <= report.total
    assert report.images_per_second > report.cpu_images_per_second > 0 and "faster than on its CPU" in report.sentence


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_what_the_system_says():
    report = device_report(measure=False)
    kernel, others = report.users
    assert report.images_per_second is None and report.sentence == "This kernel trains on the CPU."
    resident = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) << 10
    assert kernel.name == "this kernel" and kernel.bytes == pytest.approx(resident, rel=0.1)
    assert kernel.bytes + others.bytes == report.used <= report.total


def test_what_else_uses_a_gpu_is_read_from_nvidias_tool(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        f"#!/bin/sh\necho '{os.getpid()}, /usr/bin/python3, 300'\necho '7, /opt/bin/train, 1024'\necho 'x'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert device._gpu_processes() == [(os.getpid(), "python3", 300 << 20), (7, "train", 1024 << 20)]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1 << 30, 4 << 30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 1 << 29)
    total, used, users = device._gpu_memory()
    assert (total, used) == (4 << 30, 3 << 30)
    assert users[:2] == [MemoryUser("this kernel", 1 << 29), MemoryUser("train", 1 << 30)]
    assert sum(user.bytes for user in users) == used


def test_timing_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        device_report(progress=progress)


def test_importing_it_starts_no_gpu():
    code = "import torch, ipyfastai.models.training.device; assert not torch.cuda.is_initialized()"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
