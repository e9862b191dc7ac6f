"""`PictureGrid` as somebody meets it who looks through pictures: real Chromium, our server."""

import re

import pytest

FEW = """
import tempfile
from pathlib import Path
import pandas as pd
from PIL import Image
from ipywidgets import HTML, Button, VBox
from ipyfastai.widgets import PictureGrid

folder = Path(tempfile.mkdtemp())
for number in range(40):
    Image.new("RGB", (300, 200), (6 * number, 120, 250 - 6 * number)).save(folder / f"{number:02}.jpg")
(folder / "03.jpg").write_text("<!DOCTYPE html><title>404</title>")
table = pd.DataFrame({"item": sorted(map(str, folder.glob("*.jpg")))})
table["label"] = ["<img src=x onerror=document.title='run'>", *["cold"] * 19, *["warm"] * 20]
table["predicted"] = [*["cold"] * 21, *["warm"] * 19]
table["confidence"], table["loss"] = 0.75, [number / 10 for number in range(40)]
grid, told = PictureGrid(table, root=folder), HTML()
other, same = Button(description="Warm only"), Button(description="Again")
def tell(change):
    told.value = f"<p class='told'>{' '.join(map(str, change.new)) or 'none'}</p>"
grid.observe(tell, "value")
other.on_click(lambda _: grid.show(table[table.label == "warm"]))
same.on_click(lambda _: grid.show(table.assign(label="relabelled")))
"""
CELLS = ("# Pictures", FEW + "VBox([grid, told, other, same])", "grid")
MANY = (
    "# Many",
    """
import numpy as np
import pandas as pd
from ipyfastai.widgets import PictureGrid
drawn = [np.full((28, 28), number, np.uint8) for number in range(250)]
items = pd.Series([drawn[number % 250] for number in range(100_000)], dtype=object)
PictureGrid(pd.DataFrame({"item": items, "label": [f"number {number}" for number in range(100_000)]}))
""",
)
COUNT_BITMAPS = """
    window.bitmaps = 0;
    const [decode, close] = [window.createImageBitmap, ImageBitmap.prototype.close];
    window.createImageBitmap = async (...what) => {
      const bitmap = await decode(...what);
      window.bitmaps += 1;
      return bitmap;
    };
    ImageBitmap.prototype.close = function () {
      if (this.width) window.bitmaps -= 1;
      close.call(this);
    };
"""


def open_grid(page, url):
    page.goto(url)
    page.get_by_role("gridcell").first.wait_for()
    return page


def cell(page, number, grid=0):
    return page.get_by_role("grid").nth(grid).locator(f"[data-position='{number}']")


def told(page, positions):
    page.locator(".told").filter(has_text=re.compile(rf"^\s*{positions}\s*$")).wait_for()


def selected(page, grid=0):
    cells = page.get_by_role("grid").nth(grid).locator("[aria-selected=true]")
    return sorted(int(one.get_attribute("data-position")) for one in cells.all())


@pytest.fixture
def grid(watch, serve_notebook):
    watched = watch(viewport={"width": 1000, "height": 1000})
    yield open_grid(watched.page, serve_notebook(*CELLS))
    assert not watched.foreign and not watched.errors


def test_captions_say_what_is_known_and_run_nothing(grid):
    assert cell(grid, 1).inner_text().split("\n")[-3:] == ["cold", "✓ cold 75 %", "loss 0.100"]
    assert cell(grid, 20).locator(".wrong").inner_text() == "✗ cold 75 %"
    assert "wrongly predicted cold 75 %" in cell(grid, 20).get_attribute("aria-label")
    assert cell(grid, 0).locator(".what").inner_text() == "<img src=x onerror=document.title='run'>"
    cell(grid, 3).get_by_text("This is a web page, not a photo").wait_for()
    assert "03.jpg" in cell(grid, 3).inner_text()
    assert grid.title() != "run" and not grid.locator("img[src=x]").count()


def test_selecting_by_mouse(grid):
    cell(grid, 2).click()
    told(grid, "2")
    cell(grid, 5).click(modifiers=["Shift"])
    told(grid, "2 3 4 5")
    cell(grid, 7).click(modifiers=["Control"])
    told(grid, "2 3 4 5 7")
    cell(grid, 3).click(modifiers=["ControlOrMeta"])
    told(grid, "2 4 5 7")
    assert selected(grid) == selected(grid, 1) == [2, 4, 5, 7], "two views of one state"
    cell(grid, 9, grid=1).click()
    told(grid, "9")
    assert selected(grid) == [9]
    grid.get_by_role("button", name="Select all").first.click()
    grid.get_by_text("40 pictures, 40 selected").first.wait_for()
    grid.get_by_role("button", name="Select none").nth(1).click()
    told(grid, "none")


def test_selecting_by_keyboard(grid):
    columns = int(grid.get_by_role("grid").first.get_attribute("aria-colcount"))
    cell(grid, 0).click()
    press = grid.keyboard.press
    press("ArrowRight")
    told(grid, "1")
    press("ArrowDown")
    told(grid, str(1 + columns))
    press("Home")
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    told(grid, "0 1 2")
    press("Control+ArrowRight")
    press("Control+ArrowRight")
    press("Space")
    told(grid, "0 1 2 4")
    assert grid.evaluate("document.activeElement.dataset.position") == "4"
    press("End")
    told(grid, "39")
    assert cell(grid, 39).get_attribute("tabindex") == "0" and cell(grid, 39).is_visible()
    press("PageUp")
    assert int(grid.evaluate("document.activeElement.dataset.position")) < 39 - columns
    press("Control+a")
    grid.get_by_text("40 pictures, 40 selected").first.wait_for()
    press("Escape")
    told(grid, "none")
    assert grid.locator("[role=grid]").first.locator("[tabindex='0']").count() == 1


def test_enlarging(grid):
    cell(grid, 1).dblclick()
    dialog = grid.get_by_role("dialog")
    dialog.wait_for()
    grid.wait_for_function("document.querySelector('dialog[open] canvas')?.width === 300")
    grid.keyboard.press("ArrowRight")
    dialog.get_by_text("02.jpg").first.wait_for()
    dialog.get_by_role("button", name="Next picture").click()
    dialog.get_by_text("This is a web page, not a photo").wait_for()
    grid.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert grid.evaluate("document.activeElement.dataset.position") == "3"
    told(grid, "3")
    grid.keyboard.press("Enter")
    dialog.wait_for()
    dialog.get_by_role("button", name="Close").click()
    cell(grid, 6).hover()
    cell(grid, 6).get_by_role("button", name="Enlarge").click()
    dialog.get_by_text("06.jpg").first.wait_for()


def test_the_same_pictures_stay_in_place_and_others_begin_at_the_top(grid):
    cell(grid, 0).click()
    grid.keyboard.press("End")
    place = grid.get_by_role("grid").first.evaluate("grid => grid.scrollTop")
    grid.get_by_role("button", name="Again").click()
    grid.get_by_text("relabelled").first.wait_for()
    assert grid.get_by_role("grid").first.evaluate("grid => grid.scrollTop") == place > 0
    told(grid, "39")
    grid.get_by_role("button", name="Warm only").click()
    grid.get_by_text("20 pictures", exact=True).first.wait_for()
    assert grid.get_by_role("grid").first.evaluate("grid => grid.scrollTop") == 0
    cell(grid, 0).locator(".wrong").wait_for()


def test_a_hundred_thousand_pictures_take_no_more_than_a_screen(watch, serve_notebook):
    watched = watch(viewport={"width": 1000, "height": 800})
    page = watched.page
    page.add_init_script(COUNT_BITMAPS)
    open_grid(page, serve_notebook(*MANY))
    grid = page.get_by_role("grid")
    columns, rows = (int(grid.get_attribute(f"aria-{name}count")) for name in ("col", "row"))
    assert columns * rows >= 100_000 > columns * (rows - 1)
    loaded = "[...document.querySelectorAll('.cell')].every(cell => cell.querySelector('canvas').width === 28)"
    for share in (0, 0.1, 0.33, 0.5, 0.77, 0.9, 1):
        grid.evaluate("(grid, share) => grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight)", share)
        near = (
            "first => [...document.querySelectorAll('.cell')].some(one => Math.abs(one.dataset.position - first) < 100)"
        )
        page.wait_for_function(near, arg=int(share * 100_000))
        page.wait_for_function(loaded)
        assert page.get_by_role("gridcell").count() <= 12 * columns
        assert 0 < page.evaluate("window.bitmaps") <= 12 * columns, "pictures out of sight are let go of"
    last = cell(page, 99_999)
    assert "number 99999" in last.inner_text()
    box, frame = last.bounding_box(), grid.bounding_box()
    assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    last.click()
    page.keyboard.press("Home")
    cell(page, 0).get_by_text("number 0").wait_for()
    page.keyboard.press("Control+a")
    page.get_by_text("100,000 pictures, 100,000 selected").wait_for()
    assert not watched.errors


def test_on_a_phone(watch, serve_notebook):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = open_grid(watched.page, serve_notebook(*CELLS))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell(page, 0).tap()
    cell(page, 1).tap()
    told(page, "0 1")
    cell(page, 0).tap()
    told(page, "1")
    cell(page, 1).get_by_role("button", name="Enlarge").tap()
    page.get_by_role("dialog").get_by_text("01.jpg").first.wait_for()
    assert page.get_by_role("dialog").bounding_box()["width"] <= 390
    assert not watched.errors
