"""A rung that speaks NumPy, for all that measures and shows predictions."""

from __future__ import annotations

import copy

import numpy as np
import torch

from .rung import Rung

CHUNK = 1 << 16  # ratings that are predicted at once


class RungPredictor:
    """Predictions of a rung as it is now, on the CPU: what it learns later changes nothing here.

    >>> predictor = RungPredictor(rung)
    >>> predictor.predict(np.array([0, 0]), np.array([7, 8]))  # float32 (2,)
    >>> predictor.scores(np.array([0])).shape
    (1, 9724)

    Users and items are codes. ValueError for one that the rung has no row for.
    """

    def __init__(self, rung: Rung):
        self.rung = copy.deepcopy(rung).to("cpu").eval().requires_grad_(False)
        tables = self.rung.tables()
        self._rows = {
            side: next(len(table) for name, table in tables.items() if name.startswith(side))
            for side in ("user", "item")
        }

    def predict(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Ratings, float32 (n,), of `items` (n,) by `users` (n,)."""
        users, items = self._codes(users, "user"), self._codes(items, "item")
        if users.shape != items.shape:
            raise ValueError(f"Ratings of {len(users):,} users and {len(items):,} items were asked for.")
        with torch.inference_mode():
            parts = zip(users.split(CHUNK), items.split(CHUNK), strict=True)
            return torch.cat([self.rung(*part) for part in parts]).numpy()

    def scores(self, users: np.ndarray) -> np.ndarray:
        """What each of `users` would rate every item: float32 (len(users), n_items)."""
        with torch.inference_mode():
            return self.rung.grid(self._codes(users, "user")).numpy()

    def _codes(self, codes: np.ndarray, side: str) -> torch.Tensor:
        found = np.asarray(codes)
        if found.size and not (found.dtype.kind in "iu" and found.min() >= 0 and found.max() < self._rows[side]):
            raise ValueError(f"The codes of {side}s are whole numbers from 0 to {self._rows[side] - 1:,}.")
        return torch.from_numpy(np.array(found, np.int64).reshape(-1))
