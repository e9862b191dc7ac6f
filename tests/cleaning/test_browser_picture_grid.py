"""`PictureGrid` as somebody meets it who looks through pictures: real Chromium, our server."""

import re

import pytest
from browser import fits
from playwright.sync_api import expect

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
    const [decode, close] = [ImageDecoder.prototype.decode, VideoFrame.prototype.close];
    ImageDecoder.prototype.decode = async function (...what) {
      const decoded = await decode.apply(this, what);
      window.bitmaps += 1;
      return decoded;
    };
    VideoFrame.prototype.close = function () {
      if (this.format !== null) window.bitmaps -= 1; // of a closed one it is null
      close.call(this);
    };
"""


def open_grid(page, url):
    page.goto(url)
    page.get_by_role("gridcell").first.locator(".line").first.wait_for()
    return page


def cell(page, number, grid=0):
    return page.get_by_role("grid").nth(grid).locator(f"[data-position='{number}']")


def told(page, positions):
    page.locator(".told").filter(has_text=re.compile(rf"^\s*{positions}\s*$")).wait_for()


def selected(page, *positions, grid=0):
    expect(page.get_by_role("grid").nth(grid).locator("[aria-selected=true]")).to_have_count(len(positions))
    for position in positions:
        expect(cell(page, position, grid)).to_have_attribute("aria-selected", "true")


def scrolled(page, holds):
    page.wait_for_function(f"(({{ scrollTop }}) => {holds})(document.querySelector('[role=grid]'))")


@pytest.fixture
def grid(watch, serve_notebook):
    watched = watch(viewport={"width": 1000, "height": 1000})
    page = open_grid(watched.page, serve_notebook(*CELLS))
    page.get_by_role("grid").nth(1).get_by_role("gridcell").first.wait_for()
    yield page
    assert not watched.foreign and not watched.errors


def test_captions_say_what_is_known_and_run_nothing(grid):
    lines = ["cold", "✓ cold 75 %", "loss 0.100"]
    expect(cell(grid, 1).locator(".line")).to_have_text(lines, use_inner_text=True)
    expect(cell(grid, 20).locator(".wrong")).to_have_text("✗ cold 75 %", use_inner_text=True)
    expect(cell(grid, 20)).to_have_accessible_name(re.compile("wrongly predicted cold 75 %"))
    expect(cell(grid, 0).locator(".what")).to_have_text("<img src=x onerror=document.title='run'>")
    expect(cell(grid, 3).get_by_text("This is a web page, not a photo")).to_be_visible()
    expect(cell(grid, 3)).to_contain_text("03.jpg", use_inner_text=True)
    expect(grid.locator("img[src=x]")).to_have_count(0)
    expect(grid).not_to_have_title("run")


def test_selecting_by_mouse(grid):
    cell(grid, 2).click()
    told(grid, "2")
    cell(grid, 5).click(modifiers=["Shift"])
    told(grid, "2 3 4 5")
    cell(grid, 7).click(modifiers=["Control"])
    told(grid, "2 3 4 5 7")
    cell(grid, 3).click(modifiers=["ControlOrMeta"])
    told(grid, "2 4 5 7")
    for view in (0, 1):
        selected(grid, 2, 4, 5, 7, grid=view)
    cell(grid, 9, grid=1).click()
    told(grid, "9")
    selected(grid, 9)
    grid.get_by_role("button", name="Select all").first.click()
    grid.get_by_text("40 pictures, 40 selected").first.wait_for()
    grid.get_by_role("button", name="Select none").nth(1).click()
    told(grid, "none")


def test_selecting_by_keyboard(grid):
    cell(grid, 0).click()
    told(grid, "0")
    columns = int(grid.get_by_role("grid").first.get_attribute("aria-colcount"))
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
    expect(cell(grid, 4)).to_be_focused()
    press("End")
    told(grid, "39")
    expect(cell(grid, 39)).to_have_attribute("tabindex", "0")
    expect(cell(grid, 39)).to_be_in_viewport()
    press("PageUp")
    grid.wait_for_function(f"document.activeElement.dataset.position < {39 - columns}")
    press("Control+a")
    grid.get_by_text("40 pictures, 40 selected").first.wait_for()
    press("Escape")
    told(grid, "none")
    expect(grid.locator("[role=grid]").first.locator("[tabindex='0']")).to_have_count(1)


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
    expect(cell(grid, 3)).to_be_focused()
    told(grid, "3")
    grid.keyboard.press("Enter")
    dialog.wait_for()
    dialog.get_by_role("button", name="Close").click()
    cell(grid, 6).hover()
    cell(grid, 6).get_by_role("button", name="Enlarge").click()
    dialog.get_by_text("06.jpg").first.wait_for()
    grid.keyboard.press("Escape")
    told(grid, "6")


def test_the_same_pictures_stay_in_place_and_others_begin_at_the_top(grid):
    cell(grid, 0).click()
    grid.keyboard.press("End")
    told(grid, "39")
    scrolled(grid, "scrollTop > 0")
    place = grid.get_by_role("grid").first.evaluate("grid => grid.scrollTop")
    grid.get_by_role("button", name="Again").click()
    grid.get_by_text("relabelled").first.wait_for()
    scrolled(grid, f"scrollTop === {place}")
    told(grid, "39")
    grid.get_by_role("button", name="Warm only").click()
    grid.get_by_text("20 pictures", exact=True).first.wait_for()
    scrolled(grid, "scrollTop === 0")
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
        page.wait_for_function(f"document.querySelectorAll('.cell').length <= {12 * columns}")
        # Pictures out of sight are let go of.
        page.wait_for_function(f"0 < window.bitmaps && window.bitmaps <= {12 * columns}")
    last = cell(page, 99_999)
    expect(last).to_contain_text("number 99999", use_inner_text=True)
    page.wait_for_function(
        "([cell, grid]) => cell.getBoundingClientRect().bottom <= grid.getBoundingClientRect().bottom + 1",
        arg=[last.element_handle(), grid.element_handle()],
    )
    last.click()
    page.keyboard.press("Home")
    cell(page, 0).get_by_text("number 0").wait_for()
    page.keyboard.press("Control+a")
    page.get_by_text("100,000 pictures, 100,000 selected").wait_for()
    assert not watched.errors


def test_on_a_phone(watch, serve_notebook):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = open_grid(watched.page, serve_notebook(*CELLS))
    fits(page)
    cell(page, 0).tap()
    cell(page, 1).tap()
    told(page, "0 1")
    cell(page, 0).tap()
    told(page, "1")
    cell(page, 1).get_by_role("button", name="Enlarge").tap()
    page.get_by_role("dialog").get_by_text("01.jpg").first.wait_for()
    page.wait_for_function("document.querySelector('dialog[open]').getBoundingClientRect().width <= 390")
    assert not watched.errors
