"""The plan: what will move where, and a reason for each mark that cannot be carried out."""

import os
import subprocess
import sys

import pandas as pd
import pytest
from ipyfastai.models.cleaning.journal import Journal
from ipyfastai.models.cleaning.manifest import plan
from ipyfastai.models.cleaning.marks import Mark
from ipyfastai.models.progress import Cancelled, Progress


class Photos:
    """A folder with files, its table and its marks."""

    def __init__(self, root, *names):
        self.root, self.names = root, names
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
        self.marks = Journal(None, root=root)

    @property
    def table(self):
        return pd.DataFrame(
            {"item": [str(self.root / n) for n in self.names], "label": [n.split("/")[0] for n in self.names]}
        )

    def move(self, label, *names):
        self.marks.mark(names, "move", label)
        return self

    def delete(self, *names):
        self.marks.mark(names, "delete")
        return self

    def plan(self, table=None, **options):
        return plan(self.root, self.table if table is None else table, self.marks.marks, **options)


@pytest.fixture
def photos(tmp_path):
    return Photos(tmp_path / "photos", "black/1.jpg", "black/2.jpg", "grizzly/1.jpg", "grizzly/3.jpg")


def ways(manifest):
    return dict(zip(manifest.rows["from"], manifest.rows["to"], strict=True))


def reasons(manifest):
    return dict(zip(manifest.problems["item"], manifest.problems["reason"], strict=True))


def test_moves_and_deletes_are_told_in_rows_and_sentences(photos):
    photos.move("grizzly", "black/2.jpg").delete("grizzly/1.jpg", "grizzly/3.jpg")
    photos.marks.mark(["black/1.jpg"], "keep")
    manifest = photos.plan()
    assert manifest and manifest.problems.empty
    assert manifest.rows[["action", "from", "to", "reason"]].values.tolist() == [
        ["delete", "grizzly/1.jpg", "", "grizzly → trash"],
        ["delete", "grizzly/3.jpg", "", "grizzly → trash"],
        ["move", "black/2.jpg", "grizzly/2.jpg", "black → grizzly"],
    ]
    assert manifest.summary == [
        "1 picture moves: black → grizzly.",
        "2 pictures go to the trash, and can be restored.",
    ]


def test_nothing_to_do_is_said_and_planning_touches_nothing(photos, tmp_path):
    photos.marks.mark(["black/1.jpg"], "keep")
    photos.move("black", "black/2.jpg")
    manifest = photos.plan()
    assert not manifest and manifest.summary == ["Nothing is marked to be moved or deleted."]
    assert manifest.unchanged == ("black/2.jpg",) and manifest.problems.empty
    assert sorted(os.listdir(tmp_path)) == ["photos"]


def test_a_name_that_is_taken_gets_a_number_also_by_another_of_the_same_plan(tmp_path):
    photos = Photos(tmp_path, "a/x.jpg", "b/x.jpg", "b/X-2.jpg", "c/x.jpg", "d/x.JPG", "a/noext", "b/noext")
    manifest = photos.move("b", "a/x.jpg", "c/x.jpg", "d/x.JPG", "a/noext").plan()
    assert ways(manifest) == {
        "a/x.jpg": "b/x-3.jpg",  # X-2.jpg would be the same name on some disks
        "c/x.jpg": "b/x-4.jpg",
        "d/x.JPG": "b/x-5.JPG",
        "a/noext": "b/noext-2",
    }


def test_the_longest_name_is_shortened_for_its_number(tmp_path):
    name = "ü" * 125 + ".jpg"  # 254 bytes
    manifest = Photos(tmp_path, f"a/{name}", f"b/{name}").move("b", f"a/{name}").plan()
    [to] = ways(manifest).values()
    assert to.endswith("ü-2.jpg") and len(os.fsencode(to.rpartition("/")[2])) <= 255


def test_the_last_folder_called_like_the_label_is_the_class(tmp_path):
    photos = Photos(tmp_path, "train/black/2019/1.jpg", "black/valid/black/1.jpg", "train/grizzly/4.jpg")
    table = photos.table.assign(label=["black", "black", "grizzly"])
    manifest = photos.move("grizzly", "train/black/2019/1.jpg", "black/valid/black/1.jpg").plan(table)
    assert ways(manifest) == {
        "train/black/2019/1.jpg": "train/grizzly/2019/1.jpg",
        "black/valid/black/1.jpg": "black/valid/grizzly/1.jpg",
    }


@pytest.mark.parametrize(
    "label, says",
    [
        ("a/b", "it has a slash"),
        ("/etc", "it has a slash"),
        ("..", "it would be no folder of its own"),
        (".", "it would be no folder of its own"),
        ("", "it would be no folder of its own"),
        ("nul\0", "it has a null byte"),
        (".hidden", "begin with a dot are hidden"),
        ("back\\slash", "a backslash or a control character"),
        ("new\nline", "a backslash or a control character"),
        (" teddy", "begins or ends with a space"),
        ("x" * 256, "longer than 255 bytes"),
    ],
)
def test_labels_that_cannot_be_folders_are_refused_with_the_reason(photos, label, says):
    manifest = photos.move(label, "black/1.jpg").plan()
    assert not manifest and says in reasons(manifest)["black/1.jpg"]
    assert manifest.summary == ["1 mark cannot be carried out and stays."]


@pytest.mark.parametrize("label", ["<b>", "ünï çode", "a'b\"c", "-rf", "con", "🐻", "a:b*c?"])
def test_any_other_label_is_a_folder_as_it_is(photos, label):
    assert ways(photos.move(label, "black/1.jpg").plan()) == {"black/1.jpg": f"{label}/1.jpg"}


def test_an_odd_name_of_a_folder_that_is_there_already_is_fine(tmp_path):
    photos = Photos(tmp_path, " teddy/1.jpg", "black/1.jpg")
    assert ways(photos.move(" teddy", "black/1.jpg").plan()) == {"black/1.jpg": " teddy/1-2.jpg"}


# What may not be touched


def test_gone_changed_and_unknown_files_are_reported_and_the_rest_goes_on(photos):
    photos.delete(*photos.names).delete("black/other.jpg")
    (photos.root / "black/1.jpg").unlink()
    (photos.root / "black/2.jpg").write_text("another picture")
    os.utime(photos.root / "grizzly/1.jpg", (1, 1))
    manifest = photos.plan()
    assert ways(manifest) == {"grizzly/3.jpg": ""}
    assert reasons(manifest) == {
        "black/1.jpg": "The file is gone.",
        "black/2.jpg": "The file has changed since it was marked; look at it again.",
        "grizzly/1.jpg": "The file has changed since it was marked; look at it again.",
        "black/other.jpg": "This picture is not in the table that is shown.",
    }
    assert manifest.summary[-1] == "4 marks cannot be carried out and stay."


def test_links_are_left_alone_to_a_file_to_a_folder_and_as_a_target(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1.jpg").touch()
    photos = Photos(tmp_path / "photos", "black/1.jpg")
    (photos.root / "black/link.jpg").symlink_to(outside / "1.jpg")
    (photos.root / "linked").symlink_to(outside)
    (photos.root / "pipes").mkdir()
    os.mkfifo(photos.root / "pipes/1.jpg")
    photos.names = ("black/1.jpg", "black/link.jpg", "linked/1.jpg", "pipes/1.jpg")
    photos.delete("black/link.jpg", "linked/1.jpg", "pipes/1.jpg").move("linked", "black/1.jpg")
    manifest = photos.plan()
    assert not manifest
    assert reasons(manifest) == {
        "black/link.jpg": "This is a link to a file elsewhere, and links are left alone.",
        "linked/1.jpg": "Its folder is a link to elsewhere, and links are left alone.",
        "pipes/1.jpg": "This is not a file.",
        "black/1.jpg": "The folder 'linked' is a link to elsewhere, and links are left alone.",
    }


@pytest.mark.parametrize("name", ["../outside.jpg", "/etc/passwd", "black/../../x", "black//1.jpg", "", "nul\0"])
def test_marks_that_lead_outside_are_refused_whoever_wrote_them(photos, name):
    table = pd.concat([photos.table, pd.DataFrame({"item": [f"{photos.root}/{name}"], "label": ["black"]})])
    manifest = plan(photos.root, table, {name: Mark("delete")})
    assert not manifest and len(manifest.problems) == 1


def test_items_outside_the_folder_or_in_memory_cannot_be_marked_for_anything(photos, tmp_path):
    (tmp_path / "photos2").mkdir()
    (tmp_path / "photos2/1.jpg").touch()
    table = pd.DataFrame({"item": [str(tmp_path / "photos2/1.jpg"), None], "label": ["x", "x"]})
    assert reasons(plan(photos.root, table, {"1.jpg": Mark("delete")})) == {
        "1.jpg": "This picture is not in the table that is shown."
    }


def test_a_folder_reached_by_a_link_is_the_folder_itself(photos, tmp_path):
    (tmp_path / "link").symlink_to(photos.root)
    for root, items in ((tmp_path / "link", photos.root), (photos.root, tmp_path / "link")):
        table = pd.DataFrame({"item": [str(items / "black/1.jpg")], "label": ["black"]})
        assert ways(plan(root, table, {"black/1.jpg": Mark("delete")})) == {"black/1.jpg": ""}


def test_a_file_where_the_folder_should_be_and_a_folder_that_is_gone(photos, tmp_path):
    (photos.root / "teddy").write_text("a file")
    assert "There is a file called 'teddy'" in reasons(photos.move("teddy", "black/1.jpg").plan())["black/1.jpg"]
    with pytest.raises(ValueError, match="There is no folder 'nowhere'"):
        plan(tmp_path / "nowhere", photos.table, {})


READ_ONLY = """
import os, sys
import pandas as pd
from pathlib import Path
from ipyfastai.models.cleaning.manifest import plan
from ipyfastai.models.cleaning.marks import Mark
root = Path(sys.argv[1])
names = ["black/1.jpg", "black/2.jpg", "grizzly/1.jpg"]
table = pd.DataFrame({"item": [str(root / name) for name in names], "label": [name.split("/")[0] for name in names]})
if not os.geteuid():
    os.setgid(65534), os.setuid(65534)
for marks in ({"black/1.jpg": Mark("delete")}, {"grizzly/1.jpg": Mark("move", "black")},
              {"grizzly/1.jpg": Mark("delete")}, {"grizzly/1.jpg": Mark("move", "new")}):
    manifest = plan(root, table, marks)
    print(*manifest.problems.reason, *manifest.rows.to, sep="|")
print(*plan(root, table, {"grizzly/1.jpg": Mark("move", "new")}, relabel="csv").problems.reason)
"""


def test_read_only_folders_are_seen_before_anything_is_touched(photos, tmp_path):
    def planned():
        done = subprocess.run([sys.executable, "-c", READ_ONLY, photos.root], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    for folder in [*tmp_path.parents][:3]:  # root's temporary folder is its own
        os.chmod(folder, os.stat(folder).st_mode | 0o011)
    for path in (photos.root / "grizzly", tmp_path):
        os.chmod(path, 0o777)
    for path in (photos.root / "black", photos.root):
        os.chmod(path, 0o555)
    try:
        assert planned() == [
            "Its folder is read-only.",
            "The folder 'black' is read-only.",
            "",
            "The folder 'photos' is read-only.",
            "The folder is read-only: no labels.csv can be written.",
        ]
        os.chmod(tmp_path, 0o555)
        assert set(planned()) == {
            "The folder is read-only, and so is the one around it: there is no place for a trash."
        }
    finally:
        for path in (tmp_path, photos.root, photos.root / "black"):
            os.chmod(path, 0o755)


# Labels that are no folders


def test_labels_that_are_no_folders_are_corrected_in_a_table(tmp_path):
    photos = Photos(tmp_path, "cat_1.jpg", "dog_2.jpg", "sub/dog_3.jpg")
    table = photos.table.assign(label=["cat", "dog", "dog"], split=["train", "valid", "train"])
    manifest = photos.move("a/b", "dog_2.jpg").delete("cat_1.jpg").plan(table)
    assert manifest.rows[["action", "from", "to", "reason"]].values.tolist() == [
        ["delete", "cat_1.jpg", "", "cat → trash"],
        ["relabel", "dog_2.jpg", "labels.csv", "dog → a/b"],
    ]
    assert manifest.labels.values.tolist() == [["dog_2.jpg", "a/b", "valid"], ["sub/dog_3.jpg", "dog", "train"]]
    assert manifest.summary[0] == "1 label is corrected in labels.csv; the pictures stay where they are."
    assert "A label cannot be empty." in reasons(photos.move("  ", "sub/dog_3.jpg").plan(table)).values()


def test_somebodys_labels_csv_is_not_overwritten(tmp_path):
    photos = Photos(tmp_path, "cat_1.jpg", "labels.csv")
    manifest = photos.move("dog", "cat_1.jpg").plan(photos.table.assign(label="cat"))
    assert manifest.labels_file == "labels-2.csv" and manifest.replaced is None


def test_relabel_can_be_chosen(photos):
    photos.move("grizzly", "black/1.jpg")
    assert photos.plan(relabel="csv").rows.action.tolist() == ["relabel"]
    table = photos.table.assign(label="bear")
    assert photos.plan(table).rows.action.tolist() == ["relabel"]
    manifest = photos.plan(table, relabel="folder")
    assert reasons(manifest) == {"black/1.jpg": "The picture does not lie in a folder called 'bear'."}
    with pytest.raises(ValueError, match="relabel must be one of auto, folder, csv"):
        photos.plan(relabel="guess")
    with pytest.raises(ValueError, match="no column 'label'"):
        photos.plan(photos.table[["item"]])


def test_planning_can_be_cancelled(photos):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        photos.delete("black/1.jpg").plan(progress=progress)
