"""What latent factors are: three by hand, then those that are learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from ...models.collab.ratings import Ratings
from ..composite import Composite
from .dot_product_toy import DotProductToy
from .factor_sheet_view import FactorSheetView

if TYPE_CHECKING:
    from torch import Tensor

    from ...models.collab.latent_factors import FactorSheet


class LatentFactors(Composite):
    """The lesson's toy, a dot product of three numbers, and its spreadsheet, where gradient descent finds the numbers.

    >>> factors = LatentFactors(movielens("ml-latest-small"), factors=5)
    >>> factors.step()
    >>> factors.user_factors, factors.item_factors.grad, factors.loss

    In the spreadsheet are the busiest users and items of `ratings` (None: of the built-in example). Needs torch.
    `user_factors` (users, k) and `item_factors` (items, k) are the tensors that learn, `user_bias` and `item_bias`
    too, None without; `loss` is the mean squared error. `step`, `run`, `pause` and `begin` are the page's buttons.
    `value` is a DataFrame of the predictions. Source: Howard and Gugger (2020), chapter 8.
    """

    value = traitlets.Any(read_only=True, help="the predictions as a DataFrame")

    def __init__(self, ratings: Ratings | None = None, *, users: int = 15, items: int = 15, factors: int = 5):
        if ratings is None:
            from ...models.collab.example import example_ratings

            ratings = example_ratings()
        self.toy = DotProductToy()
        self.view = FactorSheetView(ratings, users=users, items=items, factors=factors)
        super().__init__([self.toy, self.view])
        self.step, self.run, self.pause, self.begin = self.view.step, self.view.run, self.view.pause, self.view.begin
        self.set_trait("value", self.view.value)
        self.view.observe(lambda change: self.set_trait("value", change.new), "value")

    @property
    def sheet(self) -> FactorSheet:
        return self.view.sheet

    @property
    def user_factors(self) -> Tensor:
        return self.sheet.user_factors

    @property
    def item_factors(self) -> Tensor:
        return self.sheet.item_factors

    @property
    def user_bias(self) -> Tensor | None:
        return self.sheet.user_bias

    @property
    def item_bias(self) -> Tensor | None:
        return self.sheet.item_bias

    @property
    def loss(self) -> float:
        return self.sheet.losses[-1]
