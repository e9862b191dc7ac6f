"""Labels by folder, by pattern and by table, on real names; and patterns that would never end."""

import time
from pathlib import Path

import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models.data.items import image_files
from ipyfastai.models.data.labels import (
    captures,
    label_by_folder,
    label_by_pattern,
    label_by_table,
    merge_variants,
    read_table,
)

needs_data = pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample data in {DATA}")


@needs_data
def test_breeds_of_pets_as_fastai_reads_them():
    from fastai.data.transforms import RegexLabeller

    files, _ = image_files(DATA / "pets")
    labelled = label_by_pattern(files, r"(.+)_\d+\.jpg$")
    fastai_s = RegexLabeller(r"(.+)_\d+\.jpg$")
    assert labelled.items.label.tolist() == [fastai_s(file.name) for file in files]
    assert labelled.items.label.nunique() == 37 and labelled.unmatched == []


def test_what_does_not_match_is_listed_and_named_groups_become_columns():
    files = [Path(f"/photos/{name}") for name in ("cat_anna_1.jpg", "dog_bo_2.jpg", "notes.jpg", "_x_3.jpg")]
    labelled = label_by_pattern(files, r"^(?P<label>[a-z]*)_(?P<person>\w+)_")
    assert labelled.items.drop(columns="item").to_dict("list") == {"label": ["cat", "dog"], "person": ["anna", "bo"]}
    assert labelled.unmatched == files[2:], "nothing captured is no label"


def test_no_group_of_a_pattern_can_name_other_files():
    files = [Path("/photos/x/home/ada/1.jpg"), Path("/photos/y/home/ada/2.jpg")]
    with pytest.raises(ValueError, match="cannot be called item"):
        label_by_pattern(files, r"^(?P<label>.)(?P<item>/home/.*)", root="/photos")


def test_the_path_can_be_searched_too():
    files = [Path("/set/train/a/1.jpg"), Path("/set/valid/b/1.jpg")]
    labelled = label_by_pattern(files, r"^(?P<side>\w+)/(?P<label>\w+)/", root="/set")
    assert labelled.items[["label", "side"]].values.tolist() == [["a", "train"], ["b", "valid"]]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "Write a pattern"),
        ("(", "no valid pattern: missing \\), unterminated subpattern at character 1"),
        ("[a-", "no valid pattern: unterminated character set at character 1"),
        (r"\d+", "in parentheses"),
        ("(" * 600 + ")" * 600, "longer than 1,000"),
        ("(?P<1>x)", "no valid pattern: bad character in group name '1'"),
    ],
    ids=["empty", "open", "set", "no group", "long", "bad name"],
)
def test_patterns_that_will_not_do(pattern, says):
    with pytest.raises(ValueError, match=says):
        captures(pattern, ["a.jpg"])


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)+$", r"(.*a){25}x"])
def test_a_pattern_that_backtracks_for_years_ends(pattern):
    began = time.monotonic()
    with pytest.raises(ValueError, match="takes longer than 0.5 seconds"):
        captures(pattern, ["a" * 60 + "!"], seconds=0.5)
    assert time.monotonic() - began < 30, "the regular expression ran on"


def test_hostile_names_stay_text():
    names = ["<b>_1.jpg", "é_2.jpg", "a\nb_3.jpg", "\udcff_4.jpg"]
    assert [found and found["label"] for found in captures(r"^(.)_", names)] == [None, "é", None, "\udcff"]


def test_labels_by_the_folder_at_any_depth():
    files = [Path("/set/cats/day 1/1.jpg"), Path("/set/dogs/2.jpg"), Path("/set/3.jpg")]
    near, top = label_by_folder(files, "/set"), label_by_folder(files, "/set", level=0)
    assert near.items.label.tolist() == ["day 1", "dogs"] and top.items.label.tolist() == ["cats", "dogs"]
    assert near.unmatched == top.unmatched == [files[2]]
    assert len(label_by_folder(files, "/set", level=1).items) == 1


@needs_data
def test_labels_by_a_real_table():
    root = DATA / "mnist_tiny"
    files, _ = image_files(root)
    table = read_table(root / "labels.csv")
    labelled = label_by_table(files, table, name="name", label="label", root=root)
    assert labelled.items.label.tolist() == [Path(item).parent.name for item in labelled.items.item]
    assert len(labelled.items) == 1408 and labelled.missing == []
    assert {file.parent.name for file in labelled.unmatched} == {"test"}


FILES = [Path(f"/set/{name}") for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg")]


@pytest.mark.parametrize("names", [["a/1.jpg", "2.jpg", "b/1.jpg", "3"], ["./a/1.jpg", " 2 ", "b\\1.jpg", "b/3.jpg"]])
def test_a_table_may_name_files_by_path_name_or_stem(names):
    table = pd.DataFrame({"file": names, "kind": list("wxyz"), "person": list("jjkk")})
    labelled = label_by_table(FILES, table, name="file", label="kind", root="/set")
    assert labelled.items.label.tolist() == list("wxyz") and labelled.items.person.tolist() == list("jjkk")


def test_an_empty_cell_is_no_label():
    table = pd.DataFrame({"file": ["a/1.jpg", "a/2.jpg"], "kind": ["x", float("nan")]})
    labelled = label_by_table(FILES, table, name="file", label="kind", root="/set")
    assert labelled.items.label.tolist() == ["x"] and labelled.unmatched == FILES[1:]


def test_names_that_several_files_bear_or_none_are_missing():
    table = pd.DataFrame({"file": ["1.jpg", "3.jpg", "9.jpg"], "kind": list("xyz")})
    labelled = label_by_table(FILES, table, name="file", label="kind", root="/set")
    assert labelled.missing == ["1.jpg", "9.jpg"] and labelled.items.item.tolist() == ["/set/b/3.jpg"]
    assert labelled.unmatched == FILES[:3]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"file": ["a/1.jpg"], "kind": ["x"]}, None),
        ({"file": ["a/1.jpg", "a/1.jpg"], "kind": ["x", "y"]}, "gives 1.jpg two labels"),
        ({"file": ["nothing.jpg"], "kind": ["x"]}, "No file has a name that stands in column 'file'"),
        ({"name": ["a/1.jpg"], "kind": ["x"]}, "no column 'file'"),
    ],
)
def test_tables_that_will_not_do(table, says):
    def label():
        return label_by_table(FILES, pd.DataFrame(table), name="file", label="kind", root="/set")

    if says is None:
        assert len(label().items) == 1
    else:
        with pytest.raises(ValueError, match=says):
            label()


@pytest.mark.parametrize(
    "data",
    [
        "name,label\nä.jpg,Bär\n".encode(),
        "name;label\r\nä.jpg;Bär\r\n".encode("utf-8-sig"),
        "name\tlabel\nä.jpg\tBär\n".encode("cp1252"),
    ],
    ids=["plain", "excel", "old excel"],
)
def test_tables_as_they_come(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    assert read_table(tmp_path / "t.csv").to_dict("list") == {"name": ["ä.jpg"], "label": ["Bär"]}


@pytest.mark.parametrize("data", [b"", b'a,b\n"1,2\n3'], ids=["empty", "open quote"])
def test_what_is_no_table_is_said_to_be_none(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(ValueError, match="This is no table that can be read"):
        read_table(tmp_path / "t.csv")


def test_too_many_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 11)
    with pytest.raises(ValueError, match="more than 10 rows"):
        read_table(tmp_path / "t.csv", max_rows=10)


@pytest.mark.parametrize(
    "header", ["a" + ",b" * 1000, "\n\n" + "a" + ",b" * 1000, '"a\nb"' + ",b" * 1000], ids=["plain", "below", "quoted"]
)
def test_too_many_columns(tmp_path, header):
    (tmp_path / "t.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(ValueError, match="has 1,001 columns; the limit is 1,000"):
        read_table(tmp_path / "t.csv")


def test_a_header_without_end(tmp_path):
    (tmp_path / "t.csv").write_text("a" * 100_000 + "," * 100_000 + "\n")
    with pytest.raises(ValueError, match="This is no table that can be read"):
        read_table(tmp_path / "t.csv")


def test_cells_beyond_the_header_are_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("name,label\n" + "1.jpg,cat,,,\n" * 2)
    assert read_table(tmp_path / "t.csv").to_dict("list") == {"name": ["1.jpg"] * 2, "label": ["cat"] * 2}


def test_variants_become_the_commonest():
    items = pd.DataFrame({"item": list("123456"), "label": ["teddy", "Teddy ", "teddy", " Brown", " Brown", "black"]})
    assert merge_variants(items).label.tolist() == ["teddy", "teddy", "teddy", " Brown", " Brown", "black"]
