"""The classifier as a visitor meets it: real Chromium, our Voila server, a classifier by mean brightness."""

import csv
import re

import numpy as np
import pytest
from browser import finds_nothing, fits, ipyfastai, until
from drawings import DARK, DATA, LIGHT, plain, turned
from playwright.sync_api import expect

CLASSIFIER = """
import io
from PIL import Image, ImageStat
from ipywidgets import HTML, VBox
from ipyfastai.widgets import ImageClassifier

def light_or_dark(image):
    '''Mean brightness; anything red is too much for it.'''
    red, green, blue = ImageStat.Stat(image).mean
    if red > 200 > 100 > green:
        raise RuntimeError("/home/publisher/secret")
    light = (red + green + blue) / 765
    return {"light": light, "dark": 1 - light}
"""
PLAIN = ("# Light or dark?", CLASSIFIER + "ImageClassifier(light_or_dark)")
TWO_VIEWS = ("# Two views", CLASSIFIER + "app = ImageClassifier(light_or_dark)\napp", "app")
BUTTON = (
    "# On a click",
    CLASSIFIER + "ImageClassifier(light_or_dark, run='button', examples=[('night', Image.new('RGB', (9, 9)))])",
)
# What the kernel received, told on the page.
RECEIVED = (
    "# What arrives",
    CLASSIFIER
    + """
app, told = ImageClassifier(light_or_dark, max_side=200), HTML()
def tell(change):
    for upload in change.new:
        width, height = upload.image.size
        red, green, blue = map(int, ImageStat.Stat(upload.image.crop((0, 0, width // 2, height // 2))).mean)
        exif = Image.open(io.BytesIO(upload.bytes)).getexif().get(0x0112, 1)
        told.value = f"<p class='told'>{upload.size} {upload.image.size} {exif} {red} {green} {blue}</p>"
app.upload.observe(tell, "value")
VBox([app, told])
""",
)


def photo(colour=LIGHT, name="photo.jpg", **options):
    return {"name": name, "mimeType": "image/jpeg", "buffer": plain(colour, **options)}


def choose(page, *files):
    page.locator("input[type=file]").first.set_input_files(list(files))


def open_app(page, url):
    page.goto(url)
    page.get_by_role("button", name="Choose photos").first.wait_for()
    return page


def answer(page, text):
    page.locator(".headline").filter(has_text=re.compile(rf"^{text}$")).first.wait_for()


def items(page, *names):
    """Wait until the table shows these photos, in this order."""
    expect(page.locator("tbody .name").and_(page.locator("button *"))).to_have_text(names)


def download(page, button):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        return waiting.value.suggested_filename, list(csv.DictReader(file))


@pytest.fixture
def app(watch, serve_notebook):
    """The page; at its end nothing foreign was asked for and nothing had gone wrong."""
    watched = watch(accept_downloads=True)
    yield open_app(watched.page, serve_notebook(*PLAIN))
    assert not watched.foreign and not watched.errors


def test_one_photo_gives_an_answer_with_bars(app):
    choose(app, photo(LIGHT))
    answer(app, "light 98 %")
    bars = app.get_by_role("list", name="Probability of each label")
    expect(bars.locator("li")).to_have_text(["light 98 %", "dark 2 %"], use_inner_text=True)
    app.wait_for_function("[...document.querySelectorAll('.track')].every((bar) => bar.clientWidth > 50)")
    light = bars.locator(".fill").first.evaluate("bar => parseFloat(bar.style.width)")
    assert light == pytest.approx(100 * 250 / 255, abs=0.5)
    app.get_by_role("img", name="photo.jpg: light").wait_for()
    expect(app.get_by_role("table")).to_be_hidden()  # one photo needs none


def test_several_photos_give_a_table_to_sort_filter_flag_and_download(app):
    choose(app, *(photo((shade,) * 3, f"photo {n}.jpg") for n, shade in [(1, 250), (2, 20), (10, 130), (3, 200)]))
    app.get_by_role("heading", name="4 photos").wait_for()
    items(app, "photo 1.jpg", "photo 2.jpg", "photo 10.jpg", "photo 3.jpg")

    app.get_by_role("button", name="Photo", exact=True).click()
    items(app, "photo 1.jpg", "photo 2.jpg", "photo 3.jpg", "photo 10.jpg")
    app.get_by_role("button", name="Confidence").click()
    items(app, "photo 1.jpg", "photo 2.jpg", "photo 3.jpg", "photo 10.jpg")  # 98 92 78 51
    app.get_by_role("button", name="Confidence").click()
    items(app, "photo 10.jpg", "photo 3.jpg", "photo 2.jpg", "photo 1.jpg")
    expect(app.get_by_role("columnheader", name="Confidence")).to_have_attribute("aria-sort", "ascending")

    only = app.get_by_label("Show only")
    expect(only.locator("option")).to_have_text(["All 4", "dark (1)", "light (3)"])
    only.select_option("dark")
    items(app, "photo 2.jpg")
    only.select_option("")

    name, rows = download(app, "Download CSV")
    assert (name, len(rows)) == ("predictions.csv", 4)
    dark = next(row for row in rows if row["item"] == "photo 2.jpg")
    assert float(dark["confidence"]) == pytest.approx(235 / 255, abs=0.01) and dark["predicted"] == "dark"
    assert float(dark["probability of light"]) == pytest.approx(20 / 255, abs=0.01)

    expect(app.get_by_role("button", name="Download flags")).to_be_hidden()
    app.get_by_label("Right answer for photo 10.jpg").select_option("dark")
    app.get_by_role("heading", name="4 photos, 1 flagged").wait_for()
    only.select_option(label="Flagged (1)")
    items(app, "photo 10.jpg")
    name, rows = download(app, "Download flags")
    assert name == "flags.csv"
    assert [(row["item"], row["predicted"], row["label"]) for row in rows] == [("photo 10.jpg", "light", "dark")]

    app.get_by_role("button", name="photo 10.jpg").click()
    answer(app, "light 51 %")
    app.wait_for_function("[...document.querySelectorAll('tbody img')].every(image => image.naturalWidth > 0)")


def test_clear_and_undo(app):
    choose(app, photo(name="a.jpg"), photo(DARK, name="b.jpg"))
    app.get_by_role("heading", name="2 photos").wait_for()
    app.locator(".ipyfastai-predictions-table").get_by_role("button", name="Clear").click()
    app.get_by_role("button", name="Undo clear").click()
    app.get_by_role("heading", name="2 photos").wait_for()
    items(app, "a.jpg", "b.jpg")


def test_with_the_keyboard_alone(app):
    focused = "document.activeElement.innerText || document.activeElement.ariaLabel"
    choosers = []
    app.on("filechooser", lambda chooser: choosers.append(chooser))
    # What is laid out late may take the focus away.
    app.wait_for_load_state("networkidle")
    expect(app.locator("#starting")).to_have_count(0)
    for _ in range(20):
        app.keyboard.press("Tab")
        if app.evaluate(focused) == "Choose photos":
            break
    expect(app.get_by_role("button", name="Choose photos")).to_be_focused()
    app.wait_for_function("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    app.keyboard.press("Enter")
    until(lambda: app.evaluate("true") and choosers)
    choosers[0].set_files([photo(LIGHT, "a.jpg"), photo(DARK, "b.jpg")])
    app.get_by_role("heading", name="2 photos").wait_for()
    for _ in range(30):
        app.keyboard.press("Tab")
        if app.evaluate("document.activeElement.ariaLabel") == "Right answer for b.jpg":
            break
    app.keyboard.press("ArrowDown")
    app.get_by_role("heading", name="2 photos, 1 flagged").wait_for()
    expect(app.get_by_label("Right answer for b.jpg")).to_have_value("light")
    expect(app.get_by_label("Right answer for b.jpg")).to_be_focused()


MAKE_TRANSFER = """([names, data]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  for (const name of names) transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  return transfer;
}"""


def transfer(page, *names, colour=LIGHT):
    import base64

    return page.evaluate_handle(MAKE_TRANSFER, [names, base64.b64encode(plain(colour)).decode()])


def test_drag_and_drop(app):
    zone = app.get_by_role("group", name="Add photos")
    data = transfer(app, "dropped.jpg")
    zone.dispatch_event("dragover", {"dataTransfer": data})
    expect(zone).to_contain_class("over")
    zone.dispatch_event("drop", {"dataTransfer": data})
    answer(app, "light 98 %")
    expect(zone).not_to_contain_class("over")


def test_paste_anywhere_on_the_page(app):
    data = transfer(app, "pasted.png", colour=DARK)
    app.evaluate(
        """clipboardData => document.body.dispatchEvent(
             new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        data,
    )
    answer(app, "dark 92 %")
    app.get_by_role("img", name="pasted.png: dark").wait_for()


def test_a_folder_with_other_files_in_it(app, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "one.jpg").write_bytes(plain(LIGHT))
    (tmp_path / "below" / "two.png").write_bytes(plain(DARK, kind="PNG"))
    (tmp_path / "notes.txt").write_text("not a photo")
    app.locator("input[webkitdirectory]").set_input_files(tmp_path)
    app.get_by_role("heading", name="2 photos").wait_for()
    for name in ("one.jpg", "two.png"):
        expect(app.locator("tbody button .name", has_text=name)).to_have_count(1)
    app.get_by_text("1 other file was left out, being no photo.").wait_for()


def test_the_same_file_twice_in_a_row(app, tmp_path):
    path = tmp_path / "same.jpg"
    path.write_bytes(plain(LIGHT))
    for count in (2, 3):
        if count == 2:
            app.locator("input[type=file]").first.set_input_files(path)
            answer(app, "light 98 %")
        app.locator("input[type=file]").first.set_input_files(path)
        app.get_by_role("heading", name=f"{count} photos").wait_for()
    items(app, *["same.jpg"] * 3)


def test_forty_photos(app):
    choose(app, *(photo((shade * 6,) * 3, f"{shade}.jpg") for shade in range(40)))
    app.get_by_role("heading", name="40 photos").wait_for()
    app.locator("progress").last.wait_for(state="hidden")
    items(app, *(f"{n}.jpg" for n in range(40)))


def test_two_visitors_at_once_see_nothing_of_each_other(watch, serve_notebook):
    pages = [open_app(watch().page, serve_notebook(*PLAIN)) for _ in range(2)]
    for page, colour, name in zip(pages, (LIGHT, DARK), ("mine.jpg", "yours.jpg"), strict=True):
        choose(page, photo(colour, name), photo(colour, f"also {name}"))
    for page, mine, other in zip(pages, ("mine", "yours"), ("yours", "mine"), strict=True):
        page.get_by_role("heading", name="2 photos").wait_for()
        items(page, f"{mine}.jpg", f"also {mine}.jpg")
        expect(page.locator("body")).not_to_contain_text(other, use_inner_text=True)


def test_two_views_stay_in_step(watch, serve_notebook):
    page = open_app(watch().page, serve_notebook(*TWO_VIEWS))
    page.locator(".ipyfastai-file-upload").nth(1).wait_for()
    choose(page, photo(LIGHT, "a.jpg"), photo(DARK, "b.jpg"))
    for view in range(2):
        page.locator(".headline").nth(view).filter(has_text="light 98 %").wait_for()
        page.get_by_role("heading", name="2 photos").nth(view).wait_for()
    page.get_by_label("Right answer for b.jpg").nth(1).select_option("light")
    page.get_by_role("heading", name="2 photos, 1 flagged").first.wait_for()
    expect(page.get_by_label("Right answer for b.jpg").first).to_have_value("light")


def test_run_button_and_examples(watch, serve_notebook):
    page = open_app(watch().page, serve_notebook(*BUTTON))
    classify = page.get_by_role("button", name="Classify", exact=True)
    classify.wait_for()
    expect(classify).to_be_disabled()
    choose(page, photo(LIGHT))
    expect(classify).to_be_enabled()
    expect(page.locator(".headline")).to_be_hidden()
    classify.click()
    answer(page, "light 98 %")
    page.get_by_role("button", name="Try the example night").click()
    answer(page, "dark 100 %")


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photo_is_shrunk_in_the_browser_and_upright(watch, serve_notebook, orientation):
    page = open_app(watch().page, serve_notebook(*RECEIVED))
    noise = np.random.default_rng(0).integers(0, 100, (1500, 1000, 3), np.uint8)
    noise[:750, :500] = (255, 0, 0)  # red lies top left in what is stored
    file = turned(orientation, noise)
    assert len(file) > 2**19
    choose(page, {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": file})
    page.locator(".told").wait_for()
    size, width, height, exif, red, green, blue = map(int, re.findall(r"\d+", page.locator(".told").inner_text()))
    assert size < len(file) / 5 and exif == 1
    upright = np.rot90(noise, -1) if orientation == 6 else noise
    assert (width, height) == ((200, 133) if orientation == 6 else (133, 200))
    corner = upright[: upright.shape[0] // 2, : upright.shape[1] // 2].mean(axis=(0, 1))
    assert [red, green, blue] == pytest.approx(corner.tolist(), abs=25)


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => (c * a + below[i] * (255 - a)) / 255);
  const ground = (element) => element === null ? rgba("Canvas")
    : over(rgba(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || !element.checkVisibility({ checkVisibilityCSS: true }) || element.disabled) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const below = ground(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), below)), light(below)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(1)} ${element.tagName}.${element.className} ${text.slice(0, 40)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_is_readable_in_dark_and_light(watch, serve_notebook, scheme):
    page = open_app(watch(color_scheme=scheme).page, serve_notebook(*PLAIN))
    broken = {"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<html></html>"}
    choose(page, photo(LIGHT), photo((255, 0, 0), name="red.jpg"), broken)
    page.get_by_role("heading", name="2 photos").wait_for()
    page.get_by_text("could not be used").wait_for()
    page.get_by_label("Right answer for photo.jpg").select_option("dark")
    page.get_by_role("heading", name="2 photos, 1 flagged").wait_for()
    page.wait_for_function(
        """scheme => {
             const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
             return scheme === "dark" ? r + g + b < 240 : r + g + b > 600;
           }""",
        arg=scheme,
    )
    finds_nothing(page, CONTRAST)


def test_on_a_phone(watch, serve_notebook):
    watched = watch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = open_app(watched.page, serve_notebook(*PLAIN))
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    expect(page.locator("input[capture=environment]")).to_have_count(1)
    choose(page, photo(LIGHT, "x" * 120 + ".jpg"), photo(DARK, "a long name with words in it.jpg"))
    page.get_by_role("heading", name="2 photos").wait_for()
    fits(page)
    # WCAG 2.5.8: a target is at least 24 pixels high.
    finds_nothing(
        page,
        """() => [...document.querySelectorAll(".ipyfastai button, .ipyfastai select")]
             .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML)""",
    )


def test_every_control_has_a_name(app):
    broken = {"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<html></html>"}
    choose(app, photo(LIGHT), photo(DARK, name="b.jpg"), broken)
    app.get_by_role("heading", name="2 photos").wait_for()
    app.get_by_text("could not be used").wait_for()
    tree = app.locator("body").aria_snapshot()
    roles = re.findall(r"- (button|combobox|textbox|checkbox|img|progressbar|table|group)\b(?: \"([^\"]+)\")?", tree)
    assert {role for role, _ in roles} >= {"button", "combobox"}
    assert [role for role, name in roles if not name and role not in ("img", "table")] == []
    finds_nothing(
        app,
        """() => [...document.querySelectorAll("button, select, input, progress")].filter((e) =>
             !(e.ariaLabel || e.innerText?.trim() || e.labels?.length || e.title)).map((e) => e.outerHTML)""",
    )


def test_the_bear_dashboard_knows_its_bears(watch):
    """The trained model on its own page: photos that it has never seen would be better, none are at hand."""
    if not DATA.is_dir():
        pytest.skip(f"no sample data at {DATA}")
    watched = watch()
    photos = {label: sorted((DATA / "bears" / label).iterdir())[:4] for label in ("black", "grizzly", "teddy")}
    with ipyfastai("bear_classifier", "--preheat", "0") as server:
        page = open_app(watched.page, server.url)
        page.locator("input[type=file]").first.set_input_files([path for paths in photos.values() for path in paths])
        page.get_by_role("heading", name="12 photos").wait_for()
        cells = page.locator(".ipyfastai-predictions-table tbody td:nth-child(2)")
        expect(cells).to_have_text([re.compile("black|grizzly|teddy")] * 12)
        answers = cells.all_inner_texts()
        right = sum(text.startswith(label) for text, label in zip(answers, np.repeat(list(photos), 4), strict=True))
        assert right >= 10
        page.get_by_text("About this model").click()
        page.get_by_role("heading", name="Not intended for").wait_for()
        assert not watched.foreign and not watched.errors
