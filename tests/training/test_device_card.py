"""`DeviceCard`: what it says of this machine, and what it keeps."""

import os

import pytest
from ipyfastai.models.training import device
from ipyfastai.widgets import DeviceCard


def say(widget, content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_this_machine_with_its_memory_and_what_uses_it():
    card = DeviceCard()
    report, shown = card.value, card.card._shown
    assert report.images_per_second is None and card.job.button == "Measure its speed"
    assert shown["name"] == report.name and shown["sentence"].startswith("This kernel trains on ")
    if report.kind == "cpu" and report.total:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        assert 0 < shown["used"] < shown["total"] <= pages * 1.01
        assert sum(size for _, size in shown["users"]) == pytest.approx(shown["used"], rel=0.2)


def test_measured_on_a_click_and_kept_when_the_memory_is_read_again(monkeypatch):
    speeds = [20.0]
    monkeypatch.setattr(device, "best_device", lambda: "cpu")
    monkeypatch.setattr(device, "images_per_second", lambda kind, **options: speeds.pop())
    card = DeviceCard(gpu=("Tesla T4", 410.0))
    assert "×" not in card.card._shown["sentence"]
    say(card.job, {"type": "start"})
    assert card.value.images_per_second == 20.0
    sentence = card.card._shown["sentence"]
    assert "expect 20× longer than on Tesla T4" in sentence or "expect 21× longer than on Tesla T4" in sentence
    say(card.card, {"type": "refresh"})
    assert card.card._shown["sentence"] == sentence and card.value.images_per_second == 20.0 and not speeds
    assert card.job.button == "Measure again"


@pytest.mark.parametrize("content", [None, [], {}, {"type": ["refresh"]}, {"type": "measure"}])
def test_what_a_page_makes_up_measures_nothing(monkeypatch, content):
    monkeypatch.setattr(device, "images_per_second", lambda *arguments, **options: pytest.fail("measured"))
    card = DeviceCard()
    before = card.value
    say(card.card, content)
    assert card.value is before
