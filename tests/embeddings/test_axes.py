"""Prepared vectors and axes of one's own."""

import numpy as np
import pytest
from ipyfastai.models.embeddings.axes import custom_axis
from ipyfastai.models.embeddings.prepare import prepare
from sklearn.preprocessing import StandardScaler, normalize

VECTORS = (np.random.default_rng(0).standard_normal((20_000, 4)) * [1, 100, 1e-3, 1] + [5, 0, 1000, 0]).astype(
    np.float32
)


def test_standardised_like_scikit_learn():
    ours = prepare(VECTORS, "standardise")
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(VECTORS.astype(np.float64)), atol=1e-4)
    assert ours.dtype == np.float32


def test_on_the_sphere_like_scikit_learn():
    table = VECTORS.copy()
    table[7] = 0
    ours = prepare(table, "sphere")
    np.testing.assert_allclose(ours, normalize(table), atol=1e-6)
    assert not ours[7].any()


def test_a_column_that_never_changes_is_zero():
    table = np.hstack([VECTORS[:100], np.full((100, 1), 0.1, np.float32)])
    assert not prepare(table, "standardise")[:, 4].any()


def test_as_they_are_and_no_other_way():
    assert prepare(VECTORS) is VECTORS
    with pytest.raises(ValueError, match="as they are, standardise, sphere; not 'whiten'"):
        prepare(VECTORS, "whiten")


def test_an_axis_is_the_difference_of_two_means():
    axis = custom_axis(VECTORS, [1, 2, 3], [4])
    difference = VECTORS[1:4].astype(np.float64).mean(axis=0) - VECTORS[4]
    np.testing.assert_allclose(axis, difference / np.linalg.norm(difference))
    assert custom_axis(np.eye(3, dtype=np.float32), [0], [1]) @ [1, -1, 0] == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize(
    ("plus", "minus", "says"),
    [([], [1], "at least one row that it points to"), ([1], [], "that it comes from"), ([1, 2], [2, 1], "same place")],
)
def test_what_is_no_axis(plus, minus, says):
    with pytest.raises(ValueError, match=says):
        custom_axis(VECTORS, plus, minus)
