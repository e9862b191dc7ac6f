"""What can be decided about a training, as a form."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anywidget
from traitlets import Dict

from ...models.training.settings import ARCHITECTURES, DISCRIMINATION, TrainingSettings
from ..assets import joined
from .networks import download_in_words, networks_in_words
from .rates import rate_text, typed_number

POINTS = 600  # of the schedule that are drawn


@dataclass(frozen=True)
class Field:
    """One setting: its label, how it is entered, and a word of help.

    `kind` is "choice" (of `choices`: value -> text), "switch", "whole", "number" or "rate"; an `optional`
    field may be empty, and its `hint` says what that means. Those that are not `usual` are folded away.
    """

    label: str
    kind: str
    hint: str = ""
    choices: Mapping[str, str] | None = None
    optional: bool = False
    usual: bool = False


FIELDS = {
    "arch": Field("Network", "choice", "The quicker ones first.", {name: name for name in ARCHITECTURES}, usual=True),
    "frozen_epochs": Field(
        "Frozen epochs", "whole", "The new last layers learn alone, all others are frozen.", usual=True
    ),
    "epochs": Field("Epochs", "whole", "Then all layers learn.", usual=True),
    "learning_rate": Field("Learning rate", "rate", "The highest of the schedule.", usual=True),
    "pretrained": Field("Pretrained", "switch", "Begin with what the network learned from ImageNet."),
    "schedule": Field(
        "Schedule",
        "choice",
        "",
        {"one_cycle": "One cycle", "flat_cosine": "Flat, then cosine", "fixed": "Fixed"},
    ),
    "discriminative": Field("Discriminative rates", "switch", f"First layers learn {DISCRIMINATION} times slower."),
    "weight_decay": Field("Weight decay", "number", "Empty: the optimizer's own.", optional=True),
    "batch_size": Field("Batch size", "whole", "Empty: that of the data.", optional=True),
    "seed": Field("Seed", "whole", "The same seed gives the same run. Empty: by chance.", optional=True),
    "mixed_precision": Field("Mixed precision", "switch", "Faster, and needs less memory."),
}


class SettingsForm(anywidget.AnyWidget):
    """A form for `TrainingSettings`, and the schedule that they make.

    >>> form = SettingsForm(TrainingSettings(epochs=4), changed=print)
    >>> form.settings
    TrainingSettings(epochs=4, ...)

    `settings` are the last that made sense; `errors` has a sentence for each field that holds something else.
    `without` names settings that are not offered, `unavailable` says of some why they cannot be chosen. Networks
    whose pretrained weights would have to be downloaded say so, and how much that is.
    `changed()` is called when `settings` or `errors` have changed.
    """

    _esm = joined("dom.js", "training/scale.js", "training/chart.js", "training/settings_form.js")
    _css = joined("base.css", "training/chart.css", "training/settings_form.css")

    _shown = Dict(help="fields with what they hold, the schedule, and whether all is locked").tag(sync=True)

    def __init__(
        self,
        settings: TrainingSettings,
        *,
        changed: Callable[[], Any],
        without: tuple[str, ...] = (),
        unavailable: Mapping[str, str] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = settings
        self.errors: dict[str, str] = {}
        self._rejected: dict[str, Any] = {}  # what a field with an error holds
        self._typed: dict[str, str] = {}  # and as it was typed
        self._changed, self._unavailable = changed, dict(unavailable or {})
        self._names = [name for name in FIELDS if name not in without]
        self._locked = False
        self.on_msg(self._receive)
        self._show()

    def lock(self, locked: bool) -> None:
        """Whether nothing can be changed: while a training runs."""
        self._locked = locked
        self._show()

    def set(self, **values: Any) -> None:
        """Change settings; what makes no sense is kept in the form beside its sentence."""
        for name, value in values.items():
            self._try(name, value)
        for name, value in list(self._rejected.items()):  # two that only make sense together
            if name not in values:
                self._try(name, value)
        self._show()
        self._changed()

    def _try(self, name: str, value: Any) -> None:
        try:
            self.settings = dataclasses.replace(self.settings, **{name: value})
        except ValueError as error:
            self.errors[name], self._rejected[name] = str(error), value
        else:
            self.errors.pop(name, None)
            self._rejected.pop(name, None)

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("type") != "set" or self._locked:
            return
        name, value = content.get("name"), content.get("value")
        if not isinstance(name, str) or name not in self._names or name in self._unavailable:
            return
        field = FIELDS[name]
        if isinstance(value, bool if field.kind == "switch" else str):
            self._typed[name] = str(value)[:40].encode(errors="replace").decode()  # no message holds half a character
            self.set(**{name: _entered(field, value)})

    def _show(self) -> None:
        from ...models.training.schedule import schedule

        epochs = self.settings.total_epochs
        batches = max(2, POINTS // epochs)
        plan = schedule(self.settings, batches)
        one_rate = not self.settings.discriminative
        self._shown = {
            "fields": [self._plain(name) for name in self._names],
            "locked": self._locked,
            "summary": in_words(self.settings),
            "schedule": {
                "batches": batches,
                "frozen": plan.frozen if plan.frozen < epochs else 0,
                "rates": [float(f"{rate:.4g}") for rate in plan.rate],
                "first_rates": [] if one_rate else [float(f"{rate:.4g}") for rate in plan.first_rate],
            },
        }

    def _plain(self, name: str) -> dict:
        field, value = FIELDS[name], getattr(self.settings, name)
        choices, hint = dict(field.choices or {}), field.hint
        if name == "arch" and self.settings.pretrained:
            choices = networks_in_words()
            hint = download_in_words(value) or hint
        if name in self.errors:
            value = self._typed.get(name, str(self._rejected[name]))
        if field.kind == "rate" and isinstance(value, float):
            value = rate_text(value) if value < 0.01 and _short(value) else f"{value:.4g}"
        elif field.kind not in ("switch", "choice"):
            value = "" if value is None else str(value)
        return {
            "name": name,
            "label": field.label,
            "kind": field.kind,
            "usual": field.usual,
            "hint": self._unavailable.get(name, hint),
            "choices": list(choices.items()),
            "value": value,
            "disabled": name in self._unavailable,
            "error": self.errors.get(name, ""),
        }


def in_words(settings: TrainingSettings) -> str:
    """Settings in a line.

    >>> in_words(TrainingSettings(epochs=4, seed=1))
    '1 frozen + 4 epochs, one cycle, rate 2e-3, seed 1'
    """
    frozen = f"{settings.frozen_epochs} frozen + " if settings.frozen_epochs else ""
    parts = [
        settings.arch,
        f"{frozen}{settings.epochs} epoch{'' if settings.epochs == 1 else 's'}",
        FIELDS["schedule"].choices[settings.schedule].lower(),
        f"rate {rate_text(settings.learning_rate)}",
        None if settings.batch_size is None else f"batches of {settings.batch_size}",
        None if settings.seed is None else f"seed {settings.seed}",
    ]
    return ", ".join(part for part in parts if part)


def _entered(field: Field, value: str | bool) -> Any:
    if field.kind in ("switch", "choice"):
        return value
    if field.optional and not value.strip():
        return None
    return typed_number(value, int if field.kind == "whole" else float)


def _short(rate: float) -> bool:
    return float(rate_text(rate)) == rate
