import threading

import numpy as np
import pytest
from ipyfastai.models import TrainingSettings
from ipyfastai.models.training.notifier import Notifier
from ipyfastai.models.training.recording import Clock, LossRecord

SETTINGS = TrainingSettings(epochs=2, frozen_epochs=1)
BATCHES = {"train": 10, "valid": 4}


def left(clock):
    return clock.progress()["seconds_left"]


def test_nothing_is_known_before_the_first_batch():
    assert Clock(SETTINGS).progress()["epoch"] == 0 and left(Clock(SETTINGS, BATCHES)) is None
    assert Clock(TrainingSettings(epochs=1, frozen_epochs=0)).progress()["frozen"] is False


def test_time_left_follows_what_was_measured():
    clock = Clock(SETTINGS, BATCHES)
    clock.begin(phase=0, epoch=1)
    clock.note("train", 1, 2.0)
    # 29 more batches of 2 s; validation, not measured yet, is taken at half of that.
    assert left(clock) == pytest.approx(29 * 2.0 + 12 * 1.0)
    for batch in range(2, 11):
        clock.note("train", batch, 2.0)
    clock.note("valid", 1, 0.5)
    assert left(clock) == pytest.approx(20 * 2.0 + 11 * 0.5)
    place = clock.progress()
    assert (place["split"], place["batch"], place["batches"], place["iteration"]) == ("valid", 1, 4, 10)
    clock.begin(phase=1, epoch=2)
    clock.note("train", 1, 6.0)  # the whole network takes longer than its last layers
    assert left(clock) == pytest.approx(19 * 6.0 + 8 * 0.5)
    assert clock.progress()["iteration"] == 11 and clock.progress()["iterations"] == 30
    clock.begin(phase=1, epoch=3)
    clock.note("train", 10, 6.0)
    clock.note("valid", 4, 0.5)
    assert left(clock) == 0


def test_losses_can_be_read_while_they_grow():
    record = LossRecord(2)
    for number in range(50):
        record.append(number / 100, number, number / 2)
        seen = record.losses()
        assert len(seen.raw) == number + 1 and seen.smoothed[-1] == number / 2
    assert np.array_equal(record.losses().iteration, np.arange(50))
    assert record.rows(48).tolist() == [[48, 0.48, 48, 24], [49, 0.49, 49, 24.5]]
    again = LossRecord(3)
    again.fill(record.rows()[:10, 1:])
    again.append(1, 2, 3)
    assert len(again.losses().raw) == 11 and again.rows(10).tolist() == [[10, 1, 2, 3]]


def test_listeners_are_called_seldom_and_told_the_last():
    said, slow = [], threading.Event()
    subject = {"value": 0}
    with Notifier(subject, [lambda subject: said.append(subject["value"]), lambda _: slow.wait(0.05)]) as notifier:
        for value in range(10_000):
            subject["value"] = value
            notifier.tell()
    notifier._thread.join(30)
    assert said[-1] == 9999 and len(said) < 100
