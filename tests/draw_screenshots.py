"""Draws docs/training_studio.png, the README's picture: `python tests/draw_screenshots.py` (needs the sample data)."""

import re
import tempfile
import zipfile
from pathlib import Path

from browser import CHROMIUM_OPTIONS, chromium_path, ipyfastai
from drawings import DATA
from playwright.sync_api import expect, sync_playwright

PICTURE = Path(__file__).parents[1] / "docs" / "training_studio.png"
PHOTOS = 40  # of each label
LONG = 600_000  # milliseconds


def bears(folder):
    """A zip as somebody would bring it."""
    path = Path(folder) / "Bears.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for label in ("black", "grizzly", "teddy"):
            for file in sorted((DATA / "bears" / label).iterdir())[:PHOTOS]:
                archive.write(file, f"{label}/{file.name}")
    return path


def train(page, photos):
    """From the photos to the step that shows what the network confuses, and a cell of its matrix."""

    def press(name):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_enabled(timeout=LONG)
        button.click()

    page.locator("input[type=file]").first.set_input_files(photos)
    press("Next: Look, label, split")
    page.get_by_label("Image size", exact=True).select_option(label="96 pixels", timeout=LONG)
    press("Next: Learning rate")
    press("Take the usual one")
    press(re.compile("^Train"))
    press("Next: What it confuses")
    expect(page.get_by_role("heading", name="Most confused")).to_be_visible(timeout=LONG)


def main():
    with (
        tempfile.TemporaryDirectory() as folder,
        ipyfastai("training_studio", "--preheat", "0", env={"IPYFASTAI_WEIGHTS": str(DATA / "weights")}) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 960, "height": 1000})
        page.goto(server.url)
        train(page, bears(folder))
        page.get_by_role("heading", name="Training studio").scroll_into_view_if_needed()
        page.mouse.move(0, 0)
        page.screenshot(path=PICTURE)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
