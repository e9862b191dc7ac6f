"""Sentences, and the tables behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import anywidget
from traitlets import Dict

from ..assets import joined

MAX_ROWS = 500  # of a table that are sent to a page; how many more there are is said


@dataclass(frozen=True)
class Table:
    """A table below the sentences: its title, the names of its columns, its rows of text and numbers.

    `folded` tables show their title only until they are opened. With `bar`, numbers of that column are drawn
    as bars too, the largest across its whole cell.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]
    folded: bool = True
    bar: int | None = None


class Findings(anywidget.AnyWidget):
    """What was found, in sentences, with tables behind a fold.

    >>> findings = Findings()
    >>> findings.show([("bad", "6 of 82 images cannot be opened.")], [Table("Which", ["file", "why"], rows)])

    A sentence comes with how bad it is: "bad", "warn" or "good". `show([])` takes everything away.
    """

    _esm = joined("dom.js", "data/findings.js")
    _css = joined("base.css", "data/findings.css")

    _shown = Dict(help="sentences and tables").tag(sync=True)

    def show(self, sentences: Sequence[tuple[str, str]], tables: Sequence[Table] = ()) -> None:
        self._shown = {
            "sentences": [list(one) for one in sentences],
            "tables": [
                {**asdict(table), "rows": [list(row) for row in table.rows[:MAX_ROWS]], "count": len(table.rows)}
                for table in tables
                if len(table.rows)
            ],
        }
