"""Which device trains here, what uses its memory, and how fast it is, measured."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..progress import Progress

BATCH, SIDE = 16, 128  # of the workload: a resnet18 that trains on noise
SECONDS = 1.5  # that it is timed for
BATCHES = 3  # but at least


@dataclass(frozen=True)
class MemoryUser:
    """What holds some of the device's memory; bytes."""

    name: str
    bytes: int


@dataclass(frozen=True)
class DeviceReport:
    """The device of this kernel.

    `kind` is "cuda", "mps" or "cpu"; `total` and `used` are bytes of its memory (None where the system does not
    tell), `users` what holds the used part as far as that is known. `threads` are those that PyTorch computes
    with on the CPU. `images_per_second` is the measured speed (None: not measured), `cpu_images_per_second` that
    of this computer's CPU where the device is another. `sentence` says what to expect.
    """

    name: str
    kind: str
    total: int | None
    used: int | None
    users: tuple[MemoryUser, ...] = field(default=())
    threads: int = 1
    images_per_second: float | None = None
    cpu_images_per_second: float | None = None
    sentence: str = ""


def device_report(
    *, measure: bool = True, gpu: tuple[str, float] | None = None, progress: Progress | None = None
) -> DeviceReport:
    """The device that a training in this kernel would use.

    >>> device_report().sentence
    'This kernel trains on the CPU: 31 images a second (resnet18, 128 pixels), measured just now.'

    `measure` times a small training, two seconds or so on each device; what else computes meanwhile makes it
    slower. `gpu` is the name of a GPU with its own `images_per_second` from a report made there: with it, a CPU
    says how many times longer a training takes here. Without a measured figure no comparison is made.
    """
    progress = progress or Progress()
    kind = best_device()
    total, used, users = {"cuda": _gpu_memory, "mps": _mps_memory, "cpu": _main_memory}[kind]()
    name, threads = device_name(kind), torch.get_num_threads()
    speed = cpu_speed = None
    if measure:
        progress.report(0, 2, f"Timing {name}")
        speed = images_per_second(kind, progress=progress)
        if kind != "cpu":
            progress.report(1, 2, "Timing the CPU for comparison")
            cpu_speed = images_per_second("cpu", progress=progress)
    sentence = _sentence(kind, name, speed, cpu_speed, gpu)
    return DeviceReport(name, kind, total, used, tuple(users), threads, speed, cpu_speed, sentence)


def best_device() -> str:
    """ "cuda", "mps" or "cpu": what fastai's data loaders put their batches on."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_name(device: torch.device | str) -> str:
    """What the device is called: a GPU's model name, or the CPU's with its threads.

    >>> device_name("cpu")
    'CPU (AMD EPYC 7B13, 2 threads)'
    """
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    count = torch.get_num_threads()
    threads = f"{count} thread{'' if count == 1 else 's'}"
    return f"CPU ({', '.join([*models[:1], threads])})"


def images_per_second(device: str, *, seconds: float = SECONDS, progress: Progress | None = None) -> float:
    """Images that a resnet18 trains on in a second: forward, backward and a step, 128 pixels, float32.

    >>> images_per_second("cpu")
    31.4

    Random images and weights: the speed does not depend on them. No random generator moves on.
    """
    from torchvision.models import resnet18

    progress = progress or Progress()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if device == "cuda" else []):
        model = resnet18(weights=None).to(device).train()
        images = torch.rand(BATCH, 3, SIDE, SIDE).to(device)
        labels = torch.randint(0, 1000, (BATCH,)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def batch() -> None:
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        optimizer.zero_grad()

    batch()  # the first chooses its algorithms
    _finish(device)
    done, began = 0, time.perf_counter()
    while done < BATCHES or time.perf_counter() - began < seconds:
        batch()
        _finish(device)
        done += 1
        progress.report(progress.done, progress.total, progress.text)
    return done * BATCH / (time.perf_counter() - began)


def _sentence(kind: str, name: str, speed: float | None, cpu_speed: float | None, gpu: tuple[str, float] | None) -> str:
    where = "the CPU" if kind == "cpu" else f"a GPU ({name})"
    if speed is None:
        return f"This kernel trains on {where}."
    measured = f"{_rounded(speed)} images a second (resnet18, {SIDE} pixels), measured just now"
    if kind == "cpu" and gpu is not None:
        longer = _rounded(gpu[1] / speed)
        return f"This kernel trains on the CPU: expect {longer}× longer than on {gpu[0]}. It does {measured}."
    if cpu_speed is not None:
        return f"This kernel trains on {where}, {_rounded(speed / cpu_speed)}× faster than on its CPU: {measured}."
    return f"This kernel trains on the CPU: {measured}."


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def _gpu_memory() -> tuple[int, int, list[MemoryUser]]:
    free, total = torch.cuda.mem_get_info()
    used, mine = total - free, torch.cuda.memory_reserved()
    others = [MemoryUser(name, size) for pid, name, size in _gpu_processes() if pid != os.getpid()]
    users = [MemoryUser("this kernel", mine), *others]
    rest = used - sum(user.bytes for user in users)
    return total, used, [*users, *([MemoryUser("others, and CUDA itself", rest)] if rest > 0 else [])]


def _gpu_processes() -> list[tuple[int, str, int]]:
    """Process id, program and bytes of all that computes on the GPU, as far as NVIDIA's tool tells."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
    rows = [row for row in csv.reader(done.stdout.splitlines(), skipinitialspace=True) if len(row) == 3]
    told = [row for row in rows if row[0].isdigit() and row[2].isdigit()]  # in a container it may say [N/A]
    return [(int(pid), Path(name).name, int(megabytes) << 20) for pid, name, megabytes in told]


def _mps_memory() -> tuple[int, int, list[MemoryUser]]:
    mine = torch.mps.driver_allocated_memory()
    return torch.mps.recommended_max_memory(), mine, [MemoryUser("this kernel", mine)]


def _main_memory() -> tuple[int | None, int | None, list[MemoryUser]]:
    """The computer's memory, or what of it this container may use."""
    lines = (line.replace(":", " ").split() for line in _lines("/proc/meminfo"))
    known = {words[0]: int(words[1]) << 10 for words in lines if len(words) > 1}
    if "MemTotal" not in known or "MemAvailable" not in known:
        return None, None, []
    total, used = known["MemTotal"], known["MemTotal"] - known["MemAvailable"]
    limit, current = (_number(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit is not None and current is not None and limit < total:
        total, used = limit, current
    pages = _lines("/proc/self/statm")
    mine = int(pages[0].split()[1]) * os.sysconf("SC_PAGE_SIZE") if pages else 0
    return total, used, [MemoryUser("this kernel", mine), MemoryUser("everything else", max(0, used - mine))]


def _number(path: str) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
