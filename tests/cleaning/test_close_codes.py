"""Close pairs of codes, against comparing each with each."""

import numpy as np
import pytest
from ipyfastai.models.close_codes import CROWD, FEW, close_pairs, join
from ipyfastai.models.duplicates import SAME_LOOK, SAME_PHOTO, Fingerprint, group_duplicates
from ipyfastai.models.progress import Cancelled, Progress


def all_pairs(bits, max_bits):
    packed = np.packbits(bits, axis=1)
    found = set()
    for row in range(len(bits) - 1):
        differing = np.unpackbits(packed[row] ^ packed[row + 1 :], axis=1).sum(axis=1)
        found |= {(row, row + 1 + int(other)) for other in np.flatnonzero(differing <= max_bits)}
    return found


def found_pairs(bits, max_bits):
    return {
        (min(pair), max(pair))
        for first, second in close_pairs(bits, max_bits)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    }


def codes(count, *, seed=0, width=256, crowds=0.0):
    """Codes of which a third differ from another one in up to 30 bits, and `crowds` are empty but for some bits."""
    random = np.random.default_rng(seed)
    bits = random.random((count, width)) < 0.5
    crowd = random.random(count) < crowds
    bits[crowd] &= random.random((crowd.sum(), width)) < 0.2
    for copy in random.choice(count, count // 3, replace=False):
        bits[copy] = bits[random.integers(count)]
        flips = random.choice(width, random.integers(0, 31), replace=False)
        bits[copy, flips] ^= True
    return bits


@pytest.mark.parametrize("crowds", [0.0, 0.4])
@pytest.mark.parametrize(("width", "max_bits"), [(256, SAME_PHOTO), (256, 23), (250, 17)])
def test_pairs_are_those_of_a_search_without_tricks(width, max_bits, crowds):
    bits = codes(FEW + 500, width=width, crowds=crowds)
    expected = all_pairs(bits, max_bits)
    assert len(expected) > 300
    assert found_pairs(bits, max_bits) == expected


@pytest.mark.parametrize(("count", "width", "max_bits"), [(0, 256, 24), (1, 256, 24), (300, 256, 24), (FEW + 1, 20, 3)])
def test_few_codes_and_short_ones(count, width, max_bits):
    bits = np.random.default_rng(1).random((count, width)) < 0.5
    assert found_pairs(bits, max_bits) == all_pairs(bits, max_bits)


def test_the_differences_may_lie_anywhere():
    """All in one piece, or one in each: no piece may be the one that is not looked at."""
    random = np.random.default_rng(2)
    bits = random.random((FEW + 26, 256)) < 0.5
    base, pieces = bits[0].copy(), SAME_PHOTO // 2 + 1
    for place in range(26):
        bits[-1 - place] = base
        where = np.arange(place % pieces, 256, pieces) if place < 13 else random.choice(256, SAME_PHOTO, replace=False)
        bits[-1 - place, where[:SAME_PHOTO]] ^= True
    assert found_pairs(bits, SAME_PHOTO) == all_pairs(bits, SAME_PHOTO)


def groups_by_hand(prints):
    """Depth first over all pairs."""
    bits, looks = np.stack([one.bits for one in prints]), np.stack([one.look for one in prints])
    pairs = [(a, b) for a, b in all_pairs(bits, SAME_PHOTO) if looks[a] @ looks[b] >= SAME_LOOK]
    beside = {row: [] for row in range(len(prints))}
    for a, b in pairs:
        beside[a].append(b)
        beside[b].append(a)
    groups = np.full(len(prints), -1)
    for row in range(len(prints)):
        waiting = [row] if groups[row] < 0 else []
        while waiting:
            at = waiting.pop()
            if groups[at] < 0:
                groups[at] = row
                waiting += beside[at]
    return groups


def test_groups_are_those_of_a_search_by_hand():
    random = np.random.default_rng(3)
    bits = codes(FEW + 500, seed=3, crowds=0.2)
    bits[:300] = bits[0]  # the same file many times, among them one that looks like nothing
    looks = random.normal(size=(len(bits), 256)).astype(np.float32)
    for row in range(len(bits)):
        if row < 300 or row % 2:
            looks[row] = 1 + random.normal(size=256) / 20
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    looks[7] = 0
    prints = [Fingerprint(*one) for one in zip(bits, looks, strict=True)]
    groups = group_duplicates(prints)
    assert groups.tolist() == groups_by_hand(prints).tolist()
    assert groups[7] == 7 and np.bincount(groups).max() >= 299 > CROWD


def test_chains_are_joined_from_any_end():
    groups = np.arange(1000)
    chain = np.random.default_rng(4).permutation(np.arange(2, 999))
    join(groups, chain, chain + 1)
    assert groups.tolist() == [0, 1] + [2] * 998
    join(groups, np.array([999]), np.array([0]))
    assert groups.tolist() == [0, 1] + [0] * 998


def test_it_can_be_cancelled():
    progress = Progress()
    pairs = close_pairs(codes(FEW + 1), SAME_PHOTO, progress=progress)
    next(pairs)
    progress.cancel()
    with pytest.raises(Cancelled):
        list(pairs)
    assert 0 <= progress.done < progress.total == FEW + 1
