"""A training has the processor's cores for itself, whatever was computed in other threads before."""

import subprocess
import sys
import threading

import pytest
import torch
from ipyfastai.models.openmp import free_threads
from threadpoolctl import threadpool_info

torch.ones(10_000).exp_()  # loads its OpenMP
GNU = any(library["prefix"] == "libgomp" for library in threadpool_info())
# In a process of its own, because what other tests have computed counts too.
COUNT = """
import psutil, torch
from ipyfastai.models.openmp import free_threads
torch.set_num_threads(4)
def compute():
    torch.ones(2000, 2000).exp_()
threads = psutil.Process().num_threads
before = threads()
compute()
during = threads()
free_threads()
after = threads()
compute()
print(before, during, after, threads())
"""


@pytest.mark.skipif(not GNU, reason="this PyTorch's OpenMP is not GNU's")
def test_helper_threads_go_and_come_back():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    before, during, after, again = map(int, done.stdout.split())
    assert during == before + 3 == again, "three helpers beside the thread itself"
    assert after == before


def test_nothing_else_changes():
    """Any thread may call it, also one that never computed anything, and more than once."""
    expected = torch.linspace(0, 1, 1_000_000).exp().sum()
    free_threads()
    free_threads()
    assert torch.linspace(0, 1, 1_000_000).exp().sum() == expected
    other = threading.Thread(target=free_threads)
    other.start()
    other.join()
    assert torch.linspace(0, 1, 1_000_000).exp().sum() == expected
