"""The recommender as a visitor meets it: the dashboard on real ratings in real Chromium."""

import csv
from pathlib import Path

import ipyfastai.dashboards
import pytest
from browser import fits
from factorise import movielens_recommender
from playwright.sync_api import expect

NOTEBOOK = Path(ipyfastai.dashboards.__file__).with_name("movie_recommender.ipynb")
ALIEN, ALIENS = "Alien (1979)", "Aliens (1986)"

FULL = (
    "# Full",
    """
from ipyfastai.models import Recommender
from ipyfastai.widgets import Recommendations
from ipyfastai.widgets.collab import recommendations
recommendations.MOST_RATED = 1
Recommendations(Recommender.shipped())
""",
)


@pytest.fixture(scope="module")
def url(serve_notebook, tmp_path_factory):
    file = movielens_recommender()[0].save(tmp_path_factory.mktemp("served") / "movies.safetensors")
    return serve_notebook(NOTEBOOK, arguments=("--recommender", file))


@pytest.fixture
def movies(watch, url):
    """The page; at its end nothing foreign was asked for and nothing had gone wrong."""
    watched = watch(accept_downloads=True)
    yield begin(watched.page, url)
    assert not watched.foreign and not watched.errors


def begin(page, url):
    page.goto(url)
    expect(page.get_by_role("heading", name="Popular titles to begin with")).to_be_visible()
    return page


def find(page, typed, title):
    """Search with the keyboard alone and take the first find."""
    box = page.get_by_role("combobox", name="Search a title you know")
    box.fill(typed)
    expect(options(page).first).to_contain_text(title)
    box.press("Enter")


def stars(page, title, where="Your ratings"):
    titles = page.get_by_role("list", name=where, exact=True)
    return titles.get_by_role("radiogroup", name=f"Your rating of {title}", exact=True)


def options(page):
    return page.get_by_role("listbox", name="Titles found").get_by_role("option")


def rate(page, typed, title, rating):
    find(page, typed, title)
    stars(page, title).get_by_role("radio", name=f"{rating} of 5 stars", exact=True).click()
    expect(page.get_by_role("list", name="Your ratings").locator(".title").filter(has_text=title)).to_be_visible()


def recommended(page):
    return page.get_by_role("list", name="For you").locator(".title")


def test_rate_a_few_see_a_list_take_one_away_and_undo(movies):
    rate(movies, "alien", ALIEN, 5)
    rate(movies, "matirx", "Matrix, The (1999)", 4.5)
    expect(movies.get_by_role("heading", name="Your ratings (2)")).to_be_visible()
    rate(movies, "notting", "Notting Hill (1999)", 1)
    expect(movies.get_by_role("heading", name="Your ratings (3)")).to_be_visible()
    expect(recommended(movies)).to_have_count(10)
    before = recommended(movies).all_inner_texts()
    movies.get_by_role("button", name=f"Take the rating away: {ALIEN}").click()
    expect(movies.get_by_role("heading", name="Your ratings (2)")).to_be_visible()
    expect(recommended(movies)).not_to_have_text(before)
    expect(movies.locator(".title[data-moved]:not([data-moved=''])").first).to_be_visible()  # "new", "▲ 2"
    expect(movies.get_by_role("status").filter(has_text=f"{ALIEN} taken away.")).to_have_count(1)
    movies.get_by_role("button", name="Undo").click()
    expect(movies.get_by_role("heading", name="Your ratings (3)")).to_be_visible()
    expect(recommended(movies)).to_have_text(before)
    expect(movies.locator(".reason", has_text="Because you rated").first).to_be_visible()


def test_with_the_keyboard_alone(movies):
    find(movies, "the alien", ALIEN)
    group = stars(movies, ALIEN)
    expect(group.get_by_role("radio").first).to_be_focused()
    for _ in range(7):
        movies.keyboard.press("ArrowRight")
    expect(group.get_by_role("radio", name="4 of 5 stars", exact=True)).to_be_checked()
    movies.keyboard.press("Enter")  # else the page waits until the arrows rest
    expect(movies.get_by_role("heading", name="For you")).to_be_visible()
    expect(group.get_by_role("radio", name="4 of 5 stars", exact=True)).to_be_focused()
    movies.keyboard.press("Tab")
    remove = movies.get_by_role("button", name=f"Take the rating away: {ALIEN}")
    expect(remove).to_be_focused()
    movies.keyboard.press("Space")
    expect(movies.get_by_role("heading", name="Popular titles to begin with")).to_be_visible()
    expect(movies.get_by_role("combobox", name="Search a title you know")).to_be_focused()


def test_a_recommendation_that_is_rated_moves_up_with_the_focus(movies):
    first = movies.get_by_role("list", name="Popular titles to begin with").locator(".title").first
    expect(first).to_have_text("Shawshank Redemption, The (1994)")
    group = stars(movies, "Shawshank Redemption, The (1994)", "Popular titles to begin with")
    group.get_by_role("radio", name="5 of 5 stars", exact=True).click()
    rated = movies.get_by_role("list", name="Your ratings")
    expect(rated.locator(".title")).to_have_text(["Shawshank Redemption, The (1994)"])
    expect(rated.get_by_role("radio", name="5 of 5 stars", exact=True)).to_be_focused()
    expect(recommended(movies).filter(has_text="Shawshank")).to_have_count(0)


def test_search_that_finds_nothing_and_escape(movies):
    box = movies.get_by_role("combobox", name="Search a title you know")
    box.fill("xyzzyq")
    expect(movies.get_by_text("No title like this. Fewer letters find more.")).to_be_visible()
    box.press("Enter")
    box.press("Escape")
    expect(movies.get_by_role("listbox")).to_have_count(0)
    box.fill("alien")
    expect(options(movies).first).to_have_attribute("aria-selected", "true")
    box.press("ArrowDown")
    expect(options(movies).nth(1)).to_have_attribute("aria-selected", "true")
    expect(options(movies).first).to_have_attribute("aria-selected", "false")


def test_enter_takes_no_title_that_was_found_for_fewer_letters(movies):
    box = movies.get_by_role("combobox", name="Search a title you know")
    box.fill("alien")
    expect(options(movies).first).to_contain_text(ALIEN)
    box.evaluate("""(box) => {  // before an answer can come
      box.value = "aliens";
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    }""")
    expect(options(movies).first).to_contain_text(ALIENS)
    expect(options(movies).first).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(stars(movies, ALIENS).get_by_role("radio").first).to_be_focused()
    expect(stars(movies, ALIEN)).to_have_count(0)


def test_why_similar_hide_genre_and_download(movies):
    rate(movies, "alien", ALIEN, 5)
    expect(recommended(movies)).to_have_count(10)
    movies.get_by_role("button", name="Why this:").first.click()
    table = movies.locator(".panel table")
    expect(table).to_contain_text("A typical rating")
    expect(table).to_contain_text(f"You rated {ALIEN} 5 ★")
    movies.get_by_role("button", name="Similar titles:").first.click()
    similar = movies.get_by_role("list", name="Similar to")
    expect(similar.get_by_role("listitem")).to_have_count(6)
    expect(table).to_have_count(0)

    first = recommended(movies).first.inner_text()
    movies.get_by_role("button", name=f"Do not show: {first}", exact=True).click()
    expect(recommended(movies).filter(has_text=first)).to_have_count(0)
    movies.get_by_role("combobox", name="Genre").select_option("Western")
    expect(movies.locator("ol .title-row", has_text="Western")).to_have_count(10)
    movies.get_by_role("button", name="Show more").first.click()
    expect(recommended(movies)).to_have_count(20)
    with movies.expect_download() as waiting:
        movies.get_by_role("button", name="Download CSV").click()
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20 and all("Western" in row["genres"] for row in rows)


def test_a_rating_that_is_one_too_many_is_refused_in_sight(watch, serve_notebook):
    watched = watch(viewport={"width": 900, "height": 600})
    page = begin(watched.page, serve_notebook(*FULL))
    lists = page.get_by_role("list", name="Popular titles to begin with")
    lists.get_by_role("radiogroup").first.get_by_role("radio", name="5 of 5 stars", exact=True).click()
    group = page.get_by_role("list", name="For you").get_by_role("radiogroup").last
    star = group.get_by_role("radio", name="4 of 5 stars", exact=True)
    expect(star).to_be_visible()
    star.click()
    refusal = page.get_by_role("alert").filter(has_text="1 titles are rated")
    expect(refusal).to_be_in_viewport()
    expect(star).not_to_be_checked()
    page.get_by_role("button", name="Take the rating away:").click()
    expect(refusal).to_have_count(0)
    assert not watched.foreign and not watched.errors


def test_what_is_liked_beyond_taste(movies):
    most = movies.get_by_role("list", name="Liked, whoever rates them")
    button = most.get_by_role("button").first
    title = button.inner_text()
    button.click()
    expect(most.get_by_role("button", name=title)).to_have_attribute("aria-expanded", "true")
    expect(most.get_by_role("region", name=title)).to_contain_text("1 of ")
    box = movies.get_by_role("combobox", name="Find a title")
    box.fill("toy story 2")
    expect(options(movies).first).to_contain_text("Toy Story 2 (1999)")
    box.press("Enter")
    figures = movies.get_by_role("region", name="Toy Story 2 (1999)")
    expect(figures).to_be_focused()
    expect(figures).to_contain_text("97 ratings")
    box.fill("toy story 2")
    expect(options(movies).first).to_contain_text("Toy Story 2 (1999)")
    box.press("Enter")  # though nothing changes
    expect(figures).to_be_focused()
    floor = movies.get_by_role("combobox", name="Rated at least")
    floor.focus()
    floor.select_option("50 times")
    often = (movielens_recommender()[0].item_counts >= 50).sum()
    expect(figures).to_contain_text(f" of {often:,}")
    expect(floor).to_be_focused()
    movies.get_by_role("button", name="People", exact=True).click()
    expect(movies.get_by_role("list", name="The kindest").get_by_role("button")).to_have_count(10)
    expect(movies.get_by_role("button", name="People", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_shipped_example_says_that_it_is_generated(page, gallery):
    begin(page, f"{gallery}voila/render/movie_recommender.ipynb")
    expect(page.locator(".ipyfastai-recommendations")).to_contain_text("no title here is a real film's")
    expect(page.locator(".ipyfastai-recommendations")).to_contain_text("movie_recommender --download ml-latest-small")
    group = page.get_by_role("list", name="Popular titles to begin with").get_by_role("radiogroup").first
    group.get_by_role("radio", name="5 of 5 stars", exact=True).click()
    expect(recommended(page)).to_have_count(10)


def test_on_a_phone_in_the_dark(watch, url):
    watched = watch(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, color_scheme="dark")
    page = begin(watched.page, url)
    group = page.get_by_role("list", name="Popular titles to begin with").get_by_role("radiogroup").first
    group.get_by_role("radio", name="4.5 of 5 stars", exact=True).tap()
    expect(recommended(page)).to_have_count(10)
    page.get_by_role("button", name="Why this:").first.tap()
    expect(page.locator(".panel table")).to_be_visible()
    fits(page)
    assert not watched.foreign and not watched.errors
