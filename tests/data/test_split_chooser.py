"""SplitChooser: each way to split, with the warnings that belong to it."""

import pandas as pd
import pytest
from ipyfastai.widgets import SplitChooser
from ipyfastai.widgets.data.split_chooser import COLUMN, FOLDER, GROUP


def send(split, name, value):
    split.form._receive(split.form, {"type": "set", "name": name, "value": value}, [])


def sentences(split):
    return [text for _, text in split.findings._shown["sentences"]]


@pytest.fixture
def items():
    return pd.DataFrame(
        {
            "item": [f"/set/{'valid' if n % 4 == 0 else 'train'}/{'ab'[n % 2]}/{n}.jpg" for n in range(200)],
            "label": ["ab"[n % 2] for n in range(200)],
            "person": [f"p{n // 10}" for n in range(200)],
            "fold": [n % 5 for n in range(200)],
        }
    )


@pytest.fixture
def split(items):
    widget = SplitChooser(items, copies=[n // 4 * 4 + n % 2 for n in range(200)])
    yield widget
    widget.close()


def test_at_random_with_copies_together(split):
    assert split.value.split.value_counts().to_dict() == {"train": 160, "valid": 40}
    assert split.value.groupby("copies").split.nunique().max() == 1
    assert sentences(split) == ["160 photos to learn from, 40 to be tested on (20 %)."]
    first = split.value.split
    send(split, "seed", 7)
    assert not first.equals(split.value.split)
    send(split, "seed", 42)
    assert first.equals(split.value.split)
    send(split, "share", 50)
    assert (split.value.split == "valid").sum() == 100


def test_copies_and_groups_on_both_sides_are_warned_of(split):
    send(split, "together", False)
    assert sentences(split)[0].endswith("the score will look better than it is. Keep copies on one side.")
    send(split, "group", 1)
    assert "of the groups in 'person' lie on both sides" in sentences(split)[1]
    send(split, "by", GROUP)
    assert split.value.groupby("person").split.nunique().max() == 1
    assert not any("of the groups" in sentence for sentence in sentences(split))


def test_by_column_with_the_values_for_validation(split):
    send(split, "by", COLUMN)
    assert split.value is None and "says 'p0', which means neither" in sentences(split)[0]
    send(split, "column", 1)
    assert "says '2', which means neither" in sentences(split)[0]
    send(split, "values of fold", [4])
    assert split.value.fold[split.value.split == "valid"].unique().tolist() == [4]
    send(split, "column", 0)
    send(split, "column", 1)
    assert (split.value.split == "valid").sum() == 40, "what was ticked is remembered"


def test_by_folder(split):
    send(split, "by", FOLDER)
    assert (split.value.split == "valid").sum() == 50
    folders = next(field for field in split.form._fields["fields"] if field["name"] == "folder")["options"]
    assert folders == ["valid, val or test", "a", "b", "train", "valid"]
    send(split, "folder", 3)
    assert (split.value.split == "valid").sum() == 150


def test_images_without_columns_copies_or_enough_of_a_label(items):
    bare = SplitChooser(items[["item", "label"]])
    assert [field["name"] for field in bare.form._fields["fields"]] == ["by", "share", "seed"]
    for by in (COLUMN, GROUP):
        send(bare, "by", by)
        assert bare.value is None and "no further columns to split by" in sentences(bare)[0]
    send(bare, "by", 0)
    bare.show(pd.DataFrame({"item": ["1.jpg", "2.jpg", "3.jpg"], "label": ["a", "a", "<b>"]}))
    assert bare.value is None and sentences(bare)[0].startswith("Label '<b>' needs at least two different photos")
    bare.show(None)
    assert bare.value is None and sentences(bare) == ["There are no photos to split yet."]
    bare.close()


def test_each_label_is_counted_on_both_sides(split):
    [table] = split.findings._shown["tables"]
    counts = split.value.groupby(["label", "split"]).size()
    assert table["rows"] == [[label, counts[label, "train"], counts[label, "valid"]] for label in "ab"]
