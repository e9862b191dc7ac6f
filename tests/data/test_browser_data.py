"""Getting, checking, labelling and splitting images as a person does it, in a real browser."""

import io
import re
import shutil
import zipfile

import pytest
from browser import finds_nothing, fits
from drawings import DATA, HTML, encoded, plain
from playwright.sync_api import expect
from test_browser_classifier import CONTRAST
from test_check import fill, photo

WHOLE = """
from ipyfastai.widgets import DataCheck, ImageSource, SplitChooser
from ipywidgets import VBox
source, check, split = ImageSource(), DataCheck(), SplitChooser()
source.observe(lambda change: change.new and check.check(change.new), "value")
check.observe(lambda change: split.show(change.new and change.new.items), "value")
VBox([source, check, split])
"""


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(12):
            archive.writestr(f"set/red/{n}.jpg", encoded(photo(n)))
            archive.writestr(f"set/<b>/{n}.jpg", encoded(photo(50 + n)))
        archive.writestr("set/<b>/page.jpg", HTML)
        archive.writestr("set/<b>/copy.jpg", encoded(photo(3).resize((120, 90))))
        archive.writestr("../evil.jpg", plain())
    return {"name": "my set.zip", "mimeType": "application/zip", "buffer": out.getvalue()}


def cells(page, title):
    return page.get_by_role("region", name=title).locator("tbody td")


@pytest.fixture
def watched(watch):
    """At its end nothing foreign was asked for and nothing had gone wrong."""
    one = watch()
    yield one
    assert not one.foreign and not one.errors


def test_a_zip_is_unpacked_checked_mended_and_split(watched, serve_notebook):
    page = watched.page
    page.goto(serve_notebook("# Data", WHOLE))
    page.get_by_role("button", name="Upload a zip").wait_for()
    page.get_by_text("There are no photos to split yet.").wait_for()
    page.locator("input[type=file]").first.set_input_files([zipped()])
    page.get_by_text("26 photos in 2 folders.").wait_for()
    page.get_by_text("What was left out").click()
    expect(cells(page, "What was left out")).to_have_text(["../evil.jpg", "Its name leads out of the folder (../)."])
    page.get_by_text("1 of 26 photos cannot be opened.").wait_for()
    page.get_by_text('25 photos of 2 labels: always saying "<b>" would be right for 52 %.').wait_for()
    expect(cells(page, "Labels (2)")).to_have_text(["<b>", "13", "52 %", "red", "12", "48 %"])
    expect(cells(page, "Cannot be opened (1)").first).to_have_text("set/<b>/page.jpg")
    expect(page.locator("td b, td > b")).to_have_count(0)  # a name is no markup

    pictures = page.locator(".ipyfastai-picture-grid")
    pictures.get_by_text("set 1 of 1").first.wait_for()
    for name in ("red/3.jpg", "<b>/copy.jpg"):
        expect(pictures.get_by_title(name)).to_be_visible()
    page.get_by_role("button", name="Move 1 file aside").click()
    page.get_by_text("1 file moved to the folder").wait_for()
    page.get_by_text("1 of 26 photos cannot be opened.").wait_for(state="hidden")
    page.get_by_role("button", name="Undo: put 1 file back").click()
    page.get_by_text("1 of 26 photos cannot be opened.").wait_for()

    page.get_by_text("20 photos to learn from, 5 to be tested on (20 %).").wait_for()
    page.get_by_label("Validation (%)").fill("40")
    page.get_by_text("15 photos to learn from, 10 to be tested on (40 %).").wait_for()
    page.get_by_label("Keep copies on one side").uncheck()
    page.get_by_label("Seed").fill("7")
    page.get_by_text(re.compile("photos to learn from, 10 to be tested on")).wait_for()


def test_the_digits_by_keyboard(watched, serve_notebook):
    page = watched.page
    page.goto(serve_notebook("# Data", WHOLE))
    first = page.get_by_role("button", name="Upload a zip")
    first.wait_for()
    first.focus()
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Handwritten digits":
            break
    page.keyboard.press("Enter")
    page.get_by_label("Pictures of each digit").wait_for()
    digits = page.get_by_role("button", name="Handwritten digits")
    expect(digits).to_be_focused()
    expect(digits).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    page.keyboard.type("5")  # over what stands there, which Tab has selected
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_text("50 photos in 10 folders.").wait_for()
    page.get_by_text("50 photos of 10 labels").wait_for()


@pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample data in {DATA}")
def test_a_pattern_is_tried_as_it_is_typed_in_two_views(watched, serve_notebook):
    code = f"from ipyfastai.widgets import LabelRule\nrule = LabelRule({str(DATA / 'pets')!r})\nrule"
    page = watched.page
    page.goto(serve_notebook("# Labels", code, "rule"))
    # All photos lie in one folder: the pattern that fits their names is there already.
    page.get_by_text("37 labels for 296 photos.").nth(1).wait_for()
    pattern = page.get_by_label("Pattern", exact=True)
    pattern.first.fill("")
    pattern.first.press_sequentially(r"^([A-Z]\w+)_", delay=5)
    page.get_by_text("of 296 photos have no label by this rule.").nth(1).wait_for()
    unnamed = cells(page, re.compile("No label"))
    expect(unnamed.first).to_be_visible()
    expect(unnamed.filter(has_not_text=re.compile("images/[a-z]"))).to_have_count(0)
    for view in range(2):
        expect(pattern.nth(view)).to_have_value(r"^([A-Z]\w+)_")
    pattern.first.fill("(")
    page.get_by_text("This is no valid pattern: missing ), unterminated subpattern at character 1.").nth(1).wait_for()
    expect(pattern.first).to_be_focused()  # typing is not disturbed
    pattern.first.fill(r"^(([a-zA-Z]+)*)+!$")  # backtracks for years
    page.get_by_role("button", name="Cancel").first.wait_for()
    page.get_by_label("Common patterns").first.select_option(index=1)
    page.get_by_text("37 labels for 296 photos.").nth(1).wait_for()
    bengal = page.get_by_role("region", name="What becomes of the names").first.locator("tr", has_text="Bengal_107.jpg")
    expect(bengal.locator("td")).to_have_text(["images/Bengal_107.jpg", "Bengal"])


@pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample data in {DATA}")
def test_on_a_phone_in_the_dark(watch, serve_notebook, tmp_path):
    root = fill(tmp_path / "set", {"teddy/page.jpg": HTML})
    for label in ("black", "teddy"):
        shutil.copytree(DATA / "bears" / label, root / label, dirs_exist_ok=True)
    code = WHOLE.replace("DataCheck()", f"DataCheck({str(root)!r})").replace(
        "ImageSource()", f"ImageSource(data_root={str(root)!r})"
    )
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark")
    page = watched.page
    page.goto(serve_notebook("# Data", code))
    page.get_by_text("274 photos of 2 labels").wait_for()
    for name in ("Server folder", "Web addresses", "Photo search"):
        page.get_by_role("button", name=name, exact=True).tap()
        page.get_by_role("button", name=name, exact=True).and_(page.locator("[aria-pressed=true]")).wait_for()
        fits(page)
        finds_nothing(
            page,
            """() => [...document.querySelectorAll(".ipyfastai :is(input, select, textarea, button, p, label)")]
                 .filter((e) => e.checkVisibility() && !e.closest(".scroll"))
                 .filter((e) => e.getBoundingClientRect().right > 391).map((e) => e.outerHTML)""",
        )
    finds_nothing(page, CONTRAST)
    finds_nothing(
        page,
        """() => [...document.querySelectorAll("button, select, input, textarea, progress")]
             .filter((e) => e.checkVisibility())
             .filter((e) => !(e.ariaLabel || e.innerText?.trim() || e.labels?.length || e.title))
             .map((e) => e.outerHTML)""",
    )
    assert not watched.errors
