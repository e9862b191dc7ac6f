"""How unlike the training photos an image is: distance to its nearest neighbours among them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fastai.data.load import DataLoader
from fastai.learner import Learner
from torch import nn


class NearestNeighbours(nn.Module):
    """Cosine distance to the k-th nearest of a bank of photos.

    >>> NearestNeighbours(torch.randn(300, 1280), k=5)(torch.randn(2, 1280, 7, 7)).shape
    torch.Size([2])

    `bank` (photos, channels) are averaged feature maps. Called with feature maps (n, channels, h, w);
    returns (n,), from 0 (the same direction) to 2. It is a matrix product and a top-k, so it travels
    inside the ONNX graph.

    Source: Sun, Ming, Zhu, Li, "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022.
    """

    def __init__(self, bank: torch.Tensor, *, k: int = 5):
        super().__init__()
        if not 1 <= k <= len(bank):
            raise ValueError(f"k must be from 1 to the number of photos in the bank, {len(bank)}, not {k}")
        self.k = k
        self.register_buffer("bank", nn.functional.normalize(bank, dim=1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        directions = nn.functional.normalize(maps.mean((2, 3)), dim=1)
        nearest = torch.topk(directions @ self.bank.T, self.k, dim=1).values
        return 1 - nearest[:, -1]


@dataclass
class Novelty:
    """A fitted measure: the module, and the value above which an image counts as unfamiliar.

    >>> novelty = fit_novelty(learn)
    >>> novelty.rate(learn, puppy_files)
    1.0

    `held_back_rate` is the share of validation photos flagged by a threshold that was set without
    them (cross-fitted).
    """

    module: NearestNeighbours
    threshold: float
    held_back_rate: float
    held_back_count: int

    @property
    def method(self) -> str:
        return f"cosine distance to training photo number {self.module.k} by nearness (Sun et al. 2022)"

    def scores(self, learn: Learner, items: Sequence[Any]) -> np.ndarray:
        """Distances of images from outside the DataLoaders, shape (n,)."""
        return self.module(_feature_maps(learn, learn.dls.test_dl(items))).numpy()

    def rate(self, learn: Learner, items: Sequence[Any]) -> float:
        """The share of images flagged as unfamiliar."""
        return float((self.scores(learn, items) > self.threshold).mean())


def fit_novelty(
    learn: Learner, *, k: int = 5, flagged: float = 0.05, max_photos: int = 1000, seed: int = 42
) -> Novelty:
    """Fill the bank from the training photos, set the threshold on the validation photos.

    >>> export_onnx(learn, "model.onnx", novelty=fit_novelty(learn))

    At most `max_photos` training photos are kept (4 bytes per channel each). `flagged` is the share
    of familiar photos that may be flagged; validation photos serve for it because the network was
    fitted to the training photos and sees them closer together than it sees new ones. ValueError
    when the network is not a body followed by a head.
    """
    check_body_and_head(learn.model)
    photos = np.random.default_rng(seed).permutation(len(learn.dls.train_ds))[:max_photos]
    training = learn.dls.valid.new(torch.utils.data.Subset(learn.dls.train_ds, photos.tolist()))
    module = NearestNeighbours(_feature_maps(learn, training).mean((2, 3)), k=k).eval()
    held_back = module(_feature_maps(learn, learn.dls.valid)).numpy()
    return Novelty(
        module=module,
        threshold=conformal_quantile(held_back, flagged),
        held_back_rate=cross_fitted_rate(held_back, flagged, seed=seed),
        held_back_count=len(held_back),
    )


def conformal_quantile(scores: np.ndarray, flagged: float) -> float:
    """The score that a further photo from the same source exceeds with probability <= `flagged`.

    >>> conformal_quantile(np.arange(1, 100), 0.05)
    95.0

    The largest score when there are too few for that promise. Source: split conformal prediction;
    Angelopoulos and Bates, "A Gentle Introduction to Conformal Prediction", 2021, section 1.
    """
    rank = math.ceil((len(scores) + 1) * (1 - flagged))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def cross_fitted_rate(scores: np.ndarray, flagged: float, *, folds: int = 5, seed: int = 42) -> float:
    """The share of scores above a threshold that was set on the other folds."""
    parts = np.array_split(np.random.default_rng(seed).permutation(len(scores)), folds)
    above = [(scores[part] > conformal_quantile(np.delete(scores, part), flagged)).sum() for part in parts if len(part)]
    return float(sum(above) / len(scores))


def check_body_and_head(model: nn.Module) -> None:
    if not (isinstance(model, nn.Sequential) and len(model) == 2):
        raise ValueError(
            "The novelty measure needs a network that is nn.Sequential(body, head), as fastai's "
            "vision_learner makes them; pass novelty=None to export without it."
        )


@torch.no_grad()
def _feature_maps(learn: Learner, loader: DataLoader) -> torch.Tensor:
    """Averaged outputs of the body, (n, channels, 1, 1): averaged once, they average to themselves."""
    body = learn.model[0]
    was_training = {module: module.training for module in body.modules()}
    body.eval()
    try:
        maps = [body(batch[0]).mean((2, 3), keepdim=True).cpu() for batch in loader]
    finally:
        for module, mode in was_training.items():
            module.training = mode
    return torch.Tensor(torch.cat(maps))
