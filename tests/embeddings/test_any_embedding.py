"""Which column colours the points of an upload at first."""

import pandas as pd
import pytest
from ipyfastai.widgets.embeddings.any_embedding import grouping

TITLES = [f"title {number}" for number in range(50)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, None),
        ({"title": TITLES}, None),
        ({"title": TITLES, "genre": ["Drama", "Comedy"] * 25}, "genre"),
        ({"same": ["one"] * 50, "many": [f"group {number % 30}" for number in range(50)]}, None),
        ({"year": range(1950, 2000), "seen": [True, False] * 25}, "seen"),
    ],
)
def test_the_first_column_of_a_few_groups(columns, expected):
    assert grouping(pd.DataFrame(columns)) == expected
