"""What all rungs of the ladder share: tables with a row for each user or item, and a rule that rates rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SPREAD = 0.01  # standard deviation of what a table begins with, as fastai's Embedding


class Rung(nn.Module):
    """A model of ratings that looks up rows of its tables and makes a rating of them.

    >>> rung = DotProduct(n_users=610, n_items=9724, factors=50)
    >>> rung(users, items)  # two tensors of codes (n,) -> ratings (n,)

    A rung says in `rate` what rating comes of the rows that were looked up, each passed by the name of its table.
    Tables are parameters, or `nn.Embedding`s, whose names begin with "user_" or "item_". This is what the trainer
    builds on: a batch touches the rows of its own users and items, and no other.
    """

    rating_range: tuple[float, float] | None = None

    def tables(self) -> dict[str, nn.Parameter]:
        """Each table by its name, a row for each user ("user_...") or each item ("item_...")."""
        named = ((name.removesuffix(".weight"), parameter) for name, parameter in self.named_parameters())
        return {name: parameter for name, parameter in named if name.startswith(("user_", "item_"))}

    def rate(self, **rows: Tensor) -> Tensor:
        """Ratings (n,) of n rows of each table."""
        raise NotImplementedError

    def grid(self, users: Tensor) -> Tensor:
        """What each of these users would rate every item: (users, items)."""
        raise NotImplementedError


def table(*shape: int, generator: torch.Generator | None = None) -> nn.Parameter:
    """A parameter of small random numbers, none beyond two standard deviations: where training begins.

    >>> table(610, 50).shape
    torch.Size([610, 50])
    """
    values = nn.init.trunc_normal_(torch.empty(shape), std=SPREAD, a=-2 * SPREAD, b=2 * SPREAD, generator=generator)
    return nn.Parameter(values)


def embedding(rows: int, factors: int, *, generator: torch.Generator | None = None) -> nn.Embedding:
    """PyTorch's own table, beginning with the same small random numbers.

    >>> embedding(610, 50)(torch.tensor([3, 3])).shape
    torch.Size([2, 50])
    """
    return nn.Embedding.from_pretrained(table(rows, factors, generator=generator).detach(), freeze=False)


def sigmoid_range(values: Tensor, rating_range: tuple[float, float] | None) -> Tensor:
    """Squeeze any numbers between two; without a range they stay as they are.

    >>> sigmoid_range(torch.tensor([-9.0, 0.0, 9.0]), (0, 5.5))
    tensor([6.7867e-04, 2.7500e+00, 5.4993e+00])
    """
    if rating_range is None:
        return values
    low, high = rating_range
    return torch.sigmoid(values) * (high - low) + low
