"""A widget that is made of others."""

from __future__ import annotations

from ipywidgets import VBox, Widget


class Composite(VBox):
    """A box of widgets that takes them along when it is closed, with the layout of each.

    >>> class Both(Composite):
    ...     def __init__(self):
    ...         self.parts = self.first, self.second = Job(), Job()
    ...         super().__init__([self.first])

    `parts` are its widgets, shown at the moment or not; where they are not named, they are its children.
    """

    parts: tuple[Widget, ...] = ()

    def close(self) -> None:
        """Let go of everything."""
        if self.comm is None:  # closed, or never opened since the constructor raised
            return
        discard(*(self.parts or self.children))
        self.layout.close()
        super().close()


def discard(*widgets: Widget) -> None:
    """Close widgets for good, each with its layout: `close` alone would leave that behind.

    >>> discard(*box.children)
    """
    for widget in widgets:
        widget.layout.close()
        widget.close()
