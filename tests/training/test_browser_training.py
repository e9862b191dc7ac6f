"""Finding a rate and training as a person does it: real Chromium, our Voila server, JupyterLab, a real learner."""

import re
from pathlib import Path

import pytest
from browser import finds_nothing, write_notebook
from playwright.sync_api import expect

LEARNER = f"""
import sys, tempfile, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from fastai.callback.core import Callback
from ipywidgets import VBox, dlink
from learners import draw_colours, tiny
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner
from ipyfastai.widgets import DeviceCard, LRFinder, RunsTable, Trainer

class Slow(Callback):
    "As a real network is: a batch takes its time, and as much more as a test needs to look at it."
    def before_fit(self):
        self.batches = 0

    def after_batch(self):
        time.sleep(0.04)
        self.batches += self.training
        while allowed.exists() and self.batches >= int(allowed.read_text() or 0):
            time.sleep(0.01)

folder = Path(tempfile.mkdtemp())
dls = image_folder_dataloaders(draw_colours(folder / "photos", 12), size=32, batch_size=4)
learn = transfer_learner(dls, tiny, pretrained=False)
learn.add_cb(Slow())
"""
STUDIO = (
    LEARNER
    + """
finder = LRFinder(learn, num_it=40)
trainer = Trainer(learn, folder=folder / "runs", settings=TrainingSettings(epochs=6, frozen_epochs=0, seed=1))
table = RunsTable(folder / "runs")
dlink((finder, "value"), (trainer, "learning_rate"))
trainer.observe(lambda _: table.refresh(), "value")
VBox([DeviceCard(), finder, trainer, table])
"""
)
LONG = LEARNER + "trainer = Trainer(learn, settings=TrainingSettings(epochs=500, frozen_epochs=0, seed=1))\ntrainer"
# How often the words under the bar change, and which they were.
WATCH = """
window.seen = [];
new MutationObserver(() => {
  const said = document.querySelector(".ipyfastai-run-view .where")?.textContent;
  if (said && said !== seen.at(-1)) seen.push(said);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
FOCUS = "document.activeElement.innerText || document.activeElement.ariaLabel"


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def press(page, name):
    """By keyboard."""
    button(page, name).focus()
    page.keyboard.press("Enter")


POINTS = """(document.querySelector(".ipyfastai-run-view .plot path.line.style-0:not(.faint)")
  ?.getAttribute("d") ?? "").match(/[ML]/g)?.length"""


def points(page, holds):
    """Wait until `holds` of the batches that the training loss is drawn through, as "points > 9"; return how many."""
    page.wait_for_function(f"(points => {holds})({POINTS})")
    return page.evaluate(POINTS)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return tmp_path_factory.mktemp("gate") / "allowed"


@pytest.fixture
def allow(gate):
    """Call it with how many batches a training may go on to, or with None for as many as it likes."""

    def to(batches):
        if batches is None:
            gate.unlink(missing_ok=True)
        else:
            gate.write_text(str(batches))

    yield to
    to(None)


def gated(gate, code):
    return f"from pathlib import Path\nallowed = Path({str(gate)!r})\n{code}"


@pytest.fixture
def studio(watch, serve_notebook, gate):
    """Call it with a browser context's options for the page, ready to use."""
    opened = []

    def visit(**options):
        watched = watch(**options)
        watched.page.add_init_script(WATCH)
        theme = "?theme=dark" if options.get("color_scheme") == "dark" else ""
        watched.page.goto(serve_notebook("# Train", gated(gate, STUDIO)) + theme)
        button(watched.page, "Find a learning rate").wait_for()
        opened.append(watched)
        return watched.page

    yield visit
    assert not any(one.foreign or one.errors for one in opened), [one.errors for one in opened]


def test_from_a_rate_to_a_trained_network_with_pause_resume_stop_and_once_more(studio, allow):
    page = studio(viewport={"width": 1200, "height": 1000})

    # The finder: stopped once, then run; a rate is stepped to, and arrives in the form.
    allow(5)
    press(page, "Find a learning rate")
    page.wait_for_function(f"{FOCUS} === 'Stop'")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{FOCUS} === 'Stopping…'")
    allow(None)
    page.get_by_text("Stopped.", exact=True).wait_for()
    page.wait_for_function(f"{FOCUS} === 'Find a learning rate'")
    page.keyboard.press("Enter")
    curve = page.get_by_role("slider", name="Loss by learning rate, by learning rate")
    curve.wait_for()
    page.get_by_text(re.compile(r"^The valley suggests .*e-\d")).wait_for()
    curve.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "PageUp"):
        page.keyboard.press(key)
    expect(curve).to_have_attribute("aria-valuetext", re.compile(r"^learning rate \S+: run 1 "))
    chosen = re.match(r"learning rate (\S+):", curve.get_attribute("aria-valuetext"))[1]
    page.get_by_text(f"{chosen} is picked.").wait_for()
    rate = page.locator(".ipyfastai-settings-form").get_by_label("Learning rate", exact=True)
    page.wait_for_function(
        "([field, value]) => Math.abs(field.value / value - 1) < 0.05", arg=[rate.element_handle(), float(chosen)]
    )
    page.get_by_role("button", name=re.compile("^Use .*, minimum.10$")).click()
    page.wait_for_function("([field, value]) => field.value !== value", arg=[rate.element_handle(), chosen])
    curve.click(position={"x": 600, "y": 100})
    page.wait_for_function(
        "field => 1e-7 < field.value && field.value < 10",
        arg=page.locator(".ipyfastai-lr-curves input").element_handle(),
    )

    # The form: what makes no sense is said beside it.
    epochs = page.get_by_role("textbox", name="Epochs", exact=True, include_hidden=True)
    epochs.fill("some")
    page.keyboard.press("Tab")
    page.get_by_text("The number of epochs is a whole number from 0 to 10,000, not 'some'.").wait_for()
    expect(epochs).to_have_attribute("aria-invalid", "true")
    press(page, "Train")
    page.get_by_text(re.compile("^First put this right: The number of epochs")).wait_for()
    epochs.fill("8")
    page.keyboard.press("Tab")
    rate.fill("5e-3")
    page.keyboard.press("Tab")
    press(page, "Measure what it will cost")
    page.get_by_role("status").filter(has_text=re.compile("^About .* in all: .* images a second")).wait_for()

    # Training: it moves on by itself, can be paused and stopped, and nothing of it is lost.
    allow(1)
    press(page, "Train")
    for number in range(1, 6):
        allow(number)
        page.wait_for_function(f"seen.filter((said) => /training, batch/.test(said)).length >= {number}")
    page.get_by_text(re.compile(r"^\d+ \w+ left$")).wait_for()
    allow(2 * 7 + 3)
    page.get_by_role("row", name=re.compile("^2")).wait_for()
    page.wait_for_function(f"{FOCUS} === 'Pause'")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("^Paused: epoch . of 8")).wait_for()
    page.wait_for_function(f"{FOCUS} === 'Resume'")
    allow(4 * 7 + 3)
    paused = points(page, "points > 9")
    expect(epochs).to_be_disabled()
    expect(epochs).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{FOCUS} === 'Pause'")
    page.get_by_role("row", name=re.compile("^4")).wait_for()
    points(page, f"points > {paused}")
    # The page asks before it is left, and stays.
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    press(page, "Stop")
    expect(button(page, "Stop")).to_have_attribute("aria-disabled", "true")
    allow(None)
    page.get_by_text(re.compile("^Stopped in epoch . of 8. What was learned until then is kept.")).wait_for()
    page.wait_for_function(f"{FOCUS} === 'Train again'")
    page.locator(".ipyfastai-runs-table").get_by_role("row", name=re.compile("stopped")).wait_for()

    # What was stopped goes on to its end; then once more from the beginning, with fewer epochs.
    page.get_by_role("button", name=re.compile("^Continue the training of")).click()
    page.get_by_text(re.compile("^Finished: 8 epochs")).wait_for()
    points(page, "points === 8 * 7")
    figures = page.get_by_role("region", name="Figures of each epoch").locator("tbody tr")
    expect(figures).to_have_count(8)
    page.locator(".ipyfastai-settings-form summary").first.click()
    epochs.fill("1")
    page.keyboard.press("Tab")
    press(page, "Train again")
    page.get_by_text(re.compile("^Finished: 1 epoch")).wait_for()
    expect(figures).to_have_count(1)
    points(page, "points === 7")

    # Both runs stand in the table and can be compared.
    boxes = page.get_by_role("checkbox", name=re.compile("^Compare the run of"))
    page.wait_for_function("document.querySelectorAll('.ipyfastai-runs-table tbody tr').length === 2")
    for box in boxes.all():
        box.check()
    page.wait_for_function("document.querySelectorAll('.ipyfastai-runs-table path.line').length >= 2")
    page.locator(".ipyfastai-runs-table select").select_option("train_loss")
    page.get_by_role("slider", name="training loss, smoothed by epoch, by epoch").wait_for()
    press(page, "Delete 2 runs")
    press(page, "Bring back 2 runs")
    page.get_by_role("heading", name="2 runs").wait_for()
    with page.expect_event("close"):  # nothing goes on any more: nothing is asked
        page.close(run_before_unload=True)


def test_on_a_phone_in_the_dark_nothing_is_wider_than_the_screen(studio):
    page = studio(viewport={"width": 390, "height": 844}, color_scheme="dark")
    button(page, "Find a learning rate").click()
    page.get_by_role("slider", name="Loss by learning rate, by learning rate").wait_for()
    epochs = page.get_by_role("textbox", name="Epochs", exact=True)
    epochs.fill("1")
    page.keyboard.press("Tab")
    button(page, "Train").click()
    page.get_by_text(re.compile("^Finished: 1 epoch")).wait_for()
    finds_nothing(
        page,
        """() => [...document.querySelectorAll(".ipyfastai *")]
            .filter((one) => one.checkVisibility() && !one.closest(".scroll") && !one.closest(".unseen"))
            .filter((one) => one.getBoundingClientRect().right > 391).map((one) => one.outerHTML.slice(0, 120))""",
    )
    finds_nothing(
        page,
        """() => [...document.querySelectorAll(".ipyfastai button")].filter((one) => one.checkVisibility())
            .filter((one) => one.getBoundingClientRect().height < 30).map((one) => one.innerText)""",
    )


def test_the_page_is_closed_while_it_trains_and_a_new_one_finds_the_training_as_it_is(watch, jupyterlab, gate):
    report = "print('epochs', len(trainer.run.history), trainer.run.state)"
    write_notebook(jupyterlab.folder / "training.ipynb", gated(gate, LONG), report)
    watched = watch(viewport={"width": 1400, "height": 1200})
    page = watched.page
    page.goto(f"{jupyterlab.url}lab/tree/training.ipynb?reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    button(page, "Train").click()
    page.get_by_role("row", name=re.compile("^2")).wait_for()
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "training.ipynb" in answer.url):
        page.get_by_role("menuitem", name="File", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Save Notebook")).first.click()
    page.close()

    page = watched.new_page()
    page.goto(f"{jupyterlab.url}lab/tree/training.ipynb")
    pause = button(page, "Pause")
    pause.wait_for()
    pause.click()
    page.get_by_text(re.compile("^Paused: epoch")).wait_for()
    # From the first batch on.
    seen = points(page, "points >= 3 * 7")
    expect(page.get_by_role("row", name=re.compile("^1")).first).to_be_attached()
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    told = page.locator(".jp-OutputArea-output", has_text=re.compile(r"epochs \d+ paused"))
    told.wait_for()
    epochs = int(re.search(r"epochs (\d+)", told.inner_text())[1])
    assert epochs * 7 <= seen <= (epochs + 1) * 7
    button(page, "Resume").click()
    button(page, "Stop").click()
    page.get_by_text(re.compile("^Stopped in epoch")).wait_for()
    assert not [error for error in watched.errors if "anywidget" in error or "ipyfastai" in error]
