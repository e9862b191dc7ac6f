import json
import shutil

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models import TrainingRun, TrainingSettings, load_run, runs
from ipyfastai.models.training.files import write_whole
from ipyfastai.models.training.run_folder import RunFolder
from learners import untrained

PATIENCE = 60


@pytest.fixture(scope="module")
def two_runs(colours, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    finished = []
    for rate in (1e-3, 1e-2):
        settings = TrainingSettings(epochs=2, frozen_epochs=1, learning_rate=rate, seed=3)
        finished.append(TrainingRun(untrained(colours), settings, folder=folder))
        finished[-1].start()
        assert finished[-1].wait(PATIENCE)
    return folder, finished


def test_runs_can_be_compared(two_runs):
    folder, finished = two_runs
    table = runs(folder)
    assert sorted(table.index) == sorted(run.name for run in finished) and table.index[0] == finished[1].name
    for run in finished:
        row, best = table.loc[run.name], run.history.set_index("epoch").loc[run.best]
        assert row["state"] == "finished" and row["seed"] == 3 and row["epochs_done"] == 3
        assert row["best_epoch"] == run.best and row["learning_rate"] == run.settings.learning_rate
        assert row["error_rate"] == best["error_rate"] and row["valid_loss"] == best["valid_loss"]
        assert row["baseline error_rate"] == run.baseline["error_rate"]


def test_a_stored_run_is_what_the_run_was(two_runs):
    folder, finished = two_runs
    for run in finished:
        stored = load_run(folder / run.name)
        assert stored.settings == run.settings and stored.state == "finished" and stored.problem is None
        assert stored.history.equals(run.history) and stored.advice == run.advice
        for name in ("iteration", "learning_rate", "raw", "smoothed"):
            assert np.array_equal(getattr(stored.losses, name), getattr(run.losses, name))
        assert stored.about["labels"] == ["blue", "green", "red"] and stored.about["items"] == {"train": 24, "valid": 6}
        assert stored.about["baseline"] == run.baseline and stored.about["versions"]["fastai"]


def test_the_files_are_plain(two_runs):
    folder, (run, _) = two_runs
    path = folder / run.name
    names = {"settings.json", "state.json", "history.csv", "losses.csv", "last.safetensors", "best.safetensors", "lock"}
    assert {file.name for file in path.iterdir()} == names
    assert json.loads((path / "settings.json").read_text())["settings"]["learning_rate"] == 1e-3
    assert len(pd.read_csv(path / "losses.csv")) == len(run.losses.raw)


def test_no_folder_and_no_runs_are_an_empty_table(tmp_path):
    assert runs(tmp_path / "none").empty and runs(tmp_path).empty
    assert "state" in runs(tmp_path).columns
    (tmp_path / "photos").mkdir()
    assert runs(tmp_path).empty


@pytest.mark.parametrize("name", ["settings.json", "state.json"])
@pytest.mark.parametrize("text", ["", "{}", "[]", '{"settings": {"epochs": -1}}', "\xff"])
def test_a_damaged_run_is_listed_as_damaged(two_runs, tmp_path, name, text):
    folder, (run, _) = two_runs
    shutil.copytree(folder / run.name, tmp_path / "run")
    (tmp_path / "run" / name).write_text(text, encoding="latin-1")
    assert runs(tmp_path).loc["run", "state"] == "damaged"
    with pytest.raises(ValueError):
        load_run(tmp_path / "run")


def test_half_a_row_at_the_end_is_left_out(two_runs, tmp_path):
    folder, (run, _) = two_runs
    shutil.copytree(folder / run.name, tmp_path / "run")
    with open(tmp_path / "run" / "losses.csv", "a") as file:
        file.write("18,0.00")
    assert np.array_equal(load_run(tmp_path / "run").losses.raw, run.losses.raw)


def test_numbers_come_back_bit_for_bit(two_runs, tmp_path, recwarn):
    folder, (run, _) = two_runs
    shutil.copytree(folder / run.name, tmp_path / "run")
    rng, files = np.random.default_rng(0), RunFolder(tmp_path / "run")
    values = rng.standard_normal((2000, 3)) * 10.0 ** rng.integers(-300, 300, (2000, 3))
    files.cut_losses(0)
    files.append_losses(np.column_stack([np.arange(2000), values]))
    history = pd.DataFrame({"epoch": np.arange(2000), "train_loss": values[:, 0], "valid_loss": values[:, 1]})
    files.write_history(history)
    read = files.read()
    assert np.array_equal(np.column_stack([read.losses.learning_rate, read.losses.raw, read.losses.smoothed]), values)
    pd.testing.assert_frame_equal(read.history, history, check_exact=True)
    assert not [str(warning.message) for warning in recwarn if "float_precision" in str(warning.message)]


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    folder = RunFolder.new(tmp_path)
    assert not folder.is_held()
    with folder.held():
        assert folder.is_held()
        with pytest.raises(RuntimeError, match="being trained already"), RunFolder(folder.path).held():
            pass
        assert folder.is_held()
    assert not folder.is_held()


def test_two_runs_in_a_second_have_two_folders(tmp_path):
    assert len({RunFolder.new(tmp_path).path for _ in range(3)}) == 3


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(part):
        part.write_text("ne")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_whole(path, half)
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    write_whole(path, lambda part: part.write_text("new"))
    assert path.read_text() == "new" and [file.name for file in tmp_path.iterdir()] == ["a.txt"]
