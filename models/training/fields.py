"""Checks of settings, each fault a sentence."""

from __future__ import annotations

import math
from typing import Any, TypeVar

Settings = TypeVar("Settings")


def whole(value: object, what: str, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{what} is a whole number from {least:,} to {most:,}, not {value!r}.")


def number(value: object, what: str, least: float, most: float) -> None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not least <= value <= most:
        raise ValueError(f"{what} is a number from {least:g} to {most:g}, not {value!r}.")


def one_of(value: object, what: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{what} is one of {', '.join(choices)}, not {value!r}.")


def from_dict(kind: type[Settings], values: Any) -> Settings:
    """Settings of a dataclass from what its `to_dict` wrote; ValueError for names that are none.

    >>> from_dict(TrainingSettings, {"epochs": 4})
    """
    if not isinstance(values, dict):
        raise ValueError("Settings are a name and a value each.")
    if unknown := sorted(str(name) for name in values if name not in kind.__dataclass_fields__):
        raise ValueError(f"No such setting: {', '.join(unknown)}.")
    return kind(**values)
