"""What earlier visits have trained, to continue or to use as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...models.loading import load_fastai
from ...models.words import counted
from ..form import Field, Form

BROKEN_OFF = ("interrupted", "stopped", "failed")  # states in which a run can be continued


@dataclass(frozen=True)
class EarlierRun:
    """A run on disk that has finished an epoch at least: `done` of `total`, with `figure` after the last of them."""

    name: str
    done: int
    total: int
    figure: str
    goes_on: bool

    @property
    def epochs(self) -> str:
        return f"{self.done} of {self.total} epochs" if self.goes_on else counted(self.done, "epoch")


def earlier_runs(folder: Path) -> list[EarlierRun]:
    """The runs below a folder that have come to something, the newest first; loads fastai."""
    load_fastai()
    from ...models.training.run_folder import load_run

    found = []
    for path in sorted(folder.glob("*/settings.json"), reverse=True):
        try:
            run = load_run(path.parent)
        except ValueError:  # a damaged one: the table of runs says so
            continue
        done, total = len(run.history), run.settings.epochs + run.settings.frozen_epochs
        if done:
            goes_on = done < total and run.state in BROKEN_OFF
            found.append(EarlierRun(run.name, done, total, last_figure(run), goes_on))
    return found


class EarlierRuns(Form):
    """Choose an earlier run, and continue it or use its network.

    >>> EarlierRuns(earlier_runs(folder), go_on=trainer.go_on, use=load)

    `go_on` and `use` are called with the name of the run; only one that was broken off can be continued.
    `offer` takes other runs; where there are none, nothing is shown.
    """

    def __init__(self, runs: list[EarlierRun], *, go_on: Callable[[str], Any], use: Callable[[str], Any]):
        super().__init__(label="Trained earlier", changed=lambda name: self._draw(), pressed=self._press)
        self._calls = {"continue": go_on, "use": use}
        self.offer(runs)

    def offer(self, runs: list[EarlierRun]) -> None:
        self._runs = runs
        self.forget("run")
        self._draw()

    def _draw(self) -> None:
        if not self._runs:
            return self.show([])
        names = [f"The training of {run.name}, {run.epochs}" for run in self._runs]
        run = self._runs[self.get("run", 0)]
        fields = [Field("run", "Trained earlier", "select", options=names)]
        if run.goes_on:
            fields.append(Field("continue", f"Continue the training ({run.epochs} done)", "button"))
        use = "Use this network as it is" if run.goes_on else "Use this network"
        fields.append(Field("use", f"{use} ({run.epochs}, {run.figure})", "button", primary=not run.goes_on))
        self.show(fields)

    def _press(self, name: str) -> None:
        self._calls[name](self._runs[self["run"]].name)


def last_figure(run: Any) -> str:
    """The first metric of the last epoch, as text.

    >>> last_figure(run)
    'error rate 3.3 %'
    """
    from ...models.training.metrics import metric_names

    names = metric_names(run.history)
    if not names or not len(run.history):
        return "no figures"
    value = run.history[names[0]].iloc[-1]
    return f"{names[0].replace('_', ' ')} {value:.1%}".replace("%", " %")
