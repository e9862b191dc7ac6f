"""What `restored` puts back: checked by training on, which any difference would show in."""

import copy
import random

import numpy as np
import pytest
import torch
from fastai.callback.all import MixUp, ShowGraphCallback
from fastai.optimizer import OptimWrapper, ranger
from ipyfastai.models.training.state import quiet, restored
from learners import untrained


def weights(learn):
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def fit(learn, epochs=1):
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(epochs, 1e-2)


@pytest.mark.parametrize("optimizer", ["adam", "lookahead", "torch", "none yet"])
def test_training_goes_on_as_if_nothing_had_been(colours, optimizer):
    def learner():
        learn = untrained(colours)
        if optimizer == "lookahead":
            learn.opt_func = ranger
        if optimizer == "torch":
            learn.opt_func = lambda params, **options: OptimWrapper(params, torch.optim.AdamW, **options)
        if optimizer != "none yet":
            fit(learn)
        return learn

    expected, learn = learner(), None
    fit(expected)
    learn = learner()
    before = weights(learn)
    with restored(learn):
        learn.freeze()
        fit(learn, 2)
        learn.add_cb(MixUp())
        learn.dls.loaders[0] = learn.dls.loaders[0].new(bs=2)
        assert not same(before, weights(learn))
    assert same(before, weights(learn))
    assert (learn.opt is None) == (optimizer == "none yet")
    fit(learn)
    assert same(weights(expected), weights(learn))


def test_random_generators_gradients_flags_and_records(colours):
    learn = untrained(colours)
    fit(learn)
    learn.model.eval()
    next(learn.model.parameters()).requires_grad_(False)
    next(learn.model.parameters()).grad = None
    hypers = copy.deepcopy(list(learn.opt.hypers))
    losses, callbacks, generator = list(learn.recorder.losses), list(learn.cbs), learn.dls.rng.getstate()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with restored(learn):
        learn.unfreeze()
        fit(learn)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert learn.dls.rng.getstate() == generator
    assert next(learn.model.parameters()).grad is None and not next(learn.model.parameters()).requires_grad
    assert not any(module.training for module in learn.model.modules())
    assert list(learn.opt.hypers) == hypers and learn.recorder.losses == losses and list(learn.cbs) == callbacks


def test_also_after_an_error(colours):
    learn = untrained(colours)
    before, callbacks = weights(learn), list(learn.cbs)
    with pytest.raises(ZeroDivisionError), restored(learn), quiet(learn):
        fit(learn)
        learn.loss_func = None
        raise ZeroDivisionError
    assert same(before, weights(learn)) and list(learn.cbs) == callbacks and learn.loss_func is not None


def test_quiet_says_nothing_and_keeps_the_order_of_callbacks(colours, capfd):
    learn = untrained(colours)
    learn.add_cbs([ShowGraphCallback(), MixUp()])
    callbacks, logger = list(learn.cbs), learn.logger
    with quiet(learn):
        assert not hasattr(learn, "progress")
        learn.fit(1)
    assert capfd.readouterr() == ("", "")
    assert list(learn.cbs) == callbacks and learn.logger is logger and learn.progress.learn is learn
