"""`ImageClassifier` in a user's own notebook, in JupyterLab."""

import re

import pytest
from browser import write_notebook
from drawings import DARK, LIGHT, plain
from playwright.sync_api import expect

CELLS = (
    "from ipyfastai.widgets import ImageClassifier\n"
    "widget = ImageClassifier(lambda image: {'light': image.getpixel((0, 0))[0] / 255,\n"
    "                                        'dark': 1 - image.getpixel((0, 0))[0] / 255})\n"
    "widget",
    "print(', '.join(f'{row.item} is {row.predicted}' for row in widget.value.itertuples()), 'in value')",
)


def photo(colour, name):
    return {"name": name, "mimeType": "image/jpeg", "buffer": plain(colour)}


@pytest.fixture(scope="module")
def notebook(jupyterlab):
    write_notebook(jupyterlab.folder / "own.ipynb", *CELLS)
    return f"{jupyterlab.url}lab/tree/own.ipynb?reset"


def test_a_users_own_notebook_from_photo_to_value_and_through_a_reload(watch, notebook):
    watched = watch(viewport={"width": 1400, "height": 1000})
    page = watched.page
    page.goto(notebook)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    choose = page.get_by_role("button", name="Choose photos")
    choose.wait_for()

    page.locator("input[type=file]").first.set_input_files([photo(LIGHT, "day.jpg")])
    page.locator(".headline", has_text="light 98 %").wait_for()
    bars = page.get_by_role("list", name="Probability of each label")
    expect(bars.locator("li")).to_have_text(["light 98 %", "dark 2 %"], use_inner_text=True)

    page.locator("input[type=file]").first.set_input_files([photo(DARK, "dusk.jpg"), photo(LIGHT, "dawn.jpg")])
    page.get_by_role("heading", name="3 photos").wait_for()
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-OutputArea-output", has_text="dusk.jpg is dark, dawn.jpg is light in value").wait_for()

    with page.expect_response(lambda answer: answer.request.method == "PUT" and "own.ipynb" in answer.url):
        page.get_by_role("menuitem", name="File", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Save Notebook")).first.click()
    page.reload()
    page.get_by_role("heading", name="3 photos").wait_for()
    page.locator(".headline", has_text="dark 92 %").wait_for()
    page.locator("input[type=file]").first.set_input_files([photo(DARK, "night.jpg")])
    page.get_by_role("heading", name="4 photos").wait_for()
    expect(page.locator("tbody button .name")).to_have_text(["day.jpg", "dusk.jpg", "dawn.jpg", "night.jpg"])
    assert not [error for error in watched.errors if "anywidget" in error or "ipyfastai" in error]
