"""What is to become of each file, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

ACTIONS = ("keep", "delete", "move")


class Mark(NamedTuple):
    """What somebody wants done with a file, and what the file was when they looked at it.

    >>> Mark("move", "teddy", size=84213, modified=1700000000000000000)

    `label` is where to, for "move"; `size` counts bytes, `modified` nanoseconds since 1970 (None: not known).
    """

    action: str
    label: str | None = None
    size: int | None = None
    modified: int | None = None


class History:
    """Marks as they follow from steps, undo and redo; the same steps always give the same marks.

    >>> history = History()
    >>> history.play({"do": [["black/1.jpg", "delete", None, 84213, None]]})
    ['black/1.jpg']
    >>> history.play({"undo": 1}), history.marks
    (['black/1.jpg'], {})

    `play` takes one step as a dictionary that JSON can hold, and returns the names whose marks it changed:
    `do` sets marks ([name, None] takes one away), `undo` and `redo` go one step back and forth, `settle`
    forgets what has been carried out, so that no undo brings it back.
    Raises ValueError for anything else.
    """

    def __init__(self):
        self.marks: dict[str, Mark] = {}
        self._done: list[dict[str, tuple[Mark | None, Mark | None]]] = []
        self._undone: list[dict[str, tuple[Mark | None, Mark | None]]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def play(self, step: dict) -> list[str]:
        if not isinstance(step, dict) or len(step) != 1:
            raise ValueError("not a step")
        [(kind, what)] = step.items()
        if kind == "do":
            return self._do(what)
        if kind == "undo":
            return self._swap(self._done, self._undone, 0)
        if kind == "redo":
            return self._swap(self._undone, self._done, 1)
        if kind == "settle":
            return self._settle(what)
        raise ValueError(f"not a step: {kind!r}")

    def _do(self, rows: list[list]) -> list[str]:
        changes = {}
        for name, *fields in rows:
            mark = None if fields[0] is None else Mark(*fields)
            if not isinstance(name, str) or (mark is not None and mark.action not in ACTIONS):
                raise ValueError("not a mark")
            before = self.marks.get(name)
            if mark != before:
                changes[name] = (before, mark)
        if changes:
            self._done.append(changes)
            self._undone.clear()
            self._set(changes, 1)
        return list(changes)

    def _swap(self, stack: list[dict], other: list[dict], side: int) -> list[str]:
        if not stack:
            return []
        changes = stack.pop()
        other.append(changes)
        self._set(changes, side)
        return list(changes)

    def _settle(self, names: Iterable[str]) -> list[str]:
        gone = set(names)
        for stack in (self._done, self._undone):
            kept = ({name: change for name, change in step.items() if name not in gone} for step in stack)
            stack[:] = [step for step in kept if step]
        return [name for name in gone if self.marks.pop(name, None) is not None]

    def _set(self, changes: dict[str, tuple[Mark | None, Mark | None]], side: int) -> None:
        for name, change in changes.items():
            if change[side] is None:
                self.marks.pop(name, None)
            else:
                self.marks[name] = change[side]
