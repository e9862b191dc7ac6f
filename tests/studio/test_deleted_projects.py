"""Projects moved aside, brought back, and removed with the photos that are theirs alone."""

import pytest
from ipyfastai.models.deleted_projects import DeletedProjects
from ipyfastai.models.projects import Project, projects
from ipyfastai.models.training.run_folder import RunFolder


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


@pytest.fixture
def deleted(work):
    return DeletedProjects(work / "projects", photos=work / "photos")


def new(work, name, photos="images-1/bears"):
    """A project that has been let go of, with photos that were fetched for it."""
    folder = work / "photos" / photos
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.jpg").touch()
    project = Project.new(work / "projects", name)
    project.save(photos=str(folder))
    project.close()
    return project


def names(work):
    return sorted(project.name for project in projects(work / "projects"))


def test_deleted_it_is_out_of_the_list_until_it_is_brought_back(work, deleted):
    project = new(work, "Bears")
    new(work, "Cats", "images-2/cats")
    deleted.add("Bears")
    assert names(work) == ["Cats"] and [one.name for one in deleted.listed()] == ["Bears"]
    deleted.restore("Bears")
    assert names(work) == ["Bears", "Cats"] and not deleted.listed()
    again = Project.open(project.folder)
    assert again.photos.is_dir()
    again.close()


def test_two_of_one_name_can_both_be_deleted_and_come_back_beside_a_third(work, deleted):
    for number in range(2):
        new(work, "Bears", f"images-{number}/bears")
        deleted.add("Bears")
    new(work, "Bears", "images-2/bears")
    for folder in deleted.names():
        deleted.restore(folder)
    assert names(work) == ["Bears"] * 3
    photos = {project.photos.parent.name for project in projects(work / "projects")}
    assert photos == {"images-0", "images-1", "images-2"}


def test_removed_it_takes_its_photos_along_but_no_other_s(work, deleted, tmp_path):
    new(work, "Bears")
    new(work, "Cats", "images-2/cats")
    new(work, "Cats again", "images-2/cats")
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    mine = Project.new(work / "projects", "Mine")
    mine.save(photos=str(elsewhere))
    mine.close()
    for name in ("Bears", "Cats", "Mine"):
        deleted.add(name)
        deleted.remove(name)
    assert names(work) == ["Cats again"] and not deleted.names()
    assert [path.name for path in (work / "photos").iterdir()] == ["images-2"] and elsewhere.is_dir()
    deleted.add("Cats-again")
    deleted.remove("Cats-again")
    assert not list((work / "photos").iterdir())


def test_photos_of_a_deleted_project_that_can_still_come_back_are_kept(work, deleted):
    new(work, "Bears")
    new(work, "The same bears")
    deleted.add("Bears")
    deleted.add("The-same-bears")
    deleted.remove("Bears")
    deleted.restore("The-same-bears")
    assert (projects(work / "projects")[0].photos / "1.jpg").is_file()


def test_where_a_project_is_damaged_no_photos_are_removed(work, deleted):
    new(work, "Bears")
    new(work, "Cats", "images-2/cats")
    (work / "projects" / "Cats" / "project.json").write_text("{")
    deleted.add("Bears")
    deleted.remove("Bears")
    assert len(list((work / "photos").iterdir())) == 2, "nobody knows whose they are"


def test_what_is_open_or_training_is_not_deleted(work, deleted):
    project = Project.open(new(work, "Bears").folder)
    with pytest.raises(ValueError, match="is open in another page"):
        deleted.add("Bears")
    project.close()
    run = RunFolder.new(project.runs)
    (run.path / "settings.json").write_text("{}")
    with run.held(), pytest.raises(ValueError, match="A training of 'Bears' is going on: stop it first."):
        deleted.add("Bears")
    assert names(work) == ["Bears"]
    deleted.add("Bears")
    assert names(work) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../photos", "Nobody", "/etc"])
def test_no_name_leads_out_of_the_workspace(work, deleted, name):
    new(work, "Bears")
    for act in (deleted.add, deleted.restore, deleted.remove):
        with pytest.raises(ValueError, match="There is no project"):
            act(name)
    assert names(work) == ["Bears"]
