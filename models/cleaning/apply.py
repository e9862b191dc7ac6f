"""A manifest carried out as one, finished after a crash, and taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..progress import Progress
from .changes import DATA, LOGS, STATE, TRASH, Step, Transaction, logs_of, new_id
from .dataset import Dataset
from .manifest import LABELS, Manifest
from .transaction import workplace

OFF = "On a public server marks are not carried out, unless whoever runs it allows that (--allow-apply)."


@dataclass(frozen=True)
class Applied:
    """What was done, and what was not.

    `rows` has `action`, `from` and `to` ("" is the trash); `problems` has `item` and `reason`: what changed between the
    manifest and now. `labels_file` is the labels.csv that was written. `id` is what `undo_apply` takes.
    """

    id: str
    rows: pd.DataFrame
    problems: pd.DataFrame
    labels_file: Path | None = None

    @property
    def names(self) -> list[str]:
        """The names whose marks are carried out: for `Journal.settle`."""
        return self.rows["from"].tolist()


def refusal(allowed: bool | None = None) -> str:
    """Why nothing may be applied here, or "": a public server (IPYFASTAI_PUBLIC is set) needs IPYFASTAI_APPLY=1.

    `allowed` is what the programmer of a page says, who knows whose files they are; None: the server decides.
    """
    if allowed is not None:
        return "" if allowed else "Marks are not carried out here."
    return OFF if os.environ.get("IPYFASTAI_PUBLIC") and os.environ.get("IPYFASTAI_APPLY") != "1" else ""


def apply(manifest: Manifest, *, allowed: bool | None = None, progress: Progress | None = None) -> Applied:
    """Do what the manifest says, as one: after an error or a Cancel nothing has changed.

    >>> applied = apply(manifest)
    >>> journal.settle(applied.names)

    What is deleted goes to the trash (`Trash`). A log is on the disk before the first file is touched, so that
    `recover` can finish after a crash. Nothing is overwritten; a file that changed since the manifest was
    made is left alone and reported.
    Raises RuntimeError with a sentence when nothing was done: on a public server that does not allow it, while
    another notebook changes the same folder, without permission, on a full disk; Cancelled.
    """
    if why := refusal(allowed):
        raise RuntimeError(why)
    if not manifest:
        return Applied("", manifest.rows[["action", "from", "to"]], manifest.problems.iloc[:0])
    dataset = Dataset(manifest.root)
    with workplace(dataset) as place:
        place.recover()
        id = new_id()
        steps = list(_moves(manifest, id))
        labels = None
        if manifest.labels is not None:
            if manifest.replaced is not None:
                steps.append(Step(DATA, LABELS, STATE, f"{TRASH}/{id}/{LABELS}", *manifest.replaced))
            steps.append(place.stage(id, _csv(manifest.labels), manifest.labels_file))
            labels = [manifest.labels_file, steps[-1].size, steps[-1].modified]
        made = _missing_folders(dataset.path, steps)
        done = place.carry_out(Transaction(id, "apply", steps, made=made, labels=labels), progress=progress)
    return _applied(manifest, done)


def undo_apply(
    root: str | os.PathLike, id: str | None = None, *, allowed: bool | None = None, progress: Progress | None = None
) -> Applied:
    """Take a whole `apply` back, by default the last that was not taken back yet.

    >>> undo_apply("data/bears").rows

    A file whose old name is taken by now gets a number. What is no longer where it was put, because it was
    moved on or the trash was emptied, is reported. Raises like `apply`, and ValueError where there is nothing
    to take back.
    """
    if why := refusal(allowed):
        raise RuntimeError(why)
    with workplace(Dataset(root)) as place:
        place.recover()
        found = place.logs.last_apply(id)
        if found is None:
            raise ValueError("There is nothing to take back.")
        before = place.logs.read(found)
        steps, problems = place.way_back(before.done)
        back = Transaction(new_id(), "undo", steps, of=before.id, emptied=sorted(before.made, reverse=True))
        done = place.carry_out(back, progress=progress)
    return moved_back(done, problems)


def last_apply(root: str | os.PathLike) -> str | None:
    """The id of what `undo_apply` would take back, None where there is nothing."""
    return logs_of(Dataset(root)).last_apply()


def recover(root: str | os.PathLike) -> list[str]:
    """Finish what a crash has interrupted, or take it back where it cannot be finished; sentences that say so.

    >>> recover("data/bears")
    ['What was interrupted is done now: 12 files.']

    Where nothing was interrupted it does nothing, and needs no permission to write.
    Raises RuntimeError like `apply` when it can do neither now; the next call tries again.
    """
    dataset = Dataset(root)
    if not logs_of(dataset).begun():
        return []
    said = []
    with workplace(dataset) as place:
        for one in place.recover():
            done, left = len(one.done), len(one.skipped)
            whys = ", ".join(sorted(set(one.skipped.values())))
            said.append(f"What was interrupted is done now: {done:,} file{'' if done == 1 else 's'}.")
            if left:
                said[-1] += f" {left:,} could not be moved. {whys}"
    return said


def _moves(manifest: Manifest, id: str) -> Iterator[Step]:
    for action, name, to, size, modified in manifest.rows[["action", "from", "to", "size", "modified"]].itertuples(
        index=False
    ):
        if action == "move":
            yield Step(DATA, name, DATA, to, int(size), int(modified))
        elif action == "delete":
            yield Step(DATA, name, STATE, f"{TRASH}/{id}/{name}", int(size), int(modified))


def _csv(labels: pd.DataFrame) -> bytes:
    # A file name that is not UTF-8 comes back as the same bytes (PEP 383).
    return labels.to_csv(index=False).encode("utf-8", "surrogateescape")


def _missing_folders(root: Path, steps: list[Step]) -> list[str]:
    """Folders of the data set that the steps will make, outer ones first."""
    wanted = {parent for step in steps if step.target == DATA for parent in _parents(step.to)}
    return sorted(folder for folder in wanted if not os.path.lexists(root / folder))


def _parents(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name


def _applied(manifest: Manifest, done: Transaction) -> Applied:
    skipped = {done.steps[index].name: why for index, why in done.skipped.items()}
    rows = manifest.rows.loc[~manifest.rows["from"].isin(skipped), ["action", "from", "to"]].reset_index(drop=True)
    written = done.labels is not None and f"{LOGS}/{done.id}.csv" not in skipped
    if manifest.labels is not None and not written:  # somebody put a file of that name there meanwhile
        rows = rows.loc[rows["action"] != "relabel"].reset_index(drop=True)
        skipped[manifest.labels_file] = skipped.pop(f"{LOGS}/{done.id}.csv")
    problems = pd.DataFrame(list(skipped.items()), columns=["item", "reason"], dtype=object)
    return Applied(done.id, rows, problems, manifest.root / manifest.labels_file if written else None)


def moved_back(done: Transaction, problems: list[tuple[str, str]]) -> Applied:
    """What came back to the data set."""
    rows = [("back", step.name if step.source == DATA else "", step.to) for step in done.done if step.target == DATA]
    problems = problems + [(done.steps[index].to, why) for index, why in done.skipped.items()]
    return Applied(
        done.id,
        pd.DataFrame(rows, columns=["action", "from", "to"], dtype=object),
        pd.DataFrame(problems, columns=["item", "reason"], dtype=object),
    )
