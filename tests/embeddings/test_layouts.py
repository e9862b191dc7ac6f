"""UMAP and t-SNE: what they make of digits, how far they are, and that they stop."""

import io
import threading

import numpy as np
import pytest
from ipyfastai.models.embeddings import layouts
from ipyfastai.models.embeddings.example import example_embedding
from ipyfastai.models.embeddings.layouts import about, available, layout
from ipyfastai.models.embeddings.nearest import nearest
from ipyfastai.models.progress import Cancelled, Progress
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from tqdm import tqdm

pytestmark = pytest.mark.skipif(not all(available().values()), reason="needs umap-learn and openTSNE")


class Noted(Progress):
    """A Progress that remembers what it was told, and may stop at a text."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.texts, self.stop_at = [], stop_at

    def report(self, done, total=None, text=""):
        self.texts.append(text)
        if text == self.stop_at and done > 0:
            self.cancel()
        super().report(done, total, text)


@pytest.fixture(scope="module")
def digits():
    embedding = example_embedding("Handwritten digits")
    return embedding.vectors[:600], embedding.metadata.digit.astype(str).to_numpy()[:600]


def score(points, kinds):
    """How many of the last third have the digit of their neighbours among the first two."""
    near = KNeighborsClassifier(5).fit(points[:400], kinds[:400])
    return near.score(points[400:], kinds[400:])


@pytest.mark.parametrize("name", ["UMAP", "t-SNE"])
def test_digits_lie_with_their_like_and_progress_is_told(digits, name, monkeypatch):
    vectors, kinds = digits
    progress = Noted()
    points = layout(name, vectors, progress=progress)
    assert points.shape == (600, 2) and points.dtype == np.float32
    assert score(points, kinds) > 0.7
    assert {"Finding neighbours", f"Loading {name}", f"Laying out ({name})"} <= {*progress.texts}
    with pytest.raises(Cancelled):
        layout(name, vectors, progress=Noted(stop_at=f"Laying out ({name})"))
    other = threading.Thread(target=lambda: list(tqdm(range(2), file=io.StringIO())), daemon=True)
    other.start()
    other.join(60)
    assert not other.is_alive(), "every bar of this process waits for the lock of the one that was stopped"
    monkeypatch.setattr(layouts, "ALL", 500)  # of more rows, some are laid out and others placed among them
    monkeypatch.setattr(layouts, "SOME", 300)
    progress = Noted()
    placed = layout(name, vectors, progress=progress)
    assert "Placing 300 rows" in progress.texts and score(placed, kinds) > 0.7
    assert np.isfinite(placed).all() and threading.active_count() < 50


@pytest.mark.parametrize("k", [1, 3, 15])
def test_nearest_like_scikit_learn(k):
    random = np.random.default_rng(0)
    rows, among = (random.standard_normal((count, 8), dtype=np.float32) + 10 for count in (700, 300))
    positions, distances = nearest(rows, among, k, progress=Progress(), text="")
    far, expected = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(among).kneighbors(rows)
    np.testing.assert_array_equal(positions, expected)
    np.testing.assert_allclose(distances, far, atol=1e-4)
    positions, _ = nearest(among, among, k, progress=Progress(), text="", leave_self=True)
    assert not (positions == np.arange(300)[:, None]).any()


def test_what_cannot_be_laid_out(digits, monkeypatch):
    with pytest.raises(ValueError, match="UMAP needs at least 10 rows, and these are 9"):
        layout("UMAP", digits[0][:9])
    with pytest.raises(ValueError, match="'Isomap' is none"):
        layout("Isomap", digits[0])
    monkeypatch.setitem(layouts.LIBRARIES, "t-SNE", ("not_installed", "openTSNE"))
    assert available() == {"UMAP": True, "t-SNE": False}
    with pytest.raises(ValueError, match="not installed here: pip install openTSNE"):
        layout("t-SNE", digits[0])


def test_what_is_done_to_many_rows_is_said():
    assert about(20_000) == "" and about(1_000_000).startswith("5,000 rows at random are laid out, and 995,000 others")
