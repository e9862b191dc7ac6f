"""What a check of images found, in tables and in sentences."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..words import counted, percent, quoted
from .items import image_files


@dataclass(frozen=True)
class ImageReport:
    """What a check of images found.

    >>> report = check_images("bears")
    >>> [sentence for _, sentence in report.findings()]
    ['409 photos of 3 labels: always saying "black" would be right for 35 %.', ...]

    - `items`: the images that open, with `item`, `label`, `width`, `height` (pixels), `remark` ("" or a
      sentence: far too small, of one colour, of an odd shape), `exact` and `copies` (numbers that identical
      files, and near duplicates, share), `seen` (time and size on disk) and whatever the table had.
    - `unreadable`: those that do not, with `item`, `label`, `reason`.
    - `root`: the folder that the images lie in, None where only a table is known; `others`: how many more images
      lay there that were not checked.
    """

    root: Path | None
    items: pd.DataFrame
    unreadable: pd.DataFrame
    others: int = 0

    @property
    def counts(self) -> pd.Series:
        """How many images of each label open, the commonest first."""
        return self.items.label.value_counts()

    @property
    def baseline(self) -> float:
        """The share that is right if the commonest label is always said, in [0, 1]."""
        return float(self.counts.iloc[0] / self.counts.sum()) if len(self.items) else 0.0

    @property
    def exact_duplicates(self) -> list[list[str]]:
        """The items of each set of identical files."""
        return _sets(self.items, "exact")

    @property
    def near_duplicates(self) -> list[list[str]]:
        """The items of each set of images that look the same, where not all of its files are identical."""
        return self._with_several("exact")

    @property
    def contradictions(self) -> list[list[str]]:
        """Those sets of near or exact duplicates that have more than one label."""
        return self._with_several("label")

    @property
    def remarkable(self) -> pd.DataFrame:
        """The images that stand out, with their `remark`."""
        return self.items[self.items.remark != ""]

    @property
    def label_variants(self) -> list[list[str]]:
        """Labels that differ only in case, space or the way that their letters are stored."""
        return label_variants(self.items.label.unique())

    def _with_several(self, column: str) -> list[list[str]]:
        """The sets of images that look the same with more than one value in a column."""
        value = dict(zip(self.items.item, self.items[column], strict=True))
        return [items for items in _sets(self.items, "copies") if len({value[item] for item in items}) > 1]

    def findings(self) -> list[tuple[str, str]]:
        """All of it as (how bad, sentence), worst first; how bad is "bad", "warn" or "good"."""
        found: list[tuple[str, str]] = []
        images, labels = len(self.items), len(self.counts)
        total = images + len(self.unreadable)
        if not images:
            return [("bad", f"None of the {counted(total, 'photo')} can be opened.")]
        if bad := len(self.unreadable):
            found.append(("bad", f"{bad:,} of {counted(total, 'photo')} cannot be opened."))
        if labels == 1:
            one = f"The folders give one label only, {self.counts.index[0]!r}: a classifier needs at least two."
            found.append(("bad", "There is one photo only." if images == 1 else one))
        elif single := self.counts.index[self.counts == 1].tolist():
            have = "has one photo only" if len(single) == 1 else "have one photo each"
            found.append(("bad", f"{quoted(single)} {have}, which cannot be both learned and tested."))
        elif few := self.counts.index[self.counts < 10].tolist():
            have = "has" if len(few) == 1 else "have"
            found.append(("warn", f"{quoted(few)} {have} fewer than 10 photos: expect little there."))
        for variants in self.label_variants:
            found.append(("warn", f"These labels differ only in case or space: {quoted(variants)}."))
        if sets := len(self.contradictions):
            are = "is" if sets == 1 else "are"
            found.append(("warn", f"{counted(sets, 'photo')} {are} there more than once with different labels."))
        if sets := len(self.exact_duplicates):
            found.append(("warn", f"{counted(sets, 'photo')} {'is' if sets == 1 else 'are'} there more than once."))
        if sets := len(self.near_duplicates):
            found.append(("warn", f"{counted(sets, 'photo')} {'has' if sets == 1 else 'have'} near copies."))
        if odd := len(self.remarkable):
            stand = "stands" if odd == 1 else "stand"
            found.append(("warn", f"{counted(odd, 'photo')} {stand} out: tiny, blank or of odd shape."))
        if labels > 1:
            base = f'always saying "{self.counts.index[0]}" would be right for {percent(self.baseline)}'
            found.append(("good", f"{counted(images, 'photo')} of {labels} labels: {base}."))
        return found

    def changes(self) -> str:
        """What has happened on disk since the check, in a sentence; "" if nothing has."""
        now = {item: _seen(Path(item)) for item in self.items.item}
        was = dict(zip(self.items.item, self.items.seen, strict=True))
        gone = sum(value is None for value in now.values())
        changed = sum(value is not None and value != was[item] for item, value in now.items())
        new = 0
        if self.root is not None and self.root.is_dir():
            known = {*self.items.item, *self.unreadable.item}
            new = max(0, sum(str(file) not in known for file in image_files(self.root)[0]) - self.others)
        parts = [f"{count:,} {what}" for count, what in ((gone, "gone"), (changed, "changed"), (new, "new")) if count]
        return (
            f"The photos have changed since they were checked: {', '.join(parts)}. Check them again." if parts else ""
        )


def label_variants(labels: Sequence[str]) -> list[list[str]]:
    """Sets of labels that differ only in case, space or the way that their letters are stored.

    >>> label_variants(["Teddy", "teddy ", "black"])
    [['Teddy', 'teddy ']]
    """
    same: dict[str, list[str]] = {}
    for label in sorted(labels):
        same.setdefault(" ".join(unicodedata.normalize("NFKC", label).split()).casefold(), []).append(label)
    return [labels for labels in same.values() if len(labels) > 1]


def _sets(items: pd.DataFrame, column: str) -> list[list[str]]:
    repeated = items[items[column].duplicated(keep=False)]
    return [some.tolist() for _, some in repeated.groupby(column, sort=True).item]


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
