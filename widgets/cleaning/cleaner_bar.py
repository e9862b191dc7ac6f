"""What to look at: class, split and order, and how much of it is marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anywidget
from traitlets import Dict

from ..assets import joined


class CleanerBar(anywidget.AnyWidget):
    """Selects side by side, and under them what there is to say.

    >>> bar = CleanerBar(chosen=print)
    >>> bar.offer(view=["All classes (409)", "black (142)"], order=["worst loss first", "most unsure first"])

    `offer` sets the choices of a select (view, split, order), `choose` what it shows; `chosen(name, index)` is
    called for what somebody chooses within that.
    """

    _esm = joined("dom.js", "cleaning/cleaner_bar.js")
    _css = joined("base.css", "cleaning/cleaner_bar.css")

    # What the page shows: written here and never read back.
    _choices = Dict(help="name of each select -> its options").tag(sync=True)
    _chosen = Dict(help="name of each select -> index of its option").tag(sync=True)
    _said = Dict(help="counts, a hint on the order, what was done last, what is wrong").tag(sync=True)

    def __init__(self, *, chosen: Callable[[str, int], None], **kwargs):
        super().__init__(**kwargs)
        self._on_chosen = chosen
        self._sizes: dict[str, int] = {}
        self.on_msg(self._receive)

    def offer(self, **choices: Sequence[str]) -> None:
        """The options of each select; one that has a single option is not shown."""
        self._sizes.update({name: len(options) for name, options in choices.items()})
        self._choices = {**self._choices, **{name: list(options) for name, options in choices.items()}}

    def choose(self, **chosen: int) -> None:
        self._chosen = {**self._chosen, **chosen}

    def say(self, *, counts: str, hint: str = "", done: str = "", problem: str = "") -> None:
        self._said = {"counts": counts, "hint": hint, "done": done, "problem": problem}

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("type") != "choose":
            return
        name, index = content.get("name"), content.get("index")
        if isinstance(name, str) and type(index) is int and 0 <= index < self._sizes.get(name, 0):
            self._on_chosen(name, index)
