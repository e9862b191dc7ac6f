"""Titles found by what a person remembers of them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

_JOINERS = re.compile("['’`.·]")  # Schindler's, E.T., WALL·E
_WORDS = re.compile(r"\w+")
_YEAR = re.compile(r"\(\d{4}\)\s*$")
ARTICLES = frozenset("the a an".split())
MOST_WORDS = 12  # of a query; a person types fewer
LONG_ENOUGH = 4  # letters of a word in which a slip is forgiven: every short word is one letter from another


def words(text: str) -> list[str]:
    """The words of a text as they are compared: no case, accents or punctuation.

    >>> words("Amélie (Fabuleux destin d'Amélie Poulain, Le)")
    ['amelie', 'fabuleux', 'destin', 'damelie', 'poulain', 'le']
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _WORDS.findall(_JOINERS.sub("", plain.replace("&", " and ")))


class TitleSearch:
    """Finds titles by words or their beginnings, in any order, with an article too many or one slip of a key.

    >>> search = TitleSearch(["Matrix, The (1999)", "Amélie (2001)"])
    >>> search("the matr"), search("amelie"), search("matirx")
    ([0], [1], [0])

    Whole words come before beginnings, and then what has more of `counts` (n,), ratings perhaps. An index
    of 60,000 titles is made in a third of a second, and a query answered in a few milliseconds.
    """

    def __init__(self, titles: Sequence[str], counts: np.ndarray | None = None):
        numbers: dict[str, int] = {}
        found, codes, lengths = [], [], []
        for code, title in enumerate(titles):
            own = words(title)
            lengths.append(len(words(_YEAR.sub("", title))))
            own += [first + second for first, second in zip(own, own[1:], strict=False)]  # "spiderman"
            for word in dict.fromkeys(own):
                found.append(numbers.setdefault(word, len(numbers)))
                codes.append(code)
        self._words = sorted(numbers)
        place = np.empty(len(numbers), dtype=np.int64)
        place[[numbers[word] for word in self._words]] = np.arange(len(numbers))
        places = place[np.array(found, dtype=np.int64)]
        order = np.argsort(places, kind="stable")
        self._codes = np.array(codes, dtype=np.int32)[order]
        self._starts = np.searchsorted(places[order], np.arange(len(numbers) + 1))
        self._lengths = np.array(lengths)
        self._counts = np.zeros(len(titles)) if counts is None else np.asarray(counts)
        self._letters = sorted({letter for word in self._words for letter in word})[:64]

    def __call__(self, text: str, limit: int = 10) -> list[int]:
        """Positions of at most `limit` titles, the best first."""
        asked = words(text)[:MOST_WORDS]
        if not asked:
            return []
        without_articles = [word for word in asked if word not in ARTICLES]
        for slips in (False, True):
            for meant in (asked, without_articles, ["".join(asked)]):  # the last: "wall e"
                if meant and (found := self._all_of(meant, limit, slips=slips)):
                    return found
        return []

    def _all_of(self, asked: list[str], limit: int, *, slips: bool) -> list[int]:
        matching = np.ones(len(self._lengths), dtype=bool)
        whole = np.zeros(len(self._lengths), dtype=np.int64)
        for word in asked:
            has = np.zeros(len(matching), dtype=bool)
            begin, end = self._range(word)
            has[self._codes[self._starts[begin] : self._starts[end]]] = True
            if begin < end and self._words[begin] == word:
                whole[self._codes[self._starts[begin] : self._starts[begin + 1]]] += 1
            if slips and not (has & matching).any():
                has[self._with_a_slip(word)] = True
            matching &= has
        codes = np.flatnonzero(matching)
        complete = (whole[codes] == len(asked)) & (self._lengths[codes] == len(asked))
        order = np.lexsort((-self._counts[codes], -whole[codes], ~complete))
        return codes[order[:limit]].tolist()

    def _range(self, beginning: str) -> tuple[int, int]:
        """Where among the sorted words those stand that begin so."""
        return bisect_left(self._words, beginning), bisect_left(self._words, beginning + "\U0010ffff")

    def _with_a_slip(self, word: str) -> np.ndarray:
        """Titles with a word that begins like this one after one letter is left out, added, changed or swapped.

        Source: Norvig, "How to Write a Spelling Corrector", 2007.
        """
        if not LONG_ENOUGH <= len(word) <= 30:
            return np.empty(0, dtype=np.int32)
        cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
        meant = {head + tail[1:] for head, tail in cuts if tail}
        meant |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
        meant |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in self._letters}
        meant |= {head + letter + tail for head, tail in cuts for letter in self._letters}
        ranges = [self._range(other) for other in meant]
        codes = [self._codes[self._starts[begin] : self._starts[end]] for begin, end in ranges if begin < end]
        return np.concatenate(codes) if codes else np.empty(0, dtype=np.int32)
