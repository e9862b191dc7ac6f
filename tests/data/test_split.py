"""Which pictures to learn from: at random, by column, folder or group, and what a split hides."""

from pathlib import Path

import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models.data.items import folder_items
from ipyfastai.models.data.split import (
    grouped_split,
    random_split,
    split_by_column,
    split_by_folder,
    split_by_group,
    split_warnings,
)


def test_groups_stay_on_one_side():
    labels, groups = ["a"] * 50 + ["b"] * 50, [index // 5 for index in range(100)]
    valid = set(grouped_split(labels, groups, seed=3))
    assert len(valid) == 20
    assert all(len(valid & set(range(start, start + 5))) in (0, 5) for start in range(0, 100, 5))


def test_every_label_keeps_something_to_learn_from():
    assert len(grouped_split(["a"] * 4 + ["b"] * 10, [0, 0, 0, 1, *range(2, 12)], valid_pct=0.9)) < 4 + 9
    for seed in range(20):
        training = set(range(5)) - set(
            grouped_split(["a", "a", "b", "b", "b"], [0, 1, 2, 2, 3], seed=seed, valid_pct=1)
        )
        assert {"aabbb"[index] for index in training} == {"a", "b"}


@pytest.mark.parametrize(
    ("labels", "groups", "says"),
    [
        ("aab", [0, 1, 2], "Label 'b' needs at least two different photos.* it has 1 "),
        ("aabb", [0, 1, 2, 2], "Label 'b' .* it has 1 "),
        ("aabb", [0, 1, 1, 1], "Label 'b' .* it has 0 "),
    ],
    ids=["one photo", "copies of one", "copies of another label's"],
)
def test_a_label_with_one_photo_is_named(labels, groups, says):
    with pytest.raises(ValueError, match=says):
        grouped_split(list(labels), groups)


def items(labels, **columns):
    return pd.DataFrame(
        {"item": [f"/set/{label}/{n}.jpg" for n, label in enumerate(labels)], "label": list(labels), **columns}
    )


def sides(split):
    return split.groupby("label").split.value_counts().to_dict()


def test_a_random_split_is_the_same_for_a_seed_and_fair_to_each_label():
    table = items(["a"] * 50 + ["b"] * 20)
    split = random_split(table, seed=7)
    assert sides(split) == {("a", "train"): 40, ("a", "valid"): 10, ("b", "train"): 16, ("b", "valid"): 4}
    assert split.split.equals(random_split(table, seed=7).split) and not split.split.equals(
        random_split(table, seed=8).split
    )
    assert "split" not in table, "the table that was given is as it was"


def test_copies_stay_on_one_side():
    copies = [n // 2 for n in range(40)]
    split = random_split(items(["a"] * 20 + ["b"] * 20), copies=copies)
    assert split.split.groupby(copies).nunique().max() == 1
    assert split_warnings(split, copies=copies) == [
        "Only 8 photos to be tested on: one more mistake changes the error rate by 12 %."
    ]


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_shares_that_leave_nothing(share):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        random_split(items("aabb"), valid_pct=share)


def test_a_class_with_one_image_is_named():
    with pytest.raises(ValueError, match="Label '<b>' needs at least two different photos"):
        random_split(items(["a", "a", "<b>"]))


def test_each_person_is_on_one_side_and_each_label_on_both():
    people = [f"p{n % 10}" for n in range(100)]
    table = items(["a" if n % 3 else "b" for n in range(100)], person=people)
    split = split_by_group(table, "person", valid_pct=0.2)
    assert split.split.groupby(split.person).nunique().max() == 1
    assert (split.split == "valid").sum() == 20 and len(sides(split)) == 4
    assert split_warnings(split, group="person") == []
    assert not split.split.equals(split_by_group(table, "person", valid_pct=0.2, seed=1).split)


def test_two_groups_of_unequal_size_still_make_two_sides():
    split = split_by_group(items("aaaaaaaab", day=["1"] * 8 + ["2"]), "day", valid_pct=0.2)
    assert split.split.tolist() == ["train"] * 8 + ["valid"]
    with pytest.raises(ValueError, match="holds one group only"):
        split_by_group(items("ab", day=["1", "1"]), "day")
    with pytest.raises(ValueError, match="no column 'day'"):
        split_by_group(items("ab"), "day")
    with pytest.raises(ValueError, match="Column 'day' is empty for 1 photo"):
        split_by_group(items("ab", day=["1", None]), "day")


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        ([True, False, "True", " false"], None),
        (["valid", "train", "VAL", "training"], None),
        ([1, 0, "1", "0"], None),
        ([4, 3, "4", 2], [4]),
    ],
    ids=["booleans", "words", "numbers", "chosen"],
)
def test_columns_in_the_usual_words(values, valid):
    split = split_by_column(items("abab", side=pd.Series(values, dtype=object)), "side", valid=valid)
    assert split.split.tolist() == ["valid", "train", "valid", "train"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["x", "train"], "says 'x', which means neither"),
        ([0, 0], "leaves no photo to be tested on"),
        ([1, 1], "leaves no photo to learn"),
    ],
)
def test_columns_that_make_no_split(values, says):
    with pytest.raises(ValueError, match=says):
        split_by_column(items("ab", side=values), "side")


@pytest.mark.skipif(not (DATA / "mnist_tiny").is_dir(), reason=f"no sample data in {DATA}")
def test_folders_as_fastai_splits_them():
    from fastai.data.transforms import GrandparentSplitter

    table = folder_items(DATA / "mnist_tiny")
    table = table[table.label != "test"].reset_index(drop=True)
    train, valid = GrandparentSplitter()([Path(item) for item in table.item])
    split = split_by_folder(table)
    assert split.index[split.split == "valid"].tolist() == list(valid)
    assert split.index[split.split == "train"].tolist() == list(train)


def test_a_set_that_lies_below_a_folder_called_test_is_not_all_for_tests():
    table = pd.DataFrame({"item": ["/test/set/train/a/1.jpg", "/test/set/odd/a/2.jpg"], "label": ["a", "a"]})
    with pytest.raises(ValueError, match='A folder "valid" or "test" leaves no photo to be tested on'):
        split_by_folder(table)
    assert split_by_folder(table, valid="odd").split.tolist() == ["train", "valid"]


def test_what_a_split_hides_is_told():
    split = items("aabbc", person=list("xyyzz"))
    split["split"] = ["train", "valid", "train", "valid", "valid"]
    assert split_warnings(split, copies=[0, 0, 1, 2, 3], group="person") == [
        "1 photo to be tested on has a near copy among those to learn from: the score will look better than it is. "
        "Keep copies on one side.",
        "1 of the groups in 'person' lies on both sides, 'y' first: the score will look better than it is for groups "
        "never seen. Split by group.",
        "No photo of 'c' is left to learn from: all are in the validation set.",
        "Only 3 photos to be tested on: one more mistake changes the error rate by 33 %.",
    ]
    split["split"] = ["train", "valid", "train", "valid", "train"]
    assert "No photo of 'c' is in the validation set: mistakes there are not seen." in split_warnings(split)


def test_loaders_from_a_table(colours):
    from ipyfastai.models.data.loaders import dataloaders

    table = folder_items(colours).assign(label=lambda table: table.label.replace({"red": "<b>/1"}))
    split = random_split(table, seed=3)
    dls = dataloaders(split, size=32, batch_size=4)
    assert list(dls.vocab) == ["<b>/1", "blue", "green"]
    assert [str(item) for item in dls.valid_ds.items] == split.item[split.split == "valid"].tolist()
    labels = dict(zip(split.item, split.label, strict=True))
    for loader in (dls.train_ds, dls.valid_ds):
        assert all(dls.vocab[loader[n][1]] == labels[str(item)] for n, item in enumerate(loader.items))
    images, targets = dls.one_batch()
    assert images.shape == (4, 3, 32, 32) and targets.shape == (4,)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda table: table.assign(label="a"), "one label only, 'a'"),
        (lambda table: table.assign(split="train"), "leaves no photo to be tested on"),
        (lambda table: table.assign(split="valid"), "leaves no photo to learn from"),
        (lambda table: table.assign(split="later"), "must say 'train' or 'valid', not 'later'"),
        (
            lambda table: table.assign(split=["valid"] * 10 + ["train"] * 20),
            "'blue' has photos to be tested on and none",
        ),
        (lambda table: table.assign(item=table.item.where(table.index != 3, "/gone.jpg")), "1 of 30 .* gone.jpg first"),
    ],
    ids=["one label", "no valid", "no train", "unknown", "untaught", "gone"],
)
def test_tables_that_make_no_loaders(colours, change, says):
    from ipyfastai.models.data.loaders import dataloaders

    with pytest.raises(ValueError, match=says):
        dataloaders(change(folder_items(colours)), size=32)
