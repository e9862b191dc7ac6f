"""Any number of pictures to look through and choose from."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anywidget
import numpy as np
from traitlets import Dict, TraitError, Tuple, validate

from ...models.thumbnails import Thumbnails
from ..assets import joined
from ..background import offload, start
from .captions import captions, same_items
from .picture_loader import PictureLoader
from .ranges import checked_ranges, ranges_of

if TYPE_CHECKING:
    import pandas as pd

SCREEN = 100  # pictures at most that are sent before a page has asked for them
AHEAD = 100  # pictures; what lies around those on a screen is made ready in steps of so many
NOTHING = "No pictures to show."


class Key(NamedTuple):
    """A key that does something with the selected pictures.

    `text` names a button for it beside the enlarged picture ("": none); `advance`: a single picture
    having been dealt with, the next one is selected.
    """

    text: str = ""
    advance: bool = False


class PictureGrid(anywidget.AnyWidget):
    """Pictures of a table in its order: look through, enlarge, select.

    >>> grid = PictureGrid(table.sort_values("loss", ascending=False), root="bears")
    >>> grid.observe(lambda change: print(grid.table.iloc[list(change.new)]), "value")

    `table` is a predictions table or an items table of any length: a page holds only what is on the
    screen, asks for it by position and lets go of it again. Under each picture stand those of `label`,
    `predicted`, `confidence`, `loss` and `note` (a sentence) that the table has, with the file's name
    where no prediction tells pictures apart; `captions=False` leaves them out. Names are shown relative
    to `root`. `thumbnails` is shared with other components if given; `noun` is what one item is called.

    `value` holds the positions of the selected rows in `table`, ascending; setting it selects.
    `badges(positions)` gives a text, or None, to lay over each picture; `pressed(key, positions)` is
    called for those `keys` (KeyboardEvent.key, letters small, with "Ctrl+" and "Shift+" in front).
    Raises ValueError for a table without `item`, TraitError for positions that are not in the table.
    """

    _esm = joined(
        "dom.js",
        "cleaning/picture_store.js",
        "cleaning/scroller.js",
        "cleaning/enlarged.js",
        "cleaning/picture_cell.js",
        "cleaning/picture_grid.js",
    )
    _css = joined("base.css", "cleaning/picture_grid.css")

    value = Tuple(help="positions of the selected rows in the table, ascending")
    # What the page shows: written here and never read back.
    _shown = Dict(help="version, count of pictures, lines of a caption, what to say where there are none").tag(
        sync=True
    )
    _selected = Dict(help="version, ranges of selected positions, and the page and step that chose them").tag(sync=True)
    _options = Dict(help="keys that do something, the name of the grid and what one item is called").tag(sync=True)

    def __init__(
        self,
        table: pd.DataFrame | None = None,
        *,
        root: str | os.PathLike | None = None,
        thumbnails: Thumbnails | None = None,
        captions: bool = True,
        label: str = "Pictures",
        noun: str = "picture",
        badges: Callable[[Sequence[int]], Sequence[str | None]] | None = None,
        keys: Mapping[str, Key] | None = None,
        pressed: Callable[[str, tuple[int, ...]], None] | None = None,
        **kwargs,
    ):
        self.root = None if root is None else Path(root).absolute()
        self.captions = captions
        self._badges, self._pressed = badges, pressed
        self._table: pd.DataFrame | None = None
        self._version = self._drawing = self._reveals = 0
        self._warmed: set[int] = set()  # steps of AHEAD pictures
        self._screen = 0  # pictures that the last page to ask has room for
        super().__init__(**kwargs)
        self._label, self._noun = label, noun
        self.set_keys(keys or {})
        self._owned = Thumbnails() if thumbnails is None else None
        self.thumbnails = thumbnails or self._owned
        self._loader = PictureLoader(lambda item: self.thumbnails.get(item), ready=self._send_pictures)
        self.on_msg(self._receive)
        self.show(table)

    @property
    def table(self) -> pd.DataFrame | None:
        """The table that is shown."""
        return self._table

    def show(self, table: pd.DataFrame | None, *, empty: str = NOTHING) -> None:
        """Show another table from its top, or the same items as they are now without moving.

        `empty` is the sentence for a table without rows.
        """
        if table is not None and "item" not in table.columns:
            raise ValueError(f"The table needs a column `item`; it has {', '.join(map(str, table.columns)) or 'none'}.")
        same = same_items(self._table, table)
        self._table = table
        if not same:
            self._version += 1
            self._warmed = set()
            self._loader.clear()
        with self.hold_sync():
            self._draw(empty)
            if not same:
                self.value = ()
                self._publish_selection()
        if not same and self._screen:
            self._begin()

    def set_keys(self, keys: Mapping[str, Key]) -> None:
        """Other keys from now on."""
        self._keys = dict(keys)
        keys = [[key, *what] for key, what in self._keys.items()]
        self._options = {"label": self._label, "noun": self._noun, "keys": keys}

    def reveal(self, positions: Iterable[int]) -> None:
        """Select these and scroll to the first of them."""
        with self.hold_sync():
            self.value = tuple(positions)
            if self.value:
                self._reveals += 1
                self._publish_selection(reveal=self._reveals)

    def refresh(self) -> None:
        """Draw the captions and badges anew."""
        self._draw(self._shown["empty"])

    def close(self) -> None:
        self._loader.clear()
        if self._owned is not None:
            self._owned.close()
        self._table = None
        super().close()

    @property
    def _count(self) -> int:
        return 0 if self._table is None else len(self._table)

    def _draw(self, empty: str) -> None:
        self._drawing += 1
        self._shown = {
            "version": self._version,
            "drawing": self._drawing,
            "count": self._count,
            "lines": self._lines(),
            "empty": empty,
        }

    def _lines(self) -> int:
        columns = set() if self._table is None else set(self._table.columns)
        if not self.captions:
            return 0
        counted = (("label",), ("predicted", "confidence"), ("loss",), ("note",))
        lines = sum(not columns.isdisjoint(names) for names in counted)
        return lines + ("predicted" not in columns)  # the file's name

    @validate("value")
    def _check_value(self, proposal):
        positions = tuple(sorted(set(proposal.value)))
        if not all(isinstance(one, int | np.integer) and not isinstance(one, bool) for one in positions):
            raise TraitError("`value` holds the positions of rows: whole numbers")
        if positions and not 0 <= positions[0] <= positions[-1] < self._count:
            raise TraitError(f"`value` holds positions of rows, from 0 to {self._count - 1}")
        return tuple(map(int, positions))

    def _notify_trait(self, name, old_value, new_value):
        super()._notify_trait(name, old_value, new_value)
        if name == "value":
            self._publish_selection()

    def _publish_selection(self, page: str = "", step: int = 0, reveal: int = 0) -> None:
        ranges = ranges_of(self.value)
        old = self._selected
        if page or reveal or (ranges, self._version) != (old.get("ranges"), old.get("version")):
            self._selected = {"version": self._version, "ranges": ranges, "page": page, "step": step, "reveal": reveal}

    # Messages from the page. Anybody can send any: each field is checked before it is used.

    def _receive(self, _widget, content, buffers) -> None:
        if not isinstance(content, dict) or content.get("version") != self._version:
            return  # of a table that is shown no more
        handle = {"want": self._want, "large": self._large, "select": self._select, "key": self._key}
        kind, page = content.get("type"), content.get("page")
        if isinstance(kind, str) and kind in handle and isinstance(page, str) and 8 <= len(page) <= 64:
            handle[kind](content, page)

    def _want(self, content, page) -> None:
        rows, pictures = (checked_ranges(content.get(name), self._count) for name in ("rows", "pictures"))
        if rows is None or pictures is None:
            return
        for begin, end in rows:
            self._send_rows(begin, end)
            if begin == 0:
                self._screen = min(end, SCREEN)
        items = self._table["item"] if self._count else ()
        self._loader.want(page, {at: items.iat[at] for begin, end in pictures for at in range(begin, end)})
        for begin, end in pictures:
            self._warm(begin, end)

    def _begin(self) -> None:
        """Send what a page will ask for first: it is on the screen a round trip earlier."""
        end = min(self._screen, self._count)
        self._send_rows(0, end, pictures_follow=True)
        self._loader.want("", dict(enumerate(self._table["item"].iloc[:end] if self._count else ())))

    def _send_rows(self, begin: int, end: int, *, pictures_follow: bool = False) -> None:
        badges = self._badges(range(begin, end)) if self._badges else [None] * (end - begin)
        rows = captions(self._table, begin, end, root=self.root, badges=badges) if begin < end else []
        content = {"version": self._version, "drawing": self._drawing, "start": begin, "rows": rows}
        self.send({"type": "rows", **content, "pictures_follow": pictures_follow})

    def _warm(self, begin: int, end: int) -> None:
        """Make thumbnails of what may be scrolled to next, while nobody waits for others."""
        for step in range(max(0, begin // AHEAD - 1), end // AHEAD + 2):
            if step not in self._warmed:
                self._warmed.add(step)
                self.thumbnails.warm(self._table["item"].iloc[step * AHEAD : (step + 1) * AHEAD])

    def _send_pictures(self, pictures: dict[int, bytes | str]) -> None:
        read = {position: picture for position, picture in pictures.items() if isinstance(picture, bytes)}
        problems = [[position, why] for position, why in pictures.items() if isinstance(why, str)]
        content = {"type": "pictures", "version": self._version, "positions": list(read), "problems": problems}
        self.send(content, list(read.values()))

    def _large(self, content, page) -> None:
        if (position := self._position(content)) is not None:
            start(self._send_large(page, position, self._version))

    async def _send_large(self, page: str, position: int, version: int) -> None:
        answer = {"type": "large", "page": page, "version": version, "position": position}
        try:
            picture = await offload(self.thumbnails.large, self._table["item"].iat[position], lane="large picture")
        except (ValueError, OSError) as error:
            said = str(error) if isinstance(error, ValueError) else f"This picture cannot be read: {error.strerror}."
            return self.send({**answer, "problem": said})
        except Exception as error:  # as for the small ones
            logging.getLogger(__name__).exception("enlarging a picture failed")
            return self.send({**answer, "problem": f"This picture cannot be opened ({type(error).__name__})."})
        self.send(answer, [picture])

    def _select(self, content, page) -> None:
        ranges, step = checked_ranges(content.get("ranges"), self._count, ascending=True), content.get("step")
        if ranges is None or type(step) is not int:
            return
        with self.hold_sync():
            self.value = tuple(at for begin, end in ranges for at in range(begin, end))
            self._publish_selection(page, step)

    def _key(self, content, page) -> None:
        key, position = content.get("key"), self._position(content)
        if self._pressed is not None and isinstance(key, str) and key in self._keys:
            here = () if position is None else (position,)
            self._pressed(key, self.value or here)

    def _position(self, content) -> int | None:
        position = content.get("position")
        return position if type(position) is int and 0 <= position < self._count else None
