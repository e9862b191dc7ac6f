"""Orders: the wrong pictures come first, whatever the table has."""

import sys

import numpy as np
import pandas as pd
import pytest
from drawings import DATA, encoded, quarters
from ipyfastai.models.cleaning.orders import (
    ORDERS,
    chosen,
    file_name,
    label_errors,
    most_unsure,
    near_duplicates,
    worst_loss,
)
from ipyfastai.models.interpretation.predictions import predictions_table
from ipyfastai.models.progress import Cancelled, Progress
from ipyfastai.models.thumbnails import Thumbnails
from PIL import Image, ImageEnhance

LABELS = ["black", "grizzly", "teddy"]


def some(rows=60, classes=3, seed=0, **columns):
    """A table with random probabilities."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(classes), rows).astype(np.float32)
    labels = LABELS[:classes] if classes <= 3 else [f"class {number:03}" for number in range(classes)]
    label = [labels[code] for code in random.integers(0, classes, rows)]
    split = random.choice(["train", "valid"], rows)
    items = [f"/photos/{number:06}.jpg" for number in range(rows)]
    return predictions_table(items, label, probabilities=shares, labels=labels, split=split).assign(**columns)


@pytest.mark.parametrize("label", [None, "grizzly"])
@pytest.mark.parametrize("split", [None, "valid"])
def test_worst_loss_agrees_with_pandas(label, split):
    table = some()
    rows = table if label is None else table[table.label == label]
    rows = rows if split is None else rows[rows.split == split]
    expected = rows.sort_values("loss", ascending=False, kind="stable").index.tolist()
    assert worst_loss(table, label=label, split=split).tolist() == expected
    assert sorted(chosen(table, label=label, split=split)) == sorted(expected)


def test_an_unknown_loss_comes_last_in_the_tables_order():
    table = some(6, loss=[0.5, np.nan, 2.0, np.nan, 0.5, 9.0])
    assert worst_loss(table).tolist() == [5, 2, 0, 4, 1, 3]


def test_most_unsure_by_margin_entropy_and_confidence():
    shares = [[0.5, 0.49, 0.01], [0.4, 0.3, 0.3], [0.98, 0.01, 0.01], [0.6, 0.4, 0.0]]
    table = predictions_table(list("abcd"), ["black"] * 4, probabilities=shares, labels=LABELS)
    assert most_unsure(table).tolist() == [0, 1, 3, 2], "leads of 0.01, 0.1, 0.2, 0.97"
    entropy = [-sum(p * np.log(p) for p in row if p) for row in shares]
    assert most_unsure(table, by="entropy").tolist() == sorted(range(4), key=lambda row: -entropy[row])
    confidences = table.drop(columns=[name for name in table if name.startswith("probability")])
    assert most_unsure(confidences).tolist() == [1, 0, 3, 2]
    with pytest.raises(ValueError, match="by must be"):
        most_unsure(table, by="mood")


def test_one_label_and_no_rows_are_no_trouble(tmp_path):
    one = predictions_table(["a", "b"], ["x", "x"], probabilities=[[1.0], [1.0]], labels=["x"])
    none = some(5).iloc[:0]
    for name, order in ORDERS.items():
        assert order(none).tolist() == [], name
        assert len(order(one, label="x", split="valid")) in (0, 2), name
        assert order(one, split="train").tolist() == [], name


# Likely label errors


def flipped(rows=900, flips=60, seed=1, classes=3):
    """Probabilities of a model that is mostly right, and labels of which some were flipped afterwards."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    logits = random.normal(0, 1, (rows, classes))
    logits[np.arange(rows), truth] += 4.5
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    given = truth.copy()
    wrong = random.choice(rows, flips, replace=False)
    given[wrong] = (truth[wrong] + random.integers(1, classes, flips)) % classes
    table = predictions_table(
        [f"{row}.jpg" for row in range(rows)], [LABELS[code] for code in given], probabilities=shares, labels=LABELS
    )
    return table, set(wrong.tolist())


def test_flipped_labels_are_found():
    table, wrong = flipped()
    found = label_errors(table)
    assert len(wrong & set(found.tolist())) > 0.9 * len(wrong)
    assert len(set(found.tolist()) - wrong) < 0.15 * len(found)
    first = found[: len(wrong) // 2]
    assert set(first.tolist()) <= wrong, "the likeliest first"
    black = label_errors(table, label="black")
    assert black.tolist() == [row for row in found if table.label[row] == "black"]


def test_each_split_is_judged_by_itself():
    table, wrong = flipped()
    sure, _ = flipped(300, flips=0, seed=2)
    sure["split"] = "train"
    both = pd.concat([table, sure], ignore_index=True)
    assert set(label_errors(both, split="valid")) == set(label_errors(table))
    assert set(label_errors(both)) == set(label_errors(both, split="valid")) | set(label_errors(both, split="train"))


@pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")
def test_flipped_labels_of_real_photos_are_found(bear_learner):
    from ipyfastai.models.interpretation.predictions import predictions

    table = predictions(bear_learner, splits=("valid",))
    right = np.flatnonzero(table.label == table.predicted)
    wrong = np.random.default_rng(0).choice(right, 8, replace=False)
    for row in wrong:
        others = [name for name in LABELS if name != table.label[row]]
        table.loc[row, "label"] = others[row % 2]
    found = label_errors(table).tolist()
    assert len(set(wrong.tolist()) & set(found)) >= 6
    assert len(found) < len(table) / 2


def test_a_label_that_no_row_has(tmp_path):
    table, wrong = flipped()
    known = table[table.label != "teddy"].reset_index(drop=True)
    assert label_errors(known, label="teddy").tolist() == label_errors(known, label="lion").tolist() == []
    assert len(label_errors(known)) > 0


def test_what_is_missing_is_said(monkeypatch):
    table = some()
    bare = table[["item", "split", "label", "predicted", "confidence", "loss"]]
    with pytest.raises(ValueError, match="from the probabilities of all labels"):
        label_errors(bare)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(RuntimeError, match=r"pip install 'ipyfastai\[train\]'"):
        label_errors(table)


# Near duplicates


@pytest.fixture
def copies(tmp_path):
    """Six photos: b is a again and smaller, d is c lighter, under another label; e is alone; f is no photo."""
    random = np.random.default_rng(5)
    scene = [Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize((320, 240), 3) for _ in range(3)]
    files = {
        "a": encoded(scene[0]),
        "c": encoded(scene[1]),
        "e": encoded(scene[2]),
        "b": encoded(scene[0].resize((160, 120)), quality=60),
        "f": b"no photo",
        "d": encoded(ImageEnhance.Brightness(scene[1]).enhance(1.15)),
    }
    for name, file in files.items():
        (tmp_path / f"{name}.jpg").write_bytes(file)
    items = [str(tmp_path / f"{name}.jpg") for name in files]
    return predictions_table(
        items, ["x", "x", "x", "x", "x", "y"], ["x"] * 6, split=["train", "train", "valid", "valid", "valid", "train"]
    )


@pytest.mark.parametrize("kept", [False, True])
def test_near_duplicates_lie_side_by_side(copies, tmp_path, kept):
    thumbnails = Thumbnails(tmp_path / "cache") if kept else None
    letters = "acebfd"
    find = lambda **which: "".join(letters[row] for row in near_duplicates(copies, thumbnails=thumbnails, **which))  # noqa: E731
    assert find() == "abcd"
    assert find(label="y") == "cd", "with its copy under another label"
    assert find(split="valid") == "ab", "with its copy on the other side"
    assert find(label="y", split="valid") == ""


def test_near_duplicates_of_pictures_in_memory():
    pictures = [quarters(), np.rot90(quarters()).copy(), quarters(), Image.fromarray(quarters())]
    table = pd.DataFrame({"item": pd.Series(pictures, dtype=object), "label": "x", "split": "valid"})
    assert near_duplicates(table).tolist() == [0, 2, 3]


def test_looking_for_duplicates_can_be_cancelled(copies):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        near_duplicates(copies, progress=progress)


def test_by_file_name():
    table = some(4, item=["/b/2.jpg", "/a/10.jpg", "/a/1.jpg", "/b/1.jpg"])
    assert file_name(table).tolist() == [2, 1, 3, 0]
    table = pd.DataFrame({"item": pd.Series([quarters(), "/a", quarters()], dtype=object), "label": "x"})
    assert file_name(table).tolist() == [0, 2, 1]


# Scale


@pytest.mark.parametrize("order", [worst_loss, most_unsure, label_errors, file_name])
def test_a_hundred_thousand_rows(order):
    table = some(100_000, classes=10)
    rows = order(table, label="class 003", split="valid")
    assert len(set(rows.tolist())) == len(rows) and (table.label.iloc[rows] == "class 003").all()
    if order is not label_errors:
        assert len(rows) == len(chosen(table, label="class 003", split="valid"))
