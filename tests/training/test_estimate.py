import pytest
import torch
from fastai.callback.core import Callback
from fastai.learner import Learner
from fastai.torch_core import set_seed
from ipyfastai.models import TrainingSettings
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.training import estimate as module
from ipyfastai.models.training.estimate import estimate
from learners import untrained


class Clock:
    """A clock that the test moves: so a batch takes exactly as long as is said here."""

    now = 0.0

    def perf_counter(self):
        return self.now


class Takes(Callback):
    def __init__(self, clock, train, valid, first=0.0):
        self.clock, self.seconds = clock, (valid, train)
        self.first = first

    def before_batch(self):
        self.clock.now += self.seconds[self.training] + (self.first if self.training and not self.iter else 0)


def weights(learn):
    return [tensor.clone() for tensor in learn.model.state_dict().values()]


def test_a_few_batches_tell_the_time_of_all(colours, monkeypatch):
    learn, clock = untrained(colours), Clock()
    monkeypatch.setattr(module, "time", clock)
    learn.add_cb(Takes(clock, train=2.0, valid=0.5, first=3.0))
    before, count = weights(learn), len(learn.dls.train)
    found = estimate(learn, TrainingSettings(epochs=4), batches=3)
    # Each epoch: its batches, one of validation, and three seconds until the first comes.
    epoch = 2.0 * count + 0.5 * len(learn.dls.valid) + 3.0
    assert found.frozen_epoch == found.epoch == pytest.approx(epoch) and found.total == pytest.approx(5 * epoch)
    assert found.images_per_second == pytest.approx(4 / 2.0) and found.measured == 3
    assert all(torch.equal(one, other) for one, other in zip(before, weights(learn), strict=True))
    assert learn.opt is None


def test_fewer_batches_than_asked_for_and_no_frozen_epochs(colours):
    learn = untrained(colours)
    found = estimate(learn, TrainingSettings(epochs=1, frozen_epochs=0, batch_size=12))
    assert found.measured == 2 and found.frozen_epoch == 0 and found.epoch == found.total > 0


def test_the_training_is_the_same_after_it(colours):
    plain, timed = untrained(colours), untrained(colours)
    set_seed(0)
    with plain.no_bar(), plain.no_logging():
        plain.fine_tune(1)
    set_seed(0)
    estimate(timed, TrainingSettings(epochs=1))
    with timed.no_bar(), timed.no_logging():
        timed.fine_tune(1)
    assert all(torch.equal(one, other) for one, other in zip(weights(plain), weights(timed), strict=True))


def test_it_can_be_cancelled_and_says_what_it_cannot_time(colours):
    learn, progress = untrained(colours), Progress()
    progress.cancel()
    before = weights(learn)
    with pytest.raises(Cancelled):
        estimate(learn, TrainingSettings(), progress=progress)
    assert all(torch.equal(one, other) for one, other in zip(before, weights(learn), strict=True))
    one_group = Learner(learn.dls, learn.model, loss_func=learn.loss_func)
    with pytest.raises(ValueError, match="set frozen epochs to 0"):
        estimate(one_group, TrainingSettings())
