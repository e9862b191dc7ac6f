"""Checks of images: what cannot be opened, copies, oddities, labels; on real photos and on drawn trouble."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawings import DATA, HTML, encoded, huge_png, plain
from ipyfastai.models.data.check import check_images
from ipyfastai.models.data.digits import write_digits
from ipyfastai.models.data.report import label_variants
from ipyfastai.models.progress import Cancelled, Progress
from PIL import Image

needs_photos = pytest.mark.skipif(not (DATA / "bears_dirty").is_dir(), reason=f"no sample photos in {DATA}")


def photo(seed, size=(160, 120)):
    """A picture that looks like no other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def fill(root, files):
    """Writes {name: image or bytes} below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else encoded(content, quality=90))
    return root


def names(items):
    return sorted("/".join(Path(item).parts[-2:]) for item in items)


@needs_photos
def test_what_is_wrong_with_the_dirty_bears(tmp_path):
    root = tmp_path / "bears"
    for label in ("black", "grizzly", "teddy"):
        shutil.copytree(DATA / "bears_dirty" / label, root / label)
        for file in sorted((DATA / "bears" / label).iterdir())[:20]:
            shutil.copy(file, root / label)
    report = check_images(root)
    broken = ["00000023", "00000053", "00000058", "00000068", "00000107"]
    assert names(report.unreadable.item) == ["grizzly/00000123.jpg", *(f"teddy/{name}.jpg" for name in broken)]
    assert report.unreadable.set_index("item").reason.str.contains("web page|text file").all()
    assert "black/hy_00000178.jpg" in names(report.remarkable[report.remarkable.remark.str.contains("one colour")].item)
    assert ["black/00000015.jpg", "grizzly/00000148.jpg"] in [names(some) for some in report.contradictions]
    opened = sorted(path for path in root.rglob("*.*") if str(path) not in set(report.unreadable.item))
    assert report.items.item.tolist() == [str(path) for path in opened]
    for item, width, height in report.items[["item", "width", "height"]].head(5).itertuples(index=False):
        assert Image.open(item).size == (width, height)
    counts = pd.Series([Path(item).parent.name for item in report.items.item]).value_counts()
    assert report.counts.to_dict() == counts.to_dict()
    assert report.baseline == pytest.approx(counts.max() / counts.sum())
    assert report.findings()[0] == ("bad", "6 of 82 photos cannot be opened.")


@needs_photos
def test_clean_bears_have_one_pair_of_near_copies():
    report = check_images(DATA / "bears")
    assert len(report.unreadable) == 0 and report.exact_duplicates == [] and report.contradictions == []
    assert [names(some) for some in report.near_duplicates] == [["grizzly/00000036.jpg", "grizzly/00000137.jpg"]]
    assert report.findings()[-1] == ("good", '409 photos of 3 labels: always saying "black" would be right for 35 %.')


def test_copies_exact_and_near_and_under_two_labels(tmp_path):
    files = {f"red/{n}.jpg": photo(n) for n in range(12)} | {f"blue/{n}.jpg": photo(100 + n) for n in range(12)}
    files |= {"red/same.jpg": encoded(photo(3), quality=90), "blue/small.jpg": photo(5).resize((120, 90))}
    files |= {"red/white.png": plain((255, 255, 255), kind="PNG"), "red/white2.png": plain((255, 255, 255), kind="PNG")}
    report = check_images(fill(tmp_path / "set", files))
    assert [names(some) for some in report.exact_duplicates] == [
        ["red/3.jpg", "red/same.jpg"],
        ["red/white.png", "red/white2.png"],
    ]
    assert [names(some) for some in report.near_duplicates] == [["blue/small.jpg", "red/5.jpg"]]
    assert [names(some) for some in report.contradictions] == [["blue/small.jpg", "red/5.jpg"]]
    copies = report.items.set_index("item")["copies"]
    assert copies.value_counts().gt(1).sum() == 3 and len(copies) == 28
    assert [text for _, text in report.findings()][:4] == [
        "1 photo is there more than once with different labels.",
        "2 photos are there more than once.",
        "1 photo has near copies.",
        "2 photos stand out: tiny, blank or of odd shape.",
    ]


def test_what_stands_out(tmp_path):
    files = {f"red/{n}.jpg": photo(n) for n in range(8)}
    files |= {
        "red/tiny.jpg": photo(20, (30, 24)),
        "red/wide.jpg": photo(21, (700, 100)),
        "red/blank.jpg": plain(size=(200, 200)),
    }
    report = check_images(fill(tmp_path / "set", files))
    remarks = {
        Path(item).stem: remark for item, remark in zip(report.remarkable.item, report.remarkable.remark, strict=True)
    }
    assert remarks == {
        "tiny": "It is only 30 × 24 pixels.",
        "wide": "Its shape is odd: 700 × 100 pixels.",
        "blank": "It is all of one colour.",
    }


def test_a_set_of_small_pictures_is_not_full_of_oddities_and_digits_are_no_copies(tmp_path):
    report = check_images(write_digits(tmp_path / "digits", per_class=40, side=28))
    assert len(report.remarkable) == 0
    assert report.items["copies"].nunique() > 0.95 * len(report.items)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"red/1.jpg": photo(1)}, ("bad", "There is one photo only.")),
        (
            {f"red/{n}.jpg": photo(n) for n in range(3)},
            ("bad", "The folders give one label only, 'red': a classifier needs at least two."),
        ),
        (
            {f"red/{n}.jpg": photo(n) for n in range(12)} | {"blue/9.jpg": photo(50)},
            ("bad", "'blue' has one photo only, which cannot be both learned and tested."),
        ),
        (
            {f"Red/{n}.jpg": photo(n) for n in range(10)} | {f"red /{n}.jpg": photo(50 + n) for n in range(10)},
            ("warn", "These labels differ only in case or space: 'Red', 'red '."),
        ),
        ({"red/1.jpg": HTML, "blue/2.jpg": b""}, ("bad", "None of the 2 photos can be opened.")),
        (
            {
                f"{label}/{n}.jpg": photo(n + 9 * (label == "<b>"))
                for n in range(9)
                for label in ("<b>", "x")
                if n < 7 or label == "x"
            },
            ("warn", "'x', '<b>' have fewer than 10 photos: expect little there."),
        ),
    ],
    ids=["one image", "one label", "single", "variants", "nothing opens", "few"],
)
def test_what_is_said_of_sets_that_teach_little(tmp_path, files, says):
    report = check_images(fill(tmp_path / "set", files))
    assert report.findings()[0] == says


def test_reasons_for_what_does_not_open(tmp_path, monkeypatch):
    whole = encoded(photo(1))
    files = {
        "a/1.jpg": b"",
        "a/2.jpg": whole[: len(whole) // 2],
        "a/3.png": huge_png(),
        "a/4.jpg": HTML,
        "a/5.jpg": whole,
    }
    root = fill(tmp_path / "set", files)
    opened = Path.stat

    def locked(path, **options):
        if path.name == "5.jpg" and not options:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, **options)

    monkeypatch.setattr(Path, "stat", locked)
    report = check_images(root)
    reasons = dict(zip(names(report.unreadable.item), report.unreadable.reason, strict=True))
    for name, words in {"1": "0 bytes", "2": "cut off", "3": "megapixels", "4": "web page"}.items():
        [reason] = [reason for item, reason in reasons.items() if f"/{name}." in item]
        assert words in reason
    assert reasons["a/5.jpg"] == "This file cannot be read: Permission denied."
    assert not any(str(tmp_path) in reason for reason in reasons.values())


def test_a_table_is_checked_under_its_own_labels(tmp_path):
    root = fill(tmp_path / "set", {f"{n}.jpg": photo(n) for n in range(4)})
    table = pd.DataFrame({"item": sorted(map(str, root.iterdir())), "label": list("aabb"), "day": [1, 1, 2, 2]})
    report = check_images(table)
    assert (
        report.root is None
        and report.counts.to_dict() == {"a": 2, "b": 2}
        and report.items.day.tolist() == [1, 1, 2, 2]
    )


def test_a_table_of_some_of_a_folder_s_images(tmp_path):
    root = fill(tmp_path / "set", {f"{n}.jpg": photo(n) for n in range(4)})
    table = pd.DataFrame({"item": sorted(map(str, root.iterdir()))[:2], "label": ["a", "b"]})
    report = check_images(table, root=root)
    assert report.root == root and report.others == 2 and report.changes() == ""
    (root / "5.jpg").write_bytes(plain())
    assert "1 new" in report.changes()


def test_changes_on_disk_since_the_check_are_told(tmp_path):
    root = fill(tmp_path / "set", {f"red/{n}.jpg": photo(n) for n in range(4)})
    report = check_images(root)
    assert report.changes() == ""
    (root / "red" / "0.jpg").unlink()
    (root / "red" / "1.jpg").write_bytes(plain())
    os.utime(root / "red" / "2.jpg", ns=(1, 1))
    (root / "red" / "new.jpg").write_bytes(plain())
    assert (
        report.changes()
        == "The photos have changed since they were checked: 1 gone, 2 changed, 1 new. Check them again."
    )


def test_cancel_ends_the_check(tmp_path):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        check_images(fill(tmp_path / "set", {f"red/{n}.jpg": photo(n) for n in range(40)}), progress=progress)


def test_labels_that_are_stored_differently_look_the_same():
    assert label_variants(["café", "cafe\u0301", "Bear", "bear", "grizzly  bear", "grizzly bear", "teddy"]) == [
        ["Bear", "bear"],
        ["cafe\u0301", "café"],
        ["grizzly  bear", "grizzly bear"],
    ]
