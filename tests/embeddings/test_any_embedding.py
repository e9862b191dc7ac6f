"""Which column colours the points of an upload at first, and what cannot be shown."""

import pandas as pd
import pytest
from ipyfastai.models.embeddings import pca
from ipyfastai.models.embeddings.example import examples
from ipyfastai.widgets import AnyEmbedding
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


def test_what_cannot_be_explored_is_told_and_the_last_stays(monkeypatch):
    view = AnyEmbedding()
    name, *_ = examples()
    view.upload.show_example(name)
    shown = view.value
    assert len(shown.embedding) and view.children == (view.upload, shown)
    monkeypatch.setattr(pca, "LARGEST", 3)
    view.upload.show_example(name)
    assert "would take too long: 3 of either is the limit" in view.upload.job._shown["text"]
    assert view.value is shown and view.children == (view.upload, shown)
    view.close()


def test_what_a_page_says_is_shown_closes_nothing_else():
    view = AnyEmbedding()
    first, second, *_ = examples()
    view.upload.show_example(first)
    shown = view.value
    view.set_state({"children": [f"IPY_MODEL_{view.upload.model_id}", f"IPY_MODEL_{view.model_id}"]})
    view.upload.show_example(second)
    assert shown.comm is None and view.comm is not None and view.children == (view.upload, view.value)
    view.set_state({"children": []})
    view.close()
    assert view.upload.comm is None and view.value.comm is None
