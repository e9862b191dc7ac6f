"""Projects that outlive the page."""

import json
import os
import stat
import subprocess
import sys

import pandas as pd
import pytest
from ipyfastai.models.data.items import paths
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.projects import Project, projects


@pytest.fixture
def project(tmp_path):
    project = Project.new(tmp_path / "work", "Bears & others")
    photos = tmp_path / "photos"
    (photos / "black").mkdir(parents=True)
    (photos / "black" / "1.jpg").touch()
    (photos / "black" / "2, with a comma.jpg").touch()
    project.save(photos=str(photos))
    yield project
    project.close()


def items(project):
    files = [str(project.photos / "black" / name) for name in ("1.jpg", "2, with a comma.jpg")]
    return pd.DataFrame({"item": paths(files), "label": ["black", "7"], "split": ["train", "valid"]})


def test_a_project_is_there_again(project):
    project.save(rate=0.002, gone="x")
    project.save(gone=None)
    project.save_items(items(project))
    project.close()
    again = Project.open(project.folder)
    assert again.name == "Bears & others" and again.facts["rate"] == 0.002 and "gone" not in again.facts
    pd.testing.assert_frame_equal(again.load_items(), items(project))
    again.close()


def test_nobody_else_can_read_it(project):
    assert stat.S_IMODE(project.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(project.folder.parent.stat().st_mode) == 0o700


def test_it_moves_with_its_photos_where_they_lie_inside(project, tmp_path):
    (project.folder / "photos").mkdir()
    (project.folder / "photos" / "1.jpg").touch()
    project.save(photos="photos")
    table = pd.DataFrame({"item": [str(project.photos / "1.jpg")], "label": ["a"], "split": ["train"]})
    project.save_items(table)
    project.close()
    moved = project.folder.rename(tmp_path / "moved")
    again = Project.open(moved)
    assert again.load_items()["item"].tolist() == [str(moved / "photos" / "1.jpg")]
    again.close()


def test_two_of_one_name_lie_side_by_side(project):
    other = Project.new(project.folder.parent, "Bears & others")
    assert other.folder != project.folder
    other.close()


@pytest.mark.parametrize("name", ["../../etc", "...", "", "a/b"])
def test_no_name_leads_out_of_the_workspace(tmp_path, name):
    project = Project.new(tmp_path, name)
    assert project.folder.parent == tmp_path and project.name == (name or project.folder.name)
    project.close()


def test_open_in_one_page_only(project):
    with pytest.raises(ValueError, match="is open in another page"):
        Project.open(project.folder)
    code = f"from ipyfastai.models.projects import Project; Project.open({str(project.folder)!r})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert other.returncode == 1 and "is open in another page" in other.stderr
    project.close()
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    Project.open(project.folder).close()


def test_what_another_page_lets_go_of_in_time_is_opened_with_its_last_facts(project):
    class Closing(Progress):
        def report(self, done, total=None, text=""):
            super().report(done, total, text)
            project.save(rate=0.5)
            project.close()

    progress = Closing()
    again = Project.open(project.folder, patience=60, progress=progress)
    assert progress.text == "Waiting for the earlier page to close…" and again.facts["rate"] == 0.5
    again.close()


def test_waiting_for_another_page_can_be_cancelled(project):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        Project.open(project.folder, patience=60, progress=progress)
    project.close()
    Project.open(project.folder).close()


def test_photos_that_have_gone_are_no_longer_claimed(project):
    project.save_items(items(project))
    os.remove(project.photos / "black" / "1.jpg")
    assert project.load_items() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_a_damaged_project_says_so_and_is_not_listed(project, content):
    (project.folder / "project.json").write_bytes(content.encode("latin-1"))
    project.close()
    with pytest.raises(ValueError, match="cannot be read"):
        Project.open(project.folder)
    assert projects(project.folder.parent) == []


def test_a_damaged_table_is_no_table(project):
    (project.folder / "items.csv").write_text("item,nothing\n1.jpg,x\n")
    assert project.load_items() is None
    assert Project(project.folder, {}).load_items() is None


def test_the_newest_first(tmp_path):
    for name, created in [("old", "2025-01-01"), ("new", "2026-01-01"), ("odd", 7)]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "project.json").write_text(json.dumps({"name": name, "created": created}))
    assert [project.name for project in projects(tmp_path)] == ["odd", "new", "old"]
    assert projects(tmp_path / "nowhere") == []


def test_no_project_there(tmp_path):
    with pytest.raises(ValueError, match="There is no project 'nothing'"):
        Project.open(tmp_path / "nothing")
