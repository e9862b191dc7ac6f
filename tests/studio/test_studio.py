"""The studio without a browser: what is locked, what is kept, what is said."""

import asyncio
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from ipyfastai.models import predictions_table
from ipyfastai.models.data.digits import write_digits
from ipyfastai.models.projects import Project, projects
from ipyfastai.models.training.run_folder import RunFolder
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.vision import image_folder_dataloaders
from ipyfastai.widgets import Trainer
from ipyfastai.widgets.studio import data_steps
from ipyfastai.widgets.studio.earlier_runs import EarlierRuns, earlier_runs
from ipyfastai.widgets.studio.train_steps import Start
from ipyfastai.widgets.studio.training_studio import NO_FASTAI, TrainingStudio


def shown(studio, name):
    return studio.steps[name].head._shown


def states(studio):
    return [shown(studio, name)["state"] for name in studio.steps]


def press(form, name):
    form._handle_custom_msg({"type": "press", "name": name}, [])


async def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


@pytest.fixture
def studio(tmp_path):
    studio = TrainingStudio(tmp_path / "work")
    yield studio
    studio.close()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("digits") / "Ten digits", per_class=4)


def write_run(folder, *, state, epochs, done):
    """A run as a kernel leaves it that trained `done` of `epochs`."""
    folder.mkdir(parents=True)
    run, settings = RunFolder(folder), TrainingSettings(arch="resnet18", frozen_epochs=0, epochs=epochs)
    run.write_settings(settings, {"network": "resnet18"})
    run.write_state({"state": state})
    rows = [{"epoch": number + 1, "train_loss": 1.0, "valid_loss": 1.0, "error_rate": 0.14} for number in range(done)]
    run.write_history(pd.DataFrame(rows).assign(frozen=False, seconds=1.0))


async def bring(studio, folder):
    """What the first step does when photos have come."""
    studio.steps["photos"].source.set_trait("value", folder)
    await asyncio.sleep(0)


async def check(studio):
    studio.go_to("check")
    await until(lambda: studio.flow.state("check") == "done")


def test_nothing_but_the_first_step_can_be_opened(studio):
    assert states(studio) == ["ready"] + ["locked"] * 6
    assert shown(studio, "photos")["open"] and shown(studio, "train")["said"] == "First: 1. Photos."
    for name in ("check", "train", "publish"):
        studio.steps[name].head._handle_custom_msg({"type": "open"}, [])
        assert not shown(studio, name)["open"]
    assert studio.value is None


def test_a_page_can_begin_no_step_that_is_locked_or_done(studio, digits):
    def try_all():
        before = states(studio)
        for step in studio.steps.values():
            step.job.set_state({"button": "Try again"})
            step.job._handle_custom_msg({"type": "start"}, [])
            shown = dict(step.head._shown)
            step.head.set_state({"_shown": {**shown, "renew": "Again"}})
            step.head._handle_custom_msg({"type": "renew"}, [])
            step.head._shown = shown
        assert states(studio) == before

    try_all()
    asyncio.run(bring(studio, digits))
    try_all()
    assert studio.steps["photos"].value == digits


def test_photos_make_a_project_and_unlock_the_look_at_them(studio, digits):
    async def use():
        await bring(studio, digits)
        assert states(studio)[:3] == ["done", "ready", "locked"]
        assert shown(studio, "photos")["said"] == "Ten digits"
        await check(studio)

    asyncio.run(use())
    assert shown(studio, "check")["said"] == "40 photos of 10 labels: 30 to learn from, 10 to be tested on."
    data = studio.flow.stages["check"].value
    assert (data.size, data.augment) == (64, "signs"), "pictures as small as these are no photos"
    [project] = projects(studio.workspace / "projects")
    assert project.load_items().equals(data.items)


def test_other_photos_make_what_follows_out_of_date(studio, digits, colours):
    async def use():
        await bring(studio, digits)
        await check(studio)
        studio.flow.begin("rate")
        studio.flow.set("rate", Start("resnet18", 0.004))
        studio.go_to("photos")
        await bring(studio, colours)
        assert states(studio)[:4] == ["done", "stale", "stale", "locked"]
        assert "Ten digits" not in shown(studio, "photos")["said"]
        assert shown(studio, "check")["said"] == "There are other photos now."
        await check(studio)
        assert states(studio)[:4] == ["done", "done", "stale", "locked"]
        assert studio.flow.stages["rate"].value == Start("resnet18", 0.004), "it is marked, not thrown away"

    asyncio.run(use())
    assert shown(studio, "check")["said"].startswith("30 photos of 3 labels")
    assert len(projects(studio.workspace / "projects")) == 2


def test_while_new_photos_are_fetched_the_old_ones_stay(studio, digits):
    async def use():
        await bring(studio, digits)
        studio.steps["photos"].source.set_trait("value", None)
        assert states(studio)[:2] == ["done", "ready"]

    asyncio.run(use())


def test_the_next_visit_goes_on_with_it(studio, digits):
    async def first():
        await bring(studio, digits)
        await check(studio)
        studio.project.save(arch="resnet18", rate=0.004)

    asyncio.run(first())
    before = studio.flow.stages["check"].value
    studio.close()
    again = TrainingStudio(studio.workspace)
    press(again.steps["photos"].earlier, "open")
    assert states(again) == ["done", "done", "done", "ready", "locked", "locked", "locked"]
    assert again.flow.stages["check"].value.same_as(before)
    assert shown(again, "rate")["said"] == "4e-3 for resnet18."
    again.go_to("check")  # to look at it changes nothing
    assert states(again)[2] == "done"
    press(again.steps["check"].anew, "anew")
    assert states(again)[2] == "stale"
    again.close()


def test_a_kernel_that_waited_for_its_page_knows_what_was_begun_meanwhile(studio):
    photos = studio.steps["photos"]
    assert not photos.earlier._fields["fields"]
    Project.new(studio.workspace / "projects", "Bears").close()
    photos.head._handle_custom_msg({"type": "seen"}, [])
    listed, *_ = photos.earlier._fields["fields"]
    assert [name.split(",")[0] for name in listed["options"]] == ["Bears"]


def test_a_project_that_is_open_in_another_page_says_so(monkeypatch, studio, digits):
    monkeypatch.setattr(data_steps, "PATIENCE", 0.3)
    asyncio.run(bring(studio, digits))
    other = TrainingStudio(studio.workspace)
    press(other.steps["photos"].earlier, "open")
    assert "is open in another page" in other.steps["photos"].job._shown["text"]
    assert states(other)[1] == "locked"
    other.close()


def test_the_page_that_closes_is_waited_for(studio, digits):
    asyncio.run(bring(studio, digits))
    other = TrainingStudio(studio.workspace)
    photos = other.steps["photos"]

    async def use():
        press(photos.earlier, "open")
        await until(lambda: photos.job._shown.get("text") == "Waiting for the earlier page to close…")
        studio.project.close()
        await until(lambda: states(other)[0] == "done")

    asyncio.run(use())
    assert photos.value == digits and not photos.job._shown
    press(photos.earlier, "open")
    assert photos.job._shown["text"] == "'Ten digits' is open here already."
    other.close()


def test_a_training_that_ended_early_is_told_of_and_continued_or_used(studio, digits):
    asyncio.run(bring(studio, digits))
    write_run(studio.project.runs / "2026-11-20 10.00.00", state="running", epochs=3, done=1)
    write_run(studio.project.runs / "2026-11-19 10.00.00", state="finished", epochs=1, done=1)
    studio.close()
    again = TrainingStudio(studio.workspace)

    async def use():
        press(again.steps["photos"].earlier, "open")
        await until(lambda: "ended early" in shown(again, "photos")["said"])

    asyncio.run(use())
    assert shown(again, "photos")["said"] == (
        "Ten digits. A training of it ended early, after 1 of 3 epochs: see “Train”."
    )
    assert "after 1 of 3 epochs: continue it, or use" in again.steps["train"].wanted
    pressed = []
    form = EarlierRuns(
        earlier_runs(again.project.runs),
        go_on=lambda name: pressed.append(["go on", name]),
        use=lambda name: pressed.append(["use", name]),
    )

    def buttons():
        return [(field["label"], field["primary"]) for field in form._fields["fields"] if field["kind"] == "button"]

    assert buttons() == [
        ("Continue the training (1 of 3 epochs done)", True),
        ("Use this network as it is (1 of 3 epochs, error rate 14.0 %)", False),
    ]
    press(form, "continue")
    press(form, "use")
    form._handle_custom_msg({"type": "set", "name": "run", "value": 1}, [])
    assert buttons() == [("Use this network (1 epoch, error rate 14.0 %)", True)]
    press(form, "continue")  # it is not offered, and does nothing
    press(form, "use")
    first, second = "2026-11-20 10.00.00", "2026-11-19 10.00.00"
    assert pressed == [["go on", first], ["use", first], ["use", second]]
    again.close()


def test_an_interrupted_run_is_offered_in_one_place(tmp_path, colours):
    write_run(tmp_path / "2026-11-20 10.00.00", state="running", epochs=3, done=1)
    dls = image_folder_dataloaders(colours, size=32, batch_size=4)
    alone, beside = Trainer(dls, folder=tmp_path), Trainer(dls, folder=tmp_path, offer=False)
    assert len(alone.view._shown["resumable"]) == 1 and not beside.view._shown["resumable"]
    form = EarlierRuns(earlier_runs(tmp_path), go_on=beside.go_on, use=print)
    assert [field["name"] for field in form._fields["fields"]] == ["run", "continue", "use"]
    form.offer([])  # as when it has been continued to its end, and is taken
    assert not form._fields["fields"]
    for widget in (alone, beside, form):
        widget.close()


def test_a_project_is_deleted_brought_back_and_removed_for_good(studio):
    Project.new(studio.workspace / "projects", "Bears").close()
    Project.new(studio.workspace / "projects", "Cats").close()
    photos = studio.steps["photos"]
    photos.head._handle_custom_msg({"type": "seen"}, [])
    form = photos.earlier

    def listed(name):
        fields = {field["name"]: field for field in form._fields["fields"]}
        return [option.split(",")[0] for option in fields[name]["options"]] if name in fields else []

    newest = listed("project")[0]
    press(form, "remove")  # nothing is deleted yet: there is no such button
    press(form, "yes")
    press(form, "delete")
    assert photos.job._shown["text"] == f"{newest} is deleted, and can be brought back."
    assert newest not in listed("project") and listed("aside") == [newest]
    press(form, "restore")
    assert sorted(listed("project")) == ["Bears", "Cats"] and not listed("aside")
    press(form, "delete")
    press(form, "remove")
    assert form._fields["fields"][-1]["label"].startswith("Yes, remove ") and listed("aside")
    press(form, "remove")
    press(form, "yes")  # taken back: there is no such button any more
    assert listed("aside")
    press(form, "remove")
    press(form, "yes")
    assert not listed("aside") and len(listed("project")) == 1
    assert len(list((studio.workspace / "projects").rglob("project.json"))) == 1


def test_an_open_project_is_not_deleted(studio, digits):
    asyncio.run(bring(studio, digits))
    photos, other = studio.steps["photos"], TrainingStudio(studio.workspace)
    photos.earlier.list()
    press(photos.earlier, "delete")
    assert photos.job._shown["text"] == "Ten digits is open here: reload the page, then it can be deleted."
    press(other.steps["photos"].earlier, "delete")
    assert "is open in another page" in other.steps["photos"].job._shown["text"]
    other.close()
    assert studio.project.folder.is_dir()


def test_on_a_public_server_nobody_deletes_what_all_visitors_share(monkeypatch, tmp_path):
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    monkeypatch.delenv("IPYFASTAI_APPLY", raising=False)
    monkeypatch.delenv("IPYFASTAI_WORKSPACE", raising=False)

    def offered(workspace):
        studio = TrainingStudio(workspace)
        Project.new(studio.workspace / "projects", "Bears").close()
        form = studio.steps["photos"].earlier
        form.list()
        press(form, "delete")
        studio.close()
        return [field["name"] for field in form._fields["fields"]]

    assert offered(tmp_path) == ["project", "open"] and (tmp_path / "projects" / "Bears").is_dir()
    assert "restore" in offered(None), "what a visit has brought itself goes with the visit anyway"
    monkeypatch.setenv("IPYFASTAI_APPLY", "1")
    assert "restore" in offered(tmp_path)


def test_a_project_whose_photos_have_gone_says_so(tmp_path):
    project = Project.new(tmp_path / "projects", "Lost")
    project.save(photos=str(tmp_path / "gone"))
    project.close()
    studio = TrainingStudio(tmp_path)
    press(studio.steps["photos"].earlier, "open")
    assert studio.steps["photos"].job._shown["text"] == "The photos of 'Lost' are not there any more."
    Project.open(project.folder).close()  # it was let go of
    studio.close()


def test_without_fastai_it_says_so_and_still_looks_at_photos(monkeypatch, tmp_path, digits):
    from ipyfastai.widgets.studio import training_studio

    monkeypatch.setattr(training_studio, "find_spec", lambda name: None)
    studio = TrainingStudio(tmp_path)
    assert studio.notice._shown == {"state": "failed", "text": NO_FASTAI} and "pip install" in NO_FASTAI

    async def use():
        await bring(studio, digits)
        await check(studio)

    asyncio.run(use())
    assert states(studio)[:3] == ["done", "done", "locked"]
    assert shown(studio, "rate")["said"] == "Needs fastai and PyTorch."
    studio.go_to("rate")
    assert not shown(studio, "rate")["open"]
    studio.close()


def test_without_a_workspace_everything_goes_with_the_kernel(monkeypatch, digits):
    monkeypatch.delenv("IPYFASTAI_WORKSPACE", raising=False)
    studio = TrainingStudio()
    asyncio.run(bring(studio, digits))
    assert list(studio.workspace.rglob("project.json"))
    studio.close()
    assert not studio.workspace.exists()


def test_on_a_public_server_a_visit_s_own_photos_can_be_cleaned_and_no_others(monkeypatch, tmp_path, digits):
    def pressed(workspace, inside):
        studio = TrainingStudio(workspace)
        folder = digits
        if inside:
            folder = studio.workspace / "photos" / "mine"
            shutil.copytree(digits, folder)
        items = [str(path) for path in sorted(folder.rglob("*.png"))]
        labels = [Path(item).parent.name for item in items]
        asyncio.run(bring(studio, folder))
        for name in ("check", "rate", "train"):
            studio.steps[name].said = str
            studio.flow.begin(name)
            studio.flow.set(name, "done")
        studio.flow.begin("confuse")
        studio.flow.set("confuse", predictions_table(items, labels, labels))
        studio.steps["clean"].begin()
        cleaner = studio.steps["clean"].cleaner
        cleaner.journal.mark([cleaner._pictures.names[0]], "delete")
        said = [text for text, _ in cleaner.panel.sheet._shown["choices"]]
        studio.close()
        return said

    monkeypatch.delenv("IPYFASTAI_WORKSPACE", raising=False)
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    assert "Apply 1 mark…" in pressed(None, inside=True)
    assert "Apply 1 mark…" not in pressed(None, inside=False)
    assert "Apply 1 mark…" not in pressed(tmp_path / "shared", inside=True), "others can open that project too"
    assert not list(digits.parent.glob(".*")), "nothing is noted beside photos that are not the visitor's"


def test_no_folder_of_the_server_reaches_the_page(studio, digits):
    async def use():
        await bring(studio, digits)
        await check(studio)

    asyncio.run(use())
    seen = str([widget.get_state() for step in studio.steps.values() for widget in (step.head, step.foot, step.job)])
    assert str(studio.workspace) not in seen and str(digits.parent) not in seen


def test_a_page_can_press_only_what_may_be_pressed(studio, digits):
    foot = studio.steps["photos"].foot
    for message in [
        None,
        {},
        {"type": "press"},
        {"type": "press", "name": ["next"]},
        {"type": "press", "name": "next"},
    ]:
        foot._handle_custom_msg(message, [])
    assert shown(studio, "photos")["open"]
    asyncio.run(bring(studio, digits))
    head = studio.steps["check"].head
    for message in [None, {"type": "renew"}, {"type": "go"}, {"type": 5}]:
        head._handle_custom_msg(message, [])
    assert not shown(studio, "check")["open"]
