"""The last rung: a neural network on what is known of the user beside what is known of the item."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .rung import Rung, embedding, sigmoid_range


class EmbeddingNet(Rung):
    """Two layers on the embeddings of a user and an item, laid end to end.

    >>> rung = EmbeddingNet(n_users=610, n_items=9724, rating_range=(0, 5.5))
    >>> rung.user_factors.weight.shape, rung.item_factors.weight.shape
    (torch.Size([610, 58]), torch.Size([9724, 274]))

    The two need not be of one size, since nothing is multiplied entry by entry: `sizes` are those of the user and
    of the item, by default those of `embedding_size`. `hidden` is the width of the layer between.
    Source: Howard and Gugger (2020), chapter 8, "Deep Learning for Collaborative Filtering" (CollabNN).
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        sizes: tuple[int, int] | None = None,
        *,
        hidden: int = 100,
        rating_range: tuple[float, float] | None = None,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        user_size, item_size = sizes or (embedding_size(n_users), embedding_size(n_items))
        self.user_factors = embedding(n_users, user_size, generator=generator)
        self.item_factors = embedding(n_items, item_size, generator=generator)
        self.inner = linear(user_size + item_size, hidden, generator=generator)
        self.outer = linear(hidden, 1, generator=generator)
        self.rating_range = rating_range

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.rate(self.user_factors(users), self.item_factors(items))

    def rate(self, user_factors: Tensor, item_factors: Tensor) -> Tensor:
        return self._rate(self.inner(torch.cat([user_factors, item_factors], dim=1)))

    def grid(self, users: Tensor) -> Tensor:
        # A layer on what is laid end to end is the sum of a layer on each: the items' part is the same for all users.
        size = self.user_factors.embedding_dim
        user_part = self.user_factors(users) @ self.inner.weight[:, :size].T + self.inner.bias
        item_part = self.item_factors.weight @ self.inner.weight[:, size:].T
        return torch.stack([self._rate(one + item_part) for one in user_part])

    def _rate(self, activations: Tensor) -> Tensor:
        return sigmoid_range(self.outer(torch.relu(activations)).squeeze(1), self.rating_range)


def embedding_size(rows: int) -> int:
    """How many factors a table of so many rows gets, by fastai's rule of thumb (`emb_sz_rule`).

    >>> embedding_size(610), embedding_size(9724)
    (58, 274)
    """
    return min(600, round(1.6 * rows**0.56))


def linear(inputs: int, outputs: int, *, generator: torch.Generator | None = None) -> nn.Linear:
    """A layer with the weights that PyTorch's own begins with, drawn from `generator`."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = 1 / math.sqrt(inputs)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer
