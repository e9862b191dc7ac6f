"""Two linked explorers on a page: each moves only by what is done in it; keys that are quicker than the kernel."""

from playwright.sync_api import expect
from test_browser_explorer import API, FRAMES, opened, place

RING = (
    "# Ring",
    """
import numpy as np
from ipywidgets import HTML, VBox
from ipyfastai.widgets import EmbeddingExplorer, link_explorers

turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
ring = np.stack([2 * np.cos(turns), np.sin(turns)], axis=1)
names = [f"Stop {number}" for number in range(20)]
first, second = EmbeddingExplorer(ring, names), EmbeddingExplorer(ring, names)
unlink = link_explorers(first, second)
text = HTML()
def tell(_=None):
    text.value = f"<p class='told'>over {first.hovered}, selected {second.selection}</p>"
for explorer in (first, second):
    explorer.observe(tell, ["hovered", "selection"])
tell()
VBox([text, first, second])
""",
)
TARGET = f"() => String({API}[1].get('cameraTarget'))"
OUTSIDE = f"""row => {{
  const [[x, y], box] = [{API}[1].getScreenPosition(row), document.querySelectorAll(".frame")[1]];
  return x < 0 || y < 0 || x > box.clientWidth || y > box.clientHeight;
}}"""


def look_at_the_first_stop(page):
    """In the second plot, from so near that most others are out of view."""
    page.evaluate(f"() => {API}[1].zoomToLocation({API}[1].get('points')[0].slice(0, 2), 0.3)")
    page.wait_for_function(OUTSIDE, arg=10)
    page.evaluate(FRAMES)
    return page.evaluate(TARGET)


def hover(page, row):
    """In the first plot, until the kernel has heard of it and the page of what came of that."""
    x, y = place(page, row)
    page.mouse.move(x, y - 40)
    page.mouse.move(x, y)
    expect(page.locator(".told")).to_contain_text(f"over {row},")
    page.evaluate(FRAMES)


def test_a_pointer_on_one_plot_moves_no_other_and_a_step_does(watch, serve_notebook):
    watched = watch(viewport={"width": 1300, "height": 1000})
    page = opened(watched.page, serve_notebook(*RING), plots=2)
    here = look_at_the_first_stop(page)
    hover(page, 10)
    assert page.evaluate(TARGET) == here

    field = page.get_by_label("Search by regular expression").nth(1)
    field.fill("^stop 10$")
    lines = page.locator(".ipyfastai-point-list").nth(1).locator("li")
    expect(lines).to_have_count(1)
    field.press("Enter")
    expect(lines).to_have_attribute("aria-selected", "true")
    page.wait_for_function(f"here => String({API}[1].get('cameraTarget')) !== here", arg=here)
    here = look_at_the_first_stop(page)
    hover(page, 5)
    assert page.evaluate(TARGET) == here, "nor back to the row of the list"

    field.fill("^stop 1.$")
    expect(lines).to_have_count(10)
    page.locator(".ipyfastai-point-list ol").nth(1).evaluate(
        """(list, keys) => keys.forEach((key) => list.dispatchEvent(new KeyboardEvent("keydown", { key })))""",
        ["ArrowDown", "ArrowDown", "ArrowDown", "Enter"],
    )
    expect(page.locator(".told")).to_contain_text("selected (12,)")
    assert not watched.foreign and not watched.errors
