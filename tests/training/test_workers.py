"""A process that loads data dies while a thread waits for it: a sentence, and the main thread hears nothing."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import until
from fastai.callback.core import Callback
from fastai.vision.augment import Resize
from fastai.vision.data import ImageDataLoaders
from ipyfastai.models.interpretation.predictions import predictions
from ipyfastai.models.training.estimate import estimate
from ipyfastai.models.training.lr_finder import find_learning_rate
from ipyfastai.models.training.run import TrainingRun
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.training.workers import WorkerDied, own_workers
from ipyfastai.models.vision import transfer_learner
from jupyter_client.manager import start_new_kernel
from learners import tiny
from torch.utils.data import get_worker_info
from torch.utils.data._utils import signal_handling
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

SETTINGS = TrainingSettings(epochs=2, frozen_epochs=0)


class Doom(Callback):
    """After the first batch each worker ends at the next photo it reads."""

    def __init__(self, order):
        self.written = order

    def after_batch(self):
        self.written.touch()


@pytest.fixture
def doomed(colours, tmp_path, monkeypatch):
    """A learner whose worker dies in the midst of an epoch, in a process with PyTorch's handler of SIGCHLD."""
    order = tmp_path / "end"

    def obey(photo):
        if order.exists() and get_worker_info() is not None:
            os._exit(1)
        return photo

    dls = ImageDataLoaders.from_folder(
        colours, valid_pct=0.2, seed=0, item_tfms=[Resize(32), obey], bs=2, num_workers=1
    )
    assert len(dls.train) > 4  # more than what a worker reads ahead
    dls.valid.one_batch()
    list(dls.valid)  # in the main thread, which sets the handler
    assert signal_handling._SIGCHLD_handler_set
    monkeypatch.setattr(_MultiProcessingDataLoaderIter._try_get_data, "__defaults__", (0.3,))  # not every 5 s
    learn = transfer_learner(dls, tiny, pretrained=False)
    learn.add_cb(Doom(order))
    return learn


def test_a_training_ends_with_a_sentence(doomed, tmp_path):
    run = TrainingRun(doomed, SETTINGS, folder=tmp_path / "runs")
    run.start()
    assert run.wait(60) and run.state == "failed"
    assert run.problem["kind"] == "worker_died"
    assert "ended unexpectedly" in run.problem["message"] and "num_workers=0" in run.problem["message"]


@pytest.mark.parametrize(
    "work",
    [
        find_learning_rate,
        lambda learn: estimate(learn, SETTINGS, batches=50),
        lambda learn: predictions(learn, splits=("train",)),
    ],
    ids=["finder", "estimate", "predictions"],
)
def test_what_else_waits_for_a_worker_raises_in_its_own_thread(doomed, work):
    with ThreadPoolExecutor(1) as threads:
        error = threads.submit(work, doomed).exception(60)
    assert isinstance(error, WorkerDied) and "num_workers=0" in str(error)


IN_A_KERNEL = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from learners import tiny
from fastai.callback.core import Callback
from fastai.vision.augment import Resize
from fastai.vision.data import ImageDataLoaders
from ipyfastai.models.training.run import TrainingRun
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.vision import transfer_learner
from torch.utils.data import get_worker_info
from torch.utils.data._utils import signal_handling
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter
_MultiProcessingDataLoaderIter._try_get_data.__defaults__ = (0.3,)
order = Path({order!r})
def obey(photo):
    if order.exists() and get_worker_info() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return photo
class Doom(Callback):
    def after_batch(self):
        order.touch()
dls = ImageDataLoaders.from_folder(
    {photos!r}, valid_pct=0.2, seed=0, item_tfms=[Resize(32), obey], bs=2, num_workers=1)
list(dls.valid)  # in the main thread, which sets PyTorch's handler of SIGCHLD
assert signal_handling._SIGCHLD_handler_set
learn = transfer_learner(dls, tiny, pretrained=False)
learn.add_cb(Doom())
run = TrainingRun(learn, TrainingSettings(epochs=2, frozen_epochs=0), folder={runs!r})
assert run.start()
"""


def test_a_worker_that_is_killed_does_not_take_the_kernel_along(colours, tmp_path):
    """The main thread sits in the loop of a real kernel meanwhile, as in every notebook."""
    code = IN_A_KERNEL.format(
        tests=str(Path(__file__).parents[1]),
        photos=str(colours),
        order=str(tmp_path / "end"),
        runs=str(tmp_path / "runs"),
    )
    manager, kernel = start_new_kernel(startup_timeout=120)

    def ask(code):
        """Run it there, and what it has printed."""
        heard = []
        answer = kernel.execute_interactive(code, timeout=120, output_hook=heard.append)
        assert answer["content"]["status"] == "ok", answer["content"]
        return "".join(one["content"]["text"] for one in heard if one["content"].get("name") == "stdout").strip()

    def ended():
        assert manager.is_alive()
        return ask("print(run.state)") != "running"

    try:
        ask(code)
        until(ended, 120)
        assert ask("print(run.state, run.problem['kind'])") == "failed worker_died"
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)


def test_pytorch_is_as_before_afterwards():
    before = signal_handling._set_worker_pids
    with own_workers():
        with own_workers():
            assert signal_handling._set_worker_pids is not before
        assert signal_handling._set_worker_pids is not before
    assert signal_handling._set_worker_pids is before


def test_other_errors_are_left_alone():
    with pytest.raises(RuntimeError, match="^something else$"), own_workers():
        raise RuntimeError("something else")
