"""What an embedding is made from, and what becomes of bad input."""

import numpy as np
import pandas as pd
import pytest
import torch
from ipyfastai.models.embeddings.embedding import Embedding

NAMES = ["a", "b", "c", "d"]
SOUND = [[1, 2], [3, 4], [5, 7], [0, 1]]


def test_anything_that_is_a_table_of_numbers():
    columns = (*(np.array(SOUND, kind) for kind in (int, np.float16, object)), pd.DataFrame(SOUND), pd.Series(SOUND))
    for given in (SOUND, *columns, torch.tensor(SOUND), torch.tensor(SOUND, dtype=torch.bfloat16)):
        embedding = Embedding(given, NAMES)
        assert embedding.vectors.dtype == np.float32 and embedding.vectors.flags.c_contiguous
        assert embedding.vectors.tolist() == SOUND and embedding.labels.tolist() == NAMES
        assert embedding.kept.tolist() == [0, 1, 2, 3] and embedding.notices == () and len(embedding) == 4
    assert Embedding(torch.tensor(SOUND, dtype=torch.float32, requires_grad=True)).labels.tolist() == [*"0123"]


def test_what_is_single_precision_already_is_not_copied_and_cannot_be_written():
    table = np.array(SOUND, np.float32)
    embedding = Embedding(table, NAMES)
    assert np.shares_memory(table, embedding.vectors) and table.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        embedding.vectors[0] = 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e31, 1e300])
def test_rows_that_cannot_be_used_are_named_and_left_out(bad):
    table = [*SOUND[:2], [1, bad], SOUND[3]]
    embedding = Embedding(table, NAMES, {"year": [1, 2, 3, 4]}, ["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
    assert embedding.notices == ("1 of 4 rows was left out, because it holds NaN, infinite or too large numbers: 'c'.",)
    assert embedding.kept.tolist() == [0, 1, 3] and embedding.labels.tolist() == ["a", "b", "d"]
    assert embedding.metadata.year.tolist() == [1, 2, 4] and embedding.metadata.index.tolist() == [0, 1, 2]
    assert embedding.thumbnails == ["1.jpg", "2.jpg", "4.jpg"]


def test_many_bad_rows_are_counted():
    table = np.ones((100, 3))
    table[1:, 0] = np.arange(99)
    table[10:30] = np.nan
    [notice, _] = Embedding(table).notices
    assert notice.startswith("20 of 100 rows were left out") and notice.endswith("'14' and 15 more.")


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        ([[1, 2]], "1 row of 1 can be used, and an embedding needs at least 2"),
        ([[1, 2], [np.nan, 1], [np.inf, 1]], "1 row of 3 can be used.*the others hold NaN"),
        (np.full((3, 2), np.nan), "0 rows of 3 can be used"),
        ([[1, 2], [1, 2]], "All rows are the same"),
        (np.zeros((0, 3)), "There are no vectors: the table has 0 rows and 3 columns"),
        (np.zeros((3, 0)), "0 columns"),
        ([1, 2, 3], r"has the shape \(3,\)"),
        (np.zeros((2, 2, 2)), r"has the shape \(2, 2, 2\)"),
        ([[1, 2], [3]], "The rows of vectors have different lengths"),
        ([["a", "b"], ["c", "d"]], "real numbers; these are text"),
        (np.array([[{}], [{}]]), "these are objects"),
        ([[1j], [2]], "these are complex numbers"),
        (pd.DataFrame({"x": [1, 2], "word": ["a", "b"]}), "these columns are none: 'word'. Are they metadata"),
        (None, "these are objects"),
        ("abc", "these are text"),
    ],
)
def test_vectors_that_cannot_be_used(vectors, says):
    with pytest.raises(ValueError, match=says):
        Embedding(vectors)


def test_text_that_cannot_be_written_is_replaced():
    table = Embedding(SOUND, ["\ud800", *"bcd"], {"kind": ["x", "a\udcff", None, "y"], "n": [1, 2, 3, 4]})
    assert table.labels[0] == "?" and table.metadata["kind"].tolist() == ["x", "a?", None, "y"]
    assert table.metadata["n"].tolist() == [1, 2, 3, 4]


def test_masked_numbers_are_missing():
    table = np.ma.masked_equal(np.array(SOUND), 7)
    embedding = Embedding(table, NAMES)
    assert embedding.kept.tolist() == [0, 1, 3] and embedding.count == 4


def test_columns_that_never_change_are_told():
    assert Embedding([[1, 5, 7], [2, 5, 7]]).notices == ("2 of 3 columns never change: they say nothing here.",)
    assert Embedding([[1, 5], [2, 5]]).notices == ("1 of 2 columns never changes: it says nothing here.",)


def test_one_column_and_more_columns_than_rows():
    assert Embedding([[1], [2], [4]]).vectors.shape == (3, 1)
    assert Embedding(np.eye(3, 500)[:2]).vectors.shape == (2, 500)


@pytest.mark.parametrize(
    ("labels", "metadata", "thumbnails", "says"),
    [
        (["a"], None, None, "There are 4 vectors and 1 label: one for each"),
        ("abcd", None, None, "Labels are a list"),
        (7, None, None, "Labels are a list"),
        (NAMES, {"x": [1]}, None, "4 vectors and 1 row of metadata"),
        (NAMES, {"x": [1, 2], "y": [1]}, None, "different lengths"),
        (NAMES, [1, 2, 3, 4], None, "Metadata is a DataFrame"),
        (NAMES, pd.DataFrame([[1, 2]] * 4, columns=["x", "x"]), None, "two columns of one name: 'x'"),
        (NAMES, pd.DataFrame([[1, 2]] * 4, columns=["1", 1]), None, "two columns of one name: '1'"),
        (NAMES, pd.DataFrame(np.zeros((4, 201))), None, "201 columns; 200 is the limit"),
        (NAMES, None, ["1.jpg"], "4 vectors and 1 thumbnail"),
        (NAMES, None, "1.jp", "Thumbnails are a list"),
        (NAMES, None, iter(["1.jpg"] * 4), "Thumbnails are a list"),
    ],
)
def test_what_does_not_fit_the_vectors(labels, metadata, thumbnails, says):
    with pytest.raises(ValueError, match=says):
        Embedding(SOUND, labels, metadata, thumbnails)


def test_labels_of_all_kinds_become_text():
    labels = [None, float("nan"), 3, b"\xc3\xa4"]
    assert Embedding(SOUND, labels).labels.tolist() == ["", "", "3", "ä"]
    assert Embedding(SOUND, pd.Categorical(["x", "y", "x", "y"])).labels.tolist() == [*"xyxy"]
    assert Embedding(SOUND, np.array(NAMES)).labels.tolist() == NAMES
    assert Embedding(SOUND, pd.Series([1.5, 2, 3, 4])).labels.tolist() == ["1.5", "2.0", "3.0", "4.0"]


def test_hostile_labels():
    embedding = Embedding(SOUND, ["x" * 100_000, "\ud800", "a\0b", "<img src=x onerror=alert(1)>"])
    assert [len(label) for label in embedding.labels[:2]] == [200, 1]
    assert embedding.labels[1:].tolist() == ["?", "a\ufffdb", "<img src=x onerror=alert(1)>"]
    assert embedding.notices == ("1 label of more than 200 characters was cut off.",)
    "".join(embedding.labels).encode()


def test_metadata_keeps_numbers_dates_and_categories_and_makes_text_of_the_rest():
    table = pd.DataFrame(
        {
            "whole": [1, 2, 3, 4],
            "real": [1.5, np.inf, -np.inf, np.nan],
            "sure": [True, False, True, True],
            "day": pd.to_datetime(["2020-01-01"] * 4),
            "kind": pd.Categorical([1, "1", None, 2]),
            "mixed": [{"a": 1}, None, 3, "\udfff"],
            7: ["x"] * 4,
        },
        index=[9, 9, 3, 1],
    )
    embedding = Embedding(SOUND, NAMES, table)
    made = embedding.metadata
    assert list(made) == ["whole", "real", "sure", "day", "kind", "mixed", "7"] and made.index.tolist() == [0, 1, 2, 3]
    assert made.whole.tolist() == [1, 2, 3, 4] and made.real.isna().tolist() == [False, True, True, True]
    assert made.sure.dtype == bool and made.day.dtype.kind == "M"
    assert made.kind.tolist()[:2] == ["1", "1"] and made.mixed.tolist()[:1] == ["{'a': 1}"]
    assert made.mixed.isna().tolist() == [False, True, False, False] and made.mixed[3] == "?"
    assert embedding.notices == ("Infinite numbers in 'real' count as missing.",)
    assert table.index.tolist() == [9, 9, 3, 1], "what was given is left as it is"


def test_a_million_categories():
    count = 1_000_000
    embedding = Embedding(
        np.arange(2 * count).reshape(count, 2), range(count), {"kind": [f"k{row}" for row in range(count)]}
    )
    assert embedding.metadata.kind[count - 1] == "k999999"
