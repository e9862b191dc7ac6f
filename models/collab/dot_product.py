"""The first rung: what a user likes times what an item has."""

from __future__ import annotations

import torch
from torch import Tensor

from .rung import Rung, table


class DotProduct(Rung):
    """A rating is the dot product of a user's factors and an item's.

    >>> rung = DotProduct(n_users=610, n_items=9724, factors=50)
    >>> rung(torch.tensor([0, 0]), torch.tensor([7, 8])).shape
    torch.Size([2])

    Nothing but two matrices of numbers that are learned: looking up a row is indexing.
    Source: J. Howard and S. Gugger, "Deep Learning for Coders with fastai and PyTorch" (2020), chapter 8,
    "Collaborative Filtering from Scratch" and "Creating Our Own Embedding Module".
    """

    def __init__(self, n_users: int, n_items: int, factors: int = 50, *, generator: torch.Generator | None = None):
        super().__init__()
        self.user_factors = table(n_users, factors, generator=generator)
        self.item_factors = table(n_items, factors, generator=generator)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.rate(self.user_factors[users], self.item_factors[items])

    def rate(self, user_factors: Tensor, item_factors: Tensor) -> Tensor:
        return (user_factors * item_factors).sum(dim=1)

    def grid(self, users: Tensor) -> Tensor:
        return self.user_factors[users] @ self.item_factors.T
