"""The novelty measure: nearest neighbours, the threshold, and the rates that are claimed."""

import numpy as np
import pytest
import torch
from drawings import DATA
from ipyfastai.models.novelty import NearestNeighbours, conformal_quantile, cross_fitted_rate, fit_novelty
from sklearn.neighbors import NearestNeighbors as Reference


@pytest.mark.parametrize("k", [1, 3, 20])
def test_is_the_cosine_distance_to_the_kth_nearest_neighbour(k):
    torch.manual_seed(0)
    bank, maps = torch.randn(20, 6), torch.randn(7, 6, 3, 2)
    reference = Reference(n_neighbors=k, metric="cosine").fit(bank.numpy())
    expected = reference.kneighbors(maps.mean((2, 3)).numpy())[0][:, -1]
    assert NearestNeighbours(bank, k=k)(maps).numpy() == pytest.approx(expected, abs=1e-6)


def test_ignores_the_length_of_features_and_knows_its_own_photos():
    bank = torch.eye(4)
    measure = NearestNeighbours(3 * bank, k=1)
    assert measure(7 * bank[..., None, None]).tolist() == pytest.approx([0, 0, 0, 0])
    assert measure(-bank[:1, :, None, None]).item() == pytest.approx(1)


@pytest.mark.parametrize("k", [0, 5])
def test_refuses_a_k_that_the_bank_has_not(k):
    with pytest.raises(ValueError, match="k must be from 1 to the number of photos in the bank, 4"):
        NearestNeighbours(torch.eye(4), k=k)


@pytest.mark.parametrize("count", [20, 81, 500])
def test_new_familiar_scores_exceed_the_threshold_no_more_often_than_promised(count):
    random = np.random.default_rng(0)
    exceeded = [random.normal() > conformal_quantile(random.normal(size=count), 0.1) for _ in range(4000)]
    assert np.mean(exceeded) == pytest.approx(0.1 if count > 20 else 0.095, abs=0.02)


def test_threshold_of_too_few_scores_is_the_largest():
    assert conformal_quantile(np.array([3.0, 1.0, 2.0]), 0.05) == 3.0


def test_cross_fitted_rate_sets_the_threshold_without_the_scores_it_counts():
    scores = np.random.default_rng(0).normal(size=2000)
    assert cross_fitted_rate(scores, 0.05) == pytest.approx(0.05, abs=0.015)
    # One far score: its own fold's threshold does not know it, so it counts.
    assert cross_fitted_rate(np.array([0.0] * 19 + [9.0]), 0.05) == pytest.approx(1 / 20)


def test_bank_is_the_training_photos_and_at_most_so_many(colour_learner):
    assert len(fit_novelty(colour_learner, k=1).module.bank) == len(colour_learner.dls.train_ds)
    assert len(fit_novelty(colour_learner, k=1, max_photos=7).module.bank) == 7


def test_flags_other_animals_and_streets_but_few_bears(bear_learner):
    novelty = fit_novelty(bear_learner)
    assert novelty.held_back_rate <= 0.1
    assert novelty.rate(bear_learner, bear_learner.dls.valid_ds.items) <= 0.05
    for folder, pattern in [("pets/images", "*.jpg"), ("camvid_tiny/images", "*.png")]:
        assert novelty.rate(bear_learner, sorted((DATA / folder).glob(pattern))[::6]) >= 0.8
