"""What depends on what: which steps can be taken, which are done, and which are out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

LOCKED, READY, DONE, STALE = "locked", "ready", "done", "stale"


@dataclass
class Stage:
    """One step: its result, and of which results of others it was made.

    `made` are the numbers of those results when the step was begun, None before.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    value: Any = None
    number: int = 0
    made: tuple[int, ...] | None = None


class Flow:
    """Steps in order, each with what it needs of the ones before.

    >>> flow = Flow([Stage("data", "Photos"), Stage("train", "Train", needs=("data",))], changed=print)
    >>> flow.begin("data"); flow.set("data", folder)
    >>> flow.state("train")
    'ready'

    A step is "locked" while what it needs is not there, "ready" once it is, "done" when it has a result,
    and "stale" when something that it was made of has changed since: its result stays, but nothing that
    needs it goes on until the step is begun anew. `changed()` is called after each change.
    """

    def __init__(self, stages: Iterable[Stage], *, changed: Callable[[], object] = lambda: None):
        self.stages = {stage.name: stage for stage in stages}
        self._changed = changed

    def begin(self, name: str) -> None:
        """The step is done with what there is now; a result of before is dropped."""
        stage = self.stages[name]
        stage.value, stage.made = None, self._numbers(stage)
        stage.number += 1
        self._changed()

    def set(self, name: str, value: Any, *, keep: Iterable[str] = ()) -> None:
        """The step's result, None where there is none any more; what stands in `keep` does not get stale by it."""
        stage = self.stages[name]
        if value is None and stage.value is None:
            return
        kept = [self.stages[one] for one in keep if self.state(one) == DONE]
        stage.value, stage.number = value, stage.number + 1
        for one in kept:
            one.made = self._numbers(one)
        self._changed()

    def state(self, name: str) -> str:
        stage = self.stages[name]
        fresh = all(self.state(need) == DONE for need in stage.needs)
        if stage.made is None:
            return READY if fresh else LOCKED
        if not fresh or stage.made != self._numbers(stage):
            return STALE
        return READY if stage.value is None else DONE

    def missing(self, name: str) -> Stage | None:
        """The first step that has to be done, or done anew, before this one can be."""
        for need in self.stages[name].needs:
            if self.state(need) != DONE:
                return self.missing(need) or self.stages[need]
        return None

    def after(self, name: str) -> Stage | None:
        """The step that comes next."""
        names = list(self.stages)
        place = names.index(name) + 1
        return self.stages[names[place]] if place < len(names) else None

    def _numbers(self, stage: Stage) -> tuple[int, ...]:
        return tuple(self.stages[need].number for need in stage.needs)
