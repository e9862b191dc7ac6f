"""The rung with biases: some users are kind, some items are good."""

from __future__ import annotations

import torch
from torch import Tensor

from .rung import Rung, sigmoid_range, table


class DotProductBias(Rung):
    """The dot product of factors, plus a number for each user and one for each item.

    >>> rung = DotProductBias(n_users=610, n_items=9724, factors=50, rating_range=(0, 5.5))
    >>> rung(torch.tensor([0, 0]), torch.tensor([7, 8])).shape
    torch.Size([2])

    A bias says what no factor can: that this user rates everything high, that everybody likes this item.
    With a `rating_range` a sigmoid keeps ratings within it. Its ends lie beyond the highest and the lowest
    rating there is, because a sigmoid comes near its ends and never reaches them.
    Source: Howard and Gugger (2020), chapter 8, "Collaborative Filtering from Scratch".
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        factors: int = 50,
        *,
        rating_range: tuple[float, float] | None = None,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.user_factors = table(n_users, factors, generator=generator)
        self.item_factors = table(n_items, factors, generator=generator)
        self.user_bias = table(n_users, generator=generator)
        self.item_bias = table(n_items, generator=generator)
        self.rating_range = rating_range

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return self.rate(
            self.user_factors[users], self.item_factors[items], self.user_bias[users], self.item_bias[items]
        )

    def rate(self, user_factors: Tensor, item_factors: Tensor, user_bias: Tensor, item_bias: Tensor) -> Tensor:
        return sigmoid_range((user_factors * item_factors).sum(dim=1) + user_bias + item_bias, self.rating_range)

    def grid(self, users: Tensor) -> Tensor:
        products = self.user_factors[users] @ self.item_factors.T
        return sigmoid_range(products + self.user_bias[users, None] + self.item_bias, self.rating_range)
