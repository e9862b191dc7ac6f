"""`RunsTable`: runs listed, compared, deleted and brought back."""

import pytest
from ipyfastai.models.training.deleted_runs import DeletedRuns
from ipyfastai.models.training.run import TrainingRun
from ipyfastai.models.training.run_folder import RunFolder, runs
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.widgets import RunsTable
from learners import tiny

RATES = (5e-3, 1e-2, 2e-2)


@pytest.fixture(scope="module")
def trained(colours, tmp_path_factory):
    """Runs of three learning rates, the oldest first."""
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    dls, folder, made = image_folder_dataloaders(colours, size=32, batch_size=4), tmp_path_factory.mktemp("runs"), []
    for seed, rate in enumerate(RATES):
        learn = transfer_learner(dls, tiny, pretrained=False)
        settings = TrainingSettings(epochs=2, frozen_epochs=0, learning_rate=rate, seed=seed)
        run = TrainingRun(learn, settings, folder=folder)
        run.start()
        run.wait()
        made.append(run)
    return made


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of their folder."""
    import shutil

    return shutil.copytree(trained[0].folder, tmp_path / "runs")


def say(table, **content):
    table._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def rows(table):
    return {row["name"]: row for row in table._shown["rows"]}


def test_each_run_with_its_settings_seed_state_and_best_figures(trained, folder):
    table = RunsTable(folder)
    assert [row["name"] for row in table._shown["rows"]] == [run.name for run in reversed(trained)]
    for run in trained:
        row = rows(table)[run.name]
        assert (row["state"], row["epochs"], row["best"]) == ("finished", "2 of 2", run.best)
        best = run.history.set_index("epoch").loc[run.best]
        assert row["figures"] == pytest.approx({"error_rate": best["error_rate"], "valid_loss": best["valid_loss"]})
        assert f"seed {run.settings.seed}" in row["settings"] and "2 epochs, one cycle" in row["settings"]
    assert table.value == ()


def test_chosen_runs_are_the_value_and_their_curves_are_overlaid(trained, folder):
    table = RunsTable(folder)
    first, _, last = (run.name for run in trained)
    say(table, type="choose", names=[last, first])
    assert [run.name for run in table.value] == [last, first]
    assert table.value[0].settings == trained[2].settings
    curve = table._shown["curves"][0]
    epochs, losses = curve["curves"]["valid_loss"]
    assert epochs == [1, 2] and losses == pytest.approx(list(trained[2].history["valid_loss"]))
    places, smoothed = curve["curves"]["train_loss"]
    assert smoothed == pytest.approx(list(trained[2].losses.smoothed)) and places[-1] == pytest.approx(2)
    table.refresh()
    assert [run.name for run in table.value] == [last, first]
    table.choose()
    assert table.value == () and table._shown["curves"] == []


@pytest.mark.parametrize("names", ["all", [3], [None], ["../runs"], [[]], {"a": 1}, ["", ".", ".."]])
def test_what_is_no_run_is_neither_chosen_nor_deleted(folder, names):
    table = RunsTable(folder)
    say(table, type="choose", names=names)
    say(table, type="delete", names=names)
    assert table.value == () and len(table._shown["rows"]) == 3 and not table._shown["problem"]


def test_deleted_it_is_out_of_every_list_until_it_is_brought_back(trained, folder):
    table = RunsTable(folder)
    first, second, _ = (run.name for run in trained)
    table.choose(first, second)
    say(table, type="delete", names=[first, second])
    assert len(runs(folder)) == 1 and table.value == () and table._shown["undo"] == 2
    assert table._shown["kept"] > 0
    say(table, type="undo")
    assert len(runs(folder)) == 3 and table._shown["undo"] == 0 == table._shown["kept"]
    say(table, type="delete", names=[first])
    say(table, type="empty")
    assert len(runs(folder)) == 2 and table._shown["kept"] == 0 and not (folder / ".deleted").exists()
    say(table, type="undo")
    assert len(runs(folder)) == 2


def test_a_run_that_is_being_trained_is_not_deleted(trained, folder):
    table, name = RunsTable(folder), trained[0].name
    with RunFolder(folder / name).held():
        table.delete(name)
    assert table._shown["problem"] == f"The run {name} is being trained: stop it first."
    assert len(runs(folder)) == 3 and table._shown["undo"] == 0


def test_a_name_in_the_way_is_said_and_nothing_is_overwritten(trained, folder):
    import shutil

    table, name = RunsTable(folder), trained[0].name
    table.delete(name)
    shutil.copytree(folder / ".deleted" / name, folder / name)
    table.undo()
    assert table._shown["problem"] == f"There is a run {name} already." and table._shown["undo"] == 1
    with pytest.raises(ValueError, match="There is no run"):
        DeletedRuns(folder).add("../runs")


def test_a_damaged_run_is_listed_as_such_and_cannot_be_chosen(trained, folder):
    (folder / trained[1].name / "settings.json").write_text("{")
    table = RunsTable(folder)
    assert rows(table)[trained[1].name] == {"name": trained[1].name, "state": "damaged"}
    table.choose(trained[1].name, trained[0].name)
    assert [run.name for run in table.value] == [trained[0].name]


def test_a_folder_without_runs_or_none_is_an_empty_table(tmp_path):
    assert RunsTable(tmp_path)._shown["rows"] == [] == RunsTable(tmp_path / "none")._shown["rows"]
