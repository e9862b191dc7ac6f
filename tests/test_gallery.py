"""The gallery: what a visitor sees first, whatever state the notebooks are in."""

import json

import pytest
from browser import fits, ipyfastai, write_notebook
from ipyfastai.dashboards.cards import Card, cards
from playwright.sync_api import expect

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Notebooks as careful, careless and hostile people leave them."""
    folder = tmp_path_factory.mktemp("dashboards")
    (folder / "thumbnails").mkdir()
    (folder / "thumbnails" / "good.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "thumbnails" / "notes.txt").write_text("not a picture")
    (folder / "secret.png").write_bytes(b"an upload")
    needs = {"processor": "GPU", "memory": "2 GB"}
    write_notebook(
        folder / "good.ipynb", "# Good", title="Good", summary="Fine.", needs=needs, thumbnail="good.svg", order=1
    )
    write_notebook(folder / "hostile.ipynb", "# x", title=HOSTILE, summary=HOSTILE, thumbnail="../secret.png")
    write_notebook(folder / f"{HOSTILE[:4]} &.ipynb", f"# {HOSTILE} heading")
    write_notebook(folder / "wrong_kinds.ipynb", "Text only", title=["no"], needs="GPU", order="first")
    (folder / "not_json.ipynb").write_text("{")
    (folder / "a_list.ipynb").write_text(json.dumps([1]))
    (folder / "odd.ipynb").write_text(json.dumps({"metadata": None, "cells": [None, {"cell_type": "markdown"}]}))
    return folder


@pytest.fixture(scope="module")
def odd_gallery(folder):
    with ipyfastai(folder, "--preheat", "0") as server:
        yield server.url


def test_a_card_falls_back_to_the_heading_then_the_file_name(folder):
    titles = {card.name: card.title for card in cards(folder)}
    assert titles["good"] == "Good"
    assert titles["<img &"] == f"{HOSTILE} heading"
    assert titles["wrong_kinds"] == "Wrong kinds"
    assert titles["not_json"] == "Not json"
    assert titles["a_list"] == "A list"


def test_cards_come_in_their_order_then_by_title(folder):
    titles = [card.title for card in cards(folder)]
    assert titles[0] == "Good"
    assert titles[1:] == sorted(titles[1:], key=str.lower)


def test_what_a_card_needs(folder):
    good = Card.of(folder / "good.ipynb")
    assert good.needs == ("GPU", "2 GB")
    assert good.wants_gpu
    assert Card.of(folder / "wrong_kinds.ipynb").needs == ()


def test_a_thumbnail_outside_the_thumbnails_folder_is_none(folder):
    assert Card.of(folder / "good.ipynb").thumbnail == "good.svg"
    assert Card.of(folder / "hostile.ipynb").thumbnail is None


def test_the_shipped_dashboards_have_complete_cards(page, gallery):
    page.goto(gallery)
    expect(page).to_have_title("Dashboards · ipyfastai")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboards")
    shown = page.locator(".card")
    expect(shown.nth(1)).to_be_visible()
    for card in shown.all():
        expect(card.locator("h2")).not_to_be_empty()
        expect(card.locator("p").first).not_to_be_empty()
        expect(card.get_by_role("list", name="Needs").get_by_role("listitem")).to_have_count(2)
        card.locator("img").scroll_into_view_if_needed()
        expect(card.locator("img")).not_to_have_js_property("naturalWidth", 0)


def test_odd_notebooks_get_cards_and_run_no_script(watch, odd_gallery, folder):
    watched = watch()
    watched.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    watched.page.goto(odd_gallery)
    expect(watched.page.locator(".card")).to_have_count(len(list(folder.glob("*.ipynb"))))
    expect(watched.page.get_by_role("heading", name=HOSTILE, exact=True)).to_be_visible()
    expect(watched.page.locator("img[onerror], script")).to_have_count(0)
    assert watched.errors == [] and watched.foreign == []


def test_a_file_name_with_odd_characters_leads_to_its_page(page, odd_gallery):
    page.goto(odd_gallery)
    page.get_by_role("link", name=f"{HOSTILE} heading").click()
    expect(page.get_by_role("link", name="All dashboards")).to_be_visible()
    expect(page).to_have_title(f"{HOSTILE} heading")


def test_a_notebook_that_is_added_shows_at_once(page, odd_gallery, folder):
    page.goto(odd_gallery)
    added = write_notebook(folder / "added.ipynb", "# Added later")
    page.reload()
    expect(page.get_by_role("link", name="Added later")).to_be_visible()
    added.unlink()


def test_an_empty_folder_says_what_to_do(page, tmp_path):
    with ipyfastai(tmp_path) as server:
        page.goto(server.url)
        expect(page.get_by_text("There is no dashboard here yet")).to_be_visible()


def test_by_keyboard(page, gallery):
    page.goto(gallery)
    page.keyboard.press("Tab")
    first = page.locator(".card").first
    expect(first.get_by_role("link")).to_be_focused()
    expect(first).to_have_css("outline-style", "solid")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{gallery}voila/render/bear_classifier.ipynb")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_scrolls_sideways(watch, odd_gallery, width):
    page = watch(viewport={"width": width, "height": 800}).page
    page.goto(odd_gallery)
    fits(page)


def test_dark_when_the_system_is(watch, gallery):
    for scheme, background in {"light": "rgb(246, 247, 249)", "dark": "rgb(20, 23, 28)"}.items():
        page = watch(color_scheme=scheme).page
        page.goto(gallery)
        expect(page.locator("body")).to_have_css("background-color", background)


def test_it_needs_no_script_and_may_run_none(watch, gallery):
    page = watch(java_script_enabled=False).page
    headers = page.goto(gallery).headers
    expect(page.locator(".card").first).to_be_visible()
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
