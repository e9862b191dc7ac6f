"""Which steps can be taken, which are done, and which are out of date."""

import pytest
from ipyfastai.widgets.studio.flow import Flow, Stage


@pytest.fixture
def flow():
    stages = [Stage("photos", "Photos"), Stage("check", "Check", ("photos",)), Stage("rate", "Rate", ("check",))]
    return Flow([*stages, Stage("train", "Train", ("check", "rate")), Stage("publish", "Publish", ("train",))])


def states(flow):
    return " ".join(flow.state(name) for name in flow.stages)


def do(flow, name, value="done"):
    flow.begin(name)
    flow.set(name, value)


def test_each_step_is_unlocked_by_the_one_before(flow):
    assert states(flow) == "ready locked locked locked locked"
    for name, after in [
        ("photos", "done ready locked locked locked"),
        ("check", "done done ready locked locked"),
        ("rate", "done done done ready locked"),
        ("train", "done done done done ready"),
        ("publish", "done done done done done"),
    ]:
        assert flow.missing(name) is None
        do(flow, name)
        assert states(flow) == after


def test_what_comes_first_is_named(flow):
    assert flow.missing("publish").name == "photos"
    do(flow, "photos")
    assert flow.missing("publish").name == "check"


def test_a_change_makes_what_follows_out_of_date_and_throws_nothing_away(flow):
    for name in flow.stages:
        do(flow, name, f"the first {name}")
    flow.set("check", "other labels")
    assert states(flow) == "done done stale stale stale"
    assert flow.stages["train"].value == "the first train"
    assert flow.missing("train").name == "rate" and flow.missing("rate") is None
    do(flow, "rate")
    assert states(flow) == "done done done stale stale"
    do(flow, "train")
    assert states(flow) == "done done done done stale"


def test_what_still_holds_can_be_kept(flow):
    for name in flow.stages:
        do(flow, name)
    flow.set("check", "fewer photos", keep=["rate"])
    assert states(flow) == "done done done stale stale"


def test_what_was_out_of_date_already_is_not_kept(flow):
    for name in flow.stages:
        do(flow, name)
    flow.set("photos", "others")
    flow.set("check", "of the others", keep=["rate"])
    assert flow.state("check") == "stale" and flow.state("rate") == "stale"


def test_a_step_that_is_begun_again_holds_up_what_follows_until_it_is_done(flow):
    for name in flow.stages:
        do(flow, name)
    flow.begin("check")
    assert states(flow) == "done ready stale stale stale"
    assert flow.missing("publish").name == "check"


def test_a_result_taken_back_holds_up_what_follows(flow):
    do(flow, "photos")
    do(flow, "check")
    flow.set("check", None)
    assert states(flow) == "done ready locked locked locked"


def test_changes_are_told():
    told = []
    flow = Flow([Stage("photos", "Photos")], changed=lambda: told.append(flow.state("photos")))
    do(flow, "photos")
    flow.set("photos", None)
    flow.set("photos", None)  # nothing changes
    assert told == ["ready", "done", "ready"]


def test_what_comes_after(flow):
    assert flow.after("photos").name == "check" and flow.after("publish") is None
