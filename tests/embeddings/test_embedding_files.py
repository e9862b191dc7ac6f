"""Vectors and metadata as people have them, and files that are none."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models.embeddings import files
from ipyfastai.models.embeddings.files import label_column, read_metadata, read_vectors


def npy(array, **options):
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


GOOD = npy(np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize("kind", ["f4", ">f8", "f2", "i8", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(tmp_path, kind, order):
    array = np.asarray(np.arange(12).reshape(4, 3) % 2, kind, order=order)
    np.testing.assert_array_equal(read_vectors(npy(array), "a.NPY").vectors, array)
    path = tmp_path / "upload"
    path.write_bytes(npy(array))
    np.testing.assert_array_equal(read_vectors(path, "a.npy").vectors, array)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"empty \(0 bytes\)"),
        (GOOD[:-3], "damaged: its header tells of 48 bytes of numbers, and 45 are there"),
        (GOOD + b"x", "and 49 are there"),
        (GOOD[:9], "its header cannot be read"),
        (GOOD.replace(b"(3, 2)", b"(9**9,)"), "its header cannot be read"),
        (GOOD.replace(b"(3, 2), }     ", b"(999999999, 2)}"), "of 15,999,999,984 bytes"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_535, "its header cannot be read"),
        (npy(np.array([{}, 1], object), allow_pickle=True), "Python objects .a pickle., which could run code"),
        (pickle.dumps([1]), "a pickle, which could run code, so it is not opened"),
        (b"PK\x03\x04zip", "a zip or .npz file, whatever its name says"),
        (b"a,b\n1,2\n", "no .npy file, whatever its name says"),
        (header("(" * 9_000), "damaged: its header cannot be read"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, True)}"), "a shape that none has"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (%s, 1)}" % ("9" * 4_000)), "a shape that none has"),
        (npy(np.zeros(3)), r"this array has the shape \(3,\)"),
        (npy(np.zeros((0, 3))), r"the shape \(0, 3\)"),
        (npy(np.zeros((2, 2), complex)), "vectors are real numbers"),
        (npy(np.array([["a"]])), "vectors are real numbers"),
    ],
)
def test_what_is_no_array_of_vectors(data, says):
    with pytest.raises(ValueError, match=says):
        read_vectors(data, "vectors.npy")


WORDS = pd.DataFrame({"word": ["king", "queen", "é"], "x": [1.5, -2, 0], "y": [1e-3, 4, 5]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", [True, False])
def test_tables_however_they_are_written(encoding, separator, header):
    data = WORDS.to_csv(sep=separator, header=header, index=False).encode(encoding)
    found = read_vectors(data, "words.csv")
    np.testing.assert_allclose(found.vectors, WORDS[["x", "y"]], rtol=1e-6)
    assert found.labels == ["king", "queen", "é"] and found.metadata is None


@pytest.mark.parametrize(
    ("text", "vectors", "labels", "metadata"),
    [
        ("1,2\n3,4\n5,6\n", [[1, 2], [3, 4], [5, 6]], None, None),
        ("x,y\n1,2\n3,4\n", [[1, 2], [3, 4]], None, None),
        ("0,1,2\n.1,.2,.3\n1,2,3\n", [[0.1, 0.2, 0.3], [1, 2, 3]], None, None),
        (",x,y\n0,1.5,2\n1,3,4\n", [[1.5, 2], [3, 4]], ["0", "1"], None),
        (",word,x\n0,a,2\n1,b,4\n", [[2], [4]], ["a", "b"], None),
        ("id\tx\n7\t1\n9\t3\n", [[1], [3]], ["7", "9"], None),
        ("sep=;\nname;x\na;1,5\nb;2\n".replace("sep=;\n", ""), [[1.5], [2]], ["a", "b"], None),
        ("genre,title,x\nSF,Alien,1\nCrime,Heat,2\n", [[1], [2]], ["Alien", "Heat"], {"genre": ["SF", "Crime"]}),
        ('name,x\n"a, ""b""",1\nNA,2\n=1+1,3\n', [[1], [2], [3]], ['a, "b"', "NA", "=1+1"], None),
        ('name\tx\n"quote\t1\nb\t2\n', [[1], [2]], ['"quote', "b"], None),
        ("x,y\n1,\nnan,2\n3,4\n", [[1, np.nan], [np.nan, 2], [3, 4]], None, None),
        ("x\n1\n2\n", [[1], [2]], None, None),
        ("\n\nx,y\n\n1,2\n3,4\n", [[1, 2], [3, 4]], None, None),
        ("x y\nrow1 1 2\nrow2 3 4\n", [[1, 2], [3, 4]], ["row1", "row2"], None),
    ],
)
def test_headers_labels_and_gaps(text, vectors, labels, metadata):
    found = read_vectors(text.encode(), "table.tsv")
    np.testing.assert_allclose(found.vectors, vectors, rtol=1e-6)
    assert found.labels == labels
    assert (None if found.metadata is None else found.metadata.to_dict("list")) == metadata


@pytest.mark.parametrize("place", range(12))
def test_a_column_without_a_name_is_part_of_the_vectors_wherever_it_stands(place):
    vectors = np.random.default_rng(0).normal(size=(4, 12)).round(3)
    vectors[:, place] = range(4)
    found = read_vectors(pd.DataFrame(vectors).to_csv(header=False, index=False).encode(), "vectors.csv")
    assert found.labels is None
    np.testing.assert_allclose(found.vectors, vectors, rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b" \n \n", "no lines with anything in them"),
        (b"PK\x03\x04", "a zip or an Excel file"),
        (b"\x1f\x8b", "packed: unpack it first"),
        (GOOD, "call the file .npy"),
        (b"a\0b", "no text file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"name\na\nb\n", "no columns of numbers"),
        (b"The Matrix\nToy Story\nStar Wars\n", "no columns of numbers"),
        (b"x,x\n1,2\n3,4\n", "columns of one name: 'x'"),
        (b"x,y\n" + b"1,2\n" * 300 + b"1,2,3\n", "Line 302 has 3 cells, and the first 2"),
        (b"x,y\n" + b"1,2\n" * 300 + b"3,abc\n", "Row 301 of column 'y' has 'abc' where a number should be"),
        (b"x;y\n" + b"1,5;2\n" * 300 + b"3;1.2.3\n", "Row 301 of column 'y' has '1.2.3'"),
        (",".join(["1"] * 20_001).encode(), "20,001 columns; 20,000 is the limit"),
    ],
)
def test_what_is_no_table(data, says):
    with pytest.raises(ValueError, match=says):
        read_vectors(data, "vectors.csv")


def test_metadata_with_and_without_a_header():
    assert read_metadata(b"a\nb\n", 2)["column 1"].tolist() == ["a", "b"]
    table = read_metadata(b"title\tyear\nHeat\t1995\nAlien\t\n", 2)
    assert table.title.tolist() == ["Heat", "Alien"] and table.year[0] == 1995 and np.isnan(table.year[1])
    assert read_metadata(b"title,note\nHeat,NA\nAlien,None\n", 2).note.tolist() == ["NA", "None"]
    with pytest.raises(ValueError, match="There are 3 vectors, and 1 row of metadata"):
        read_metadata(b"title\nHeat\n", 3)


@pytest.mark.parametrize(
    "names", [["New York", "Los Angeles", "San Diego"], ["Apollo 13", "District 9", "Passenger 57"]]
)
@pytest.mark.parametrize("header", ["title\n", "", "the title\n"])
def test_names_have_blanks(names, header):
    table = read_metadata((header + "\n".join(names) + "\n").encode(), 3)
    assert table.to_dict("list") == {header.strip() or "column 1": names}


def test_which_column_names_the_rows():
    assert label_column(pd.DataFrame({"genre": ["a"], "Title": ["b"]})) == "Title"
    assert label_column(pd.DataFrame({"year": [1], "genre": ["a"], "studio": ["b"]})) == "genre"
    assert label_column(pd.DataFrame({"year": [1]})) is None


def test_whole_numbers_of_metadata_are_integers():
    found = read_metadata(b"title\tyear\tscore\tlength\nHeat\t1995\t8.3\t170\nAlien\t1979\t8.5\t\n", 2)
    assert found["year"].dtype == np.int64 and found["year"].tolist() == [1995, 1979]
    assert found["score"].dtype == found["length"].dtype == np.float64  # a gap is no whole number


@pytest.mark.parametrize(("data", "name"), [(GOOD, "a.npy"), (b"1,2\n3,4\n5,6\n", "a.csv")])
def test_more_vectors_than_a_kernel_can_hold(monkeypatch, data, name):
    monkeypatch.setattr(files, "MOST", 3)
    assert len(read_vectors(data, name).vectors) == 3
    monkeypatch.setattr(files, "MOST", 2)
    with pytest.raises(ValueError, match="at most 2, and these are 3"):
        read_vectors(data, name)
