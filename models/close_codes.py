"""Which of many bit codes differ in few bits, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .progress import Progress

FEW = 2_000  # codes; so many are compared with each other in no time
CROWD = 64  # codes that agree in one piece: from here on they are compared all with all, once
PAIRS = 1 << 20  # looked at at a time
BLOCK = 1 << 24  # comparisons of all with all at a time: 64 MB of products
ONES = np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8)).reshape(-1, 16).sum(axis=1, dtype=np.uint8)

Pairs = tuple[np.ndarray, np.ndarray]  # positions (k,) of the first and of the second of each


def close_pairs(bits: np.ndarray, max_bits: int, *, progress: Progress | None = None) -> Iterator[Pairs]:
    """All pairs of codes that differ in at most `max_bits` bits, part by part; some come several times.

    >>> list(close_pairs(np.array([[0, 0, 1], [1, 1, 1], [0, 1, 1]], bool), 1))
    [(array([0, 1]), array([2, 2]))]

    `bits` is bool (n, b). Codes are cut into so many pieces that one piece of a close pair differs in at most
    one bit: pairs are looked for among codes that agree in a piece, one bit of it left out. Codes in crowds,
    as pictures on an empty ground are, which agree in a piece with very many others, are compared with each
    other. 100,000 unrelated codes of 256 bits take seconds. Source: M. Norouzi, A. Punjani, D. Fleet, "Fast
    Exact Search in Hamming Space with Multi-Index Hashing", 2014, section 2.
    """
    progress = progress or Progress()
    pieces = max_bits // 2 + 1
    if len(bits) <= FEW or bits.shape[1] < 8 * pieces or bits.shape[1] > 32 * pieces:
        yield from _compared(bits, max_bits, progress)
        return
    words = _words(bits)
    crowded = np.zeros(len(bits), bool)
    for piece in range(pieces):
        part = bits[:, piece::pieces]  # spread: neighbouring bits of a picture tell the same
        whole = part @ (1 << np.arange(part.shape[1], dtype=np.uint32))
        for bit in range(part.shape[1]):
            done = (piece + bit / part.shape[1]) / pieces
            progress.report(int(len(bits) * done), len(bits), "Comparing the images")
            order, after, crowd = _agreeing(whole & ~np.uint32(1 << bit))
            crowded[order[crowd]] = True
            for first, second in _listed(order, after):
                yield _near(words, first, second, max_bits)
    among = np.flatnonzero(crowded)
    for first, second in _compared(bits[among], max_bits, progress):
        yield among[first], among[second]


def join(groups: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    """Make one group of each pair's two; `groups` (n,) holds for each position the lowest of its group.

    >>> groups = np.arange(4)
    >>> join(groups, np.array([3, 1]), np.array([2, 3])); groups
    array([0, 1, 1, 1])
    """
    while True:
        one, other = groups[first], groups[second]
        apart = one != other
        if not apart.any():
            return
        first, second, one, other = first[apart], second[apart], one[apart], other[apart]
        np.minimum.at(groups, np.maximum(one, other), np.minimum(one, other))
        while (groups[groups] != groups).any():
            groups[:] = groups[groups]


def _agreeing(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions ordered by key, behind each how many more have the same, and whether those are a crowd."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[begins, len(keys)])
    after = np.repeat(begins + sizes, sizes) - np.arange(len(keys)) - 1
    crowd = np.repeat(sizes > CROWD, sizes)
    return order, np.where(crowd, 0, after), crowd


def _listed(order: np.ndarray, after: np.ndarray) -> Iterator[Pairs]:
    """Each position with those behind it that agree, some PAIRS at a time."""
    places = np.flatnonzero(after)
    total = np.cumsum(after[places])
    for begin, end in _parts(total):
        count = after[places[begin:end]]
        first = np.repeat(places[begin:end], count)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
        yield order[first], order[second]


def _parts(total: np.ndarray) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(total):
        before = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, before + PAIRS, side="right")))
        yield begin, end
        begin = end


def _words(bits: np.ndarray) -> np.ndarray:
    """Codes as uint16 (n, w)."""
    packed = np.packbits(bits, axis=1)
    return np.pad(packed, ((0, 0), (0, packed.shape[1] % 2))).view(np.uint16)


def _near(words: np.ndarray, first: np.ndarray, second: np.ndarray, max_bits: int) -> Pairs:
    """Those pairs that differ in few bits: by the first quarter of them, then by all."""
    for part in (slice(len(words[0]) // 4), slice(None)):
        differing = ONES[words[first, part] ^ words[second, part]].sum(axis=1)
        first, second = first[differing <= max_bits], second[differing <= max_bits]
    return first, second


def _compared(bits: np.ndarray, max_bits: int, progress: Progress) -> Iterator[Pairs]:
    """All with all: a product of codes of +1 and -1 is (bits - 2 × differing bits)."""
    signs = np.where(bits, 1, -1).astype(np.float32)
    closest = signs.shape[1] - 2 * max_bits
    rows = max(16, BLOCK // max(1, len(signs)))
    for start in range(0, len(signs), rows):
        progress.report(start, len(signs), "Comparing the images")
        agreement = signs[start : start + rows] @ signs[start:].T
        first, second = np.nonzero(np.triu(agreement >= closest, k=1))
        if len(first):
            yield start + first, start + second
