"""Labels from the folder, from the file name, or from a table."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pandas as pd

from ..progress import Progress
from ..words import readable
from .items import paths
from .report import label_variants

PATIENCE = 5.0  # seconds for a pattern on all names; a sane one takes a fraction of a second
MAX_PATTERN = 1000
MAX_COLUMNS = 1000  # of a table: each takes pandas kilobytes, and a stranger's line two bytes
LINE = 100_000  # characters of a header's line


@dataclass
class Labelled:
    """An items table of the files that got a label, and the files that did not.

    `missing` are the names that a table has and no file bears.
    """

    items: pd.DataFrame
    unmatched: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def label_by_folder(files: Sequence[str | Path], root: str | Path, *, level: int = -1) -> Labelled:
    """Labels are the names of folders: of the one that a file lies in, or of another on its path.

    >>> label_by_folder(files, "bears").items.label.unique()
    array(['black', 'grizzly', 'teddy'], dtype=object)

    `level` counts the folders below `root` as Python counts a list's: 0 is the first, -1 the last. A file
    in `root` itself, or not that deep, is unmatched.
    """
    root = Path(os.path.abspath(root))
    labels: list[str | None] = []
    for file in map(Path, files):
        folders = file.relative_to(root).parts[:-1]
        labels.append(folders[level] if -len(folders) <= level < len(folders) else None)
    return _labelled(files, labels, {})


def label_by_pattern(
    files: Sequence[str | Path],
    pattern: str,
    *,
    root: str | Path | None = None,
    seconds: float = PATIENCE,
    progress: Progress | None = None,
) -> Labelled:
    """Labels are what a regular expression captures of each file's name.

    >>> label_by_pattern(files, r"(.+)_\\d+\\.jpg$").items.label.head(2).tolist()
    ['Abyssinian', 'american_bulldog']

    The label is the group named `label`, else the first group; other named groups become columns, to
    split by. With `root` it is the path below it that is searched, with `/` between folders.
    Raises ValueError as `captures` does, and for a group named `item`.
    """
    names = [Path(file).name if root is None else Path(file).relative_to(root).as_posix() for file in files]
    found = captures(pattern, names, seconds=seconds, progress=progress)
    others = sorted({group for groups in found if groups for group in groups} - {"label"})
    if "item" in others:  # a stranger's words would become the path that is opened
        raise ValueError("A group cannot be called item, which is the file itself: give it another name.")
    columns = {group: [groups.get(group) if groups else None for groups in found] for group in others}
    return _labelled(files, [groups["label"] if groups else None for groups in found], columns)


def captures(
    pattern: str, names: Sequence[str], *, seconds: float = PATIENCE, progress: Progress | None = None
) -> list[dict[str, str] | None]:
    """What a regular expression captures of each name: `label` and the other named groups, None if it does not match.

    >>> captures(r"(?P<label>\\w+?)_(?P<day>\\d+)", ["cat_7.jpg", "dog.jpg"])
    [{'label': 'cat', 'day': '7'}, None]

    Runs in a process of its own, since no thread can stop a pattern that backtracks for years. Raises
    ValueError with a sentence for an invalid pattern, one without a group, and one that takes longer than `seconds`.
    """
    if not pattern:
        raise ValueError("Write a pattern, with the part that is the label in parentheses.")
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"This pattern is longer than {MAX_PATTERN:,} characters.")
    command = [sys.executable, "-I", "-S", "-c", _MATCHER]
    began = time.monotonic()
    given: str | None = json.dumps([pattern, list(names)])
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            while True:
                try:
                    output, _ = process.communicate(given, timeout=0.1)
                    break
                except subprocess.TimeoutExpired:
                    given = None
                if progress is not None:
                    progress.report(0, None, "Trying the pattern on all names")
                if time.monotonic() - began > seconds:
                    raise ValueError(
                        f"This pattern takes longer than {seconds:g} seconds: nested repeats like (a+)+ never end. "
                        "Make it simpler."
                    )
        finally:
            process.kill()
    if process.returncode:
        raise ValueError("This pattern is too large.")
    answer = json.loads(output)
    if isinstance(answer, str):
        raise ValueError(answer)
    return answer


_MATCHER = """
import json, re, sys, warnings
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
except ImportError:
    pass  # Windows has no such limits
warnings.simplefilter("ignore")
pattern, names = json.load(sys.stdin)

def answer():
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError, MemoryError) as error:
        where = f" at character {error.pos + 1}" if getattr(error, "pos", None) is not None else ""
        return f"This is no valid pattern: {getattr(error, 'msg', None) or 'it is too large'}{where}."
    if not compiled.groups:
        return "Put the part of the pattern that is the label in parentheses."
    label = "label" if "label" in compiled.groupindex else 1
    found = []
    for name in names:
        match = compiled.search(name)
        text = match and match[label] and match[label].strip()
        found.append({**{k: v for k, v in match.groupdict().items() if v}, "label": text} if text else None)
    return found

json.dump(answer(), sys.stdout)
"""


def label_by_table(
    files: Sequence[str | Path],
    table: pd.DataFrame,
    *,
    name: str,
    label: str,
    root: str | Path,
) -> Labelled:
    """Labels are a column of a table that names the files in another.

    >>> label_by_table(files, read_table("labels.csv"), name="fname", label="labels", root="photos")

    A name may be a path below `root`, a file's bare name, or that without its suffix, whichever fits one
    file only. The table's other columns come along, to split by. Raises ValueError for a column that is not
    there, names that fit no file at all, and a file with two labels.
    """
    for column in (name, label):
        if column not in table:
            raise ValueError(f"The table has no column {column!r}.")
    files = [Path(file) for file in files]
    places = _by_name(files, Path(os.path.abspath(root)))
    rows: dict[int, int] = {}
    missing: list[str] = []
    for row, text in enumerate(table[name].map(str).str.strip()):
        place = places.get(text.replace("\\", "/").removeprefix("./"))
        if place is None:
            missing.append(text)
        elif place in rows and table[label].iloc[rows[place]] != table[label].iloc[row]:
            raise ValueError(f"The table gives {files[place].name} two labels.")
        else:
            rows[place] = row
    if not rows:
        raise ValueError(f"No file has a name that stands in column {name!r}.")
    pick = [rows.get(place) for place in range(len(files))]
    others = [column for column in table if column not in (name, label, "item", "label")]
    columns = {column: [None if row is None else table[column].iloc[row] for row in pick] for column in others}
    found = [None if row is None else table[label].iloc[row] for row in pick]
    return _labelled(files, [None if pd.isna(one) else str(one).strip() for one in found], columns, missing)


def read_table(path: str | Path, *, max_rows: int = 2_000_000) -> pd.DataFrame:
    """A CSV file as text columns, whatever separates them and however Excel saved it.

    >>> read_table("labels.csv").columns.tolist()
    ['fname', 'labels', 'is_valid']

    Raises ValueError with a sentence for what is no table, has more than `max_rows` rows or 1,000 columns.
    """
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            with open(path, encoding=encoding, newline="") as file:
                first = file.readline(LINE)
                separator = max(",;\t", key=first.count)
                file.seek(0)
                width = _width(file, separator)
                file.seek(0)
                # Without the last two, cells beyond the header's would make an index of as many levels.
                options = {"sep": separator, "dtype": str, "keep_default_na": False, "nrows": max_rows + 1}
                options |= {"index_col": False, "usecols": range(width)}
                table = pd.read_csv(file, **options) if width <= MAX_COLUMNS else None
        except UnicodeDecodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
            raise ValueError("This is no table that can be read. Save it as CSV.") from error
        if table is None:
            raise ValueError(f"This table has {width:,} columns; the limit is {MAX_COLUMNS:,}.")
        if len(table) > max_rows:
            raise ValueError(f"This table has more than {max_rows:,} rows, the limit.")
        return table
    raise AssertionError("latin-1 reads any bytes")


def merge_variants(items: pd.DataFrame) -> pd.DataFrame:
    """The items with labels that differ only in case or space made one: the commonest of them, without spaces around.

    >>> merge_variants(pd.DataFrame({"item": ["1", "2", "3"], "label": ["teddy", "Teddy ", "teddy"]})).label.unique()
    array(['teddy'], dtype=object)
    """
    counts = items.label.value_counts()
    one = {label: max(some, key=counts.get).strip() for some in label_variants(items.label.unique()) for label in some}
    return items.assign(label=[one.get(label, label) for label in items.label])


def _width(file: TextIO, separator: str) -> int:
    """The columns of a table's header, read without making any."""

    def lines() -> Iterator[str]:
        while line := file.readline(LINE):
            if len(line) == LINE:
                raise ValueError("its header is too long")
            yield line

    return len(next(filter(None, csv.reader(lines(), delimiter=separator)), ()))


def _by_name(files: Sequence[Path], root: Path) -> dict[str, int]:
    """Each way to name a file -> its place; a bare name that several have names none."""
    places: dict[str, int | None] = {}
    for way in (lambda file: file.stem, lambda file: file.name):
        names: dict[str, int | None] = {}
        for place, file in enumerate(files):
            names[way(file)] = None if way(file) in names else place
        places.update(names)
    places.update({file.relative_to(root).as_posix(): place for place, file in enumerate(files)})
    return {name: place for name, place in places.items() if place is not None}


def _labelled(
    files: Sequence[str | Path], labels: Sequence[str | None], columns: dict, missing: Sequence[str] = ()
) -> Labelled:
    columns = {"label": labels, **columns}
    columns = {name: [cell and readable(cell) for cell in cells] for name, cells in columns.items()}
    table = pd.DataFrame({"item": paths(files), **columns})
    got = table.label.notna() & (table.label != "")
    unmatched = [Path(file) for file, has in zip(files, got, strict=True) if not has]
    return Labelled(table[got].reset_index(drop=True), unmatched, list(missing))
