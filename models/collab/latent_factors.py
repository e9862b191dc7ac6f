"""A spreadsheet that learns: factors of some users and items, and gradient descent one step at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..training.fields import number, whole

MOST = 50  # factors
TOO_FAR = 1e4  # times the first error


class Diverged(RuntimeError):
    """The error grows without end; `str` is a sentence, and the numbers are those of the lowest error so far."""


class FactorSheet:
    """A crosstab of ratings, with numbers for each row and column that are to explain it.

    >>> sheet = FactorSheet(ratings.busiest(15, 15).to_numpy(), factors=5, seed=42)
    >>> sheet.step(learning_rate=1.0)  # the mean squared error before the step
    5.34
    >>> sheet.user_factors.shape, sheet.user_factors.grad.shape
    (torch.Size([15, 5]), torch.Size([15, 5]))

    `cells` is (n, m), NaN where there is no rating; gaps are no part of the error. `user_factors` (n, k) and
    `item_factors` (m, k) are tensors with gradients, uniform in [0, 1) at first as the lesson's RAND();
    `user_bias` (n,) and `item_bias` (m,) zeros, or None without `biases`. `losses` has the error before each step
    and after the last. Raises ValueError for cells without any rating.
    Source: Howard and Gugger (2020), chapter 8, "Learning the Latent Factors", and its spreadsheet.
    """

    def __init__(self, cells: np.ndarray, factors: int = 5, *, biases: bool = False, seed: int = 42):
        whole(factors, "The number of factors", 1, MOST)
        whole(seed, "The seed", 0, 2**32 - 1)
        self.cells = torch.tensor(np.asarray(cells), dtype=torch.float32)
        if self.cells.ndim != 2 or not self.cells.isfinite().any():
            raise ValueError("There are no ratings among these users and items to learn from.")
        self.known = self.cells.isfinite()
        random = torch.Generator().manual_seed(seed)
        rows, columns = self.cells.shape
        self.user_factors = torch.rand(rows, factors, generator=random).requires_grad_()
        self.item_factors = torch.rand(columns, factors, generator=random).requires_grad_()
        self.user_bias = torch.zeros(rows, requires_grad=True) if biases else None
        self.item_bias = torch.zeros(columns, requires_grad=True) if biases else None
        self.losses = [self.loss().item()]
        self._best = self.losses[0], self._numbers()

    @property
    def parameters(self) -> list[Tensor]:
        """What is learned."""
        tensors = (self.user_factors, self.item_factors, self.user_bias, self.item_bias)
        return [tensor for tensor in tensors if tensor is not None]

    def predictions(self) -> Tensor:
        """The dot product of each user's factors and each item's, and their biases: (n, m)."""
        products = self.user_factors @ self.item_factors.T
        return products if self.user_bias is None else products + self.user_bias[:, None] + self.item_bias

    def squares(self) -> Tensor:
        """The squared error of each cell: (n, m), NaN in the gaps."""
        return (self.predictions() - self.cells).square()

    def loss(self) -> Tensor:
        """The mean of the squared errors."""
        # Of the ratings alone: what is no number would have a gradient that is none, even times zero.
        return (self.predictions()[self.known] - self.cells[self.known]).square().mean()

    def step(self, learning_rate: float) -> float:
        """Go a step down the gradient; the error before it. Raises Diverged for a step that leads out of all bounds."""
        number(learning_rate, "The learning rate", 0, 1e6)
        for tensor in self.parameters:
            tensor.grad = None
        loss = self.loss()
        loss.backward()
        with torch.no_grad():
            for tensor in self.parameters:
                tensor -= learning_rate * tensor.grad
            after = self.loss().item()
        if not after <= TOO_FAR * max(self.losses[0], 1):  # not: NaN is neither
            lowest, numbers = self._best
            with torch.no_grad():
                for tensor, value in zip(self.parameters, numbers, strict=True):
                    tensor.copy_(value)
            raise Diverged(
                f"With a learning rate of {learning_rate:.3g} the error grows without end: each step leads beyond the "
                f"goal. The numbers are back where the error was lowest, at {lowest:.3f}; take a lower learning rate."
            )
        self.losses.append(after)
        if after < self._best[0]:
            self._best = after, self._numbers()
        return loss.item()

    def _numbers(self) -> list[Tensor]:
        return [tensor.detach().clone() for tensor in self.parameters]
