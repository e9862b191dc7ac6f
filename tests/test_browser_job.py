"""Long work as a person sees it: progress, Cancel, a sentence at the end."""

from playwright.sync_api import expect

WORK = (
    "# Work",
    """
import threading
from ipywidgets import HTML, Button, VBox
from ipyfastai.widgets.job import Job

job, told, go_on = Job(), HTML(), threading.Event()

def work(progress):
    progress.report(1, 4, "Reading <b>a.jpg</b>")
    while not go_on.wait(0.01):
        progress.report(1, 4, "Reading <b>a.jpg</b>")
    return "read"

def fail(progress):
    raise ValueError("The folder is empty.")

def button(name, click):
    made = Button(description=name)
    made.on_click(lambda _: click())
    return made

VBox([
    button("Start", lambda: job.run(work, then=lambda text: setattr(told, "value", f"<p class='told'>{text}</p>"))),
    button("Go on", go_on.set),
    button("Fail", lambda: job.run(fail)),
    job, told,
])
""",
)


def test_progress_cancel_result_and_failure(page, serve_notebook):
    page.goto(serve_notebook(*WORK))
    page.get_by_role("button", name="Start").click()
    bar = page.get_by_role("progressbar", name="Reading <b>a.jpg</b>")
    expect(bar).to_be_visible()
    expect(bar).to_have_js_property("position", 0.25)
    expect(page.locator(".ipyfastai-job .text")).to_have_text("Reading <b>a.jpg</b>")

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("status").get_by_text("Cancelled.").wait_for()
    expect(bar).to_be_hidden()

    page.get_by_role("button", name="Start").click()
    bar.wait_for()
    page.get_by_role("button", name="Go on").click()
    page.locator(".told").get_by_text("read").wait_for()
    expect(page.locator(".ipyfastai-job")).to_be_hidden()

    page.get_by_role("button", name="Fail").click()
    page.locator(".ipyfastai-job .bad").get_by_text("The folder is empty.").wait_for()
