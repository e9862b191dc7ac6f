"""Principal components beside scikit-learn's and a singular value decomposition."""

import numpy as np
import pytest
from ipyfastai.models.embeddings import pca
from ipyfastai.models.embeddings.pca import PCA
from ipyfastai.models.progress import Cancelled, Progress
from sklearn.decomposition import PCA as SklearnPCA

RANDOM = np.random.default_rng(0)


def spread(count, width, seed=0):
    """Vectors of unequal, correlated columns."""
    random = np.random.default_rng(seed)
    mixed = (
        random.standard_normal((count, width)) * np.geomspace(1, 0.1, width) @ random.standard_normal((width, width))
    )
    return (mixed + random.standard_normal(width)).astype(np.float32)


def same_direction(ours, theirs):
    np.testing.assert_allclose(np.abs((ours * theirs).sum(axis=1)), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(500, 20), (20_000, 8), (30, 30), (12, 300), (9, 20_000), (2, 3), (5, 1)])
def test_like_scikit_learn_and_a_singular_value_decomposition(shape):
    vectors = spread(*shape) if shape[1] < 1000 else RANDOM.standard_normal(shape, dtype=np.float32)
    pca = PCA.fit(vectors)
    count = min(shape[0] - 1, shape[1])
    assert len(pca.components) == len(pca.variances) == len(pca.ratios) == count
    theirs = SklearnPCA(svd_solver="full").fit(vectors.astype(np.float64))
    np.testing.assert_allclose(pca.mean, theirs.mean_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(pca.variances, theirs.explained_variance_[:count], rtol=1e-8)
    np.testing.assert_allclose(pca.ratios, theirs.explained_variance_ratio_[:count], rtol=1e-8)
    same_direction(pca.components, theirs.components_[:count])
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(pca.variances, sizes[:count] ** 2 / (shape[0] - 1), rtol=1e-8)
    signs = np.sign((pca.components * right[:count]).sum(axis=1))
    points = left[:, :count] * sizes[:count] * signs
    np.testing.assert_allclose(pca.transform(vectors), points, atol=2e-5 * np.abs(points).max())
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(count), atol=1e-10)


def test_an_offset_costs_no_digits():
    vectors = spread(3000, 6)
    near = PCA.fit(vectors)
    offset = np.float64(2**17)
    far = (vectors.astype(np.float64) + offset).astype(np.float32)  # single precision itself loses most of this
    exact = np.linalg.eigvalsh(np.cov(far.astype(np.float64), rowvar=False))[::-1]
    np.testing.assert_allclose(PCA.fit(far).variances, exact, rtol=1e-9)
    assert near.ratios.sum() == pytest.approx(1)


def test_rows_in_order_do_not_mislead_the_guess_of_the_mean():
    vectors = np.sort(spread(20_000, 5), axis=0)
    vectors[:10_000] += 1000
    exact = np.linalg.eigvalsh(np.cov(vectors.astype(np.float64), rowvar=False))[::-1]
    np.testing.assert_allclose(PCA.fit(vectors).variances, exact, atol=1e-15 * exact[0])


@pytest.mark.parametrize("scale", [1e-20, 1e25])
def test_very_small_and_very_large_numbers(scale):
    vectors = spread(400, 4)
    np.testing.assert_allclose(PCA.fit(vectors * np.float32(scale)).ratios, PCA.fit(vectors).ratios, rtol=1e-5)


def test_signs_do_not_depend_on_the_order_of_rows():
    vectors = spread(300, 10)
    pca, other = PCA.fit(vectors), PCA.fit(vectors[::-1].copy())
    np.testing.assert_allclose(pca.components, other.components, atol=1e-8)
    assert (np.take_along_axis(pca.components, np.abs(pca.components).argmax(1)[:, None], axis=1) > 0).all()


def test_only_some_components():
    vectors = spread(200, 12)
    whole, some = PCA.fit(vectors), PCA.fit(vectors, 3)
    assert some.components.shape == (3, 12) and some.ratios.sum() < 1
    np.testing.assert_array_equal(some.ratios, whole.ratios[:3])
    np.testing.assert_allclose(whole.transform(vectors, 2), some.transform(vectors)[:, :2], rtol=1e-6)


def test_constant_and_repeated_columns():
    vectors = spread(200, 3)
    padded = np.hstack([vectors, vectors[:, :1], np.full((200, 2), 7, np.float32)])
    pca = PCA.fit(padded)
    np.testing.assert_allclose(pca.variances[3:], 0, atol=1e-9)
    assert np.abs(pca.components[:3, 4:]).max() < 1e-7


def test_repeated_rows_where_there_are_more_columns():
    rows = RANDOM.standard_normal((3, 50)).astype(np.float32)
    pca = PCA.fit(np.repeat(rows, 4, axis=0))
    assert len(pca.components) == 2 and pca.ratios.sum() == pytest.approx(1), "three places span a plane"


def test_weak_components_of_wide_vectors_are_orthogonal_too():
    strong_to_weak = 10.0 ** -np.linspace(0, 6, 60)
    left, right = (np.linalg.qr(RANDOM.standard_normal((size, 60)))[0] for size in (60, 500))
    vectors = (left * strong_to_weak) @ right.T
    whole, some = PCA.fit(vectors), PCA.fit(vectors, 5)
    np.testing.assert_allclose(whole.components @ whole.components.T, np.eye(len(whole.components)), atol=1e-12)
    np.testing.assert_allclose(some.components, whole.components[:5], atol=1e-12)
    np.testing.assert_allclose(some.ratios, whole.ratios[:5])


@pytest.mark.parametrize(
    ("vectors", "says"),
    [
        (np.ones((1, 3), np.float32), "at least two rows"),
        (np.full((9, 3), 0.1, np.float32), "All rows are the same"),
        (np.full((3, 9), 0.1, np.float32), "All rows are the same"),
        (np.zeros((9, 3), np.float32), "All rows are the same"),
    ],
)
def test_what_has_no_components(vectors, says):
    with pytest.raises(ValueError, match=says):
        PCA.fit(vectors)
    with pytest.raises(ValueError, match="At least one component"):
        PCA.fit(spread(5, 2), 0)


@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
def test_cancelled(shape):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        PCA.fit(RANDOM.standard_normal(shape).astype(np.float32), progress=progress)


def test_a_matrix_that_nobody_could_wait_for_is_refused(monkeypatch):
    monkeypatch.setattr(pca, "LARGEST", 8)
    for shape in ((8, 40), (40, 8)):
        PCA.fit(spread(*shape))
    with pytest.raises(ValueError, match="9 rows with 9 columns would take too long: 8 of either"):
        PCA.fit(spread(9, 9))
