"""Cleaning the sample bears as somebody does it: real Chromium, our server, marks that survive."""

import io
import json
import os
import re
import shutil
import signal
import zipfile

import pytest
from browser import fits, ipyfastai, write_notebook
from drawings import DATA, plain
from ipyfastai.models.cleaning.trash import Trash
from playwright.sync_api import expect

# From the README of the sample data: the same photo as black/00000015.jpg, two puppies, and what is no photo.
# There is another black/00000148.jpg.
TWIN, PUPPIES = "grizzly/00000148.jpg", ("teddy/00000056.jpg", "teddy/00000088.jpg")
BROKEN = "teddy/00000023.jpg"

# Predictions as of a model that knows what was moved to bears_dirty, so that those come first.
CELL = """
import os
from pathlib import Path
import numpy as np
from ipywidgets import HTML
from ipyfastai.models.interpretation.predictions import predictions_table
from ipyfastai.widgets import ImageCleaner

root, labels = Path({root!r}).resolve(), ["black", "grizzly", "teddy"]
files = sorted(root.glob("*/*.jpg"))
truth = np.array([labels.index(file.parent.name) for file in files])
wrong = np.array([file.name in {wrong!r} for file in files])
shares = np.full((len(files), 3), 0.02)
shares[np.arange(len(files)), np.where(wrong, (truth + 2) % 3, truth)] = 0.96
shares[wrong, truth[wrong]] -= np.linspace(0, 0.01, wrong.sum())
shares /= shares.sum(1, keepdims=True)
split = np.where(np.arange(len(files)) % 5 == 0, "valid", "train")
table = predictions_table(files, truth, probabilities=shares, labels=labels, split=split)
cleaner = ImageCleaner(table)
pid = HTML(f"<p class='pid'>{{os.getpid()}}</p>")
"""


def photos(folder):
    """The clean bears and the dirty ones in one folder."""
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    for source in ("bears", "bears_dirty"):
        shutil.copytree(DATA / source, folder, dirs_exist_ok=True)
    return folder


def cells(folder):
    dirty = {file.name for file in (DATA / "bears_dirty").glob("*/0*.jpg")}
    return "# Cleaner", CELL.format(root=str(folder), wrong=dirty) + "cleaner", "pid"


def open_cleaner(page, url):
    page.goto(url)
    page.get_by_role("gridcell").first.wait_for()
    return page


def cell(page, name):
    return page.get_by_role("gridcell", name=name).first


def show(page, text):
    """Choose a class, and wait until its pictures are there."""
    select = page.get_by_label("Show", exact=True).first
    option = select.locator("option", has_text=re.compile(rf"^{text}.*\([\d,]+")).first
    number = re.search(r"\(([\d,]+)", option.text_content())[1]
    select.select_option(index=option.evaluate("option => option.index"))
    page.get_by_text(re.compile(rf"^{number} pictures?$")).first.wait_for()


def counts(page, text):
    page.locator(".counts", has_text=text).first.wait_for()


def marked(page, name, text):
    cell(page, name).locator(".badge", has_text=text).wait_for()


def pid(page):
    """The process of the page's kernel."""
    expect(page.locator(".pid")).to_have_text(re.compile(r"^\d+$"))
    return int(page.locator(".pid").inner_text())


@pytest.fixture(scope="module")
def link(tmp_path_factory):
    return tmp_path_factory.mktemp("cleaner") / "bears"


@pytest.fixture
def bears(tmp_path, link):
    """A folder of its own for each test, to which a link leads: one server for all of them."""
    link.unlink(missing_ok=True)
    link.symlink_to(photos(tmp_path / "bears"))
    return tmp_path / "bears"


@pytest.fixture
def url(serve_notebook, bears, link):
    return serve_notebook(*cells(link))


@pytest.fixture
def cleaner(watch, url):
    """The page; at its end nothing foreign was asked for and nothing had gone wrong."""
    watched = watch(viewport={"width": 1100, "height": 1200})
    yield open_cleaner(watched.page, url)
    assert not watched.foreign and not watched.errors


def test_from_the_first_look_to_apply_undo_and_the_trash(cleaner, bears):
    page, press = cleaner, cleaner.keyboard.press
    # The twin, by keyboard: it is moved, and the next picture is selected.
    show(page, "grizzly")
    cell(page, TWIN).click()
    press("1")
    counts(page, "0 to delete, 1 to move")
    marked(page, TWIN, "→ black")
    page.wait_for_function("document.activeElement.getAttribute('aria-selected') === 'true'")  # the keys go on
    # What cannot be opened stands there with its name and the reason.
    show(page, "teddy")
    cell(page, BROKEN).get_by_text("This is a web page, not a photo").wait_for()
    # Several at once, and a change of mind.
    for number, name in enumerate((*PUPPIES, BROKEN)):
        cell(page, name).click(modifiers=["Control"] if number else [])
    press("Delete")
    counts(page, "3 to delete, 1 to move")
    press("u")
    counts(page, "0 to delete, 1 to move")
    press("Shift+U")
    counts(page, "3 to delete, 1 to move")

    # What a reload finds: the same marks, from the disk, in a kernel of its own.
    old = pid(page)
    open_cleaner(page, page.url)
    counts(page, "3 to delete, 1 to move")
    show(page, "Marked")
    page.get_by_text("4 pictures", exact=True).wait_for()
    marked(page, TWIN, "→ black")
    assert pid(page) != old

    # Apply: read, then done.
    page.get_by_role("button", name="Apply 4 marks").click()
    manifest = page.get_by_role("region", name="What will be done")
    manifest.get_by_role("row", name=f"Move {TWIN} black/00000148-2.jpg").wait_for()
    expect(manifest.get_by_role("row")).to_have_count(5)
    assert (bears / BROKEN).exists()
    page.get_by_role("button", name="Yes, do this with 4 pictures").click()
    page.get_by_text("Applied: 1 moved, 3 in the trash.").wait_for()
    assert (bears / "black/00000148-2.jpg").exists() and not any((bears / name).exists() for name in (*PUPPIES, BROKEN))
    counts(page, "Nothing is marked yet.")

    # One puppy comes back out of the trash, then everything does.
    page.get_by_role("button", name="Trash (3)").click()
    page.get_by_role("button", name=f"Restore {PUPPIES[0]}").click()
    page.get_by_text("Restored: 1 file.").wait_for()
    assert (bears / PUPPIES[0]).exists() and not (bears / PUPPIES[1]).exists()
    page.get_by_role("button", name="Undo the last Apply").click()
    page.get_by_text("The last Apply is undone").wait_for()
    assert all((bears / name).exists() for name in (TWIN, *PUPPIES, BROKEN))
    assert not (bears / "black/00000148-2.jpg").exists()


def test_the_enlarged_picture_takes_the_same_keys_and_buttons(cleaner):
    page, press = cleaner, cleaner.keyboard.press
    page.get_by_role("gridcell").first.click()
    press("Enter")
    dialog = page.get_by_role("dialog")
    said = dialog.get_by_role("status")
    page.wait_for_function("document.querySelector('dialog[open] canvas')?.width > 160")
    first = said.inner_text()
    press("d")
    page.wait_for_function("before => document.querySelector('dialog .said').textContent !== before", arg=first)
    counts(page, "1 to delete")
    dialog.get_by_role("button", name="Keep").click()
    counts(page, "1 to delete, 0 to move, 1 to keep")
    dialog.get_by_role("button", name="Undo").click()
    counts(page, "1 to delete, 0 to move, 0 to keep")
    press("Escape")
    dialog.wait_for(state="hidden")
    page.wait_for_function("document.activeElement.getAttribute('role') === 'gridcell'")


def test_marks_survive_a_killed_kernel(watch, url):
    watched = watch(viewport={"width": 1100, "height": 1200})
    page = open_cleaner(watched.page, url)
    cell(page, TWIN).click()
    page.keyboard.press("1")
    counts(page, "1 to move")
    os.kill(pid(page), signal.SIGKILL)
    open_cleaner(page, page.url)
    counts(page, "1 to move")
    page.get_by_role("button", name="Undo", exact=True).click()
    counts(page, "Nothing is marked yet.")


def test_two_views_show_one_state(watch, serve_notebook, bears):
    watched = watch(viewport={"width": 1100, "height": 2400})
    both = CELL.format(root=str(bears), wrong=set()) + "cleaner", "cleaner"
    page = open_cleaner(watched.page, serve_notebook("# Twice", *both))
    page.get_by_role("gridcell").first.click()
    page.keyboard.press("k")
    for grid in (0, 1):
        expect(page.get_by_role("grid").nth(grid).locator(".badge:visible")).to_have_text(["Keep"])
    show(page, "teddy")
    page.get_by_label("Show", exact=True).nth(1).locator("option:checked", has_text="teddy").wait_for(state="attached")
    page.get_by_role("button", name="Undo", exact=True).nth(1).click()
    page.locator(".counts", has_text="Nothing is marked yet.").nth(1).wait_for()
    assert not watched.errors


def test_two_pages_that_apply_at_once_move_each_file_once(watch, url, bears):
    one = watch(viewport={"width": 1100, "height": 1200})
    first = open_cleaner(one.page, url)
    show(first, "teddy")
    for number, name in enumerate((*PUPPIES, BROKEN)):
        cell(first, name).click(modifiers=["Control"] if number else [])
    first.keyboard.press("Delete")
    counts(first, "3 to delete")
    second = open_cleaner(one.new_page(), url)
    counts(second, "3 to delete")
    assert pid(first) != pid(second)
    for page in (first, second):
        page.get_by_role("button", name="Apply 3 marks").click()
        expect(page.get_by_role("button", name="Yes, do this with 3 pictures")).to_be_visible()
    for page in (first, second):  # without a look at what comes of it
        page.get_by_role("button", name="Yes, do this with 3 pictures").evaluate("button => button.click()")
    done = re.compile("Applied: 3 in the trash.")
    late = re.compile("Applied: nothing. 3 files left as they are: The file is gone.")
    for page in (first, second):
        expect(page.get_by_text(done).or_(page.get_by_text(late)).first).to_be_visible()
    winner, loser = (first, second) if first.get_by_text(done).count() else (second, first)
    expect(loser.get_by_text(late)).to_be_visible()
    assert not any((bears / name).exists() for name in (*PUPPIES, BROKEN))
    assert sorted(Trash(bears).list()["item"]) == sorted((*PUPPIES, BROKEN))
    winner.get_by_role("button", name="Undo the last Apply").click()
    expect(winner.get_by_text("The last Apply is undone: 3 files.")).to_be_visible()
    assert all((bears / name).exists() for name in (*PUPPIES, BROKEN))
    assert not one.foreign and not one.errors


def test_labels_are_text_whatever_they_hold(watch, serve_notebook, tmp_path):
    hostile = "<img src=x onerror=document.title='run'>"
    (tmp_path / "photos" / hostile).mkdir(parents=True)
    (tmp_path / "photos" / "b&b").mkdir()
    for folder in (hostile, "b&b"):
        (tmp_path / "photos" / folder / "<b>1.jpg").write_bytes(plain())
    code = f"""
import pandas as pd
from pathlib import Path
from ipyfastai.widgets import ImageCleaner
files = sorted(Path({str(tmp_path / "photos")!r}).glob("*/*"))
ImageCleaner(pd.DataFrame({{"item": list(map(str, files)), "label": [file.parent.name for file in files]}}))
"""
    watched = watch()
    page = open_cleaner(watched.page, serve_notebook("# Hostile", code))
    page.get_by_role("gridcell").first.click()
    page.keyboard.press("2")
    counts(page, "1 to move")
    page.get_by_role("button", name="Apply 1 mark").click()
    page.get_by_role("button", name="Yes, do this").wait_for()
    expect(page.locator("img[src=x]")).to_have_count(0)
    expect(page).not_to_have_title("run")
    assert not watched.errors


def test_a_public_server_marks_and_does_not_apply(watch, bears, tmp_path):
    notebook = write_notebook(tmp_path / "public.ipynb", *cells(bears))
    environment = {"IPYFASTAI_PUBLIC": "1", "IPYFASTAI_APPLY": ""}
    with ipyfastai(notebook, "--preheat", "0", env=environment) as server:
        watched = watch(accept_downloads=True)
        page = open_cleaner(watched.page, server.url)
        cell(page, TWIN).click()
        page.keyboard.press("1")
        page.get_by_text("On a public server marks are not carried out").wait_for()
        expect(page.get_by_role("button", name="Apply")).to_have_count(0)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download marks as CSV").click()
        text = waiting.value.path().read_text(encoding="utf-8-sig")
        assert text.splitlines() == ["item,action,to", f"{TWIN},move,black"]


def test_on_a_phone_and_in_the_dark(watch, url):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark")
    page = open_cleaner(watched.page, f"{url}?theme=dark")
    fits(page)
    for number in range(2):
        page.get_by_role("gridcell").nth(number).tap()
    page.get_by_text("2 selected").wait_for()
    delete = page.get_by_role("button", name="Delete", exact=True)
    page.wait_for_function(  # within reach of a thumb
        "([button, grid]) => button.getBoundingClientRect().top >= grid.getBoundingClientRect().bottom",
        arg=[delete.element_handle(), page.get_by_role("grid").element_handle()],
    )
    delete.tap()
    counts(page, "2 to delete")
    assert not watched.errors


@pytest.fixture(scope="module")
def archive():
    """A zip of class folders: ten photos of each class, and the dirty ones of teddy."""
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for label in ("black", "grizzly", "teddy"):
            for file in sorted((DATA / "bears" / label).iterdir())[:10]:
                zipped.write(file, f"bears/{label}/{file.name}")
        for name in (*PUPPIES, BROKEN):
            zipped.write(DATA / "bears_dirty" / name, f"bears/{name}")
    return {"name": "bears.zip", "mimeType": "application/zip", "buffer": out.getvalue()}


def test_the_dashboard_from_zip_to_zip(watch, gallery, archive, tmp_path):
    watched = watch(accept_downloads=True, viewport={"width": 1100, "height": 1200})
    page = watched.page
    page.goto(gallery)
    page.get_by_role("link", name="Image cleaner").click()
    page.get_by_text("Choose").first.wait_for()
    page.locator("input[type=file]").first.set_input_files(archive)
    page.get_by_role("gridcell").first.wait_for()
    show(page, "teddy")
    cell(page, BROKEN).get_by_text("This is a web page, not a photo").wait_for()
    for number, name in enumerate((*PUPPIES, BROKEN)):
        cell(page, name).click(modifiers=["Control"] if number else [])
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Apply 3 marks").click()
    page.get_by_role("button", name="Yes, do this").click()
    page.get_by_text("Applied: 3 in the trash.").wait_for()
    page.get_by_role("button", name="Pack the cleaned pictures").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the cleaned pictures").click()
    home = zipfile.ZipFile(waiting.value.path())
    assert len(home.namelist()) == 31 and home.testzip() is None
    assert not any(name.endswith(PUPPIES) for name in home.namelist())
    assert not watched.foreign and not watched.errors


def test_the_drawings_take_one_click_and_move_to_a_class_of_their_own(watch, gallery):
    watched = watch(viewport={"width": 1100, "height": 1200})
    page, press = watched.page, watched.page.keyboard.press
    page.goto(f"{gallery}voila/render/image_cleaner.ipynb")
    page.get_by_role("button", name="Try it with drawings").click()
    page.get_by_text("12 of them with a wrong label").wait_for()
    page.get_by_text("240 pictures", exact=True).wait_for()
    page.get_by_role("gridcell").first.click()
    page.get_by_role("button", name="New class").click()
    name = page.get_by_label("Name of the new class")
    expect(name).to_be_focused()
    name.fill("Triangle")
    press("Enter")
    page.get_by_role("alert").filter(has_text="There is a class 'triangle' already").wait_for()
    name.fill("odd ones")
    press("Enter")
    expect(name).to_be_hidden()
    expect(page.get_by_role("button", name="New class")).to_be_focused()
    expect(page.get_by_role("gridcell").first).to_contain_text("→ odd ones")
    # It is offered like the others, with a key; and Escape leaves the form.
    page.get_by_role("gridcell").nth(1).click()
    press("4")
    counts(page, "0 to delete, 2 to move")
    page.get_by_role("button", name="New class").click()
    expect(name).to_have_value("")
    press("Escape")
    expect(name).to_be_hidden()
    page.get_by_role("button", name="Apply 2 marks").click()
    page.get_by_role("button", name="Yes, do this with 2 pictures").click()
    page.get_by_text("Applied: 2 moved.").wait_for()
    show(page, "odd ones")
    page.get_by_text("2 pictures", exact=True).wait_for()
    page.get_by_role("button", name="Undo the last Apply").click()
    page.get_by_text("The last Apply is undone").wait_for()
    counts(page, "0 to delete, 2 to move")
    assert not watched.foreign and not watched.errors


def test_in_jupyterlab_its_keys_are_its_own(watch, jupyterlab):
    """A digit makes a cell a heading there, and D twice deletes it: not while somebody marks pictures."""
    folder = photos(jupyterlab.folder / "bears")
    write_notebook(jupyterlab.folder / "cleaning.ipynb", CELL.format(root=str(folder), wrong=set()) + "cleaner")
    page = watch(viewport={"width": 1400, "height": 1300}).page
    page.goto(f"{jupyterlab.url}lab/tree/cleaning.ipynb?reset")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_role("gridcell").first.wait_for()
    page.get_by_role("gridcell").first.click()
    for key in ("d", "d", "1", "k"):
        page.keyboard.press(key)
    counts(page, "2 to delete, ")
    counts(page, "1 to keep")
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(1)
    journal = folder.parent / ".bears.ipyfastai" / "marks.jsonl"
    steps = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    assert len(steps) == 4
