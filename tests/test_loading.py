"""fastai is loaded by one thread, however many begin at once."""

import subprocess
import sys

CHILD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ipyfastai.models.progress import Progress
from ipyfastai.widgets.studio.data_steps import loaders
from ipyfastai.widgets.studio.earlier_runs import earlier_runs
from ipyfastai.widgets.training.networks import download_in_words, networks_in_words

def no_items():
    try:
        loaders(None, None, Progress())
    except AttributeError:  # nothing to make them of, told after everything was loaded
        return sys.modules["fastai.vision.all"].Learner

calls = [networks_in_words, lambda: download_in_words("resnet18"), no_items, lambda: earlier_runs(Path("nowhere"))]
with ThreadPoolExecutor(len(calls)) as pool:
    names, sentence, learner, runs = [future.result() for future in [pool.submit(call) for call in calls]]
print(len(names), learner.__name__, runs)
"""


def test_four_threads_that_need_it_at_once():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CHILD], capture_output=True, text=True)
    assert done.stdout.split() == ["8", "Learner", "[]"], done.stderr
