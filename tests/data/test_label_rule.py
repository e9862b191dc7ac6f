"""LabelRule: folders, patterns that are tried as they are typed, tables that lie there or are uploaded."""

from pathlib import Path

import pytest
from drawings import DATA
from ipyfastai.models.data.labels import captures
from ipyfastai.widgets import LabelRule
from ipyfastai.widgets.data.label_rule import FOLDER, NAME, PATTERNS, TABLE, TableUpload
from ipyfastai.widgets.uploads import Upload


def send(rule, name, value):
    rule.form._receive(rule.form, {"type": "set", "name": name, "value": value}, [])


def sentences(rule):
    return [text for _, text in rule.findings._shown.get("sentences", [])]


def rows(rule, title):
    [table] = [table for table in rule.findings._shown["tables"] if table["title"].startswith(title)]
    return table["rows"]


@pytest.fixture
def root(tmp_path):
    for name in ("cats/day 1/Tom_1.jpg", "cats/day 2/tom_2.jpg", "dogs/Rex_1.jpg", "dogs/notes.jpg"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"")
    (tmp_path / "set" / "animals.csv").write_text(
        "person,file,kind\nAnn,Tom_1.jpg,cat\nBo,tom_2,cat\nAnn,Rex_1.jpg,dog\nX,gone.jpg,cat\n"
    )
    return tmp_path / "set"


@pytest.fixture
def rule(root):
    widget = LabelRule(root)
    yield widget
    widget.close()


def test_folders_at_once_and_at_other_depths(rule):
    assert sorted(rule.value.label) == ["day 1", "day 2", "dogs", "dogs"]
    send(rule, "level", 1)
    assert sorted(rule.value.label) == ["cats", "cats", "dogs", "dogs"]
    send(rule, "level", 2)
    assert sorted(rule.value.label) == ["day 1", "day 2"]
    assert sentences(rule) == ["2 of 4 photos have no label by this rule.", "2 labels for 2 photos."]
    assert rows(rule, "No label") == [["dogs/Rex_1.jpg"], ["dogs/notes.jpg"]]


def test_photos_in_one_folder_are_labelled_by_their_names(tmp_path):
    for name in ("black", "grizzly"):
        for number in range(3):
            (tmp_path / f"{name}_0000000{number}.jpg").touch()
    rule = LabelRule(tmp_path)
    assert rule.form["by"] == NAME and rule.value.label.value_counts().to_dict() == {"black": 3, "grizzly": 3}
    send(rule, "by", FOLDER)
    assert sentences(rule)[-1].startswith("All photos lie in one folder, which tells none from another")
    rule.show(tmp_path)
    assert rule.form["by"] == FOLDER, "what a person has chosen stays"
    rule.close()


def test_names_without_a_pattern_are_left_to_the_folder(tmp_path):
    for number in range(4):
        (tmp_path / f"IMG_{number}.jpg").touch()
    rule = LabelRule(tmp_path)
    assert rule.form["by"] == FOLDER and "file names or a table" in sentences(rule)[-1]
    rule.close()


def test_a_pattern_is_tried_as_it_is_typed(rule):
    send(rule, "by", NAME)
    assert rule.value is None and "Write a pattern" in rule.job._shown["text"]
    send(rule, "pattern", "(")
    assert rule.value is None and rule.job._shown["text"].startswith("This is no valid pattern")
    send(rule, "pattern", r"^(\w+)_")
    assert rows(rule, "What becomes") == [
        ["cats/day 1/Tom_1.jpg", "Tom"],
        ["cats/day 2/tom_2.jpg", "tom"],
        ["dogs/Rex_1.jpg", "Rex"],
    ]
    assert rows(rule, "No label") == [["dogs/notes.jpg"]]
    assert (
        sentences(rule)[0] == "These labels differ only in case or space: 'Tom', 'tom'. They count as different ones."
    )
    send(rule, "merge", True)
    assert rule.value.label.nunique() == 2 and len(sentences(rule)) == 2
    send(rule, "path", True)
    send(rule, "pattern", r"^(?P<label>\w+)/(?P<day>day \d)")
    assert rule.value[["label", "day"]].values.tolist() == [["cats", "day 1"], ["cats", "day 2"]]
    send(rule, "pattern", "(zz)")
    assert rule.value is None and sentences(rule)[-1] == "No photo has a label by this rule."


def test_common_patterns_say_what_they_do(rule):
    send(rule, "by", NAME)
    for place, (words, pattern) in enumerate(PATTERNS.items()):
        if not pattern:
            continue
        example, label = words.split(": ")[1].split(" is ")
        send(rule, "common", place)
        assert rule.form["pattern"] == pattern
        assert captures(pattern, [example])[0]["label"] == label
    send(rule, "pattern", "(mine)")
    assert rule.form["common"] == 0


def test_a_pattern_without_end_ends_and_the_page_goes_on(rule, monkeypatch):
    monkeypatch.setattr("ipyfastai.models.data.labels.PATIENCE", 0.3)
    monkeypatch.setattr(
        "ipyfastai.models.data.labels.label_by_pattern.__kwdefaults__", {"root": None, "seconds": 0.3, "progress": None}
    )
    (rule._root / "dogs" / ("a" * 60 + "!.jpg")).write_bytes(b"")
    rule.show(rule._root)
    send(rule, "by", NAME)
    send(rule, "pattern", "^(a+)+$")
    assert "takes longer than 0.3 seconds" in rule.job._shown["text"] and rule.value is None
    send(rule, "pattern", "^(.)")
    assert len(rule.value) == 5


def test_a_table_that_lies_there(rule):
    send(rule, "by", TABLE)
    assert (rule.form["name column"], rule.form["label column"]) == (1, 2), "file and kind"
    assert rule.value[["label", "person"]].values.tolist() == [["cat", "Ann"], ["cat", "Bo"], ["dog", "Ann"]]
    assert sentences(rule) == [
        "1 of 4 photos have no label by this rule.",
        "1 row of the table without a photo.",
        "2 labels for 3 photos.",
    ]
    assert rows(rule, "Rows without") == [["gone.jpg"]]


def test_a_table_that_is_uploaded(rule):
    send(rule, "by", TABLE)
    assert rule.upload in rule.children
    upload = Upload.keep("mine.csv", b"image;label\nRex_1.jpg;<b>\n")
    assert TableUpload()._check(upload) == ""
    rule.upload.value = (upload,)
    assert rule.value[["label"]].values.tolist() == [["<b>"]]
    with pytest.raises(ValueError, match="This is no table"):
        TableUpload()._check(Upload.keep("mine.csv", b""))
    send(rule, "by", FOLDER)
    assert rule.upload not in rule.children and len(rule.value) == 4


def test_no_table_is_a_sentence(root):
    (root / "animals.csv").unlink()
    rule = LabelRule(root)
    send(rule, "by", TABLE)
    assert rule.value is None and rule.job._shown["text"] == "Add a table with names and labels."
    rule.close()


def test_images_one_by_one_and_none(root):
    rule = LabelRule()
    assert rule.value is None and rule.job._shown["text"] == "There are no photos to label yet."
    rule.show([root / "dogs/Rex_1.jpg", root / "cats/day 1/Tom_1.jpg"])
    assert rule.value.label.tolist() == ["dogs", "day 1"]
    rule.show(root / "nowhere")
    assert rule.value is None and rule.job._shown["text"] == "There is no folder 'nowhere'."
    with pytest.raises(ValueError, match="x.jpg does not lie below set"):
        rule.show([Path("/elsewhere/x.jpg")], root=root)
    rule.close()


@pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample data in {DATA}")
def test_the_breeds_of_the_pets():
    rule = LabelRule(DATA / "pets")
    send(rule, "by", NAME)
    send(rule, "common", 1)
    assert sentences(rule) == ["37 labels for 296 photos."]
    assert len({label for _, label in rows(rule, "What becomes")}) == 37, "a few names of each label are shown"
    rule.close()
