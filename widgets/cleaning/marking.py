"""Pictures marked, step by step, and what there is to say of the last step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...models.cleaning.journal import Journal
from ...models.cleaning.marks import Mark
from ...models.progress import Progress
from ..job import Job
from .collection import counted

AT_ONCE = 2000  # pictures that are marked without showing how far that is
BADGES = {"keep": "Keep", "delete": "Delete"}


class Marking:
    """Marks pictures in a journal: a few at once, many in the background with Cancel.

    >>> marking = Marking(journal, job=job, is_here=pictures.row.__contains__, told=draw)
    >>> marking.mark("delete", None, ["black/1.jpg"])
    >>> marking.said
    'Delete: black/1.jpg.'

    `is_here(name)` says whether there still is such a picture when the files have been looked at. The listeners
    of the journal hear of every change; `told()` is called where there is something to say and none of them was.
    """

    def __init__(self, journal: Journal, *, job: Job, is_here: Callable[[str], bool], told: Callable[[], None]):
        self.said = ""
        self._journal, self._job = journal, job
        self._is_here, self._told = is_here, told

    def badges(self, names: Sequence[str]) -> list[str | None]:
        """What lies over each picture."""
        return [None if mark is None else _badge(mark) for mark in map(self._journal.marks.get, names)]

    def mark(self, action: str, label: str | None, names: Sequence[str]) -> None:
        """Mark these pictures as one step; "unmark" takes their marks away."""
        if not names:
            return
        what = "No mark" if action == "unmark" else _badge(Mark(action, label))
        said = f"{what}: {_listed(names)}."

        def write(progress: Progress | None = None) -> list[str]:
            return self._journal.write(self._marks(names, action, label, progress))

        def tell(changed: list[str]) -> None:
            self.said = said
            self._journal.tell(changed)
            if not changed:
                self._told()

        if not (len(names) > AT_ONCE and self._job.run(write, then=tell)):
            tell(write())  # they are few, or something else is looked for

    def step(self, which: str) -> list[str]:
        """Undo or redo; the names that this was about."""
        self.said = ""
        changed = getattr(self._journal, which)()
        if changed:
            self.said = f"{'Undone' if which == 'undo' else 'Done again'}: {_listed(changed)}."
        return changed

    def _marks(
        self, names: Sequence[str], action: str, label: str | None, progress: Progress | None
    ) -> Mapping[str, Mark | None]:
        if action == "unmark":
            return dict.fromkeys(names)
        marks = self._journal.look(names, action, label, progress=progress)
        return {name: mark for name, mark in marks.items() if self._is_here(name)}  # not applied meanwhile


def _badge(mark: Mark) -> str:
    return f"→ {mark.label}" if mark.action == "move" else BADGES[mark.action]


def _listed(names: Sequence[str]) -> str:
    """What was marked, in few words: its name, or how many."""
    return names[0] if len(names) == 1 else counted(len(names), "picture")
