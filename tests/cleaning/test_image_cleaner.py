"""`ImageCleaner` in the kernel: marks, orders, Apply and the ways back, on the sample bears."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
from drawings import DATA, plain
from ipyfastai.models.cleaning import orders
from ipyfastai.models.cleaning.journal import Journal
from ipyfastai.models.interpretation.predictions import PROBABILITY, predictions_table
from ipyfastai.models.thumbnails import Thumbnails
from ipyfastai.widgets import ImageCleaner
from ipyfastai.widgets.cleaning import marking
from PIL import Image

LABELS = ["black", "grizzly", "teddy"]
# From the README of the sample data: the same photo as black/00000015.jpg, and two puppies.
TWIN, PUPPY, OTHER_PUPPY = "grizzly/00000148.jpg", "teddy/00000056.jpg", "teddy/00000088.jpg"


@pytest.fixture
def root(tmp_path):
    """Some clean bears, and the readable dirty ones among them."""
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    folder = tmp_path / "photos"
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for file in [*sorted((DATA / "bears" / label).iterdir())[:20], *(DATA / "bears_dirty" / label).glob("0*.jpg")]:
            if file.read_bytes()[:2] == b"\xff\xd8":
                shutil.copy(file, folder / label)
    return folder


@pytest.fixture
def table(root):
    """What a model would say that sees only how bright a photo's corners are; wrong often enough."""
    files = sorted(root.glob("*/*.jpg"))
    pixels = np.stack([np.asarray(Image.open(file).convert("RGB").resize((4, 4)), float).ravel() for file in files])
    truth = np.array([LABELS.index(file.parent.name) for file in files])
    centres = np.stack([pixels[truth == label].mean(0) for label in range(3)])
    scores = -np.linalg.norm(pixels[:, None] - centres, axis=2) / 60
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    split = np.where(np.arange(len(files)) % 4 == 0, "valid", "train")
    return predictions_table(files, truth, probabilities=shares, labels=LABELS, split=split)


@pytest.fixture(scope="module")
def thumbnails(tmp_path_factory):
    made = Thumbnails(tmp_path_factory.mktemp("cache"))
    yield made
    made.close()


@pytest.fixture
def cleaner(table, thumbnails):
    made = ImageCleaner(table, thumbnails=thumbnails)
    yield made
    made.close()


def say(widget, **content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def names(cleaner):
    """What is shown, in its order."""
    return [os.path.relpath(item, cleaner._pictures.root) for item in cleaner.grid.table["item"]]


def choose(cleaner, name, text):
    options = cleaner.bar._choices[name]
    index = next(index for index, option in enumerate(options) if option.startswith(text))
    say(cleaner.bar, type="choose", name=name, index=index)


def select(cleaner, *wanted):
    shown = names(cleaner)
    cleaner.grid.value = [shown.index(name) for name in wanted]


def press(cleaner, key, position=None):
    say(cleaner.grid, type="key", page="0.12345678", version=cleaner.grid._version, key=key, position=position)


def buttons(sheet):
    return [text for text, _ in sheet._shown.get("choices", [])]


def click(sheet, text):
    index = next(index for index, choice in enumerate(buttons(sheet)) if choice.startswith(text))
    say(sheet, type="press", version=sheet._version, index=index, page="x")


def badge(cleaner, name):
    return cleaner._badges([names(cleaner).index(name)])[0]


def test_classes_splits_and_orders_are_chosen_from_the_table(cleaner, table):
    counts = table["label"].value_counts()
    assert cleaner.bar._choices["view"] == [
        f"All classes ({len(table)})", *(f"{label} ({counts[label]})" for label in LABELS), "Marked (0)"
    ]  # fmt: skip
    assert list(cleaner.grid.table["loss"]) == sorted(table["loss"], reverse=True)
    choose(cleaner, "view", "teddy")
    choose(cleaner, "split", "valid")
    wanted = table[(table["label"] == "teddy") & (table["split"] == "valid")].sort_values("loss", ascending=False)
    assert list(cleaner.grid.table["item"]) == list(wanted["item"])
    choose(cleaner, "order", "most unsure")
    expected = table.iloc[orders.most_unsure(table, label="teddy", split="valid")]
    assert list(cleaner.grid.table["item"]) == list(expected["item"])


def test_near_duplicates_lie_side_by_side_across_classes(cleaner):
    choose(cleaner, "order", "near duplicates")
    shown = names(cleaner)
    assert abs(shown.index(TWIN) - shown.index("black/00000015.jpg")) == 1
    assert cleaner.grid.table["note"].iloc[shown.index(TWIN)].endswith("2 alike")
    choose(cleaner, "view", "black")
    assert TWIN in names(cleaner), "the copy in the other class is what one looks for"


def test_likely_label_errors_are_those_of_confident_learning(cleaner, table):
    pytest.importorskip("cleanlab")
    choose(cleaner, "order", "likely label errors")
    found = orders.label_errors(table)
    assert len(found) and list(cleaner.grid.table["item"]) == list(table["item"].iloc[found])


def test_marks_by_key_and_button_with_the_way_back(cleaner):
    select(cleaner, PUPPY)
    press(cleaner, "Delete")
    select(cleaner, TWIN)
    press(cleaner, "1")
    select(cleaner, OTHER_PUPPY, "black/00000015.jpg")
    say(cleaner.buttons, type="act", action="keep")
    assert [badge(cleaner, name) for name in (PUPPY, TWIN, OTHER_PUPPY)] == ["Delete", "→ black", "Keep"]
    assert cleaner.bar._said["counts"] == "Marked: 1 to delete, 1 to move, 2 to keep."
    value = cleaner.value.set_index("item")
    root = cleaner._pictures.root
    assert value.loc[f"{root}/{TWIN}"].tolist() == ["move", "black"] and len(value) == 4
    press(cleaner, "u")
    assert badge(cleaner, OTHER_PUPPY) is None and "2 pictures" in cleaner.bar._said["done"]
    assert [names(cleaner)[at] for at in cleaner.grid.value] == sorted(
        [OTHER_PUPPY, "black/00000015.jpg"], key=names(cleaner).index
    ), "what was undone is shown"
    press(cleaner, "Ctrl+z")
    press(cleaner, "u")
    assert cleaner.value.empty and not cleaner.buttons._able["undo"]
    for key in ("Shift+u", "Ctrl+y", "Ctrl+Shift+z"):
        press(cleaner, key)
    assert len(cleaner.value) == 4 and not cleaner.buttons._able["redo"]
    select(cleaner, PUPPY)
    press(cleaner, "0")
    assert badge(cleaner, PUPPY) is None


def test_many_are_marked_in_the_background_with_a_way_to_stop(cleaner, monkeypatch):
    monkeypatch.setattr(marking, "AT_ONCE", 2)
    shown, seen = names(cleaner), []
    cleaner.job.observe(lambda change: seen.append(change["new"]), "busy")
    cleaner.grid.value = (0, 1, 2)
    press(cleaner, "Delete")
    assert list(cleaner.journal.marks) == shown[:3] and seen == [True, False]
    assert cleaner.bar._said["done"] == "Delete: 3 pictures."
    cleaner.grid.value = (0, 1, 2, 3)
    cleaner.job.observe(lambda change: change["new"] and cleaner.job.cancel(), "_shown")
    press(cleaner, "k")
    assert list(cleaner.journal.marks) == shown[:3] and cleaner.job._shown["text"] == "Cancelled."


def name_class(cleaner, text):
    """Type a name for a class; what stands beside it then."""
    answers = []
    cleaner.buttons.send = lambda content: answers.append(content)
    say(cleaner.buttons, type="name", text=text, page="a page")
    [answer] = answers
    assert answer["type"] == "named" and answer["page"] == "a page"
    return answer["problem"]


def test_a_class_that_is_not_there_yet(cleaner):
    root = cleaner.grid.root
    select(cleaner, PUPPY, OTHER_PUPPY)
    assert name_class(cleaner, " puppies ") == ""
    assert badge(cleaner, PUPPY) == badge(cleaner, OTHER_PUPPY) == "→ puppies"
    assert cleaner.bar._said["done"] == "→ puppies: 2 pictures."
    # From now on it is a class to move to like the others, and goes with its last mark.
    assert cleaner.buttons._labels == [*LABELS, "puppies"] and cleaner.buttons._keys["4"] == 3
    select(cleaner, TWIN)
    press(cleaner, "4")
    assert badge(cleaner, TWIN) == "→ puppies"
    press(cleaner, "u")
    press(cleaner, "u")
    assert cleaner.buttons._labels == LABELS and "4" not in cleaner.buttons._keys
    press(cleaner, "Shift+u")
    click(cleaner.panel.sheet, "Apply 2 marks")
    assert "2 pictures move: teddy → puppies." in cleaner.panel.sheet._shown["text"]
    click(cleaner.panel.sheet, "Yes")
    assert sorted(os.listdir(root / "puppies")) == sorted(os.path.basename(one) for one in (PUPPY, OTHER_PUPPY))
    assert cleaner.table["label"].value_counts()["puppies"] == 2
    choose(cleaner, "view", "puppies")
    assert len(cleaner.grid.table) == 2
    click(cleaner.panel.sheet, "Undo the last Apply")
    assert (root / PUPPY).is_file() and not (root / "puppies").exists()
    choose(cleaner, "view", "teddy")
    assert badge(cleaner, PUPPY) == "→ puppies"


def test_a_name_that_can_be_no_class_is_said_and_nothing_is_marked(cleaner):
    select(cleaner, PUPPY)
    for text, why in {
        "  ": "Type a name for the class.",
        "../elsewhere": "it has a slash",
        "Teddy": "There is a class 'teddy' already",
        ".hidden": "begin with a dot",
        "half \ud83d": "half of a character",
    }.items():
        assert why in name_class(cleaner, text)
    select(cleaner)
    assert name_class(cleaner, "puppies") == "Select the pictures that are to move there."
    assert not cleaner.journal.marks
    for text in (None, 7, "x" * 10_001):
        say(cleaner.buttons, type="name", text=text, page="a page")
    say(cleaner.buttons, type="name", text="puppies", page=["a page"])
    assert not cleaner.journal.marks


def test_a_key_acts_on_the_picture_under_the_cursor_where_none_is_selected(cleaner):
    cleaner.grid.value = ()
    press(cleaner, "d", names(cleaner).index(PUPPY))
    assert badge(cleaner, PUPPY) == "Delete"


def test_marks_survive_another_view_another_order_and_another_kernel(cleaner, table, thumbnails):
    select(cleaner, PUPPY)
    press(cleaner, "d")
    choose(cleaner, "view", "black")
    choose(cleaner, "order", "by file name")
    choose(cleaner, "view", "Marked")
    assert names(cleaner) == [PUPPY]
    # As after a crash: nothing is closed, another cleaner opens the same folder.
    again = ImageCleaner(table, thumbnails=thumbnails)
    assert again.value["action"].tolist() == ["delete"] and badge(again, PUPPY) == "Delete"
    press(again, "u")
    assert again.value.empty
    choose(cleaner, "view", "All")
    assert badge(cleaner, PUPPY) is None and cleaner.value.empty, "two notebooks share one journal"


def test_a_confusion_cell_is_cleaned_straight_away(cleaner, table):
    cell = table[(table["label"] == "grizzly") & (table["predicted"] == "black")]
    assert len(cell)
    cleaner.only(cell, "grizzly called black")
    assert sorted(cleaner.grid.table["item"]) == sorted(cell["item"])
    assert cleaner.bar._choices["view"][-1] == f"grizzly called black ({len(cell)})"
    cleaner.only([0, 2, 2, 10**6, -1], "by position")
    assert sorted(cleaner.grid.table["item"]) == sorted(table["item"].iloc[[0, 2]])
    cleaner.only([table["item"][5], "/nowhere/x.jpg"])
    assert list(cleaner.grid.table["item"]) == [table["item"][5]]
    choose(cleaner, "view", "All")
    assert len(cleaner.grid.table) == len(table)


def test_apply_says_first_what_it_will_do_and_can_be_undone(cleaner, root):
    before = sorted(path.relative_to(root) for path in root.glob("*/*"))
    select(cleaner, PUPPY)
    press(cleaner, "Delete")
    select(cleaner, TWIN)
    press(cleaner, "1")
    seen = []
    cleaner.observe(lambda change: seen.append(len(change.new)), "table")
    click(cleaner.panel.sheet, "Apply 2 marks")
    assert (root / PUPPY).exists() and (root / TWIN).exists(), "nothing happens before somebody says yes"
    assert ["To the trash", PUPPY, ""] in cleaner.panel.sheet._shown["lines"]
    assert ["Move", TWIN, "black/00000148.jpg"] in cleaner.panel.sheet._shown["lines"]
    click(cleaner.panel.sheet, "Yes")
    assert not (root / PUPPY).exists() and (root / "black/00000148.jpg").exists()
    assert cleaner.panel.sheet._shown["text"] == "Applied: 1 moved, 1 in the trash."
    assert cleaner.value.empty and seen == [len(before) - 1]
    moved = cleaner.table.set_index("item").loc[str(root / "black/00000148.jpg")]
    assert moved["label"] == "black" and moved["loss"] == pytest.approx(-np.log(moved[PROBABILITY + "black"]))
    assert PUPPY not in names(cleaner)

    click(cleaner.panel.sheet, "Undo the last Apply")
    assert sorted(path.relative_to(root) for path in root.glob("*/*")) == before
    assert (
        len(cleaner.table) == len(before)
        and cleaner.table.set_index("item").loc[str(root / TWIN), "label"] == "grizzly"
    )
    assert sorted(cleaner.value["action"]) == ["delete", "move"], "the marks are back as well"


def test_deleted_pictures_are_restored_from_the_trash(cleaner, root):
    select(cleaner, PUPPY, OTHER_PUPPY)
    press(cleaner, "Delete")
    click(cleaner.panel.sheet, "Apply 2 marks")
    click(cleaner.panel.sheet, "Yes")
    click(cleaner.panel.sheet, "Trash (2)")
    trash = cleaner.panel.trash
    listed = [line[0] for line in trash._shown["lines"]]
    assert sorted(listed) == [PUPPY, OTHER_PUPPY]
    say(trash, type="pick", version=trash._version, index=listed.index(PUPPY), page="x")
    assert (root / PUPPY).exists() and not (root / OTHER_PUPPY).exists()
    assert PUPPY in names(cleaner) and "Trash (1)" in buttons(cleaner.panel.sheet)


def test_a_manifest_is_withdrawn_when_the_marks_change(cleaner, root):
    select(cleaner, PUPPY)
    press(cleaner, "Delete")
    click(cleaner.panel.sheet, "Apply 1 mark")
    old = cleaner.panel.sheet._version
    press(cleaner, "u")
    assert "read again" in cleaner.panel.sheet._shown["text"] and "Yes" not in " ".join(buttons(cleaner.panel.sheet))
    say(cleaner.panel.sheet, type="press", version=old, index=0, page="x")
    assert (root / PUPPY).exists()


def test_not_now_changes_nothing(cleaner, root):
    select(cleaner, PUPPY)
    press(cleaner, "Delete")
    click(cleaner.panel.sheet, "Apply 1 mark")
    click(cleaner.panel.sheet, "Not now")
    assert (root / PUPPY).exists() and len(cleaner.value) == 1
    assert "Apply 1 mark…" in buttons(cleaner.panel.sheet)


def test_what_changed_on_the_disk_meanwhile_is_reported_and_left_alone(cleaner, root):
    select(cleaner, PUPPY, OTHER_PUPPY, TWIN)
    press(cleaner, "Delete")
    (root / PUPPY).unlink()
    (root / TWIN).write_bytes(plain())
    click(cleaner.panel.sheet, "Apply 3 marks")
    lines = {name: (what, where) for what, name, where in cleaner.panel.sheet._shown["lines"]}
    assert lines[PUPPY] == ("Not possible", "The file is gone.") and "has changed" in lines[TWIN][1]
    click(cleaner.panel.sheet, "Yes, do this with 1 picture")
    assert (root / TWIN).exists() and not (root / OTHER_PUPPY).exists()
    assert len(cleaner.value) == 2, "marks that could not be carried out are kept"


def test_a_read_only_folder(cleaner, root, monkeypatch):
    may = os.access  # the tests may run as root, who may write everywhere
    monkeypatch.setattr(
        os, "access", lambda path, mode: may(path, mode) and not (mode & os.W_OK and "teddy" in str(path))
    )
    select(cleaner, PUPPY, TWIN)
    press(cleaner, "Delete")
    click(cleaner.panel.sheet, "Apply 2 marks")
    assert ["Not possible", PUPPY, "Its folder is read-only."] in cleaner.panel.sheet._shown["lines"]
    click(cleaner.panel.sheet, "Yes, do this with 1 picture")
    assert (root / PUPPY).exists() and cleaner.value["item"].tolist() == [str(root / PUPPY)]


def test_marks_that_cannot_be_written_are_kept_and_that_is_said(cleaner, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ipyfastai.models.cleaning.journal.write_all", full)
    select(cleaner, PUPPY)
    press(cleaner, "d")
    assert badge(cleaner, PUPPY) == "Delete" and "the disk is full" in cleaner.bar._said["problem"]
    monkeypatch.undo()
    press(cleaner, "k")
    assert cleaner.bar._said["problem"] == "" and PUPPY in cleaner.journal._path.read_text()


def test_a_full_disk_changes_nothing_and_keeps_the_marks(cleaner, root, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    select(cleaner, PUPPY, TWIN)
    press(cleaner, "Delete")
    click(cleaner.panel.sheet, "Apply 2 marks")
    monkeypatch.setattr("ipyfastai.models.cleaning.moving.os.link", full)
    click(cleaner.panel.sheet, "Yes")
    assert cleaner.panel.job._shown == {"state": "failed", "text": "Nothing was changed: the disk is full."}
    assert (root / PUPPY).exists() and (root / TWIN).exists() and len(cleaner.value) == 2
    assert "Apply 2 marks…" in buttons(cleaner.panel.sheet)


def test_a_public_server_applies_only_where_that_is_allowed(table, thumbnails, root, monkeypatch):
    def offered(**options):
        cleaner = ImageCleaner(table, thumbnails=thumbnails, **options)
        select(cleaner, PUPPY)
        press(cleaner, "d")
        return buttons(cleaner.panel.sheet), cleaner.panel.sheet._shown["text"]

    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    offers, text = offered()
    assert "Apply 1 mark…" not in offers and "public server" in text and "Download marks as CSV" in offers
    assert "Apply 1 mark…" in offered(apply=True)[0]
    monkeypatch.setenv("IPYFASTAI_APPLY", "1")
    assert "Apply 1 mark…" in offered()[0]
    assert "Apply 1 mark…" not in offered(apply=False)[0]


def test_visitors_of_a_public_server_leave_no_marks_and_see_none(table, thumbnails, root, monkeypatch):
    Journal.of(root).mark(["teddy/" + next((root / "teddy").iterdir()).name], "delete")
    kept = sorted(root.parent.rglob("*"))
    before = (root.parent / f".{root.name}.ipyfastai" / "marks.jsonl").read_bytes()
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "yes")
    for _ in range(2):
        cleaner = ImageCleaner(table, thumbnails=thumbnails)
        assert cleaner.value.empty and "Nothing is marked yet" in cleaner.bar._said["counts"]
        select(cleaner, PUPPY)
        press(cleaner, "d")
        assert len(cleaner.value) == 1 and cleaner.bar._said["problem"] == ""
        cleaner.close()
    assert sorted(root.parent.rglob("*")) == kept
    assert (root.parent / f".{root.name}.ipyfastai" / "marks.jsonl").read_bytes() == before


def test_what_a_crash_has_interrupted_is_finished_and_said(table, thumbnails, root, monkeypatch):
    cleaner = ImageCleaner(table, thumbnails=thumbnails)
    select(cleaner, PUPPY, OTHER_PUPPY)
    press(cleaner, "d")
    click(cleaner.panel.sheet, "Apply 2 marks")

    class PulledPlug(BaseException):
        pass

    real, moved = os.link, []

    def link(*args, **kwargs):
        if moved:
            raise PulledPlug
        moved.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr("ipyfastai.models.cleaning.moving.os.link", link)
    with pytest.raises(PulledPlug):
        click(cleaner.panel.sheet, "Yes")
    monkeypatch.undo()
    assert (root / PUPPY).exists() != (root / OTHER_PUPPY).exists(), "half of it was done"
    again = ImageCleaner(table, thumbnails=thumbnails)
    assert (
        "interrupted" in again.bar._said["done"] and not (root / PUPPY).exists() and not (root / OTHER_PUPPY).exists()
    )


def test_labels_in_a_file_where_folders_are_none(tmp_path, thumbnails):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(plain())
    table = pd.DataFrame({"item": ["a.jpg", "b.jpg"], "label": ["cold", "warm"]})
    cleaner = ImageCleaner(table, root=tmp_path, thumbnails=thumbnails)
    select(cleaner, "a.jpg")
    press(cleaner, "2")
    click(cleaner.panel.sheet, "Apply 1 mark")
    assert ["Correct the label", "a.jpg", "cold → warm"] in cleaner.panel.sheet._shown["lines"]
    click(cleaner.panel.sheet, "Yes")
    assert pd.read_csv(tmp_path / "labels.csv")["label"].tolist() == ["warm", "warm"]
    assert cleaner.table["label"].tolist() == ["warm", "warm"]
    click(cleaner.panel.sheet, "Undo the last Apply")
    assert cleaner.table["label"].tolist() == ["cold", "warm"] and not (tmp_path / "labels.csv").exists()


def test_arrays_are_marked_and_their_marks_downloaded(thumbnails):
    pictures = [np.full((28, 28), shade, np.uint8) for shade in (0, 100, 200)]
    table = predictions_table(pictures, [0, 1, 2], [0, 1, 1], labels=["=zero", "one", "two"])
    cleaner = ImageCleaner(table, thumbnails=thumbnails)
    cleaner.grid.value = (0, 1)
    press(cleaner, "1")
    sheet, sent = cleaner.panel.sheet, []
    assert buttons(sheet) == ["Download marks as CSV", "Download labels as CSV"]
    sheet.send = lambda content, buffers=None: sent.append(content)
    click(sheet, "Download marks")
    assert sent[0]["name"] == "marks.csv" and sent[0]["page"] == "x"
    assert "picture 2,move,'=zero" in sent[0]["text"], "no spreadsheet runs a label"
    assert cleaner.value["item"].tolist()[0] is pictures[0]


def test_an_items_table_needs_no_predictions(root, thumbnails):
    items = sorted(map(str, root.glob("*/*.jpg")))
    cleaner = ImageCleaner(pd.DataFrame({"item": items, "label": [item.split("/")[-2] for item in items]}),
                           thumbnails=thumbnails)  # fmt: skip
    assert cleaner.bar._choices["order"] == ["near duplicates", "by file name"]
    assert list(cleaner.grid.table["item"]) == items and cleaner.bar._choices["split"] == ["All splits"]


def test_many_classes_have_keys_for_the_likely_ones(thumbnails):
    labels = [f"class {number:03}" for number in range(200)]
    picture = np.zeros((8, 8), np.uint8)
    truth = np.repeat(np.arange(200), 3)
    predicted = truth.copy()
    predicted[truth == 7] = [150, 150, 42]
    table = predictions_table([picture.copy() for _ in truth], truth, predicted, labels=labels)
    cleaner = ImageCleaner(table, thumbnails=thumbnails)
    choose(cleaner, "view", "class 007 ")
    assert list(cleaner._keys.items())[:3] == [("1", "class 150"), ("2", "class 042"), ("3", "class 000")]
    cleaner.grid.value = (0,)
    press(cleaner, "1")
    assert cleaner.value["to"].tolist() == ["class 150"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ([1, 2], "needs a pandas DataFrame"),
        (pd.DataFrame({"file": ["a"]}), "no column 'item' and none 'label'"),
        (pd.DataFrame({"item": ["a.jpg", "a.jpg"], "label": ["x", "y"]}), "more than once"),
        (pd.DataFrame({"item": ["/nowhere/a.jpg"], "label": ["x"]}), "no folder"),
    ],
)
def test_tables_that_are_none_are_refused_with_a_sentence(table, sentence):
    with pytest.raises(ValueError, match=sentence):
        ImageCleaner(table)


def test_pictures_outside_the_folder_are_refused(tmp_path, table):
    with pytest.raises(ValueError, match="outside"):
        ImageCleaner(table, root=tmp_path / "photos" / "teddy")


def test_no_pictures_at_all(thumbnails):
    cleaner = ImageCleaner(pd.DataFrame({"item": [], "label": []}), thumbnails=thumbnails)
    assert cleaner.grid._shown["count"] == 0 and cleaner.value.empty


def test_a_journal_of_ones_own(table, thumbnails, tmp_path):
    cleaner = ImageCleaner(table, journal=Journal(tmp_path / "mine.jsonl"), thumbnails=thumbnails)
    select(cleaner, PUPPY)
    press(cleaner, "k")
    assert PUPPY in (tmp_path / "mine.jsonl").read_text()


HOSTILE = [None, 3, -1, True, 99, 1.0, "0", [0], {"0": 0}, "undo"]


@pytest.mark.parametrize("bad", HOSTILE, ids=str)
def test_whatever_a_page_sends_does_no_harm(cleaner, root, bad):
    select(cleaner, PUPPY)
    press(cleaner, "d")
    click(cleaner.panel.sheet, "Apply 1 mark")
    shown = names(cleaner)
    sheet = cleaner.panel.sheet
    for widget in (cleaner.bar, cleaner.buttons, cleaner.grid, cleaner.panel.job, sheet, cleaner.panel.trash):
        for content in (bad, {"type": bad}, {"type": "choose", "name": bad, "index": bad}):
            widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    say(cleaner.bar, type="choose", name="view", index=bad if bad != 3 else 10**9)
    say(cleaner.buttons, type="act", action="move", index=bad if bad != 3 else 10**9)
    say(cleaner.buttons, type="act", action=bad if bad != "undo" else "apply", index=0)
    say(sheet, type="press", version=sheet._version, index=bad if bad != 3 else 10**9, page="x")
    say(sheet, type="press", version=sheet._version - 1, index=0, page="x")
    say(sheet, type="pick", version=sheet._version, index=0, page="x")
    say(cleaner.panel.trash, type="pick", version=bad, index=bad, page=bad)
    assert names(cleaner) == shown and (root / PUPPY).exists()
    assert cleaner.value["action"].tolist() == ["delete"]


def test_a_page_can_set_no_trait_that_counts(cleaner, root):
    select(cleaner, PUPPY)
    press(cleaner, "d")
    for widget, state in (
        (cleaner.buttons, {"_labels": ["../../etc"] * 9, "_keys": {"9": 8}}),
        (cleaner.bar, {"_choices": {"view": ["x"] * 99}}),
        (cleaner.panel.sheet, {"_shown": {"version": 0, "choices": [["Yes", True]]}}),
    ):
        widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
    say(cleaner.buttons, type="act", action="move", index=8)
    say(cleaner.bar, type="choose", name="view", index=50)
    say(cleaner.panel.sheet, type="press", version=0, index=0, page="x")
    assert cleaner.value["action"].tolist() == ["delete"] and (root / PUPPY).exists()


def test_a_page_learns_no_path_of_the_server(cleaner, root):
    select(cleaner, PUPPY)
    press(cleaner, "d")
    click(cleaner.panel.sheet, "Apply 1 mark")
    told = repr([widget.get_state() for widget in (cleaner.bar, cleaner.buttons, cleaner.grid, cleaner.panel.sheet)])
    assert str(root) not in told and str(root.parent) not in told


def test_closing_lets_go(table):
    cleaner = ImageCleaner(table)
    journal, thumbnails = cleaner.journal, cleaner.thumbnails
    cleaner.close()
    assert not journal.listeners and thumbnails._closed and cleaner.grid.table is None
