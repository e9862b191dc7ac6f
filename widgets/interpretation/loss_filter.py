"""Which of the losses to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
from traitlets import Dict

from ..assets import joined
from .confusion_view import LABEL_LENGTH, within


class LossFilter(anywidget.AnyWidget):
    """A line of choices: split, label, only what is wrong, and a sentence on what is left.

    >>> LossFilter(changed=print).show(
    ...     splits=[("Validation", 82)], split=0, labels=[("black", 28)], label=None, only_wrong=True, said=""
    ... )

    `changed(name, value)` is called with "split" and "label" by position (label None: all), and
    with "only_wrong".
    """

    _esm = joined("dom.js", "interpretation/names.js", "interpretation/loss_filter.js")
    _css = joined("base.css", "interpretation/loss_filter.css")

    _state = Dict(help="splits and labels with their counts, what is chosen, a sentence").tag(sync=True)

    def __init__(self, *, changed: Callable[[str, Any], None], **kwargs):
        super().__init__(**kwargs)
        self._changed = changed
        self._known = {"split": 0, "label": 0}
        self.on_msg(self._receive)

    def show(
        self,
        *,
        splits: Sequence[tuple[str, int]],
        split: int,
        labels: Sequence[tuple[str, int]],
        label: int | None,
        only_wrong: bool,
        said: str,
    ) -> None:
        self._known = {"split": len(splits), "label": len(labels)}
        self._state = {
            "splits": [list(one) for one in splits],
            "split": split,
            "labels": [[name[:LABEL_LENGTH], count] for name, count in labels],
            "label": label,
            "only_wrong": only_wrong,
            "said": said,
        }

    def _receive(self, _widget, content, buffers) -> None:
        kind, value = (content.get("type"), content.get("value")) if isinstance(content, dict) else (None, None)
        if kind == "only_wrong" and isinstance(value, bool):
            self._changed(kind, value)
        elif kind in ("split", "label") and within(value, self._known[kind]):
            self._changed(kind, value)
        elif kind == "label" and value is None:
            self._changed(kind, None)
