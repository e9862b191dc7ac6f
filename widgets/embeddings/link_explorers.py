"""Explorers that show the same rows."""

from __future__ import annotations

from collections.abc import Callable

from .explorer import EmbeddingExplorer


def link_explorers(a: EmbeddingExplorer, b: EmbeddingExplorer) -> Callable[[], None]:
    """Give two explorers one selection, and mark in each what the pointer is over in the other.

    >>> unlink = link_explorers(EmbeddingExplorer(before, titles), EmbeddingExplorer(after, titles))

    The selection of the first becomes that of both. Positions are those of the rows that were given; one that was
    left out of either stays unselected there. Returns a function that parts them.
    Raises ValueError for explorers of different numbers of rows: a row of one would be none of the other.
    """
    first, second = a.embedding.count, b.embedding.count
    if first != second:
        raise ValueError(f"The first has {first:,} rows and the second {second:,}: they are not of the same things.")
    busy = False

    def follow(source: EmbeddingExplorer, target: EmbeddingExplorer) -> Callable:
        def changed(change) -> None:
            nonlocal busy
            if change.name == "hovered":
                target.point_out(change.new)
            elif not busy:
                busy = True
                try:
                    target.selection = target.present(change.new)
                finally:
                    busy = False

        source.observe(changed, ["selection", "hovered"])
        return lambda: source.unobserve(changed, ["selection", "hovered"])

    ends = follow(a, b), follow(b, a)
    b.selection = b.present(a.selection)

    def unlink() -> None:
        for end in ends:
            end()

    return unlink
