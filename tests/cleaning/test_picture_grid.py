"""`PictureGrid` and `PictureLoader` in the kernel: what is sent, and what a page may not do."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawings import DATA, HTML, plain
from ipyfastai.models.images import open_image
from ipyfastai.models.thumbnails import Thumbnails
from ipyfastai.widgets.cleaning.picture_grid import Key, PictureGrid
from ipyfastai.widgets.cleaning.picture_loader import PictureLoader
from traitlets import TraitError

PAGE = "0.123456789"


@pytest.fixture
def folder(tmp_path):
    for label, shades in {"light": (250, 240, 230), "dark": (20, 30)}.items():
        (tmp_path / label).mkdir()
        for number, shade in enumerate(shades):
            (tmp_path / label / f"{number}.jpg").write_bytes(plain((shade,) * 3))
    return tmp_path


@pytest.fixture
def table(folder):
    items = sorted(folder.glob("*/*.jpg"))
    return pd.DataFrame({"item": list(map(str, items)), "label": [item.parent.name for item in items]})


@pytest.fixture
def thumbnails(tmp_path):
    made = Thumbnails(tmp_path / "cache")
    yield made
    made.close()


class Page:
    """What a page would hear, and how it would speak."""

    def __init__(self, grid):
        self.grid, self.heard = grid, []
        grid.send = lambda content, buffers=(): self.heard.append((content, list(buffers)))

    def say(self, kind, **content):
        message = {"type": kind, "page": PAGE, "version": self.grid._shown["version"], **content}
        self.grid._handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})

    def want(self, *pictures):
        self.say("want", rows=list(pictures), pictures=list(pictures))

    def rows(self):
        return [row for content, _ in self.heard if content["type"] == "rows" for row in content["rows"]]

    def pictures(self):
        answers = [answer for answer in self.heard if answer[0]["type"] == "pictures"]
        return {
            at: data for content, buffers in answers for at, data in zip(content["positions"], buffers, strict=True)
        }

    def problems(self):
        answers = [content for content, _ in self.heard if content["type"] == "pictures"]
        return {at: why for content in answers for at, why in content["problems"]}


def test_a_page_gets_what_it_asks_for_and_no_more(table, folder, thumbnails):
    page = Page(PictureGrid(table, root=folder, thumbnails=thumbnails))
    assert page.heard == [] and page.grid._shown["count"] == 5
    page.want([1, 3])
    assert [(row["name"], row["label"]) for row in page.rows()] == [("dark/1.jpg", "dark"), ("light/0.jpg", "light")]
    pictures = page.pictures()
    assert set(pictures) == {1, 2}
    for position, picture in pictures.items():
        expected = open_image(table["item"][position]).getpixel((9, 9))
        assert np.allclose(open_image(picture).getpixel((9, 9)), expected, atol=3)


def test_a_file_that_is_no_picture_is_named_with_the_reason(table, folder, thumbnails):
    (folder / "dark" / "0.jpg").write_bytes(HTML)
    page = Page(PictureGrid(table, root=folder, thumbnails=thumbnails))
    page.want([0, 2])
    assert "web page" in page.problems()[0] and set(page.pictures()) == {1}
    page.say("large", position=0)
    answer = page.heard[-1][0]
    assert answer["type"] == "large" and "web page" in answer["problem"] and answer["page"] == PAGE


def test_a_page_learns_no_path_of_the_server(table, folder, thumbnails):
    outside = pd.concat(
        [table, pd.DataFrame({"item": ["/etc/secrets/x.jpg", Path("/nowhere/y.jpg")], "label": "dark"})]
    )
    for root in (None, folder, folder / "dark"):
        page = Page(PictureGrid(outside, root=root, thumbnails=thumbnails))
        page.want([0, 7])
        page.say("large", position=5)
        told = repr([content for content, _ in page.heard]) + repr(page.grid.get_state())
        assert str(folder) not in told and "secrets" not in told and "nowhere" not in told


def test_captions_are_what_the_table_has(table, thumbnails):
    table = table.assign(
        predicted=pd.Categorical(["dark", "light", "light", "light", None], ["dark", "light"]),
        confidence=np.array([0.9, 0.6, 0.8, np.nan, 0.5], np.float32),
        loss=[0.1, 2.0, np.nan, np.inf, 1.0],
        note=["probably light", None, np.nan, "", "<b>"],
    )
    page = Page(PictureGrid(table, thumbnails=thumbnails))
    page.want([0, 5])
    rows = page.rows()
    assert [row["predicted"] for row in rows] == ["dark", "light", "light", "light", None]
    assert [row["loss"] for row in rows] == [0.1, 2.0, None, None, 1.0]
    assert rows[0]["confidence"] == pytest.approx(0.9) and rows[3]["confidence"] is None
    assert [row["note"] for row in rows] == ["probably light", None, None, "", "<b>"]
    assert page.grid._shown["lines"] == 4
    assert PictureGrid(table, captions=False, thumbnails=thumbnails)._shown["lines"] == 0
    assert PictureGrid(table[["item", "label"]], thumbnails=thumbnails)._shown["lines"] == 2


def test_arrays_and_images_are_items_too(thumbnails):
    if not DATA.is_dir():
        pytest.skip("no sample data")
    digits = np.load(DATA / "mnist" / "mnist.npz")["x_train"][:3]
    page = Page(PictureGrid(pd.DataFrame({"item": list(digits)}), thumbnails=thumbnails))
    page.want([0, 3])
    assert [row["name"] for row in page.rows()] == ["picture 1", "picture 2", "picture 3"]
    shown = np.asarray(open_image(page.pictures()[1]).convert("L")).astype(int)
    assert abs(shown - digits[1]).mean() < 5


def test_the_selection_is_the_value_of_both_sides(table, thumbnails):
    grid = PictureGrid(table, thumbnails=thumbnails)
    page, seen = Page(grid), []
    grid.observe(lambda change: seen.append(change.new), "value")
    page.say("select", ranges=[[0, 2], [4, 5]], step=1)
    assert grid.value == (0, 1, 4) and seen == [(0, 1, 4)]
    assert grid._selected == {"version": 1, "ranges": [[0, 2], [4, 5]], "page": PAGE, "step": 1, "reveal": 0}
    grid.value = (3, 2, 2)
    assert grid.value == (2, 3) and grid._selected["ranges"] == [[2, 4]] and grid._selected["page"] == ""
    for wrong in ((5,), (-1,), (0.5,), (True,), ("0",)):
        with pytest.raises(TraitError):
            grid.value = wrong
    grid.show(table.iloc[:2])
    assert grid.value == () and grid._selected["ranges"] == []


def test_the_same_items_stay_where_they_are_with_new_captions(table, thumbnails):
    grid = PictureGrid(table, thumbnails=thumbnails)
    grid.value = (1,)
    before = grid._shown
    grid.show(table.assign(label="light"))
    assert grid._shown["version"] == before["version"] and grid._shown["drawing"] > before["drawing"]
    assert grid.value == (1,)
    grid.show(table.iloc[::-1])
    assert grid._shown["version"] > before["version"] and grid.value == ()


def test_nothing_to_show(table, thumbnails):
    grid = PictureGrid(thumbnails=thumbnails)
    assert grid._shown["count"] == 0 and grid._shown["empty"]
    grid.show(table.iloc[:0], empty="No grizzly was called black.")
    assert grid._shown["empty"] == "No grizzly was called black."
    with pytest.raises(ValueError, match="column `item`"):
        grid.show(pd.DataFrame({"file": ["a.jpg"]}))


def test_keys_and_badges_for_whoever_builds_on_it(table, thumbnails):
    pressed = []
    grid = PictureGrid(
        table,
        thumbnails=thumbnails,
        badges=lambda positions: ["Delete" if at % 2 else None for at in positions],
        keys={"k": Key("Keep", advance=True), "Delete": Key()},
        pressed=lambda key, positions: pressed.append((key, positions)),
    )
    page = Page(grid)
    page.want([1, 4])
    assert [row["badge"] for row in page.rows()] == ["Delete", None, "Delete"]
    page.say("key", key="k", position=3)
    grid.value = (0, 1)
    page.say("key", key="Delete", position=3)
    assert pressed == [("k", (3,)), ("Delete", (0, 1))]
    for content in ({"key": "x"}, {"key": 3}, {}, {"key": ["k"]}):
        page.say("key", position=0, **content)
    assert len(pressed) == 2


HOSTILE = [None, -3, "0", True, -1, 5, 10**9, [], {}, [0], [[0]], [[0, 6]], [[-1, 2]], [[2, 1]], [[1, 1]], [["0", 2]],
           [[0, True]], [[0.0, 1]], [[0, 1, 2]], {"0": 1}, [None], [[0, 10**30]]]  # fmt: skip


@pytest.mark.parametrize("bad", HOSTILE, ids=str)
def test_whatever_a_page_sends_does_no_harm(table, thumbnails, bad):
    pressed = []
    grid = PictureGrid(table, thumbnails=thumbnails, keys={"k": Key()}, pressed=lambda *args: pressed.append(args))
    grid.value = (2,)
    page = Page(grid)
    page.say("want", rows=bad, pictures=[])
    page.say("want", rows=[], pictures=bad)
    if bad != []:
        page.say("select", ranges=bad, step=1)
    page.say("select", ranges=[], step="1")
    page.say("large", position=bad)
    page.say("key", key=bad, position=0)
    page.say(bad, position=0)
    page.say("key", key="k", position=0, version=[bad])
    page.say("key", key="k", position=0, page=bad)
    grid._receive(grid, bad, [])
    assert grid.value == (2,) and not pressed
    assert not page.rows() and not page.pictures() and not [c for c, _ in page.heard if c["type"] == "large"]


def test_a_page_can_set_no_trait_that_counts(table, thumbnails):
    grid = PictureGrid(table, thumbnails=thumbnails)
    page = Page(grid)
    for name, value in {
        "_shown": {"count": 99, "version": 1},
        "_selected": {"ranges": [[0, 99]]},
        "value": [1],
    }.items():
        data = {"method": "update", "state": {name: value}}
        grid._handle_msg({"content": {"data": data}, "buffers": []})
    assert grid.value == ()
    page.say("want", rows=[[0, 99]], pictures=[[0, 99]], version=grid._version)
    assert page.heard == []
    page.say("want", rows=[[0, 5]], pictures=[], version=grid._version)
    assert len(page.rows()) == 5


def test_one_message_asks_for_no_more_than_a_few_screens(thumbnails):
    grid = PictureGrid(pd.DataFrame({"item": ["x.jpg"] * 100_000}), thumbnails=thumbnails)
    page = Page(grid)
    page.want([0, 100_000])
    page.want(*[[0, 1]] * 3000)
    assert page.heard == []
    page.say("select", ranges=[[0, 100_000]], step=1)
    assert len(grid.value) == 100_000 and grid._selected["ranges"] == [[0, 100_000]]


def test_only_what_is_still_wanted_is_read():
    """A page scrolls on while one picture is read: what it has passed is not read any more."""
    first, go_on, done, reads, came = threading.Event(), threading.Event(), asyncio.Event(), [], {}

    def read(item):
        reads.append(item)
        if item == 0:
            first.set()
            assert go_on.wait(60)
        return str(item).encode()

    def ready(pictures):
        came.update(pictures)
        if {90, 91} <= set(came):
            done.set()

    async def scroll():
        loader = PictureLoader(read, ready=ready)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ipyfastai.widgets.cleaning.picture_loader.LANES", 1)
            loader.want("page", {0: 0})
            assert await asyncio.to_thread(first.wait, 10)
            loader.want("page", {at: at for at in range(1, 50)})
            loader.want("page", {90: 90, 91: 91})
            go_on.set()
            await asyncio.wait_for(done.wait(), 10)

    asyncio.run(scroll())
    assert reads == [0, 90, 91] and came == {0: b"0", 90: b"90", 91: b"91"}


def test_pictures_of_an_earlier_table_are_not_handed_out():
    first, go_on, came, again = threading.Event(), threading.Event(), [], asyncio.Event()

    def read(item):
        if item == "old":
            first.set()
            assert go_on.wait(60)
        return item.encode()

    def ready(pictures):
        came.append(pictures)
        again.set()

    async def switch():
        loader = PictureLoader(read, ready=ready)
        loader.want("page", {0: "old"})
        assert await asyncio.to_thread(first.wait, 10)
        loader.clear()
        loader.want("page", {0: "new"})
        go_on.set()
        await asyncio.wait_for(again.wait(), 10)

    asyncio.run(switch())
    assert came == [{0: b"new"}]


def test_closing_lets_go(table):
    grid = PictureGrid(table)
    owned = grid.thumbnails
    grid.close()
    assert grid.table is None and owned._closed


def test_another_table_begins_on_the_screen_before_a_page_asks(table, thumbnails):
    grid = PictureGrid(table, thumbnails=thumbnails)
    page = Page(grid)
    grid.show(table.iloc[::-1])
    assert page.heard == [], "nobody looks yet"
    page.want([0, 3])
    page.heard.clear()
    grid.show(table.iloc[1:])
    assert [row["name"] for row in page.rows()] == ["1.jpg", "0.jpg", "1.jpg"] and set(page.pictures()) == {0, 1, 2}
    page.heard.clear()
    grid.show(table.iloc[:0])
    assert page.rows() == [] and page.pictures() == {}


def test_missing_values_are_told_as_missing(thumbnails):
    table = pd.DataFrame(
        {"item": ["a.jpg", "b.jpg"], "label": pd.array(["x", None], dtype="string"), "note": [pd.NaT, 3]}
    )
    page = Page(PictureGrid(table, thumbnails=thumbnails))
    page.want([0, 2])
    assert [(row["label"], row["note"]) for row in page.rows()] == [("x", None), (None, "3")]
