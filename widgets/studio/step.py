"""One step of the studio: what every step has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ipywidgets import VBox, Widget

from ..composite import discard
from ..job import Job
from .flow import DONE
from .step_frame import StepFoot, StepHead

if TYPE_CHECKING:
    from .training_studio import TrainingStudio


class Step:
    """A step: its headline, its content, which is made when it is begun, and the buttons that lead on.

    A kind of step gives it a `name`, a `title`, what it `needs` of others, and says in `build()` what it is
    made of; `said(value)` is a sentence on its result, `wanted` one on what is still to be done, and `why_stale` one
    on what has become of it when something before it has changed.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    needs_fastai = False
    renews_itself = False  # nothing of a person's is lost when it is done again, so that needs no asking
    wanted = ""
    why_stale = ""
    again = "Do it again"

    def __init__(self, studio: TrainingStudio):
        self.studio, self.flow = studio, studio.flow
        self.head = StepHead(
            opened=lambda: studio.toggle(self.name), renewed=lambda: studio.renew(self.name), seen=self.seen
        )
        self.foot = StepFoot(pressed=self.press)
        self.job = Job(pressed=self._try_again)  # what is done in place of the content, or beside it
        self._failed = False  # whether it can be tried again: a page can press a button that is not there
        self.body = VBox([])
        self.body.add_class("ipyfastai-step-body")
        self.content: list[Widget] = []

    @property
    def stage(self):
        return self.flow.stages[self.name]

    @property
    def value(self) -> Any:
        return self.stage.value

    def result(self, name: str) -> Any:
        """What an earlier step has come to."""
        return self.flow.stages[name].value

    # What a kind of step says.

    def build(self) -> None:
        """Make the content, by `show`."""
        raise NotImplementedError

    def said(self, value: Any) -> str:
        return ""

    def seen(self) -> None:
        """A page begins to show it."""

    def ways(self) -> list[tuple[str, str, str]]:
        """The buttons at the foot."""
        after = self.flow.after(self.name)
        why = "" if self.flow.state(self.name) == DONE else self.wanted
        return [("next", f"Next: {after.title}", why)] if after else []

    def press(self, name: str) -> None:
        if name == "next":
            self.studio.go_to(self.flow.after(self.name).name)

    # What every step does.

    def begin(self) -> None:
        """Make it anew of what there is now."""
        self.clear()
        self.flow.begin(self.name)
        self.build()

    def finish(self, value: Any) -> None:
        """The step has come to something; None: not any more."""
        self.flow.set(self.name, value)

    def prepare(self, work: Callable, then: Callable[[Any], None], *beside: Widget) -> None:
        """Do something in the background, and then what makes the content; `beside` is there meanwhile."""
        self._new_job()
        self.show(*beside)
        job = self.job

        def done(result: Any) -> None:
            if self.job is job:
                then(result)

        def failed(error: Exception) -> None:
            if self.job is job:
                self._failed, job.button = True, "Try again"

        job.run(work, then=done, failed=failed)

    def _try_again(self) -> None:
        if self._failed:
            self.begin()

    def _new_job(self) -> None:
        """Another, where one is still at work: what is cancelled takes a while to end."""
        if self.job.busy:
            self.job.close()
            self.job = Job(pressed=self._try_again)
        self._failed, self.job.button = False, ""
        self.job.say("")

    def show(self, *content: Widget) -> None:
        """The content, above the buttons that lead on."""
        self.content = list(content)
        self.body.children = [self.job, *content, self.foot]
        self.studio.refresh()

    def clear(self) -> None:
        self._new_job()
        discard(*self.content)
        self.show()

    def renew(self) -> None:
        """Do it again, with what the steps before it have come to since."""
        self.begin()

    def close(self) -> None:
        self.clear()
        discard(self.head, self.foot, self.job, self.body)
