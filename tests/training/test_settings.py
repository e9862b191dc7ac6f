import dataclasses

import pytest
from ipyfastai.models.training.settings import Phase, TrainingSettings


def test_the_defaults_are_fine_tune():
    frozen, whole = TrainingSettings(epochs=4, learning_rate=2e-3).phases()
    # fastai's fine_tune: freeze, slice(lr), pct_start 0.99; then lr/2, slice(lr/2/100, lr/2), pct_start 0.3, div 5.
    assert frozen == Phase(1, True, "one_cycle", (None, 2e-3), 0.99, 25.0)
    assert whole == Phase(4, False, "one_cycle", (1e-5, 1e-3), 0.3, 5.0)


def test_without_frozen_epochs_there_is_one_phase_with_fastais_defaults():
    assert TrainingSettings(frozen_epochs=0, learning_rate=1e-3, discriminative=False).phases() == [
        Phase(3, False, "one_cycle", (1e-3, 1e-3), 0.25, 25.0)
    ]


@pytest.mark.parametrize("schedule", ["flat_cosine", "fixed"])
def test_other_schedules_keep_the_rate(schedule):
    phases = TrainingSettings(schedule=schedule, learning_rate=1e-3).phases()
    assert [phase.rates for phase in phases] == [(None, 1e-3), (1e-5, 1e-3)]


def test_only_frozen_epochs():
    assert [phase.frozen for phase in TrainingSettings(epochs=0, frozen_epochs=2).phases()] == [True]


@pytest.mark.parametrize(
    "values, words",
    [
        ({"epochs": 0, "frozen_epochs": 0}, "nothing to train"),
        ({"epochs": -1}, "number of epochs is a whole number"),
        ({"epochs": 1.5}, "number of epochs is a whole number"),
        ({"epochs": True}, "number of epochs is a whole number"),
        ({"learning_rate": 0}, "learning rate is a number"),
        ({"learning_rate": float("nan")}, "learning rate is a number"),
        ({"learning_rate": float("inf")}, "learning rate is a number"),
        ({"learning_rate": "1e-3"}, "learning rate is a number"),
        ({"weight_decay": -0.1}, "weight decay is a number"),
        ({"batch_size": 0}, "batch size is a whole number"),
        ({"seed": 2**32}, "seed is a whole number"),
        ({"schedule": "cyclical"}, "schedule is one of one_cycle"),
        ({"arch": "os"}, "architecture is one of"),
        ({"pretrained": 1}, "pretrained is yes or no"),
    ],
)
def test_what_makes_no_sense_is_said(values, words):
    with pytest.raises(ValueError, match=words):
        TrainingSettings(**values)


def test_settings_go_through_json_values():
    settings = TrainingSettings(epochs=5, seed=3, batch_size=8, weight_decay=0.1, arch="resnet18", schedule="fixed")
    assert TrainingSettings.from_dict(settings.to_dict()) == settings


def test_names_that_are_no_settings_are_refused():
    with pytest.raises(ValueError, match="No such setting: __class__, lr"):
        TrainingSettings.from_dict({"lr": 1, "__class__": "x"})
    with pytest.raises(ValueError, match="a name and a value"):
        TrainingSettings.from_dict([("epochs", 1)])


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingSettings().epochs = 7
