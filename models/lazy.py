"""Names of a package that load on first use."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def attributes(package: str, homes: dict[str, str]) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` for a package whose names live in modules of its own (PEP 562).

    >>> __getattr__, __dir__, __all__ = attributes(__name__, {"Classifier": "classifier"})

    Each visitor of a dashboard starts a kernel of their own, which then imports only what it shows.
    """

    def __getattr__(name: str):
        if name in homes:
            return getattr(import_module(f".{homes[name]}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__, lambda: sorted(homes), sorted(homes)
