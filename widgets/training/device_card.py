"""The device that trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import anywidget
from traitlets import Any, Dict

from ..assets import joined
from ..composite import Composite
from ..job import Job


class DeviceCard(Composite):
    """Which device this kernel trains on, its memory and what uses it, and how fast it is, measured.

    >>> DeviceCard()
    >>> DeviceCard(gpu=("Tesla T4", 410.0))  # says how many times longer a training takes on a CPU

    `gpu` is the name of a GPU and the `images_per_second` of a report made there. Measuring takes some seconds
    and waits for a click; memory is read at once.

    `value` is the last `DeviceReport`, None until there is one.
    """

    value = Any(read_only=True, help="the last report")

    def __init__(self, *, gpu: tuple[str, float] | None = None):
        self._gpu = gpu
        self.card = DeviceView(refresh=self.refresh)
        self.job = Job(button="Measure its speed", pressed=self.measure, cancel="Stop", primary=False)
        super().__init__([self.card, self.job])
        self.refresh()

    def refresh(self) -> bool:
        """Read the memory again; False while that or a measurement is under way."""
        return self.job.run(lambda progress: self._report(progress, measure=False), then=self._keep)

    def measure(self) -> bool:
        """Time a small training too."""
        return self.job.run(lambda progress: self._report(progress, measure=True), then=self._keep)

    def _report(self, progress, *, measure: bool):
        from ...models.training.device import device_report

        return device_report(measure=measure, gpu=self._gpu, progress=progress)

    def _keep(self, report) -> None:
        if report.images_per_second is None and self.value is not None:  # what was measured still holds
            report = dataclasses.replace(
                self.value, total=report.total, used=report.used, users=report.users, threads=report.threads
            )
        self.set_trait("value", report)
        self.card.show(report)
        self.job.button = "Measure again" if report.images_per_second else "Measure its speed"


class DeviceView(anywidget.AnyWidget):
    """A `DeviceReport` as a card.

    >>> view = DeviceView(refresh=print)
    >>> view.show(device_report())

    `refresh()` is called for its button.
    """

    _esm = joined("dom.js", "training/device_card.js")
    _css = joined("base.css", "training/device_card.css")

    _shown = Dict(help="name, kind, memory and the sentence").tag(sync=True)

    def __init__(self, *, refresh: Callable[[], object], **kwargs):
        super().__init__(**kwargs)
        self._refresh = refresh
        self.on_msg(self._receive)

    def show(self, report) -> None:
        self._shown = {
            "name": report.name,
            "kind": report.kind,
            "total": report.total,
            "used": report.used,
            "users": [[user.name, user.bytes] for user in report.users],
            "sentence": report.sentence,
        }

    def _receive(self, _widget, content, buffers) -> None:
        if isinstance(content, dict) and content.get("type") == "refresh":
            self._refresh()
