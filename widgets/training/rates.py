"""Learning rates and other numbers, as people write them."""

from __future__ import annotations

import re

from traitlets import Float, TraitError

from ...models.training.settings import TrainingSettings


class Rate(Float):
    """A trait that holds a learning rate, or None; TraitError with a sentence for any other number."""

    def __init__(self, help: str):
        super().__init__(None, allow_none=True, help=help)

    def validate(self, obj, value):
        try:
            rate = value if value is None else TrainingSettings(learning_rate=value).learning_rate
        except ValueError as error:
            raise TraitError(str(error)) from error
        return super().validate(obj, rate)


def rate_text(rate: float) -> str:
    """A learning rate in the way of this field.

    >>> rate_text(0.00144)
    '1.4e-3'
    """
    return re.sub(r"(\.0)?e([+-])0?", lambda found: f"e{found[2].strip('+')}", f"{rate:.1e}")


def typed_number(text: str, kind: type = float) -> float | int | str:
    """The number that somebody typed, or the text itself where it is none, for a sentence that names it.

    >>> typed_number(" 3e-3"), typed_number("64", int), typed_number("fast")
    (0.003, 64, 'fast')
    """
    text = text.strip()[:40]
    try:
        return kind(text.replace(",", "."))
    except ValueError:
        return text
