"""Neighbours beside comparing with every row."""

import numpy as np
import pytest
from ipyfastai.models.embeddings.neighbours import Neighbours
from sklearn.neighbors import NearestNeighbors


def vectors(count=3000, width=20, seed=0):
    return np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)


def brute_force(table, position, k, metric):
    """All distances in double precision, sorted; equal ones in the order of rows."""
    table = table.astype(np.float64)
    query = table[position]
    if metric == "euclidean":
        distances = np.sqrt(np.square(table - query).sum(axis=1))
    else:
        sizes = np.linalg.norm(table, axis=1)
        cosines = np.where(sizes > 0, table @ query / np.where(sizes > 0, sizes * sizes[position], 1), 0)
        distances = 1 - cosines
    distances[position] = np.inf
    order = np.argsort(distances, kind="stable")[: min(k, len(table) - 1)]
    return order, distances[order]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 10, 999])
def test_like_comparing_with_every_row(metric, k):
    table = vectors()
    neighbours = Neighbours(table)
    for position in (0, 1234, 2999):
        rows, distances = neighbours.of(position, k, metric)
        expected, far = brute_force(table, position, k, metric)
        np.testing.assert_array_equal(rows, expected)
        np.testing.assert_allclose(distances, far, atol=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_like_scikit_learn(metric):
    table = vectors(800, 6).astype(np.float64)
    found = NearestNeighbors(n_neighbors=21, metric=metric, algorithm="brute").fit(table)
    distances, rows = found.kneighbors(table[[5]])
    ours = Neighbours(table.astype(np.float32)).of(5, 20, metric)
    np.testing.assert_array_equal(ours[0], rows[0, 1:])
    np.testing.assert_allclose(ours[1], distances[0, 1:], atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("offset", [100, 3000])
def test_far_from_zero_the_order_is_still_exact(metric, offset):
    table = vectors(2000, 8) + np.float32(offset)
    rows, distances = Neighbours(table).of(7, 50, metric)
    expected, far = brute_force(table, 7, 50, metric)
    np.testing.assert_allclose(distances, far, atol=1e-13 if metric == "cosine" else 1e-9)
    if metric == "euclidean":
        np.testing.assert_array_equal(rows, expected)


def test_equally_far_rows_come_in_their_order():
    table = np.zeros((9, 2), np.float32)
    table[[2, 5, 7]] = [1, 0]
    table[[1, 3]] = [0, 1]
    rows, distances = Neighbours(table).of(5, 5, "euclidean")
    assert rows.tolist() == [2, 7, 0, 4, 6] and distances.tolist() == [0, 0, 1, 1, 1]
    rows, distances = Neighbours(table).of(5, 4, "cosine")
    assert rows.tolist() == [2, 7, 0, 1] and distances.tolist() == [0, 0, 1, 1], "zeros count as 1 from everything"


def test_a_row_of_zeros_has_euclidean_neighbours_only():
    table = np.vstack([np.zeros((1, 3), np.float32), vectors(10, 3)])
    assert len(Neighbours(table).of(0, 5, "euclidean")[0]) == 5
    with pytest.raises(ValueError, match="all zeros: .* Try Euclidean"):
        Neighbours(table).of(0, 5, "cosine")


def test_very_large_small_and_outlying_rows():
    for scale in (1e-18, 1e18):
        table = vectors(500, 5) * np.float32(scale)
        for metric in ("cosine", "euclidean"):
            np.testing.assert_array_equal(Neighbours(table).of(3, 20, metric)[0], brute_force(table, 3, 20, metric)[0])
    table = vectors(500, 5)
    table[77] = 1e20
    np.testing.assert_array_equal(
        Neighbours(table).of(3, 20, "euclidean")[0], brute_force(table, 3, 20, "euclidean")[0]
    )


def test_no_more_than_there_are():
    assert len(Neighbours(vectors(5, 2)).of(0, 999)[0]) == 4
    one = Neighbours(vectors(5, 2)[:1]).of(0, 3)
    assert len(one[0]) == len(one[1]) == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((5, 3), "The position is a whole number from 0 to 4"),
        ((-1, 3), "The position is"),
        ((True, 3), "The position is"),
        ((1.0, 3), "The position is"),
        (("0", 3), "The position is"),
        ((0, 0), "The number of neighbours is a whole number from 1 to 999, not '0'"),
        ((0, 1000), "not '1000'"),
        ((0, 3, "manhattan"), "cosine or euclidean distance, not by 'manhattan'"),
    ],
)
def test_what_cannot_be_answered(given, says):
    with pytest.raises(ValueError, match=says):
        Neighbours(vectors(5, 2)).of(*given)
