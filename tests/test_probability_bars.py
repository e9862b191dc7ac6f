"""`ProbabilityBars`: what it takes and what it refuses; what it draws is in test_browser_classifier.py."""

import math

import pytest
from ipyfastai.widgets import ProbabilityBars
from traitlets import TraitError, link


def test_it_holds_labels_and_probabilities():
    bars = ProbabilityBars({"grizzly": 0.97, "black": 0.03}, top=1)
    assert (bars.value, bars.top) == ({"grizzly": 0.97, "black": 0.03}, 1)
    assert ProbabilityBars().value == {}
    assert ProbabilityBars({"sure": 1, "not": 0}).value == {"sure": 1.0, "not": 0.0}


@pytest.mark.parametrize(
    "bad", [{"a": 1.5}, {"a": -0.1}, {"a": math.nan}, {"a": math.inf}, {"a": "0.5"}, {1: 0.5}, {"a": None}]
)
def test_what_is_no_probability_is_refused_and_the_old_value_stays(bad):
    with pytest.raises(TraitError):
        ProbabilityBars(bad)
    bars = ProbabilityBars({"a": 0.5})
    with pytest.raises(TraitError):
        bars.value = bad
    assert bars.value == {"a": 0.5}


def test_at_least_one_label_is_drawn():
    with pytest.raises(TraitError):
        ProbabilityBars({"a": 0.5}, top=0)


def test_two_can_be_linked():
    one, other = ProbabilityBars({"a": 0.5}), ProbabilityBars()
    link((one, "value"), (other, "value"))
    one.value = {"b": 0.25}
    assert other.value == {"b": 0.25}
