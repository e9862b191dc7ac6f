"""`LRFinder`: what it keeps, what it says, and what a page may ask of it."""

import asyncio
import threading

import numpy as np
import pytest
from ipyfastai.models.progress import Progress
from ipyfastai.models.training import lr_finder
from ipyfastai.widgets import LRFinder
from ipyfastai.widgets.training.rates import rate_text, typed_number
from traitlets import TraitError

RATES = np.logspace(-7, 0, 71).astype(np.float32)


def curve(losses=None, **suggestions):
    if losses is None:
        losses = 1.5 - 0.8 / (1 + np.exp(-2 * (np.log10(RATES) + 3)))
    return lr_finder.LRCurve(RATES[: len(losses)], np.asarray(losses, np.float32), suggestions, {})


@pytest.fixture
def found(monkeypatch):
    """A finder whose runs give what is put into `found.curves`."""
    curves = []
    monkeypatch.setattr(lr_finder, "find_learning_rate", lambda learn, **options: curves.pop(0))
    finder = LRFinder(None)
    finder.waiting = curves
    return finder


def say(finder, content):
    finder.chart._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_the_curve_of_a_real_learner_with_its_suggestions_in_words(colour_learner):
    finder = LRFinder(colour_learner, num_it=30, end_lr=1)
    assert finder.value is None and finder.curves == ()
    assert finder.start()
    (curve,) = finder.curves
    alone = lr_finder.find_learning_rate(colour_learner, num_it=30, end_lr=1)
    assert curve.rates == pytest.approx(alone.rates) and set(curve.suggestions) == {
        "valley",
        "steep",
        "slide",
        "minimum",
    }
    shown = finder.chart._shown
    assert shown["curves"][0]["name"] == "run 1" and len(shown["curves"][0]["losses"]) == len(curve.losses)
    texts = [one["text"] for one in shown["suggestions"]]
    assert texts[0].startswith(f"The valley suggests {rate_text(curve.suggestions['valley'])}: the middle of")
    assert texts[3].startswith("Minimum/10 suggests ")


def test_a_point_a_suggestion_or_a_typed_number_becomes_the_value(found):
    found.waiting += [curve(valley=1.4e-3)]
    found.start()
    say(found, {"type": "pick", "index": 40})
    assert found.value == pytest.approx(1e-3)
    say(found, {"type": "take", "text": "valley"})
    assert found.value == 1.4e-3
    say(found, {"type": "type", "text": " 3e-3 "})
    assert found.value == 3e-3 and found.chart._shown["problem"] == ""
    for text, said in [("fast", "not 'fast'."), ("-1", "not -1.0."), ("nan", "not nan."), ("1e9", "not 1000000000.0.")]:
        say(found, {"type": "type", "text": text})
        problem = found.chart._shown["problem"]
        assert problem == f"The learning rate is a number from 1e-10 to 100, {said}" and found.value == 3e-3
    say(found, {"type": "take", "text": "valley"})
    assert found.chart._shown["problem"] == ""


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"type": "pick"},
        {"type": "pick", "index": -1},
        {"type": "pick", "index": 71},
        {"type": "pick", "index": True},
        {"type": "pick", "index": 3.0},
        {"type": "take", "text": "__class__"},
        {"type": "take", "text": 3},
        {"type": ["pick"], "index": 1},
    ],
)
def test_what_a_page_makes_up_picks_nothing(found, content):
    found.waiting += [curve(valley=1e-3)]
    found.start()
    say(found, content)
    assert found.value is None and len(found.curves) == 1


def test_a_page_that_writes_into_what_is_shown_changes_no_value(found):
    found.waiting += [curve(valley=1e-3)]
    found.start()
    state = {"_shown": {"curves": [], "value": 99, "suggestions": [{"rule": "valley", "rate": 99}]}}
    found.chart._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
    say(found, {"type": "take", "text": "valley"})
    assert found.value == 1e-3 and len(found.curves) == 1


@pytest.mark.parametrize("bad", [0, -1e-3, float("nan"), float("inf"), 1e6])
def test_a_value_that_is_no_rate_is_refused(found, bad):
    with pytest.raises(TraitError):
        found.value = bad
    found.value = 1e-2
    found.value = None


def test_curves_are_overlaid_cleared_and_brought_back_under_their_names(found):
    found.waiting += [curve(valley=1e-3), curve(valley=2e-3), curve(valley=3e-3)]
    found.start()
    found.start()
    assert [one["name"] for one in found.chart._shown["curves"]] == ["run 2", "run 1"]
    assert found.job.button == "Run it again"
    say(found, {"type": "take", "text": "valley"})
    say(found, {"type": "clear"})
    assert found.curves == () and found.chart._shown["undo"] and found.value == 2e-3
    say(found, {"type": "undo"})
    assert len(found.curves) == 2 and not found.chart._shown["undo"]
    say(found, {"type": "undo"})
    found.clear()
    found.start()
    assert [one["name"] for one in found.chart._shown["curves"]] == ["run 3"]


def test_what_runs_away_does_not_press_the_curve_flat_and_what_says_little_is_said_so(found):
    wild = np.concatenate([np.linspace(2, 1, 60), np.geomspace(1, 1e6, 10), [np.nan]])
    found.waiting += [curve(wild, valley=1e-4), curve(np.full(71, 0.3), valley=1e-4), curve([1.0, 2.0, 3.0])]
    found.start()
    low, high = found.chart._shown["limits"]
    assert 0.9 < low < 1 and high == pytest.approx(3)
    assert found.chart._shown["curves"][0]["losses"][-1] is None and found.chart._shown["notice"] == ""
    found.start()
    assert found.chart._shown["notice"].startswith("The loss hardly falls")
    found.start()
    assert found.chart._shown["notice"].startswith("The curve is too short")


def test_the_models_own_words_stand_under_the_button_and_nothing_is_lost(found, monkeypatch):
    found.waiting += [curve(valley=1e-3)]
    found.start()

    def broken(learn, **options):
        raise ValueError("This learner cannot learn any more.")

    monkeypatch.setattr(lr_finder, "find_learning_rate", broken)
    found.start()
    assert found.job._shown == {"state": "failed", "text": "This learner cannot learn any more."}
    assert len(found.curves) == 1 and not found.job.busy


def test_started_twice_and_stopped_twice_it_runs_once_and_stops_once(monkeypatch):
    began, runs = threading.Event(), []

    def endless(learn, *, progress: Progress, **options):
        runs.append(progress)
        began.set()
        while True:
            progress.report(1, 100)

    monkeypatch.setattr(lr_finder, "find_learning_rate", endless)

    async def clicks():
        finder = LRFinder(None)
        assert finder.start()
        await asyncio.to_thread(began.wait, 10)
        assert not finder.start()
        finder.stop()
        finder.stop()
        while finder.job.busy:
            await asyncio.sleep(0.01)
        finder.stop()
        return finder

    finder = asyncio.run(clicks())
    assert len(runs) == 1 and finder.curves == () and finder.job._shown["text"] == "Stopped."


def test_closed_it_lets_go_of_the_learner(colour_learner):
    finder = LRFinder(colour_learner)
    finder.close()
    assert finder._learn is None and finder.chart.comm is None


@pytest.mark.parametrize(
    ("number", "text"), [(0.00144, "1.4e-3"), (1e-7, "1e-7"), (0.5, "5e-1"), (1.0, "1e0"), (12.5, "1.2e1")]
)
def test_rates_as_text(number, text):
    assert rate_text(number) == text
    assert typed_number(text) == pytest.approx(number, rel=0.05)
