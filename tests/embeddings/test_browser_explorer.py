"""The explorer as a person uses it: real Chromium, MovieLens titles placed by who rates them alike."""

import json
import re

import numpy as np
import pytest
from browser import PATIENCE, finds_nothing, fits
from drawings import DATA
from PIL import Image
from playwright.sync_api import expect
from test_browser_classifier import CONTRAST

MOVIELENS = DATA / "movielens" / "ml-latest-small"
pytestmark = pytest.mark.skipif(not MOVIELENS.is_dir(), reason=f"no MovieLens data in {DATA}")

MADE = f"""
import numpy as np
import pandas as pd
from ipywidgets import HTML, VBox
from ipyfastai.widgets import EmbeddingExplorer, link_explorers

ratings = pd.read_csv({str(MOVIELENS / "ratings.csv")!r})
movies = pd.read_csv({str(MOVIELENS / "movies.csv")!r}).set_index("movieId")
best = ratings["movieId"].value_counts().index[:300]
table = ratings[ratings["movieId"].isin(best)].pivot(index="movieId", columns="userId", values="rating").loc[best]
filled = table.sub(table.mean(axis=1), axis=0).fillna(0)
left, values, _ = np.linalg.svd(filled.to_numpy(), full_matrices=False)
vectors, titles = left[:, :20] * values[:20], movies.loc[best, "title"].tolist()
films = pd.DataFrame({{"genre": movies.loc[best, "genres"].str.split("|").str[0].to_numpy(),
                      "ratings": table.notna().sum(axis=1).to_numpy()}})

def told(explorer):
    text = HTML()
    def tell(_=None):
        text.value = f"<p class='told'>{{len(explorer.selection)}} {{explorer.selection[:5]}}</p>"
    explorer.observe(tell, "selection")
    tell()
    return text
"""
MOVIES = (
    "# Movies",
    MADE + "explorer = EmbeddingExplorer(vectors, titles, metadata=films)\nVBox([explorer, told(explorer)])",
)
HOSTILE = [*(f"film {number}" for number in range(18)), "<img src=x onerror=alert(1)>", "a\u202egnp.exe"]
STRANGE = (
    "# Strange",
    MADE
    + f"""
strange = pd.DataFrame({{"<b>kind</b>": ["<img src=x onerror=alert(2)>", "b"] * 10}})
first = EmbeddingExplorer(vectors[:20], {HOSTILE!r}, metadata=strange, colour="<b>kind</b>")
first.selection = (18,)
second = EmbeddingExplorer(-vectors[:20, :3], {HOSTILE!r})
unlink = link_explorers(first, second)
VBox([first, second])
""",
)
MANY = (
    "# Many",
    """
import numpy as np
from ipyfastai.widgets import EmbeddingExplorer
from IPython.display import display
from ipywidgets import VBox

random = np.random.default_rng(0)
vectors = random.standard_normal((20_010, 5), dtype=np.float32)
vectors[0] = 9  # far from all others
photos = np.full((20_010, 8, 8, 3), (200, 30, 30), np.uint8)
explorer = EmbeddingExplorer(vectors, [f"Row {row}" for row in range(20_010)], thumbnails=photos)
display(VBox([explorer]), VBox([explorer]))
""",
)
API = "[...document.querySelectorAll('.scatter div')].filter((element) => element.api).map((element) => element.api)"
FRAMES = "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))))"
# Resolves once nothing moves: neither the plot on the page nor what is in view there, for some frames.
RESTS = f"""() => new Promise((resolve) => {{
  let [before, same] = ["", 0];
  const look = () => {{
    const {{ x, y, width, height }} = document.querySelector(".frame").getBoundingClientRect();
    const now = String([x, y, width, height, ...{API}[0].get("cameraView"), {API}[0].getScreenPosition(0)]);
    same = now === before ? same + 1 : 0;
    before = now;
    if (same < 10) requestAnimationFrame(look);
    else resolve();
  }};
  look();
}})"""

# Notes from now on all that an element says.
TOLD = """(selector) => {
  window.told = [];
  for (const element of document.querySelectorAll(selector))
    new MutationObserver(() => window.told.push(element.textContent))
      .observe(element, { childList: true, subtree: true, characterData: true });
}"""


@pytest.fixture
def watched(watch):
    watched = watch(accept_downloads=True, viewport={"width": 1300, "height": 1000})
    watched.page.set_default_timeout(PATIENCE)
    yield watched
    assert not watched.foreign and not watched.errors


def opened(page, url, *, theme="", plots=1):
    expect.set_options(timeout=PATIENCE)
    page.goto(url + theme)
    expect(page.locator(".scatter[data-drawn]")).to_have_count(plots)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.layer')].every((layer) => Number(layer.dataset.labels) > 0)"
    )
    return page


@pytest.fixture
def page(watched, serve_notebook):
    return opened(watched.page, serve_notebook(*MOVIES))


def place(page, row):
    """Where a point is on the page, in pixels."""
    frame = page.locator(".frame").first
    frame.scroll_into_view_if_needed()
    page.evaluate(RESTS)
    box = frame.bounding_box()
    x, y = page.evaluate(f"row => {API}[0].getScreenPosition(row)", row)
    return box["x"] + x + 1, box["y"] + y + 1  # inside its border


def click(page, row):
    """Click on a point; the plot would take a pointer that comes and presses within one frame for one that drags."""
    spot = place(page, row)
    page.mouse.move(*spot)
    page.evaluate(FRAMES)
    page.mouse.click(*spot)


def hover(page, row):
    """Rest the pointer on a point until it is told of."""
    x, y = place(page, row)
    page.mouse.move(x, y - 40)
    page.mouse.move(x, y)
    expect(page.locator(".about").first).to_be_visible()


def lonely(page):
    """The point that is farthest from all others, so that a pointer hits it."""
    spots = np.array(page.evaluate(f"() => {API}[0].get('points').map((_, row) => {API}[0].getScreenPosition(row))"))
    far = np.linalg.norm(spots[:, None] - spots, axis=2)
    np.fill_diagonal(far, np.inf)
    return int(far.min(axis=1).argmax())


class Mouse:
    """A pointer whose button is held from `down` to `up`."""

    first = 1  # movement that the lasso begins with

    def __init__(self, page):
        self.page = page

    def down(self, spot):
        self.page.mouse.move(*spot)
        self.page.evaluate(FRAMES)
        self.page.mouse.down()

    def move(self, spot):
        self.page.mouse.move(*spot)

    def up(self):
        self.page.mouse.up()


class Fingers:
    """As many fingers as spots are given, no faster than they are seen."""

    first = 4  # a movement of less than some pixels is a tap, of which a browser does not tell

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)

    def _send(self, kind, spots):
        points = [{"x": float(x), "y": float(y), "id": number} for number, (x, y) in enumerate(spots)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.page.evaluate(FRAMES)

    def down(self, *spots):
        self._send("touchStart", spots)

    def move(self, *spots):
        self._send("touchMove", spots)

    def up(self):
        self._send("touchEnd", [])


def draw_around(page, row, pointer):
    """Drag around a point, no faster than the lasso takes its corners."""
    x, y = place(page, row)
    page.evaluate(
        f"() => {API}[0].subscribe('lassoExtend', ({{ coordinates }}) => (window.corners = coordinates.length))"
    )
    pointer.down((x + 14, y))
    for corner, turn in enumerate(np.linspace(0, 2 * np.pi, 13)[1:], 1):
        pointer.move((x + 14 * np.cos(turn), y + 14 * np.sin(turn)))
        if corner > pointer.first:
            page.wait_for_function("corners => window.corners >= corners", arg=corner - pointer.first + 1)
    pointer.up()


def lies(page, row, x, y):
    """Wait until a point is at this place of the page."""
    page.wait_for_function(
        f"""([row, x, y]) => {{
            const frame = document.querySelector(".frame").getBoundingClientRect();
            const [right, down] = {API}[0].getScreenPosition(row);
            return Math.hypot(frame.x + 1 + right - x, frame.y + 1 + down - y) < 4;
        }}""",
        arg=[row, x, y],
    )


def told(page, text):
    expect(page.locator(".told")).to_have_text(text)


def tab(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()


def test_a_click_lists_neighbours_to_step_through(page):
    row = lonely(page)
    hover(page, row)
    expect(page.locator(".about")).to_contain_text("genre: ")
    title = page.locator(".about strong").inner_text()
    click(page, row)
    told(page, f"1 ({row},)")
    expect(page.get_by_role("heading", name=f"10 neighbours of {title}")).to_be_visible()
    options = page.locator(".ipyfastai-point-list li")
    expect(options).to_have_count(10)
    page.locator(".frame").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    name = options.nth(1).locator(".name").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"10 neighbours of {name}")).to_be_visible()
    page.get_by_label("How many neighbours").fill("3")
    expect(options).to_have_count(3)
    page.get_by_role("button", name="Euclidean").click()
    expect(page.get_by_role("button", name="Euclidean")).to_have_attribute("aria-pressed", "true")
    options.first.dblclick()
    expect(page.get_by_role("heading", name=re.compile("^3 neighbours of "))).not_to_contain_text(name)

    field = page.get_by_label("Search by regular expression")
    field.fill("^star wars")
    expect(page.get_by_role("heading", name="6 of 300 points match")).to_be_visible()
    expect(options.first).to_contain_text("Star Wars")
    field.press("Enter")
    field.press("Enter")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    field.fill("star (")
    expect(page.get_by_role("alert").filter(has_text="no regular expression")).to_be_visible()
    field.fill("^war$")
    page.get_by_label("Search in").select_option("genre")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    field.fill("^horror$")
    page.get_by_role("button", name=re.compile("^Select all ")).click()
    expect(page.locator(".said").first).to_contain_text(" of 300 points selected: ")


def test_a_lasso_a_box_isolating_and_files(page):
    page.get_by_role("button", name="Box", exact=True).click()
    expect(page.get_by_role("button", name="Box", exact=True)).to_have_attribute("aria-pressed", "true")
    box = page.locator(".frame").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] - 5, steps=5)
    page.mouse.up()
    expect(page.locator(".told")).not_to_have_text("0 ()")
    expect(page.get_by_role("button", name=re.compile("^CSV of the selection"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^CSV of the selection")).click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert (
        re.match(r"position,label,genre,ratings,Component 1 \(.*%\),Component 2 \(.*%\)$", lines[0]) and len(lines) > 2
    )
    count = len(lines) - 1

    page.get_by_role("button", name="Isolate the selection").click()
    expect(page.locator(".said").first).to_have_text(f"{count} points of 300 isolated; 0 of {count} points selected")
    page.wait_for_function(f"count => {API}[0].get('points').length === count", arg=count)
    page.get_by_role("button", name="Undo isolating").click()
    page.wait_for_function(f"() => {API}[0].get('points').length === 300")
    page.wait_for_function(f"count => {API}[0].get('selectedPoints').length === count", arg=count)
    page.get_by_role("button", name="Select nothing").click()
    told(page, "0 ()")
    page.wait_for_function(f"() => {API}[0].get('selectedPoints').length === 0")

    page.get_by_role("button", name="Lasso", exact=True).click()
    expect(page.get_by_role("button", name="Lasso", exact=True)).to_have_attribute("aria-pressed", "true")
    row = lonely(page)
    draw_around(page, row, Mouse(page))
    told(page, f"1 ({row},)")

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the plot as PNG").click()
    picture = Image.open(download.value.path())
    assert picture.size[0] > 300 and len(picture.convert("RGB").getcolors(2**24)) > 50


def test_by_keyboard_alone(page):
    page.get_by_label("Search by regular expression").focus()
    page.keyboard.type("^star wars")
    expect(page.get_by_role("heading", name="6 of 300 points match")).to_be_visible()
    page.keyboard.press("Escape")  # is for the field, and lets go of nothing
    page.keyboard.press("Enter")
    options = page.locator(".ipyfastai-point-list li")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Select all 6").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("6 of 300 points selected")
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^10 neighbours of Star Wars"))).to_be_visible()
    frame = page.locator(".frame")
    frame.focus()
    before = page.evaluate(f"() => {API}[0].get('cameraTarget')[0]")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"before => {API}[0].get('cameraTarget')[0] > before + 0.1", arg=before)
    page.keyboard.press("+")
    page.wait_for_function(f"() => {API}[0].get('cameraDistance') < 0.9")
    page.keyboard.press("0")
    page.wait_for_function(f"() => {API}[0].get('cameraDistance') === 1 && {API}[0].get('cameraTarget')[0] === 0")
    page.get_by_role("button", name="Axes", exact=True).focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.get_by_label("Layout").wait_for()
    expect(page.locator(".said")).to_contain_text("1 of 300 points selected")
    frame.focus()
    page.keyboard.press("Escape")
    told(page, "0 ()")


def test_axes_looks_and_bookmarks(page, tmp_path):
    def drawn(where, *numbers):
        """Wait until the first point lies so, and return where it does."""
        page.wait_for_function(
            f"numbers => (([x, y], [a]) => {where})({API}[0].get('points')[0], numbers)", arg=numbers
        )
        return page.evaluate(f"() => {API}[0].get('points')[0]")

    tab(page, "Axes")
    x, _, *_ = drawn("true")
    page.get_by_role("button", name=re.compile("^Component 3, ")).click()
    expect(page.locator(".across").first).to_contain_text("Component 3 (")
    x, _, *_ = drawn("x !== a", x)
    page.get_by_role("button", name="Swap x and y").click()
    expect(page.locator(".up").first).to_contain_text("Component 3 (")
    x, _, *_ = drawn("Math.abs(y - a) < 1e-5", x)
    page.get_by_label("x", exact=True).select_option(index=4)
    expect(page.locator(".across").first).to_contain_text("Component 5 (")
    x, _, *_ = drawn("x !== a", x)
    page.get_by_label("Flip x").check()
    drawn("Math.abs(x + a) < 1e-5", x)
    tab(page, "Looks")
    page.get_by_label("Colour").select_option("genre")
    expect(page.locator(".legend").first).to_contain_text("Comedy (")
    page.get_by_label("Size").select_option("ratings")
    expect(page.locator(".legend").nth(1)).to_contain_text("Size: ratings")
    tab(page, "Bookmarks")
    page.get_by_label("Name of a bookmark").fill("Flipped")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("button", name="Flipped", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    file = download.value.path().read_text()
    assert json.loads(file)["bookmarks"][0]["colour"] == "genre"
    page.get_by_role("button", name="Remove Flipped").click()
    tab(page, "Looks")
    page.get_by_label("Colour").select_option("All alike")
    expect(page.locator(".legend")).to_have_count(1)
    tab(page, "Bookmarks")
    chosen = {"name": "bookmarks.json", "mimeType": "application/json", "buffer": file.encode()}
    page.locator("input[type=file]").set_input_files(chosen)
    page.get_by_role("button", name="Flipped", exact=True).click()
    expect(page.locator(".legend").first).to_contain_text("Comedy (")
    expect(page.locator(".across").first).to_contain_text("Component 5 (")
    page.locator("input[type=file]").set_input_files({**chosen, "buffer": b"{}"})
    expect(page.locator(".ipyfastai-bookmarks .bad")).to_be_visible()


def test_layouts_of_other_libraries(page):
    tab(page, "Axes")
    page.evaluate(TOLD, ".ipyfastai-embedding-explorer .ipyfastai-job")
    layout = page.get_by_label("Layout")
    before = page.evaluate(f"() => {API}[0].get('points')")
    for name in ("UMAP", "t-SNE"):
        layout.select_option(name)
        page.wait_for_function("name => window.told.some((text) => text.includes(name))", arg=name)
        expect(page.locator(".across")).to_have_text(f"{name} 1 →")
        expect(layout).to_have_value(name)
        page.wait_for_function(f"before => String({API}[0].get('points')) !== String(before)", arg=before)
        spots = page.evaluate(f"() => {API}[0].get('points').map(([x, y]) => [x, y])")
        assert len(spots) == 300 and np.isfinite(spots).all() and np.ptp(spots, axis=0).max() > 1.8
        before = page.evaluate(f"() => {API}[0].get('points')")
    layout.select_option("Principal components")
    expect(page.locator(".across")).to_contain_text("Component 1 (")


def test_two_views_pictures_and_a_layout_that_is_stopped(watched, serve_notebook):
    page = opened(watched.page, serve_notebook(*MANY), plots=2)
    hover(page, 0)
    expect(page.locator(".about").first).to_contain_text("Row 0")
    page.wait_for_function("() => document.querySelector('.about img')?.naturalWidth > 0")
    expect(page.locator(".about").nth(1)).to_be_hidden()  # that is where the pointer is not
    click(page, 0)
    expect(page.get_by_role("heading", name="10 neighbours of Row 0")).to_have_count(2)
    page.wait_for_function(f"() => {API}.every((api) => String(api.get('selectedPoints')) === '0')")
    tab(page, "Axes")
    layout = page.get_by_label("Layout").first
    expect(page.get_by_text("UMAP and t-SNE: 5,000 rows at random are laid out").first).to_be_visible()
    before = page.evaluate(f"() => {API}.map((api) => api.get('points')[7])")
    layout.select_option("t-SNE")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(page.get_by_role("status").filter(has_text="Stopped.").first).to_be_visible()
    expect(layout).to_have_value("Principal components")
    assert page.evaluate(f"() => {API}.map((api) => api.get('points')[7])") == before

    tab(page, "Points")
    page.get_by_label("Search by regular expression").first.fill("^Row [0-9]{2}$")
    page.get_by_role("button", name="Select all 90").first.click()
    page.get_by_role("button", name="Isolate the selection").first.click()
    expect(page.locator(".scatter[data-drawn='90']")).to_have_count(2)
    tab(page, "Axes")
    layout.select_option("t-SNE")
    expect(page.locator(".across").nth(1)).to_have_text("t-SNE 1 →")
    expect(layout).to_have_value("t-SNE")


def test_hostile_names_are_text_and_linked_plots_agree(watched, serve_notebook):
    page = opened(watched.page, serve_notebook(*STRANGE), theme="?theme=dark", plots=2)
    expect(page.get_by_role("heading", name=re.compile("neighbours of <img src=x")).first).to_be_visible()
    expect(page.locator(".legend").first).to_contain_text("<img src=x onerror=alert(2)> (10)")
    page.wait_for_function(f"() => {API}.every((api) => String(api.get('selectedPoints')) === '18')")
    row = lonely(page)
    click(page, row)
    page.wait_for_function(f"row => {API}.every((api) => String(api.get('selectedPoints')) === String(row))", arg=row)
    expect(page.locator("img")).to_have_count(0)
    finds_nothing(page, CONTRAST)


def test_on_a_phone(watch, serve_notebook):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = opened(watched.page, serve_notebook(*MOVIES))
    for name in ("Axes", "Looks", "Bookmarks", "Points"):
        tab(page, name)
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
        fits(page)
    row = lonely(page)
    page.touchscreen.tap(*place(page, row))
    told(page, f"1 ({row},)")
    finds_nothing(page, CONTRAST)

    touch = Fingers(page)
    x, y = place(page, row)
    scrolled = page.evaluate("() => scrollY")
    touch.down((x, y))
    touch.move((x + 30, y + 20))
    touch.move((x + 50, y + 40))
    lies(page, row, x + 50, y + 40)
    touch.up()
    x, y = place(page, row)
    distance = page.evaluate(f"() => {API}[0].get('cameraDistance')")
    touch.down((x - 20, y), (x + 20, y))
    for apart in (25, 30, 35, 40):
        touch.move((x - apart, y), (x + apart, y))
    page.wait_for_function(f"before => {API}[0].get('cameraDistance') < 0.75 * before", arg=distance)
    touch.up()
    lies(page, row, x, y)
    assert page.evaluate("() => scrollY") == scrolled
    page.get_by_role("button", name="Whole view").click()
    page.get_by_role("button", name="Select nothing").click()
    told(page, "0 ()")
    page.get_by_role("button", name="Lasso", exact=True).click()
    expect(page.get_by_role("button", name="Lasso", exact=True)).to_have_attribute("aria-pressed", "true")
    draw_around(page, row, touch)
    told(page, f"1 ({row},)")
    assert not watched.foreign and not watched.errors
