"""The items table: folders read, links kept out, odd tables refused; and the built-in digits."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawings import DATA, plain
from ipyfastai.models.data.digits import write_digits
from ipyfastai.models.data.items import check_items, folder_items, folder_name, image_files
from PIL import Image


@pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")
def test_bears_by_their_folders():
    items = folder_items(DATA / "bears")
    assert items.label.value_counts().to_dict() == {"black": 142, "grizzly": 135, "teddy": 132}
    assert items.item.is_monotonic_increasing and all(map(os.path.isabs, items.item))


def test_hidden_files_other_files_and_links_out_are_left_out(tmp_path):
    root = tmp_path / "set"
    for name in ("red/1.jpg", "red/._1.jpg", ".trash/2.jpg", "red/notes.txt", "red/deep/3.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(plain())
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "4.jpg").write_bytes(plain())
    (root / "red" / "out.jpg").symlink_to(tmp_path / "secret" / "4.jpg")
    (root / "elsewhere").symlink_to(tmp_path / "secret")
    (root / "red" / "again.jpg").symlink_to(root / "red" / "1.jpg")
    (root / "loop").symlink_to(root)
    files, links = image_files(root)
    assert [str(file.relative_to(root)) for file in files] == ["red/1.jpg", "red/again.jpg", "red/deep/3.png"]
    assert [link.name for link in links] == ["elsewhere", "out.jpg"]
    assert folder_items(root).label.tolist() == ["red", "red", "deep"]


def test_a_name_may_be_any_bytes(tmp_path):
    odd = os.fsdecode(b"\xff\xfe.jpg")  # no text in UTF-8
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / odd).write_bytes(plain())
    items = check_items(folder_items(tmp_path))
    assert items.item.tolist() == [str(tmp_path / "red" / odd)]


def test_folders_without_pictures(tmp_path):
    with pytest.raises(ValueError, match="No photos in .*: expected one subfolder") as caught:
        folder_items(tmp_path)
    assert str(tmp_path) not in str(caught.value), "no server path in a sentence for a page"
    with pytest.raises(ValueError, match="There is no folder 'nowhere'"):
        folder_items(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "red").mkdir()
    scandir = os.scandir

    def locked(path):
        if Path(path).name == "red":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(ValueError, match="The folder 'red' cannot be read: Permission denied"):
        folder_items(tmp_path)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"path": ["a"]}, "no column 'item' and no column 'label'"),
        ({"item": [], "label": []}, "no photos"),
        ({"item": ["a.jpg", "b.jpg"], "label": ["x", None]}, "1 of 2 photos have no label, b.jpg first"),
        ({"item": ["a.jpg"], "label": ["  "]}, "have no label"),
        ({"item": ["a.jpg", "a.jpg"], "label": ["x", "y"]}, "1 photo more than once in the table, a.jpg first"),
    ],
)
def test_tables_that_will_not_do(table, says):
    with pytest.raises(ValueError, match=says):
        check_items(pd.DataFrame(table))


def test_a_table_of_paths_and_numbers_becomes_text():
    items = check_items(
        pd.DataFrame({"item": [Path("a.jpg"), Path("b.jpg")], "label": [3, 7], "day": [1, 2]}, index=[5, 9])
    )
    assert items.to_dict("list") == {"item": ["a.jpg", "b.jpg"], "label": ["3", "7"], "day": [1, 2]}
    assert items.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    "label", ["black/brown", "..", ".", "", "<b>", "a\\b", "../../etc", "\n", "é" * 300, "con\u202etrol"]
)
def test_any_label_makes_the_name_of_one_folder(tmp_path, label):
    folder = tmp_path / folder_name(label)
    folder.mkdir()
    assert folder.resolve().parent == tmp_path.resolve() and list(tmp_path.iterdir()) == [folder]


def test_digits_are_those_of_scikit_learn(tmp_path):
    from sklearn.datasets import load_digits

    write_digits(tmp_path / "digits", per_class=3, side=8)
    items = folder_items(tmp_path / "digits")
    assert items.label.value_counts().to_dict() == {str(digit): 3 for digit in range(10)}
    digits = load_digits()
    for item, label in zip(items.item, items.label, strict=True):
        index = int(Path(item).stem)
        ink = 16 * (1 - np.asarray(Image.open(item)) / 255)
        assert digits.target[index] == int(label) and np.abs(ink - digits.images[index]).max() < 0.1


def test_digits_without_scikit_learn_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RuntimeError, match="pip install scikit-learn"):
        write_digits(tmp_path)
    assert list(tmp_path.iterdir()) == []
