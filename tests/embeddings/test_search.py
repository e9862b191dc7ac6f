"""Search by regular expressions, beside Python's own."""

import re

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models.embeddings import search as rows_found
from ipyfastai.models.embeddings.embedding import Embedding
from ipyfastai.models.embeddings.search import Search
from ipyfastai.models.progress import Cancelled, Progress

LABELS = ["Heat (1995)", "alien (1979)", "ALIENS (1986)", "", "Ärger", "<b>a|b</b>", "a.b", "日本", "x\ny"]


@pytest.fixture(scope="module")
def search():
    table = pd.DataFrame(
        {
            "year": [1995, 1979, 1986, 1, 2, 3, 4, 5, 6],
            "score": [0.5, np.nan, 7, 1, 2, 3, 4, 5, 6],
            "genre": pd.Categorical(["Crime", "Sci-Fi", "Sci-Fi", None, "Crime", "b", "b", "b", "b"]),
            "note": ["x", None, "crime", "", "y", "z", "z", "z", "z"],
            "seen": [True, False] * 4 + [True],
            "on": pd.to_datetime(["2020-01-02"] * 8 + [None]),
        }
    )
    return Search(np.array(LABELS, object), table)


@pytest.mark.parametrize(
    "pattern", ["alien", "^a", r"\(19[78]", "ärger", r"a\.b", "a.b", "日", "^$", "(?-i:ALI)", "s?", "zz"]
)
def test_like_pythons_own(search, pattern):
    expected = [
        place
        for place, label in enumerate(LABELS)
        if re.search(pattern.replace("(?-i:", "(?:"), label, 0 if "-i" in pattern else re.IGNORECASE)
    ]
    assert search(pattern).tolist() == expected


@pytest.mark.parametrize(
    ("pattern", "column", "found"),
    [
        ("^19", "year", [0, 1, 2]),
        ("^7", "score", [2]),
        ("SCI", "genre", [1, 2]),
        ("crime", "genre", [0, 4]),
        (".*", "genre", [0, 1, 2, 4, 5, 6, 7, 8]),
        ("crime", "note", [2]),
        ("true", "seen", [0, 2, 4, 6, 8]),
        ("2020-01", "on", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_any_column(search, pattern, column, found):
    assert search(pattern, column).tolist() == found


def test_an_empty_search_finds_nothing(search):
    assert search("").size == 0 and search("", "year").size == 0


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(", r"^This is no regular expression: missing \): \(\.$"),
        ("[z-a]", "invalid character class range: z-a"),
        ("*", "no argument for repetition operator"),
        ("a(?=b)", "invalid perl operator"),
        (r"(a)\1", r"invalid escape sequence: \\1"),
        ("((a{100}){100}){100}", "no regular expression"),
        ("\ud800", "half of a character"),
        ("a" * 1001, "at most 1,000 characters, and this has 1,001"),
        (7, "for text"),
    ],
)
def test_what_is_no_pattern(search, pattern, says):
    with pytest.raises(ValueError, match=says):
        search(pattern)


@pytest.mark.parametrize("column", ["no", 3, True])
def test_a_column_that_is_not_there(search, column):
    with pytest.raises(ValueError, match="There is no column"):
        search("a", column)


def test_a_pattern_that_python_would_never_end_with():
    assert Search(["a" * 190 + "!"] * 1000)("(a+)+$").size == 0


def test_long_columns_are_searched_in_parts():
    labels = [f"row {row}" for row in range(300_001)]
    search = Search(labels, pd.DataFrame({"half": pd.Categorical(np.arange(300_001) % 2)}))
    assert search("^row (7|150000|300000)$").tolist() == [7, 150_000, 300_000]
    assert search("1", "half").size == 150_000


@pytest.mark.parametrize("count", [1_000, 300_000])
def test_a_search_that_nobody_waits_for_any_more_ends(count):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        Search(["x"] * count)("x", progress=progress)


def test_labels_that_are_hostile_are_only_text():
    embedding = Embedding(np.eye(3), ["\ud800<script>", "\0", "a" * 10_000], {"m": ["\udfff", 3, None]})
    search = Search(embedding.labels, embedding.metadata)
    assert search("<script>").tolist() == [0] and search("a{50}").tolist() == [2] and search("3", "m").tolist() == [1]


def test_a_pattern_that_is_slow_by_its_repetitions_is_given_up(monkeypatch):
    """Linear in the text, but each letter of it costs as much as 900 optional pairs do."""
    monkeypatch.setattr(rows_found, "SECONDS", 0.0)
    with pytest.raises(ValueError, match="takes too long"):
        Search(["ab" * 20] * 200)("((a?b?){30}){30}x")
    assert Search(["x"] * rows_found.FIRST)("x").size == rows_found.FIRST  # what is done by then is done
