"""Bookmarks to JSON and back, and files that anybody may have written."""

import json

import numpy as np
import pytest
from ipyfastai.models.embeddings.axes import Direction
from ipyfastai.models.embeddings.bookmark import Bookmark, read_bookmarks, write_bookmarks

SHAPE = (10, 3)
UNIT = np.array([0.6, 0.0, 0.8])


def test_what_was_saved_comes_back():
    kept = [
        Bookmark("First"),
        Bookmark(
            'Ein "Blick" </script>',
            x=Direction("a − b", UNIT),
            y=None,
            flip_x=True,
            equal=False,
            how="sphere",
            layout="UMAP",
            colour="genre",
            size="year",
            labelled=False,
            selection=np.array([1, 4]),
            rows=np.array([1, 2, 4]),
        ),
    ]
    first, second = read_bookmarks(write_bookmarks(kept, SHAPE), SHAPE, columns=["genre", "year"], layouts=["UMAP"])
    assert vars(first) == vars(kept[0])
    assert second.x.name == "a − b" and np.allclose(second.x.unit, UNIT)
    assert second.selection.tolist() == [1, 4] and second.rows.tolist() == [1, 2, 4]
    plain = ("name", "y", "flip_x", "flip_y", "equal", "how", "layout", "colour", "size", "labelled")
    assert all(getattr(second, name) == getattr(kept[1], name) for name in plain)


def test_many_positions_are_short_and_come_back():
    count = 1_000_000
    half = np.flatnonzero(np.random.default_rng(0).random(count) < 0.5)
    kept = [Bookmark("a", selection=half, rows=np.arange(count - 3)), Bookmark("b", selection=half[:2000])]
    data = write_bookmarks(kept, (count, 3))
    assert len(data) < 2 * count / 5 and str(half[:2000].tolist()).encode() in data
    first, second = read_bookmarks(data, (count, 3))
    assert np.array_equal(first.selection, half) and np.array_equal(second.selection, half[:2000])
    assert np.array_equal(first.rows, kept[0].rows)


def test_what_could_not_be_read_again_is_not_written():
    wide = (10, 100_000)
    axis = Direction("a", np.full(wide[1], wide[1] ** -0.5))
    with pytest.raises(
        ValueError, match=r"come to 9\.\d MB. A file of bookmarks has at most 5 MB. Remove some of them."
    ):
        write_bookmarks([Bookmark(f"{number}", x=axis, y=axis) for number in range(2)], wide)
    data = write_bookmarks([Bookmark("a", x=axis, y=axis)], wide)
    assert np.allclose(read_bookmarks(data, wide)[0].x.unit, axis.unit)
    with pytest.raises(ValueError, match="at most 5 MB"):
        read_bookmarks(data + b" " * 5_000_000, wide)


def test_columns_and_layouts_that_are_not_there_are_none():
    data = write_bookmarks([Bookmark("a", colour="genre", size="year", layout="UMAP")], SHAPE)
    [found] = read_bookmarks(data, SHAPE)
    assert (found.colour, found.size, found.layout) == (None, None, "")


def file(**bookmark):
    kept = json.loads(write_bookmarks([Bookmark("a")], SHAPE))
    kept["bookmarks"][0].update(bookmark)
    return json.dumps(kept).encode()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": 7}, "its name is no text"),
        ({"x": 3}, "component that is not there"),
        ({"x": -1}, "component that is not there"),
        ({"x": True}, "an axis that is none"),
        ({"y": "0"}, "an axis that is none"),
        ({"y": {"name": "a", "unit": [1, 0]}}, "an axis that is none"),
        ({"y": {"name": "a", "unit": [1, 0, "0"]}}, "not made of numbers"),
        ({"y": {"name": "a", "unit": [1, 0, 10**400]}}, "cannot be used"),
        ({"y": {"name": "a", "unit": [0, 0, 0]}}, "not of length 1"),
        ({"y": {"name": "a", "unit": [float("nan"), 0, 1]}}, "not made of numbers"),
        ({"flip_x": 1}, "flip_x is true or false"),
        ({"how": "whiten"}, "unknown way"),
        ({"how": ["sphere"]}, "unknown way"),
        ({"selection": [10]}, "its selection are not all there"),
        ({"selection": [-1]}, "its selection are not all there"),
        ({"selection": [1.5]}, "not whole numbers"),
        ({"selection": "12"}, "not whole numbers"),
        ({"selection": [True]}, "not whole numbers"),
        ({"selection": {"bits": [3]}}, "no bits in base 64"),
        ({"selection": {"bits": "\u00e9"}}, "no bits in base 64"),
        ({"selection": {"bits": "AAAA"}}, "those of another number of rows"),
        ({"rows": {"bits": "AQA="}}, "fewer than two rows"),
        ({"rows": [2, 2]}, "fewer than two rows"),
        ({"rows": [10**30, 1]}, "not all there"),
    ],
)
def test_a_bookmark_that_cannot_be_used(changed, says):
    with pytest.raises(ValueError, match=f"^Bookmark 1 of the file cannot be used: .*{says}|{says}"):
        read_bookmarks(file(**changed), SHAPE)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "holds no bookmarks"),
        (b'{"format": "ipyfastai embedding bookmarks"}', "holds no bookmarks"),
        (file().replace(b'"version": 1', b'"version": 2'), "another version"),
        (file().replace(b"[10, 3]", b"[10, 4]"), r"another embedding; this one is 10 × 3"),
        (write_bookmarks([Bookmark("a")] * 101, SHAPE), "101 bookmarks; 100 is the limit"),
        (file().replace(b"[{", b"[7, {"), "Bookmark 1 of the file is not one"),
    ],
)
def test_a_file_that_is_none(data, says):
    with pytest.raises(ValueError, match=says):
        read_bookmarks(data, SHAPE)


def test_hostile_names_and_what_is_not_known():
    [found] = read_bookmarks(file(name="\ud800" * 500, extra={"a": 1}, __class__="x"), SHAPE)
    assert found.name == "?" * 200
    [found] = read_bookmarks(file(name="  "), SHAPE)
    assert found.name == "A view without a name"
