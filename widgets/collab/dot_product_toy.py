"""The dot product that a recommendation begins with, by hand."""

from __future__ import annotations

import anywidget
import numpy as np
import traitlets

from ..assets import joined

FACTORS = ("science fiction", "action", "old")
USER = (0.9, 0.8, -0.6)
FILMS = {"The Last Skywalker": (0.98, 0.9, -0.9), "Casablanca": (-0.99, -0.3, 0.8)}


class DotProductToy(anywidget.AnyWidget):
    """How well films match somebody's taste: three numbers of each, multiplied in pairs and added up.

    >>> toy = DotProductToy()
    >>> toy.value["match"]
    The Last Skywalker    2.142
    Casablanca           -1.611

    How much somebody likes, and how much a film is, science fiction, action and old: each from -1 to 1, by sliders.
    `user` (3,) and `films` (2, 3) are the numbers; `value` is a DataFrame with a row for each film: the three
    products and their sum, the match. Source: Howard and Gugger (2020), chapter 8, "Learning the Latent Factors".
    """

    _esm = joined("dom.js", "collab/dot_product_toy.js")
    _css = joined("base.css", "collab/dot_product_toy.css")

    value = traitlets.Any(read_only=True, help="products and match of each film as a DataFrame")

    # Written here and never read back: a page can set any synced trait.
    _shown = traitlets.Dict(help="names, numbers, products and sums").tag(sync=True)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._begin()
        self.on_msg(self._receive)

    def _begin(self) -> None:
        self.user, self.films = np.array(USER), np.array(list(FILMS.values()))
        self._show()

    def set(self, row: int, factor: int, number: float) -> None:
        """Change a number: `row` 0 is the user, 1 and 2 the films. ValueError for what is not from -1 to 1."""
        if not (0 <= row <= len(FILMS) and 0 <= factor < len(FACTORS) and -1 <= number <= 1):
            raise ValueError("There are three numbers of the user and of each film, each from -1 to 1.")
        (self.user if row == 0 else self.films[row - 1])[factor] = number
        self._show()

    def _show(self) -> None:
        import pandas as pd

        products = self.films * self.user
        table = pd.DataFrame(products, index=list(FILMS), columns=list(FACTORS))
        self.set_trait("value", table.assign(match=products.sum(axis=1)))
        self._shown = {
            "factors": list(FACTORS),
            "films": list(FILMS),
            "numbers": [self.user.tolist(), *self.films.tolist()],
            "products": products.tolist(),
            "matches": products.sum(axis=1).tolist(),
        }

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict):
            return
        row, factor, number = (content.get(name) for name in ("row", "factor", "number"))
        if content.get("type") == "begin":
            self._begin()
        elif content.get("type") == "set" and type(row) is int and type(factor) is int and type(number) in (int, float):
            if 0 <= row <= len(FILMS) and 0 <= factor < len(FACTORS) and -1 <= number <= 1:
                self.set(row, factor, number)
