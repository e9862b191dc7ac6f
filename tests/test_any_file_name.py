"""The name of a file may be any bytes: from the check of a folder to clean labels, whatever pandas keeps text in."""

import os
from contextlib import closing
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models.cleaning.apply import apply, undo_apply
from ipyfastai.models.cleaning.manifest import plan
from ipyfastai.models.cleaning.trash import Trash
from ipyfastai.models.data.check import check_images
from ipyfastai.models.data.labels import label_by_folder, label_by_pattern
from ipyfastai.models.data.loaders import dataloaders
from ipyfastai.models.data.split import random_split, split_by_group
from ipyfastai.models.interpretation.predictions import predictions_table
from ipyfastai.models.projects import Project
from ipyfastai.widgets import ImageCleaner
from PIL import Image

ODD = os.fsdecode(b"\xff\xfe")  # no text in UTF-8
SPELT = "\\udcff\\udcfe"


@pytest.fixture(params=["python", "pyarrow"], autouse=True)
def storage(request):
    """Where pandas keeps text: in pyarrow's arrays, by itself, where that is installed."""
    if request.param == "pyarrow" and find_spec("pyarrow") is None:
        pytest.skip("pyarrow is not installed")
    with pd.option_context("mode.string_storage", request.param):
        yield


@pytest.fixture
def photos(tmp_path):
    """Four photos of each of two labels; a name of each is no text, nor is that of one folder."""
    root = tmp_path / "photos"
    for label, value in [("red", 200), (ODD, 90)]:
        (root / label).mkdir(parents=True)
        for number in range(4):
            noise = np.random.default_rng(value + number).integers(0, value, (40, 40, 3), np.uint8)
            name = f"{number}_{ODD}" if number == 3 else f"{number}_a"
            Image.fromarray(noise).save(root / label / f"{name}.png")
    (root / "red" / f"4_{ODD}.png").write_bytes((root / "red" / "0_a.png").read_bytes())
    return root


def test_from_the_folder_to_the_clean_labels(photos, tmp_path):
    report = check_images(photos)
    assert len(report.items) == 9 and set(report.items.label) == {"red", SPELT}
    assert report.exact_duplicates == [[str(photos / "red" / "0_a.png"), str(photos / "red" / f"4_{ODD}.png")]]
    assert report.near_duplicates == [] and report.contradictions == []

    labelled = label_by_pattern(report.items.item, r"_(?P<label>.+)\.png", root=photos)
    assert labelled.items.label.value_counts().to_dict() == {"a": 6, SPELT: 3}
    items = label_by_folder(report.items.item, photos).items
    assert items.item.tolist() == report.items.item.tolist()
    split = random_split(items, valid_pct=0.3, copies=report.items.copies)
    assert split.groupby("split").label.nunique().to_dict() == {"train": 2, "valid": 2}
    assert len(split_by_group(items.assign(group=["x", "y"] * 4 + ["x"]), "group")) == 9

    project = Project.new(tmp_path / "projects", "Odd")
    project.save(photos=str(photos))
    project.save_items(split)
    kept = project.load_items()
    pd.testing.assert_frame_equal(kept, split)
    project.close()

    dls = dataloaders(kept, size=32, batch_size=2, path=photos)
    assert sorted(dls.vocab) == sorted({"red", SPELT}) and dls.one_batch()[0].shape == (2, 3, 32, 32)

    table = predictions_table(items.item, items.label, ["red"] * 9, split=split.split)
    right = (table.label == table.predicted).sum()
    assert right == 5


def test_cleaned_and_taken_back(photos):
    before = sorted(photos.rglob("*.png"))
    items = label_by_folder(before, photos).items
    gone, moved = f"red/4_{ODD}.png", f"{ODD}/3_{ODD}.png"
    with closing(ImageCleaner(items, root=photos, apply=True)) as cleaner:
        cleaner.journal.mark([gone], "delete")
        cleaner.journal.mark([moved], "move", "red")
        assert set(cleaner.value.item) == {str(photos / gone), str(photos / moved)}
        applied = apply(plan(photos, cleaner.table, cleaner.journal.marks))
    assert applied.problems.empty and Trash(photos).list().item.tolist() == [gone]
    table = pd.read_csv(applied.labels_file, encoding_errors="surrogateescape", dtype={"item": object})
    assert table.set_index("item").label[moved] == "red", "a label that is no folder's name: the photos stay"
    undo_apply(photos)
    assert sorted(photos.rglob("*.png")) == before
