"""Looking at data in a real page: batches, resizing and the steps of a DataBlock."""

import re

import pytest
from browser import fits, until, write_notebook
from drawings import DATA, encoded, quarters
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.skipif(not (DATA / "pets").is_dir(), reason=f"no sample photos in {DATA}")

START = f"""
import warnings
warnings.simplefilter("ignore")
from pathlib import Path
from fastai.vision.all import *
from ipyfastai.widgets import BatchGrid, DataSummary, ResizeExplorer
DATA = Path({str(DATA)!r})
"""
GRID = START + (
    "pets = sorted((DATA / 'pets' / 'images').glob('*.jpg'))[:40]\n"
    "BatchGrid(ImageDataLoaders.from_name_re(DATA, pets, r'([^/]+)_\\d+.jpg$', item_tfms=RandomResizedCrop(96),\n"
    "    batch_tfms=Normalize.from_stats(*imagenet_stats), valid_pct=0.25, seed=1, bs=12, num_workers=0))"
)
MASKS = START + (
    "camvid = DATA / 'camvid_tiny'\n"
    "BatchGrid(SegmentationDataLoaders.from_label_func(camvid, get_image_files(camvid / 'images')[:20],\n"
    "    label_func=lambda file: camvid / 'labels' / f'{file.stem}_P.png', bs=4, num_workers=0,\n"
    "    codes=(camvid / 'codes.txt').read_text().split()), count=4)"
)
EXPLORER = START + "ResizeExplorer(count=3)"
SUMMARY = START + (
    "block = DataBlock(blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label)\n"
    "DataSummary(block, DATA / 'bears')"
)
BROKEN = (
    START + "from torch.utils.data import DataLoader\nBatchGrid(DataLoader([(torch.rand(5), 1)] * 4, batch_size=2))"
)


@pytest.fixture
def opened(watch, serve_notebook):
    """Call it with a cell for its page; nothing foreign may be asked for, and nothing go wrong."""
    pages = []

    def open_page(*cells, **options):
        watched = watch(**options)
        pages.append(watched)
        watched.page.goto(serve_notebook("# Look", *cells))
        return watched.page

    yield open_page
    assert not any(one.foreign or one.errors for one in pages)


def pictures(page):
    return page.locator(".ipyfastai-batch-grid .grid .cell .stack > img:first-child")


def sources(locator, count):
    """What is shown, as pixels: each drawing has URLs of its own."""
    expect(locator).to_have_count(count)
    return locator.evaluate_all(
        """images => Promise.all(images.map(async (image) => {
          await image.decode();
          const canvas = Object.assign(document.createElement("canvas"), { width: 48, height: 48 });
          canvas.getContext("2d").drawImage(image, 0, 0, 48, 48);
          return canvas.toDataURL();
        }))"""
    )


def others(locator, before):
    """Wait until as many pictures as before are shown, and none of those."""
    until(lambda: not set(sources(locator, len(before))) & set(before))


def test_batches_by_mouse_and_keyboard(opened):
    page = opened(GRID)
    page.get_by_text("Training batch 1 of 2, 9 of its 12 pictures").wait_for()
    first = sources(pictures(page), 9)
    page.get_by_role("button", name="Next batch").click()
    page.get_by_text("Training batch 2 of 2").wait_for()
    others(pictures(page), first)
    expect(page.get_by_role("button", name="Next batch")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Validation").click()
    page.get_by_text("Validation batch 1 of 1, 9 of its 12 pictures").wait_for()
    page.get_by_label("Number of pictures").select_option("4 pictures")
    page.get_by_text("4 of its 12 pictures").wait_for()

    cells = page.locator(".grid button")
    expect(cells).to_have_count(4)
    names = [name.split(":")[0] for name in cells.evaluate_all("all => all.map((one) => one.ariaLabel)")]
    assert all(names)
    expect(page.locator(".grid .label")).to_have_text(names)
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"{names[1]}, as training sees it").wait_for()
    draws = sources(pictures(page), 4)
    assert len(set(draws)) == 4
    page.get_by_role("button", name="Draw again").click()
    others(pictures(page), draws)
    page.get_by_role("button", name="Back to the batch").click()
    page.get_by_text("Validation batch 1 of 1").wait_for()
    page.wait_for_function("document.activeElement.closest('.grid') !== null")  # the focus is back in the grid

    page.locator("input[type=file]").first.set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": encoded(Image.fromarray(quarters()), "PNG")}
    )
    page.get_by_role("heading", name="mine.png, as training sees it").wait_for()
    expect(pictures(page)).to_have_count(4)


def test_masks_fade_on_a_phone_and_no_pictures_is_a_sentence(opened):
    page = opened(MASKS, BROKEN, viewport={"width": 390, "height": 844})
    page.get_by_text("Training batch 1 of 4").wait_for()
    overlay = page.locator("img.overlay").first
    expect(overlay).to_have_css("opacity", "0.6")
    page.get_by_role("slider", name="Overlay").focus()
    page.keyboard.press("Home")
    expect(overlay).to_have_css("opacity", "0")
    expect(page.get_by_role("list", name="Colours of the overlay").first).to_contain_text("Road")
    page.get_by_text("These batches hold no pictures: they are made of Tensor (2, 5)").wait_for()
    fits(page)


def test_the_explorer_from_slider_to_code(opened):
    page = opened(EXPLORER, permissions=["clipboard-read", "clipboard-write"])
    shown = page.locator(".ipyfastai-resize-explorer .pictures img")
    code = page.locator(".ipyfastai-resize-explorer code")
    expect(code).to_have_text("item_tfms=Resize(224),")
    expect(shown).to_have_count(3)
    expect(shown.first).to_have_js_property("naturalWidth", 224)

    page.get_by_label("To one size").select_option("Pad with black")
    page.locator("code", has_text="PadMode.Zeros").wait_for()
    size = page.get_by_role("slider", name="Size")
    size.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.locator("code", has_text="Resize(176, ResizeMethod.Pad, pad_mode=PadMode.Zeros)").wait_for()
    expect(size).to_have_value("176")
    expect(size).to_have_attribute("aria-valuetext", "176 px")
    page.get_by_label("To one size").select_option("Squish")
    page.get_by_text("Nothing here is random").wait_for()
    expect(shown).to_have_count(1)

    page.get_by_role("button", name="fastai's defaults").click()
    page.locator("code", has_text="aug_transforms()").wait_for()
    before = sources(shown, 3)
    page.get_by_role("button", name="Draw again").click()
    others(shown, before)

    page.get_by_label("Order", exact=True).select_option("Presizing")
    page.get_by_label("Beside the naive order").check()
    page.get_by_role("heading", name="The naive order").wait_for()
    expect(shown).to_have_count(6)
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied").wait_for()
    expect(code.first).to_have_text(page.evaluate("navigator.clipboard.readText()"))

    page.locator("input[type=file]").first.set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": encoded(Image.fromarray(quarters()), "PNG")}
    )
    page.get_by_text("mine.png: 96 × 64 pixels").wait_for()


def test_a_summary_says_what_to_add(opened):
    page = opened(SUMMARY)
    page.get_by_text("It stops at the last step below.").wait_for()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"different sizes \(\w+/\d+\.jpg: \d+ × \d+ pixels;"))
    expect(page.locator("code")).to_have_text("item_tfms=Resize(192)")
    headings = ["Items", "Split", "Input", "Target", "Item transforms (item_tfms)", "Batch"]
    expect(page.locator(".ipyfastai-data-summary h4")).to_have_text(headings)
    expect(page.locator(".ipyfastai-data-summary")).not_to_contain_text(str(DATA))


def test_all_three_in_somebody_s_own_notebook(watch, jupyterlab):
    write_notebook(jupyterlab.folder / "looking.ipynb", GRID, "ResizeExplorer(count=1)", SUMMARY)
    watched = watch(viewport={"width": 1400, "height": 1400}, color_scheme="dark")
    page = watched.page
    page.goto(f"{jupyterlab.url}lab/tree/looking.ipynb?reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text("Training batch 1 of 2").wait_for()
    # Arrow keys in the grid are the grid's: a notebook would leave the cell.
    page.locator(".grid button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="as training sees it").wait_for()
    page.locator(".ipyfastai-resize-explorer .pictures img").wait_for()
    page.get_by_text("It stops at the last step below.").wait_for()
    assert not [error for error in watched.errors if "anywidget" in error or "ipyfastai" in error]
