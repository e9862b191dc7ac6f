"""From ratings to a recommender as a person does it: real Chromium, real MovieLens, and the dashboard as it ships."""

import re
import shutil
from pathlib import Path

import pytest
from browser import fits
from drawings import DATA
from playwright.sync_api import expect

DASHBOARD = Path(__file__).parents[2] / "dashboards" / "collab_training.ipynb"
LATEST = DATA / "movielens" / "ml-latest-small"
HOSTILE = "<img src=x onerror=alert(1)>"
TABLE = (
    "# Table",
    f"""
from ipyfastai.models import Ratings
from ipyfastai.models.collab.baselines import Means
from ipyfastai.widgets import LatentFactors, RatingsTable
from ipywidgets import VBox
ratings = Ratings([0, 0, 1], [0, 1, 1], [4, 2.5, 5], user_ids=["ann", "<b>bob</b>"], item_ids=["7", "9"],
                  titles=[{HOSTILE!r}, "Nine Lanterns (2003)"])
table = RatingsTable(ratings)
table.predictor = Means(ratings)
VBox([table, LatentFactors()])
""",
)


@pytest.fixture
def watched(watch):
    watched = watch(viewport={"width": 1100, "height": 1000}, accept_downloads=True)
    yield watched
    assert not watched.foreign and not watched.errors


def number(page, label, value):
    """Fill in a number, and wait until the kernel has it: it says so when a field loses the focus."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.blur()
    expect(field).to_have_value(str(value))


def test_gaps_say_what_the_model_would(watched, serve_notebook):
    page = watched.page
    page.goto(serve_notebook(*TABLE))
    grid = page.get_by_role("grid", name="Ratings of the busiest users and titles")
    expect(grid.get_by_role("columnheader", name=HOSTILE)).to_be_visible()
    expect(grid.get_by_role("rowheader")).to_have_text(["ann", "<b>bob</b>"])
    gap = grid.get_by_role("gridcell", name=re.compile("not rated, would give"))
    expect(gap).to_have_text("")
    gap.hover()
    expect(gap).to_have_text(re.compile(r"^\d\.\d$"))
    reading = page.locator(".ipyfastai-ratings-table .reading")
    expect(reading).to_have_text(re.compile(r"^User <b>bob</b>, <img .*not rated, would give \d\.\d ★$"))
    page.mouse.move(5, 5)
    expect(gap).to_have_text("")
    grid.get_by_role("gridcell", name=re.compile("ann, Nine Lanterns")).click()
    expect(reading).to_have_text(re.compile(r"gave 2\.5 ★; the model says \d\.\d$"))
    page.keyboard.press("ArrowDown")
    expect(reading).to_have_text(re.compile(r"bob.*Nine Lanterns.*gave 5 ★"))
    page.keyboard.press("ArrowRight")
    expect(reading).to_have_text(re.compile(r"bob.*<img.*not rated"))
    page.keyboard.press("Control+Home")
    expect(grid.locator("td:focus")).to_have_attribute("aria-label", re.compile("^User ann, Nine Lanterns"))
    page.get_by_label("Fill the gaps").check()
    expect(gap).to_have_text(re.compile(r"^\d\.\d$"))


def test_factors_by_hand_and_learned(watched, serve_notebook):
    page = watched.page
    page.goto(serve_notebook(*TABLE))
    toy = page.locator(".ipyfastai-dot-product-toy")
    expect(toy.locator(".match")).to_have_text(["= 2.14", "= −1.61"])
    expect(toy.get_by_role("status")).to_have_text("The Last Skywalker fits better.")
    toy.get_by_role("slider", name="Somebody's taste: old").fill("1")
    expect(toy.locator(".match")).to_have_text(["= 0.70", "= −0.33"])
    toy.get_by_role("button", name="The lesson's numbers").click()
    expect(toy.locator(".match")).to_have_text(["= 2.14", "= −1.61"])

    sheet = page.locator(".ipyfastai-factor-sheet")
    where = sheet.locator(".where")
    expect(where).to_have_text(re.compile(r"^Step 0: mean squared error 6\."))
    cells = sheet.get_by_role("gridcell")
    expect(sheet.locator("thead .factors")).to_have_count(5)
    expect(sheet.locator(".chart text[text-anchor=middle]")).to_have_text(["0", "step"])
    sheet.get_by_role("button", name="One step").click()
    expect(where).to_have_text(re.compile(r"^Step 1: mean squared error [3-5]\."))
    sheet.get_by_role("button", name="Run").click()
    expect(where).to_have_text(re.compile(r"mean squared error 0\."))
    sheet.get_by_role("button", name="Pause").click()
    expect(sheet.get_by_role("button", name="Run")).to_be_visible()
    sheet.locator("td[data-place]").first.hover()
    expect(sheet.locator(".crosstab-box .reading")).to_have_text(re.compile(r"× .* \+ .* = \d"))
    sheet.get_by_role("slider", name="Factors").fill("2")
    expect(sheet.locator("thead .factors")).to_have_count(2)
    expect(where).to_have_text(re.compile("^Step 0:"))
    sheet.get_by_role("slider", name="Learning rate").fill("1")
    sheet.get_by_role("button", name="Run").click()
    expect(sheet.get_by_role("alert")).to_have_text(re.compile("learning rate of 10 the error grows without end"))
    expect(sheet.get_by_role("button", name="Run")).to_be_visible()
    sheet.get_by_role("button", name="Squared errors").click()
    expect(sheet.get_by_role("button", name="Squared errors")).to_have_attribute("aria-pressed", "true")
    expect(cells.first).to_be_visible()


def test_from_ratings_to_a_recommender(watched, serve_notebook, tmp_path):
    if not LATEST.is_dir():
        pytest.skip("no MovieLens here")
    page = watched.page
    zipped = shutil.make_archive(tmp_path / "ml-latest-small", "zip", LATEST.parent, LATEST.name)
    page.goto(serve_notebook(DASHBOARD))
    page.get_by_role("button", name="Upload a file").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("^Choose")).click()
    chooser.value.set_files(zipped)
    expect(page.get_by_text("100,836 ratings of 9,724 titles by 610 users")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Forrest Gump (1994)")).to_be_visible()

    page.get_by_label("Neural network", exact=True).uncheck()
    page.get_by_label("+ sigmoid range", exact=True).uncheck()
    page.get_by_label("+ biases", exact=True).uncheck()
    number(page, "Epochs", 2)
    number(page, "Factors", 8)
    number(page, "Batch size", 2048)
    number(page, "Learning rate", 0.03)
    page.get_by_role("button", name="Train", exact=True).click()
    figures = page.get_by_role("region", name="Figures of the rungs")
    rows = figures.get_by_role("row")
    expect(rows).to_have_count(6)
    expect(rows.nth(0)).to_have_text(re.compile("MSE.*RMSE.*MAE.*precision@10.*recall@10.*NDCG@10"))
    expect(rows.nth(1)).to_have_text(re.compile("^Dot productepoch . of 2"))
    expect(rows.nth(2)).to_have_text(re.compile(r"^\+ weight decayepoch . of 2"))
    expect(rows.nth(5)).to_have_text(re.compile(r"^most popular–––0\.\d"))
    expect(page.get_by_text(re.compile(r"^Random split: 20,167 of 100,836 ratings"))).to_be_visible()
    legend = page.locator(".ipyfastai-rung-figures .legend li")
    expect(legend).to_have_text(["Dot product", "+ weight decay", "means of users and items"])

    expect(page.get_by_role("heading", name="What the model knows")).to_be_visible()
    expect(page.get_by_label("Rung", exact=True)).to_have_value("+ weight decay")
    expect(page.locator(".ipyfastai-embedding-explorer")).to_be_visible()
    page.get_by_role("button", name="Built-in example", exact=True).click()
    page.get_by_role("button", name="Use the example").click()
    expect(page.get_by_text("15,000 ratings of 200 titles by 300 users")).to_be_visible()
    expect(page.get_by_text(re.compile("These ratings wait.*gives up its rungs"))).to_be_visible()
    gap = page.get_by_role("gridcell", name=re.compile("not rated, would give")).first
    gap.focus()
    expect(gap).to_have_text(re.compile(r"^\d\.\d$"))
    page.get_by_role("button", name="Liked beyond taste").click()
    expect(page.get_by_role("list", name="Liked, whoever rates them").get_by_role("listitem")).not_to_have_count(0)
    page.get_by_role("button", name="Keep the model").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name=re.compile("^Download the recommender")).click()
    from ipyfastai.models import Recommender

    model = Recommender.load(kept.value.path())
    assert model.n_users == 0 and model.n_items == 9724 and model.n_factors == 8

    page.get_by_role("button", name="Use the new ratings").click()
    expect(page.get_by_role("columnheader", name="Forrest Gump (1994)")).to_have_count(0)
    expect(figures).to_be_hidden()
    expect(page.get_by_role("heading", name="What the model knows")).to_have_count(0)
    expect(page.get_by_text(re.compile("These ratings wait"))).to_have_count(0)


def test_on_a_phone_the_tables_scroll_and_the_page_does_not(watch, serve_notebook):
    page = watch(viewport={"width": 390, "height": 844}).page
    page.goto(serve_notebook(*TABLE))
    expect(page.get_by_role("grid")).to_have_count(2)
    fits(page)
    page.wait_for_function("""() => {
      const [, box] = document.querySelectorAll('.crosstab');
      return box.scrollWidth > box.clientWidth;
    }""")
