"""What was deleted, until somebody empties the trash."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from datetime import datetime, timezone

import pandas as pd

from ..progress import Progress
from .apply import Applied, moved_back, refusal
from .changes import DATA, STATE, TRASH, Step, Transaction, new_id
from .dataset import Dataset, reason
from .transaction import workplace

COLUMNS = ["key", "item", "deleted", "size"]


class Trash:
    """The files that `apply` has deleted from a data set.

    >>> trash = Trash("data/bears")
    >>> trash.list().item.tolist()
    ['teddy/00000041.jpg', 'teddy/00000087.jpg']
    >>> trash.restore()

    Nothing leaves it by itself: only `empty` deletes for good. `allowed` is as for `apply`.
    """

    def __init__(self, root: str | os.PathLike, *, allowed: bool | None = None):
        self._dataset, self._allowed = Dataset(root), allowed

    def list(self) -> pd.DataFrame:
        """`key` (what `restore` takes), `item` (its old name), `deleted` (UTC) and `size`; the latest first."""
        trash = self._dataset.state() / TRASH
        rows = []
        for folder, _, files in os.walk(trash):
            for file in files:
                key = os.path.relpath(os.path.join(folder, file), trash)
                id, _, item = key.partition("/")
                moment = datetime.strptime(id.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=timezone.utc)
                rows.append((key, item, moment, os.lstat(os.path.join(folder, file)).st_size))
        rows.sort(key=lambda row: row[1])
        rows.sort(key=lambda row: row[2], reverse=True)  # of the same moment, by their names
        table = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
        return table.astype({"deleted": "datetime64[us, UTC]", "size": "int64"})

    def restore(self, keys: Iterable[str] | None = None, *, progress: Progress | None = None) -> Applied:
        """Put files back where they were, all by default; one whose name is taken by now gets a number.

        Raises ValueError for a key that is not in the trash, and like `apply`.
        """
        if why := refusal(self._allowed):
            raise RuntimeError(why)
        items = dict(self.list()[["key", "item"]].itertuples(index=False))
        wanted = list(items if keys is None else keys)
        if unknown := [key for key in wanted if key not in items]:
            raise ValueError(f"{len(unknown)} of the chosen files are not in the trash any more.")
        with workplace(self._dataset) as place:
            place.recover()
            steps = [Step(DATA, items[key], STATE, f"{TRASH}/{key}", 0, 0) for key in reversed(wanted)]
            back, problems = place.way_back(steps)
            if not back:
                return moved_back(Transaction("", "restore", []), problems)
            return moved_back(place.carry_out(Transaction(new_id(), "restore", back), progress=progress), problems)

    def empty(self) -> int:
        """Delete for good what is in the trash; the number of files. Raises RuntimeError with a sentence."""
        if why := refusal(self._allowed):
            raise RuntimeError(why)
        with workplace(self._dataset) as place:
            place.recover()
            count = len(self.list())
            try:
                shutil.rmtree(place.state / TRASH)
            except OSError as error:
                raise RuntimeError(f"The trash could not be emptied: {reason(error)}.") from error
        return count
