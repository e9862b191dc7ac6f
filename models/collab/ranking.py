"""How high a ranking of all unseen items puts those that a user turned out to like."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..progress import Progress
from ..words import counted
from .ratings import Ratings

CELLS = 16_000_000  # scores looked at together: 64 MB


def rank(
    scores: Any,
    train: Ratings,
    relevant: Ratings,
    users: np.ndarray,
    *,
    k: int = 10,
    progress: Progress | None = None,
) -> dict[str, float]:
    """precision, recall and NDCG at k, means over `users`, of all items ranked but those each rated in `train`.

    >>> rank(model.scores, split.train, liked, np.unique(liked.users))
    {'precision@10': 0.121, 'recall@10': 0.087, 'ndcg@10': 0.142}

    `scores(users)` gives (len(users), n_items); `relevant` are the ratings held back that count as likes, one of an
    item by a user. Items of equal score stand in random order: the figures are the expected ones, so
    that no accident of the order of codes is in them. NDCG is the sum of 1 / log2(1 + place) over the relevant items
    in the first k places, divided by that of the best ranking (Järvelin and Kekäläinen, 2002; equal scores as in
    McSherry and Najork, 2008); precision is divided by k, however few the items.
    Raises ValueError for scores that are no finite numbers; Cancelled.
    """
    if k < 1:
        raise ValueError("A ranking is judged by its first place at least.")
    seen, liked = _rows(train), _rows(relevant)
    # discounts[i]: the sum of the first i places' discounts, and no more beyond k.
    discounts = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    sums, judged = np.zeros(3), 0
    step = max(1, CELLS // max(1, train.n_items))
    for begin in range(0, len(users), step):
        if progress is not None:
            progress.report(begin, len(users), f"Ranking for {counted(len(users), 'user')}")
        block = users[begin : begin + step]
        table = np.array(scores(block), dtype=np.float32)  # a copy, to strike out what was seen
        if table.shape != (len(block), train.n_items) or not np.isfinite(table).all():
            raise ValueError(
                f"The model's scores are not finite numbers for each of {counted(len(block), 'user')} and "
                f"{counted(train.n_items, 'item')}: has its training failed?"
            )
        rows, items = seen(block)
        table[rows, items] = -np.inf
        rows, items = liked(block)
        own = table[rows, items]
        unseen = own > -np.inf
        rows, own = rows[unseen], own[unseen]
        above, equal = _places(table, rows, own, k)
        count = np.bincount(rows, minlength=len(block))
        hits = _shares(rows, above, equal, np.arange(k + 1.0), len(block))
        gains = _shares(rows, above, equal, discounts, len(block))
        some = count > 0
        best = discounts[np.minimum(count[some], k)]
        sums += (hits[some] / k).sum(), (hits[some] / count[some]).sum(), (gains[some] / best).sum()
        judged += int(some.sum())
    names = (f"precision@{k}", f"recall@{k}", f"ndcg@{k}")
    return dict(zip(names, (sums / judged if judged else np.full(3, np.nan)).tolist(), strict=True))


def _places(table: np.ndarray, rows: np.ndarray, own: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each score, how many in its row are above it and how many equal it; more than k above is all the same."""
    k = min(k, table.shape[1])
    top = np.partition(table, table.shape[1] - k, axis=1)[:, -k:]
    least = top.min(axis=1)
    above = np.full(len(rows), k)
    equal = np.ones(len(rows), dtype=np.int64)
    reached = np.flatnonzero(own >= least[rows])
    above[reached] = (top[rows[reached]] > own[reached, None]).sum(axis=1)
    equal[reached] = (top[rows[reached]] == own[reached, None]).sum(axis=1)
    # As many as the last of the top may lie below the border as well.
    border = reached[own[reached] == least[rows[reached]]]
    at, back = np.unique(rows[border], return_inverse=True)
    equal[border] = (table[at] == least[at, None]).sum(axis=1)[back]
    return above, equal


def _shares(rows: np.ndarray, above: np.ndarray, equal: np.ndarray, worth: np.ndarray, count: int) -> np.ndarray:
    """The sum of what the places are worth that items hold in each row, expected where equals share them."""
    last = len(worth) - 1
    each = (worth[np.minimum(above + equal, last)] - worth[np.minimum(above, last)]) / equal
    return np.bincount(rows, each, count)


def _rows(ratings: Ratings):
    """A function from codes of users to the ratings of theirs: (row among those users, item) of each."""
    starts, order = ratings.by_user()
    items = ratings.items[order]

    def of(users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = starts[users + 1] - starts[users]
        rows = np.repeat(np.arange(len(users)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, items[np.repeat(starts[users], counts) + within]

    return of
