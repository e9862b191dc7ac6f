"""The table and the small widgets in a real page: what an update costs, what is kept, what is let go."""

import pytest
from playwright.sync_api import expect
from test_browser_classifier import PLAIN, choose, photo

# Counts what a page makes and lets go of.
COUNT = """
window.counts = { elements: 0, made: 0, revoked: 0, asked: [] };
const create = Document.prototype.createElement;
Document.prototype.createElement = function (...args) { counts.elements++; return create.apply(this, args); };
const [make, revoke, pictures] = [URL.createObjectURL, URL.revokeObjectURL, new Set()];
URL.createObjectURL = (blob) => {
  const url = make(blob);
  if (blob.type === "image/jpeg") pictures.add(url) && counts.made++;
  return url;
};
URL.revokeObjectURL = (url) => { counts.revoked += pictures.delete(url); revoke(url); };
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  const text = typeof data === "string" ? data : new TextDecoder().decode(data);
  const asked = text.match(/"type":"thumbnails","ids":\\[([^\\]]*)\\]/);
  if (asked) counts.asked.push(...asked[1].split(","));
  return send.call(this, data);
};
"""
ALL_LOADED = "[...document.images].every((image) => image.naturalWidth > 0)"
TABLE = """
import io
from PIL import Image
from ipywidgets import Button, HBox, VBox
from ipyfastai.widgets.predictions_table import PredictionsTable
from ipyfastai.widgets.results import Result

def thumbnail(n):
    out = io.BytesIO()
    Image.new("RGB", (9, 9), (n % 256, 90, 90)).save(out, "JPEG")
    return out.getvalue()

def make(n, label):
    return Result(f"photo {n}.jpg", {label: 0.5 + n / 4000, "other": 0.1}, thumbnail=thumbnail(n))

def flag(id, label):
    next(result for result in results if result.id == id).label = label
    show()

def clear(on):
    global results, kept
    kept, results = (results, []) if on else ([], kept)
    show()

def show():
    table.show(results, labels, selected=selected, undo=bool(kept))

def button(text, act):
    one = Button(description=text)
    one.on_click(lambda _: (act(), show()))
    return one

def select(id):
    global selected
    selected = id
    show()

kept, selected = [], ""
table = PredictionsTable(flagged=flag, chosen=select, cancelled=list, cleared=clear)
"""
SHOW = """
show()
VBox([HBox([
    button("One more", lambda: results.append(make(len(results), labels[0]))),
    button("One less", lambda: results.pop(0)),
]), table])
"""
LARGE = (
    "# Large",
    TABLE
    + 'labels = [f"label {n}" for n in range(1000)]\nresults = [make(n, labels[n]) for n in range(1000)]\n'
    + SHOW,
)
# Labels that look like what the page itself could call its filters.
ODD = ["Flagged", "unsure", "failed", "all", "\x00flagged"]
SMALL = ("# Small", TABLE + f"labels = {ODD!r}\nresults = [make(n, labels[n]) for n in range(5)]\n" + SHOW)
PARTS = (
    "# Parts",
    TABLE
    + """
from ipyfastai.widgets.answer import Answer
from ipyfastai.widgets.card_view import CardView
from ipyfastai.widgets.examples import Examples
from ipyfastai.widgets.picture import Picture
from ipyfastai.widgets.probability_bars import ProbabilityBars

picture = Picture(thumbnail(1), alt="first", caption="first")
bars = ProbabilityBars({"red": 1})
answer = Answer(["red"], flagged=print)
answer.show(make(1, "red").row(), ["red"])
card = CardView([["Data", "409 photos"], ["Errors", [["split", "error"], ["test", "3 %"]]]])
examples = Examples(["one"], [thumbnail(1)], picked=print)

def change():
    with picture.hold_sync():
        picture.value, picture.alt, picture.caption = thumbnail(2), "second", "second"
    card.title, card._sections = "Newer", [["Speed", [["device", "ms"], ["CPU", "9"]]]]
    with examples.hold_sync():
        examples._names, examples._thumbnails = ["two", "three"], [thumbnail(2), thumbnail(3)]

def recaption():
    picture.caption = "third"

def empty():
    picture.value, bars.value = b"", {}
    answer.show({}, ["red"])

def on(text, act):
    one = Button(description=text)
    one.on_click(lambda _: act())
    return one

VBox([HBox([on("Change", change), on("Recaption", recaption), on("Empty", empty)]),
      picture, bars, answer, card, examples])
""",
)


@pytest.fixture
def table(watch, serve_notebook):
    """Call it with a notebook for its page, counted."""
    opened = []

    def visit(notebook, **options):
        watched = watch(accept_downloads=True, **options)
        watched.page.add_init_script(COUNT)
        watched.page.goto(serve_notebook(*notebook))
        opened.append(watched)
        return watched.page

    yield visit
    assert not any(one.foreign or one.errors for one in opened), [one.errors for one in opened]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def heading(page, text):
    page.get_by_role("heading", name=text, exact=True).wait_for()


def shown(page, *names):
    expect(page.locator("tbody .item .name")).to_have_text(names)


def counts(page, **wanted):
    """Wait until the page has counted so many of what `COUNT` counts."""
    for name, count in wanted.items():
        page.wait_for_function(f"counts.{name} === {count}")


def created(page, act, until):
    """How many elements the page makes for what `act` changes."""
    before = page.evaluate("counts.elements")
    act()
    until()
    return page.evaluate("counts.elements") - before


def test_an_update_of_a_thousand_rows_with_a_thousand_labels_makes_few_elements(table):
    page = table(LARGE)
    heading(page, "1000 photos")
    assert page.evaluate("counts.elements") < 40_000  # a million options would be more
    assert created(page, lambda: press(page, "One more"), lambda: heading(page, "1001 photos")) < 40
    assert created(page, lambda: press(page, "One less"), lambda: heading(page, "1000 photos")) < 20

    first = page.locator("tbody select").first
    expect(first.locator("option")).to_have_count(1)
    assert created(page, first.focus, lambda: expect(first.locator("option")).to_have_count(1001)) >= 1000
    flagged = created(page, lambda: first.select_option("label 7"), lambda: heading(page, "1000 photos, 1 flagged"))
    assert flagged < 20
    expect(first).to_have_value("label 7")


def test_thumbnails_are_asked_for_once_and_go_with_their_rows(table):
    page = table(SMALL)
    heading(page, "5 photos")
    page.wait_for_function(ALL_LOADED)
    press(page, "Confidence")
    press(page, "One more")
    heading(page, "6 photos")
    page.wait_for_function(ALL_LOADED)
    asked = page.evaluate("counts.asked")
    assert len(asked) == len(set(asked)) == 6
    counts(page, made=6, revoked=0)
    press(page, "One less")
    heading(page, "5 photos")
    counts(page, revoked=1)
    press(page, "Clear")
    press(page, "Undo clear")
    heading(page, "5 photos")
    page.wait_for_function(ALL_LOADED)
    counts(page, revoked=6, made=11)


def test_no_label_is_taken_for_a_filter_of_the_page(table):
    page = table(SMALL)
    heading(page, "5 photos")
    page.get_by_label("Right answer for photo 1.jpg").select_option("all")
    heading(page, "5 photos, 1 flagged")
    only = page.get_by_label("Show only")
    expect(only.locator("option").first).to_have_text("All 5")
    expect(only.locator("option").last).to_have_text("Flagged (1)")
    texts = only.locator("option").all_inner_texts()
    assert len(texts) == 7
    for place, text in list(enumerate(texts))[1:-1]:
        only.select_option(index=place)
        number = next(n for n, label in enumerate(ODD) if text == f"{label} (1)")
        shown(page, f"photo {number}.jpg")
    only.select_option(index=len(texts) - 1)
    shown(page, "photo 1.jpg")


def test_sorting_and_filtering_are_told_and_keep_the_focus(table):
    page = table(SMALL)
    heading(page, "5 photos")
    page.get_by_role("button", name="Confidence").focus()
    page.keyboard.press("Enter")
    said = page.get_by_role("status").filter(has_text="photos shown")
    expect(said).to_have_text("5 of 5 photos shown, sorted by confidence, descending")
    expect(page.get_by_role("button", name="Confidence")).to_be_focused()
    page.get_by_label("Show only").select_option("unsure")
    expect(said).to_have_text("1 of 5 photos shown, sorted by confidence, descending")
    page.get_by_label("Show only").select_option(index=0)

    # A row that moves because of what was chosen in it keeps the focus.
    press(page, "Right answer")
    press(page, "Right answer")
    page.get_by_label("Right answer for photo 0.jpg").focus()
    page.keyboard.press("ArrowDown")
    heading(page, "5 photos, 1 flagged")
    expect(page.locator("tbody .item .name").first).to_have_text("photo 0.jpg")
    expect(page.get_by_label("Right answer for photo 0.jpg")).to_be_focused()

    # A control that goes away hands the focus on.
    page.get_by_role("button", name="Clear", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.innerText === 'Undo clear'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.innerText === '5 photos, 1 flagged'")


def test_the_chosen_row_is_marked(table):
    page = table(SMALL)
    press(page, "photo 3.jpg")
    page.locator("tr.selected button[aria-current=true]", has_text="photo 3.jpg").wait_for()
    expect(page.locator("[aria-current=true]")).to_have_count(1)


def test_one_photo_can_be_downloaded_flagged_and_cleared(table):
    page = table(PLAIN)
    page.get_by_role("button", name="Choose photos").wait_for()
    choose(page, photo(name="Bär.jpg"))
    heading(page, "1 photo")
    for control in (page.get_by_role("table"), page.get_by_label("Show only")):
        expect(control).to_be_hidden()
    with page.expect_download() as waiting:
        press(page, "Download CSV")
    data = waiting.value.path().read_bytes()
    assert data.startswith(b"\xef\xbb\xbfitem,") and "Bär.jpg".encode() in data
    page.locator(".ipyfastai-answer select").select_option("dark")
    heading(page, "1 photo, 1 flagged")
    expect(page.get_by_role("table")).to_be_visible()
    page.locator(".ipyfastai-predictions-table").get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name="Undo clear").click()
    heading(page, "1 photo, 1 flagged")


def test_small_widgets_follow_what_changes_and_hide_when_empty(table):
    page = table(PARTS)
    page.get_by_role("img", name="first").wait_for()
    page.get_by_role("button", name="Try the example one").wait_for()
    page.wait_for_function(ALL_LOADED)
    made = page.evaluate("counts.made")
    press(page, "Recaption")
    page.get_by_text("third").wait_for()
    counts(page, made=made)  # the same picture
    press(page, "Change")
    page.get_by_role("img", name="second").wait_for()
    page.get_by_role("button", name="Try the example three").wait_for()
    counts(page, made=made + 3, revoked=2)  # the picture and two examples, in place of one of each
    page.get_by_text("Newer").click()
    page.get_by_role("region", name="Speed").get_by_role("table").wait_for()
    expect(page.get_by_text("409 photos")).to_have_count(0)
    press(page, "Change")
    page.get_by_role("region", name="Speed").wait_for()

    press(page, "Empty")
    for name in ("picture", "probability-bars", "answer"):
        page.locator(f".ipyfastai-{name}").wait_for(state="hidden")
