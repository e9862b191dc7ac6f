import numpy as np
import pytest
from fastai.callback.core import Callback
from fastai.learner import Learner
from ipyfastai.models import TrainingSettings
from ipyfastai.models.training.fitting import fit, prepare
from ipyfastai.models.training.schedule import preview, schedule
from ipyfastai.models.training.state import quiet
from learners import untrained


class Noted(Callback):
    order, run_valid = 61, False

    def __init__(self, rates, first, momenta):
        self.kept = (rates, first, momenta)

    def before_batch(self):
        groups = self.opt.hypers
        for values, value in zip(self.kept, (groups[-1]["lr"], groups[0]["lr"], groups[-1]["mom"]), strict=True):
            values.append(value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"discriminative": False},
        {"frozen_epochs": 0, "schedule": "flat_cosine"},
        {"schedule": "fixed"},
        {"epochs": 0, "frozen_epochs": 2},
        {"batch_size": 5},
    ],
    ids=str,
)
def test_the_preview_is_what_the_training_does(colours, options):
    learn, settings = untrained(colours), TrainingSettings(**{"epochs": 2} | options)
    plan, rates, first, momenta = preview(learn, settings), [], [], []
    if settings.batch_size:
        learn.dls.loaders[:] = [loader.new(bs=settings.batch_size) for loader in learn.dls.loaders]
    for phase in settings.phases():
        prepare(learn, phase)
        with quiet(learn):
            fit(learn, phase, weight_decay=None, cbs=[Noted(rates, first, momenta)])
    assert plan.rate == pytest.approx(np.array(rates)) and plan.first_rate == pytest.approx(np.array(first))
    if settings.schedule == "one_cycle":
        assert plan.momentum == pytest.approx(np.array(momenta))
    else:
        assert np.isnan(plan.momentum).all()
    assert plan.epochs[-1] == len(rates) and len(plan.epochs) == settings.total_epochs + 1
    assert plan.frozen == settings.frozen_epochs


def test_one_group_of_layers_has_one_rate(colours):
    learn = untrained(colours)
    learn = Learner(learn.dls, learn.model, loss_func=learn.loss_func)
    plan = preview(learn, TrainingSettings(frozen_epochs=0))
    assert np.array_equal(plan.rate, plan.first_rate)


def test_data_without_a_learner_have_a_preview_too(colours):
    learn = untrained(colours)
    assert np.array_equal(preview(learn.dls, TrainingSettings()).rate, preview(learn, TrainingSettings()).rate)


def test_no_batch_no_schedule(colours):
    with pytest.raises(ValueError, match="no batch to train on"):
        schedule(TrainingSettings(), 0)
    with pytest.raises(ValueError, match="no batch to train on"):
        preview(untrained(colours), TrainingSettings(batch_size=1000))
