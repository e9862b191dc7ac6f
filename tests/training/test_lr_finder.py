import math
import os

import numpy as np
import pytest
import torch
from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.torch_core import set_seed
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.training.lr_finder import find_learning_rate
from learners import untrained

OPTIONS = {"num_it": 60, "end_lr": 10}


def test_the_curve_and_the_suggestions_are_those_of_lr_find(colours, tmp_path):
    theirs, ours = untrained(colours), untrained(colours)
    theirs.path = tmp_path
    set_seed(5)
    with theirs.no_bar():
        expected = theirs.lr_find(show_plot=False, suggest_funcs=(valley, steep, slide, minimum), **OPTIONS)
    set_seed(5)
    curve = find_learning_rate(ours, **OPTIONS)
    assert np.array_equal(curve.rates, np.array(theirs.recorder.lrs, np.float32))
    assert np.array_equal(curve.losses, torch.stack(theirs.recorder.losses).numpy())
    assert curve.suggestions == pytest.approx(expected._asdict(), rel=1e-6)
    rate, loss = curve.marks["minimum"]
    assert rate / 10 == pytest.approx(expected.minimum)
    assert loss == pytest.approx(np.interp(rate, curve.rates, curve.losses), rel=1e-4)


def fingerprint(learn):
    """All of a learner's numbers and the next ones of every generator, in one string."""
    parts = [*learn.model.state_dict().values(), torch.get_rng_state()]
    opt = repr(learn.opt and learn.opt.state_dict())
    flags = [(p.requires_grad, p.grad is None) for p in learn.model.parameters()]
    callbacks = [(type(one).__name__, sorted(vars(one))) for one in learn.cbs]
    return repr([part.tolist() for part in parts]), opt, flags, callbacks, learn.dls.rng.getstate(), sorted(vars(learn))


@pytest.mark.parametrize("end", ["through", "cancelled", "failed"])
def test_the_learner_is_as_before_and_nothing_is_on_the_disk(colours, tmp_path, capfd, end):
    learn = untrained(colours)
    learn.path = tmp_path
    if end != "through":
        with learn.no_bar(), learn.no_logging():
            learn.fit(1)
    before, progress = fingerprint(learn), Progress()
    if end == "through":
        find_learning_rate(learn, num_it=20, progress=progress)
        assert progress.done == progress.total == 20
    elif end == "cancelled":
        progress.report = lambda done, total, text="": done == 7 and progress.cancel() or Progress.report(progress, 7)
        with pytest.raises(Cancelled):
            find_learning_rate(learn, progress=progress)
    else:
        loss = learn.loss_func
        learn.loss_func = lambda *_: 1 / 0
        with pytest.raises(ZeroDivisionError):
            find_learning_rate(learn, progress=progress)
        learn.loss_func = loss
    assert fingerprint(learn) == before
    assert os.listdir(tmp_path) == []
    assert capfd.readouterr().out == ""


def test_training_after_it_is_training_without_it(colours):
    plain, found = untrained(colours), untrained(colours)
    set_seed(1)
    with plain.no_bar(), plain.no_logging():
        plain.fine_tune(1)
    set_seed(1)
    with found.no_bar(), found.no_logging():
        find_learning_rate(found, num_it=20)
        found.fine_tune(1)
    for one, other in zip(plain.model.parameters(), found.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_short_curve_has_fewer_suggestions(colours):
    curve = find_learning_rate(untrained(colours), num_it=12)
    assert set(curve.suggestions) == {"valley", "steep", "minimum"}


def test_a_loss_that_becomes_nan_ends_the_curve(colours):
    learn = untrained(colours)
    loss = learn.loss_func
    count = iter(range(1000))
    learn.loss_func = lambda *batch: loss(*batch) * (math.nan if next(count) >= 20 else 1)
    curve = find_learning_rate(learn, num_it=40)
    assert len(curve.losses) == len(curve.rates) == 20 and np.isfinite(curve.losses).all()


def test_bad_input_is_said(colours):
    learn = untrained(colours)
    with pytest.raises(ValueError, match="no range"):
        find_learning_rate(learn, start_lr=1, end_lr=0.1)
    with pytest.raises(ValueError, match="at least 6 batches"):
        find_learning_rate(learn, num_it=3)
    with torch.no_grad():
        next(learn.model.parameters()).fill_(math.nan)
    with pytest.raises(ValueError, match="values that are not numbers"):
        find_learning_rate(learn)
    learn = untrained(colours)
    loss = learn.loss_func
    learn.loss_func = lambda *batch: loss(*batch) * math.nan
    with pytest.raises(ValueError, match="very first batch is not a number"):
        find_learning_rate(learn, num_it=6)
