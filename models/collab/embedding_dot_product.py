"""The same rung with PyTorch's embeddings for the two matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from .rung import Rung, embedding


class EmbeddingDotProduct(Rung):
    """`DotProduct` as it is usually written: an `nn.Embedding` is a matrix whose rows are looked up by code.

    >>> rung = EmbeddingDotProduct(n_users=610, n_items=9724, factors=50)
    >>> rung(torch.tensor([0, 0]), torch.tensor([7, 8])).shape
    torch.Size([2])

    It learns exactly what `DotProduct` learns; `one_hot.py` shows that a lookup is a matrix product besides.
    Source: Howard and Gugger (2020), chapter 8, "Embedding" and "Collaborative Filtering from Scratch".
    """

    def __init__(self, n_users: int, n_items: int, factors: int = 50, *, generator: torch.Generator | None = None):
        super().__init__()
        self.user_factors = embedding(n_users, factors, generator=generator)
        self.item_factors = embedding(n_items, factors, generator=generator)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.rate(self.user_factors(users), self.item_factors(items))

    def rate(self, user_factors: Tensor, item_factors: Tensor) -> Tensor:
        return (user_factors * item_factors).sum(dim=1)

    def grid(self, users: Tensor) -> Tensor:
        return self.user_factors(users) @ self.item_factors.weight.T
