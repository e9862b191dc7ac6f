"""More points than a browser draws in time: some while they move, all when they rest, and nothing selected is lost."""

import pytest
from test_browser_explorer import API, opened, place, told

COUNT = 110_000  # more than are drawn with blending
CROWD = (
    "# Crowd",
    f"""
import numpy as np
from ipywidgets import HTML, VBox
from ipyfastai.widgets import EmbeddingExplorer

vectors = np.random.default_rng(0).standard_normal(({COUNT}, 2), dtype=np.float32)
vectors[:10, 0], vectors[:10, 1] = 12, np.arange(10) - 4.5  # a column of ten that stand alone
explorer = EmbeddingExplorer(vectors, [f"Row {{row}}" for row in range({COUNT})])
explorer.selection = (40_000, {COUNT - 1})
text = HTML()
def tell(_=None):
    text.value = f"<p class='told'>{{explorer.selection}}</p>"
explorer.observe(tell, "selection")
tell()
VBox([explorer, text])
""",
)
DRAWN = f"() => {API}[0].get('filteredPoints').length"
SLOWLY = f"""() => {API}[0].subscribe("drawing", () => {{
  const end = performance.now() + 150;
  while (performance.now() < end); // as a browser whose processor draws the points
}})"""


def drawn(page, some):
    """Wait until some of the points are drawn, or all."""
    page.wait_for_function(f"some => some === (({DRAWN})() < {COUNT})", arg=some)


@pytest.fixture
def slow(watch, serve_notebook):
    watched = watch(viewport={"width": 1300, "height": 1000})
    page = opened(watched.page, serve_notebook(*CROWD))
    page.evaluate(SLOWLY)
    yield page
    assert not watched.foreign and not watched.errors


def test_so_many_can_be_seen(slow):
    covered = f"() => {API}[0].export().data.filter((value, place) => place % 4 === 3 && value > 25).length"
    assert slow.evaluate(covered) > 5_000


def test_a_part_is_drawn_while_somebody_drags_or_zooms_and_what_is_selected_with_it(slow):
    x, y = place(slow, 40_000)
    slow.mouse.move(x, y)
    slow.mouse.wheel(0, -30)
    slow.mouse.wheel(0, 30)
    drawn(slow, some=True)
    assert {40_000, COUNT - 1} <= set(slow.evaluate(f"() => {API}[0].get('filteredPoints')"))
    drawn(slow, some=False)
    slow.mouse.down()
    slow.mouse.move(x + 30, y)
    slow.mouse.move(x + 60, y)
    drawn(slow, some=True)
    slow.mouse.up()
    drawn(slow, some=False)
    assert slow.evaluate(f"() => {API}[0].get('selectedPoints')") == [40_000, COUNT - 1]
    told(slow, f"(40000, {COUNT - 1})")


def test_a_click_while_a_part_is_drawn_finds_any_point(slow):
    x, y = place(slow, 40_000)
    slow.mouse.move(x, y)
    slow.mouse.wheel(0, 30)
    drawn(slow, some=True)
    hidden = set(range(10)) - set(slow.evaluate(f"() => {API}[0].get('filteredPoints')"))
    drawn(slow, some=False)
    row = min(hidden)
    slow.mouse.move(*place(slow, row))
    slow.mouse.wheel(0, -30)  # what the pointer is on stays under it
    drawn(slow, some=True)
    slow.mouse.down()
    slow.mouse.up()
    told(slow, f"({row},)")
    drawn(slow, some=False)
