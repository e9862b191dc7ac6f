"""The trash: listed, restored without overwriting, emptied only when somebody says so."""

import os
from datetime import datetime, timedelta, timezone

import pandas as pd
import pytest
from ipyfastai.models.cleaning.apply import apply, undo_apply
from ipyfastai.models.cleaning.journal import Journal
from ipyfastai.models.cleaning.manifest import plan
from ipyfastai.models.cleaning.trash import Trash


@pytest.fixture
def root(tmp_path):
    for name in ("black/1.jpg", "black/2.jpg", "grizzly/1.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_text(name)
    return tmp_path / "photos"


def delete(root, *names):
    journal = Journal(None, root=root)
    journal.mark(names, "delete")
    table = pd.DataFrame(
        {"item": [str(root / name) for name in names], "label": [name.split("/")[0] for name in names]}
    )
    return apply(plan(root, table, journal.marks))


def texts(root):
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_what_was_deleted_is_listed_the_latest_first(root):
    assert Trash(root).list().empty and Trash(root).empty() == 0
    delete(root, "black/1.jpg")
    delete(root, "black/2.jpg", "grizzly/1.jpg")
    table = Trash(root).list()
    assert table.item.tolist() == ["black/2.jpg", "grizzly/1.jpg", "black/1.jpg"]
    assert table["size"].tolist() == [11, 13, 11]
    assert all(abs(moment - datetime.now(timezone.utc)) < timedelta(minutes=5) for moment in table.deleted)


def test_one_or_all_come_back(root):
    delete(root, "black/1.jpg", "black/2.jpg", "grizzly/1.jpg")
    assert texts(root) == {}
    trash = Trash(root)
    restored = trash.restore(trash.list().query("item == 'black/2.jpg'").key)
    assert restored.rows.values.tolist() == [["back", "", "black/2.jpg"]]
    assert texts(root) == {"black/2.jpg": "black/2.jpg"} and len(trash.list()) == 2
    (root / "black").rename(root / "elsewhere")  # its folder is made again
    trash.restore()
    assert texts(root).keys() == {"elsewhere/2.jpg", "black/1.jpg", "grizzly/1.jpg"} and trash.list().empty
    assert trash.restore().rows.empty


def test_a_name_that_is_taken_gets_a_number_and_twice_deleted_come_back_twice(root):
    for text in ("first", "second"):
        (root / "black/1.jpg").write_text(text)
        delete(root, "black/1.jpg")
    (root / "black/1.jpg").write_text("third")
    Trash(root).restore()
    assert sorted(texts(root).items()) == [
        ("black/1-2.jpg", "second"),
        ("black/1-3.jpg", "first"),
        ("black/1.jpg", "third"),
        ("black/2.jpg", "black/2.jpg"),
        ("grizzly/1.jpg", "grizzly/1.jpg"),
    ]


@pytest.mark.parametrize("key", ["../../photos/black/2.jpg", "/etc/passwd", "", "x/black/1.jpg"])
def test_only_what_lies_in_the_trash_can_be_restored(root, key):
    delete(root, "black/1.jpg")
    with pytest.raises(ValueError, match="^1 of the chosen files are not in the trash any more.$"):
        Trash(root).restore([key])


def test_it_is_emptied_when_somebody_says_so_and_links_in_it_lead_nowhere(root, tmp_path):
    delete(root, "black/1.jpg", "black/2.jpg")
    trash = tmp_path / ".photos.ipyfastai" / "trash"
    (trash / next(iter(os.listdir(trash))) / "link").symlink_to(root / "grizzly")
    assert Trash(root).empty() == 2
    assert Trash(root).list().empty and texts(root) == {"grizzly/1.jpg": "grizzly/1.jpg"}
    back = undo_apply(root)
    assert back.rows.empty and len(back.problems) == 2
    delete(root, "grizzly/1.jpg")
    assert Trash(root).restore().rows.to.tolist() == ["grizzly/1.jpg"]
