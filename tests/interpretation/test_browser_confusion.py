"""The confusion matrix as a person uses it: real Chromium, three labels, two hundred, and names that are markup."""

import csv
import re

import numpy as np
import pytest
from browser import finds_nothing, fits, until
from PIL import Image
from playwright.sync_api import expect
from test_browser_classifier import CONTRAST

MADE = """
import numpy as np
from PIL import Image
from ipywidgets import HTML, VBox
from ipyfastai.models import predictions_table
from ipyfastai.widgets import ConfusionMatrix, TopLosses

def shade(value):
    return np.full((20, 30), value, np.uint8)

def table(counts, labels, split="valid"):
    counts = np.array(counts)
    truth, answers = (np.repeat(part, counts.ravel()) for part in np.indices(counts.shape).reshape(2, -1))
    losses = 9 - np.arange(len(truth)) / len(truth)
    return predictions_table([shade(n % 250) for n in range(len(truth))], truth, answers,
                             labels=labels, split=split, loss=losses)

def told(widget, trait="value"):
    text = HTML()
    def tell(_=None):
        text.value = f"<p class='told'>{widget.value} {len(getattr(widget, 'items', []))}</p>"
    widget.observe(tell, trait)
    tell()
    return text
"""
BEARS = (
    "# Bears",
    MADE
    + """
import pandas as pd
valid = table([[27, 3, 0], [1, 25, 0], [0, 0, 26]], ["black", "grizzly", "teddy"])
train = table([[100, 1, 0], [0, 101, 0], [2, 0, 104]], ["black", "grizzly", "teddy"], "train")
matrix = ConfusionMatrix(pd.concat([valid, train]))
VBox([matrix, told(matrix)])
""",
    "matrix",
)
MANY = (
    "# Many",
    MADE
    + """
random = np.random.default_rng(0)
family = random.permutation(200) // 5
counts = 20 * np.eye(200, dtype=int) + (family[:, None] == family) * 2
counts[7, 150] = 30
matrix = ConfusionMatrix(table(counts, [f"{'dog' if n % 2 else 'cat'} of kind {n}" for n in range(200)]))
VBox([matrix, told(matrix)])
""",
)
HOSTILE = ["<img src=x onerror=alert(1)>", "a\u202egnp.exe", " bear", "Bear", "=1+1", "", "None", "x" * 5000]
STRANGE = ("# Strange", MADE + f"\nConfusionMatrix(table(1 + np.eye(8, dtype=int), {HOSTILE!r}))")
LOSSES = ("# Losses", MADE + """
TopLosses(table([[3, 2], [1, 4]], ["black", "<b>grizzly</b>"]))
""")  # fmt: skip


@pytest.fixture
def watched(watch):
    watched = watch(accept_downloads=True, viewport={"width": 1100, "height": 1000})
    yield watched
    assert not watched.foreign and not watched.errors


def opened(watched, url, *, theme=""):
    watched.page.goto(url + theme)
    watched.page.get_by_role("grid", name="Confusion matrix").first.wait_for()
    return watched.page


@pytest.fixture
def page(watched, serve_notebook):
    return opened(watched, serve_notebook(*BEARS))


def place(page, row, column):
    """Where a cell lies on the canvas, by its place in what is shown, in pixels of the page."""
    canvas = page.locator(".matrix canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    size = canvas.evaluate("(canvas) => ({ ...canvas.dataset })")
    cell, left, top = (float(size[name]) for name in ("cell", "left", "top"))
    scrolled = page.locator(".matrix").first.evaluate("(matrix) => [matrix.scrollLeft, matrix.scrollTop]")
    return (
        box["x"] + left + (column + 0.5) * cell - scrolled[0],
        box["y"] + top + (row + 0.5) * cell - scrolled[1],
    )


def said(page, text):
    expect(page.locator(".said").first).to_have_text(text)


def pictures(page, count):
    expect(page.locator(".ipyfastai-picture-grid").first).to_contain_text(re.compile(rf"^\s*{count} photo"))


def test_a_click_on_a_cell_shows_its_photos(page):
    page.get_by_text("78 of 82 photos right (95 %)").first.wait_for()
    page.mouse.move(*place(page, 0, 1))
    said(page, "3 photos of black were called grizzly, 10 % of the 30.")
    page.mouse.click(*place(page, 0, 1))
    page.get_by_role("heading", name="3 photos of black were called grizzly, 10 % of the 30.").first.wait_for()
    expect(page.locator(".told")).to_have_text("('black', 'grizzly') 3")
    pictures(page, 3)
    grid = page.locator(".ipyfastai-picture-grid").first
    expect(grid.locator("canvas").first).to_be_visible()
    expect(grid.locator(".cell").first).to_contain_text("grizzly")
    page.mouse.click(*place(page, 1, 0))
    page.get_by_role("heading", name="1 photo of grizzly was called black, 4 % of the 26.").first.wait_for()
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator(".told")).to_have_text("None 0")
    expect(page.locator(".ipyfastai-picture-grid").first).to_contain_text("Choose a cell of the matrix")


def test_cells_where_there_is_nothing_and_where_all_is_right(page):
    page.mouse.click(*place(page, 2, 0))
    expect(page.locator(".ipyfastai-picture-grid").first).to_contain_text("No photo of teddy was called black.")
    page.mouse.click(*place(page, 2, 2))
    page.get_by_role("heading", name="26 photos of teddy were rightly called teddy, 100 % of the 26.").first.wait_for()
    pictures(page, 26)


def test_by_the_keyboard(page):
    page.get_by_label("Order of the labels").first.focus()
    page.keyboard.press("Tab")
    cell = page.get_by_role("gridcell").first
    expect(cell).to_be_focused()
    said(page, "27 photos of black were rightly called black, 90 % of the 30.")
    page.keyboard.press("ArrowRight")
    expect(cell).to_have_accessible_name("3 photos of black were called grizzly, 10 % of the 30.")
    expect(cell).to_have_attribute("aria-colindex", "2")
    page.keyboard.press("End")
    said(page, "No photo of black was called teddy.")
    page.keyboard.press("ArrowRight")  # there is nothing further
    page.keyboard.press("Control+End")
    said(page, "26 photos of teddy were rightly called teddy, 100 % of the 26.")
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_have_text("('grizzly', 'black') 1")
    expect(cell).to_be_focused()


def test_pairs_shares_and_splits_in_both_views(page):
    pairs = page.get_by_role("region", name="Most confused")
    expect(pairs.first.locator("li")).to_have_text(["black → grizzly3", "grizzly → black1"])
    pairs.first.get_by_role("button", name="1 photo of grizzly was called black").click()
    expect(page.locator(".told")).to_have_text("('grizzly', 'black') 1")
    page.get_by_label("Numbers").first.select_option("Shares of each answer")
    page.mouse.move(*place(page, 0, 1))
    said(page, "3 photos of black were called grizzly, 11 % of the 28 called so.")
    page.get_by_label("Split").first.select_option("Training (308)")
    page.get_by_text("305 of 308 photos right (99.0 %)").first.wait_for()
    expect(pairs.nth(1).locator("li")).to_have_text(["teddy → black2", "black → grizzly1"])
    expect(page.get_by_label("Numbers").nth(1)).to_have_value("Shares of each answer")
    expect(page.locator(".ipyfastai-picture-grid").first).to_contain_text("No photo of grizzly was called black.")


def test_scores_of_each_label_can_be_sorted_and_saved(page):
    table = page.get_by_role("region", name="Scores of each label").first
    rows = table.locator("tbody tr")
    expect(rows.first).to_have_text("black302827" + "96 %90 %93 %")
    recall = table.get_by_role("columnheader", name="Recall")
    recall.get_by_role("button").click()
    expect(recall).to_have_attribute("aria-sort", "ascending")
    expect(rows).to_contain_text(["black", "grizzly", "teddy"])
    recall.get_by_role("button").click()
    expect(rows.first).to_contain_text("teddy")
    with page.expect_download() as waiting:
        page.locator(".ipyfastai-class-scores").first.get_by_role("button", name="Download CSV").click()
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        [black, *_] = csv.DictReader(file)
    assert (black["items"], black["answers"], black["right"]) == ("30", "28", "27")
    assert float(black["precision"]) == pytest.approx(27 / 28)


def test_downloads_of_what_is_shown(page):
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").first.click()
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert waiting.value.suggested_filename == "confusion_matrix.csv"
    assert rows == [["label / predicted", "black", "grizzly", "teddy"], ["black", "27", "3", "0"],
                    ["grizzly", "1", "25", "0"], ["teddy", "0", "0", "26"]]  # fmt: skip
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Figure as PNG").first.click()
    assert Image.open(waiting.value.path()).format == "PNG"
    expect(page.get_by_role("button", name="Figure as SVG").first).to_be_enabled()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Figure as SVG").first.click()
    assert open(waiting.value.path(), "rb").read(5) == b"<?xml"


def names_shown(page, count):
    """Wait until so many labels stand along the matrix."""
    expect(page.get_by_role("grid", name="Confusion matrix")).to_have_attribute("aria-rowcount", str(count))


def test_two_hundred_labels(watched, serve_notebook):
    page = opened(watched, serve_notebook(*MANY))
    said(page, re.compile("Choose a cell"))
    # What is most confused lies far off: choosing it brings it into sight.
    page.get_by_role("button", name="30 photos of dog of kind 7 were called cat of kind 150").click()
    expect(page.locator(".told")).to_have_text("('dog of kind 7', 'cat of kind 150') 30")
    page.wait_for_function("document.querySelector('.matrix').scrollLeft > 500")
    page.mouse.move(*place(page, 7, 150))
    said(page, re.compile("^30 photos of dog of kind 7 were called cat of kind 150, 50 % of the"))
    # All of it at once, and families beside each other.
    page.get_by_role("button", name="The whole matrix").click()
    page.wait_for_function(
        "(m) => m.scrollWidth === m.clientWidth && m.scrollHeight === m.clientHeight",
        arg=page.locator(".matrix").element_handle(),
    )
    page.get_by_label("Order of the labels").select_option("Confused ones together")
    cell = page.get_by_role("grid", name="Confusion matrix").get_by_role("gridcell")
    cell.focus()

    def family_stands_together():
        page.keyboard.press("Control+Home")
        right = []
        for _ in range(6):
            right.append(cell.get_attribute("aria-label"))
            page.keyboard.press("ArrowRight")
        return sum(text.startswith("2 photos") for text in right[1:]) >= 4

    until(family_stands_together)
    page.get_by_role("button", name="Larger cells").click(click_count=3)
    page.wait_for_function("document.querySelector('.matrix canvas').dataset.cell >= 5")
    # Looking for some.
    page.get_by_label("Find labels").fill("KIND 150")
    names_shown(page, 6)
    expect(page.locator(".pair", has_text=re.compile(r"dog of kind 7\b")).first).to_be_visible()  # confused with it
    page.get_by_label("Find labels").fill("no such label")
    page.get_by_text("No label is like that.").wait_for()
    page.get_by_label("Find labels").fill("")
    names_shown(page, 200)
    page.wait_for_function("document.querySelectorAll('.ipyfastai-confusion-view *').length < 400")  # drawn, not built


def test_only_labels_with_mistakes(watched, serve_notebook):
    code = "labels = [f'label {n}' for n in range(12)]\ncounts = 3 * np.eye(12, dtype=int)\ncounts[2, 9] = 1\n"
    page = opened(watched, serve_notebook("# Few mistakes", MADE + code + "ConfusionMatrix(table(counts, labels))"))
    page.get_by_label("Only labels with mistakes").check()
    names_shown(page, 2)
    page.mouse.move(*place(page, 0, 1))
    said(page, "1 photo of label 2 was called label 9, 25 % of the 4.")


def test_names_that_are_markup_stay_text(watched, serve_notebook):
    page = opened(watched, serve_notebook(*STRANGE))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    expect(page.locator(".pair", has_text=re.compile(r"^<img src=x onerror=alert\(1\)>")).first).to_be_visible()
    parts = page.locator(".ipyfastai-confusion-view, .ipyfastai-class-scores")
    for text in ("␣bear", "(empty)"):
        expect(parts.filter(has_text=text).first).to_be_visible()
    expect(parts.filter(has_text="\u202e")).to_have_count(0)
    expect(page.locator("img[src=x]")).to_have_count(0)
    page.mouse.click(*place(page, 0, 4))
    page.get_by_role("heading", name="1 photo of <img src=x onerror=alert(1)> was called =1+1").wait_for()
    fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_and_in_the_dark(watch, serve_notebook, scheme):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=scheme)
    page = opened(watched, serve_notebook(*BEARS), theme=f"?theme={scheme}")
    page.touchscreen.tap(*place(page, 0, 1))
    page.get_by_role("heading", name="3 photos of black were called grizzly").first.wait_for()
    fits(page)
    finds_nothing(page, CONTRAST)
    # The canvas: its ground, and the number in a cell against the cell.
    colours = page.evaluate(
        """() => {
             const canvas = document.querySelector(".matrix canvas");
             const { cell, left, top } = Object.fromEntries(Object.entries(canvas.dataset).map(([k, v]) => [k, +v]));
             const scale = canvas.width / canvas.getBoundingClientRect().width;
             const box = [left + cell + 3, top + 3, cell - 6, cell - 6].map((value) => Math.round(value * scale));
             return [...canvas.getContext("2d").getImageData(...box).data];
           }"""
    )
    pixels = np.array(colours).reshape(-1, 4)[:, :3] / 255
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    assert (linear.max() + 0.05) / (linear.min() + 0.05) > 4.5, "WCAG 1.4.3: the number can be read"
    ground = np.median(pixels, axis=0)
    assert ground[0] > ground[1] + 0.1 and ground[0] > ground[2] + 0.1, "a mistake is red"
    assert not watched.errors


def test_every_control_has_a_name(watched, serve_notebook):
    page = opened(watched, serve_notebook(*MANY))
    expect(page.locator(".pair").first).to_be_visible()
    finds_nothing(
        page,
        """() => [...document.querySelectorAll("button, select, input")].filter((e) => e.checkVisibility() &&
             !(e.ariaLabel || e.innerText?.trim() || e.labels?.length || e.title)).map((e) => e.outerHTML)""",
    )


def test_top_losses_by_hand(watched, serve_notebook):
    watched.page.goto(serve_notebook(*LOSSES))
    page = watched.page
    grid = page.locator(".ipyfastai-picture-grid")
    expect(grid).to_contain_text("10 photos")
    first = grid.locator(".cell").first
    expect(first).to_contain_text("black")
    expect(first).to_contain_text("loss 9")
    page.get_by_label("Only mistakes").check()
    expect(grid).to_contain_text("3 photos")
    page.get_by_label("Label").select_option("<b>grizzly</b> (5)")
    expect(grid).to_contain_text("1 photo")
    expect(grid.locator(".cell").first).to_contain_text("<b>grizzly</b>")
    page.get_by_label("Only mistakes").uncheck()
    expect(grid).to_contain_text("5 photos")
