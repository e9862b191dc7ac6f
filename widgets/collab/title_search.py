"""What a page may ask of a recommender's titles, and the answers."""

from __future__ import annotations

from typing import Any

from ...models.collab.recommender import Recommender

LONGEST = 200  # characters of a query
FOUND = 8  # titles


def found(recommender: Recommender, content: dict) -> dict | None:
    """The answer to a page's search, a message; None where it asked for nothing sensible.

    Every view hears the answer; the one that asked knows its token.
    """
    token, text = content.get("token"), content.get("text")
    if not isinstance(token, str) or not isinstance(text, str):
        return None
    codes = recommender.search(text[:LONGEST], FOUND)
    return {"type": "found", "token": token[:64], "rows": [named(recommender, code) for code in codes]}


def named(recommender: Recommender, code: int) -> dict[str, Any]:
    """An item as a page shows it; `item` is its code, which comes back in messages."""
    genres = recommender.genres[code] if recommender.genres is not None else ()
    return {"item": int(code), "title": recommender.titles[code], "genres": ", ".join(genres)}


def code_in(recommender: Recommender, content: dict) -> int | None:
    """The code of an item in a page's message; None if it is none."""
    code = content.get("item")
    return code if type(code) is int and 0 <= code < recommender.n_items else None
