"""The studio from a zip of photos to a published classifier, clicked through in a real Chromium."""

import io
import re
import zipfile

import pytest
from browser import fits, ipyfastai
from drawings import DATA
from ipyfastai.models import Classifier
from ipyfastai.models.projects import Project
from playwright.sync_api import expect

# From the README of the sample data: four dogs among the teddies, a black bear among the grizzlies.
PUPPIES = [f"teddy/{number:08}.jpg" for number in (56, 88, 98, 135)]
BLACK_BEAR = "grizzly/00000148.jpg"
BROKEN = 6
CLEAN = 24  # photos of each label that the zip has besides the 22 dirty ones

APP = ".ipyfastai-image-classifier"
SLOW = 600_000  # milliseconds: training on a crowded machine


def zip_of_bears():
    """A few bears of each kind, and everything that a cleaner should catch."""
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for label in ("black", "grizzly", "teddy"):
            for file in sorted((DATA / "bears" / label).iterdir())[:CLEAN]:
                archive.write(file, f"{label}/{file.name}")
        for file in sorted((DATA / "bears_dirty").rglob("*.*")):
            archive.write(file, file.relative_to(DATA / "bears_dirty"))
    return out.getvalue()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def studio(workspace):
    options = ["training_studio", "--preheat", "0", "--workspace", workspace]
    with ipyfastai(*options, env={"IPYFASTAI_WEIGHTS": str(DATA / "weights")}) as server:
        yield server


def step(page, title):
    return page.get_by_role("heading", name=re.compile(rf"^\d\. {title}"))


def button(page, name, **options):
    return page.get_by_role("button", name=name, **options)


def go_on(page, title, timeout=None):
    """Press the button that leads to the next step, once it may be pressed."""
    expect(button(page, f"Next: {title}")).to_be_enabled(timeout=timeout)
    button(page, f"Next: {title}").click()
    expect(step(page, title).get_by_role("button")).to_have_attribute("aria-expanded", "true")


def train(page, epochs):
    field = page.get_by_label("Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Tab")
    button(page, re.compile("^Train")).click()
    expect(button(page, "Next: What it confuses")).to_be_enabled(timeout=SLOW)


def choose(page, name, text):
    """Choose the option of a select that begins with `text`."""
    select = page.get_by_label(name, exact=True).locator("visible=true").first
    option = select.locator("option", has_text=re.compile(rf"^{text}")).first
    select.select_option(index=option.evaluate("option => option.index"))


def show(page, label):
    """Choose a class in the cleaner, and wait until its pictures are there."""
    option = page.get_by_label("Show", exact=True).locator("visible=true").locator("option", has_text=label).first
    number = re.search(r"\(([\d,]+)", option.text_content())[1]
    choose(page, "Show", label)
    expect(page.get_by_text(re.compile(rf"^{number} pictures?$")).locator("visible=true").first).to_be_visible()


def find(page, name):
    """A picture of the visible grid, scrolled to as a person would look for it."""
    grid, cell = page.get_by_role("grid"), page.get_by_role("gridcell", name=name)
    grid.evaluate("grid => grid.scrollTo(0, 0)")
    end = grid.evaluate("grid => grid.scrollHeight")
    for top in range(0, end + 1, 200):
        grid.evaluate("(grid, top) => grid.scrollTo(0, top)", top)
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        if cell.count():
            return cell
    raise AssertionError(f"{name} is not among the pictures")


def test_from_a_zip_of_bears_to_a_published_classifier(watch, studio, workspace):
    watched = watch(viewport={"width": 1200, "height": 1400}, accept_downloads=True)
    page = watched.page
    page.goto(studio.url)

    # 1. Photos.
    expect(step(page, "Photos")).to_be_visible()
    expect(page.get_by_text("First: 1. Photos.").first).to_be_visible()
    file = {"name": "bears.zip", "mimeType": "application/zip", "buffer": zip_of_bears()}
    page.locator("input[type=file]").first.set_input_files([file])
    go_on(page, "Look, label, split")

    # 2. What is broken is found and put aside.
    expect(page.get_by_text(re.compile(rf"^{BROKEN} of {3 * CLEAN + 22} \w+ cannot be opened."))).to_be_visible()
    button(page, f"Move {BROKEN} files aside").click()
    expect(page.get_by_text(f"{BROKEN} files moved to the folder")).to_be_visible()
    [photos] = [path for path in (workspace / "photos").rglob("bears") if (path / "teddy").is_dir()]
    assert not (photos / "teddy" / "00000023.jpg").exists()
    aside = photos.with_name("bears set aside")
    assert len([path for path in aside.rglob("*") if path.is_file()]) == BROKEN
    choose(page, "Image size", "96")
    go_on(page, "Learning rate")

    # 3. and 4. Trained.
    button(page, "Take the usual one").click()
    train(page, epochs=2)
    go_on(page, "What it confuses")

    # 5. A cell of the matrix, and its photos.
    expect(page.get_by_role("heading", name="Most confused")).to_be_visible(timeout=SLOW)
    choose(page, "Split", "All")
    expect(page.get_by_text(re.compile(rf"^\d+ of {3 * CLEAN + 22 - BROKEN} photos right"))).to_be_visible()
    pair = page.get_by_role("region", name="Most confused").get_by_role("button").first
    expect(pair).to_have_accessible_name(re.compile(r"\d+ photos? of \w+ w\w+ called \w+"))
    sentence = pair.get_attribute("aria-label")
    count, label, predicted = re.match(r"(\d+) photos? of (\w+) w\w+ called (\w+)", sentence).groups()
    pair.click()
    expect(page.get_by_text(re.compile(rf"^{count} photos?$")).first).to_be_visible()
    button(page, re.compile("^Clean these")).click()

    # 6. Straight into the cleaner, with these photos alone; then the dogs and the black bear.
    expect(step(page, "Clean the photos").get_by_role("button")).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_label("Show", exact=True).locator("option:checked")).to_have_text(
        re.compile(rf"{label} called {predicted} \({count}\)")
    )
    expect(page.get_by_role("gridcell")).to_have_count(int(count))
    show(page, "teddy")
    for number, name in enumerate(PUPPIES):
        find(page, name).click(modifiers=["Control"] if number else [])
    page.keyboard.press("Delete")
    show(page, "grizzly")
    find(page, BLACK_BEAR).click()
    button(page, "Move to black").click()
    expect(page.get_by_text("4 to delete, 1 to move")).to_be_visible()
    assert all((photos / name).exists() for name in [*PUPPIES, BLACK_BEAR])
    button(page, "Apply 5 marks").click()
    button(page, "Yes, do this with 5 pictures").click()
    expect(page.get_by_text("Applied: 1 moved, 4 in the trash.")).to_be_visible()
    assert not any((photos / name).exists() for name in [*PUPPIES, BLACK_BEAR])
    assert (photos / "black" / "00000148.jpg").exists()

    # What was made of the old photos is out of date, and not silently kept.
    for title in ("Train", "What it confuses", "Clean the photos"):
        expect(step(page, title)).to_contain_text("Out of date")
    expect(step(page, "Learning rate")).to_contain_text("Done")
    expect(button(page, "Next: Publish")).to_be_disabled()

    # Again, on the clean ones.
    button(page, "Train again on the cleaned photos").click()
    train(page, epochs=3)
    go_on(page, "What it confuses")
    go_on(page, "Clean the photos", timeout=SLOW)
    go_on(page, "Publish")

    # 7. Published, downloaded, and tried at once.
    page.get_by_label("Name", exact=True).fill("My bears")
    page.get_by_label("Intended use").fill("A test.")
    button(page, "Publish", exact=True).click()
    expect(page.get_by_text("Published as my_bears.onnx.").first).to_be_visible(timeout=SLOW)
    with page.expect_download() as waiting:
        button(page, "Download the classifier").click()
    bundle = waiting.value.path()
    card = Classifier.load(bundle).card
    assert card.labels == ["black", "grizzly", "teddy"] and card.intended_use == "A test."
    assert sum(map(sum, card.confusion)) == int(re.match(r"(\d+) of", card.split)[1])
    assert card.data.startswith(f"{3 * CLEAN + 22 - BROKEN - 4} photos: ")
    teddy = sorted((DATA / "bears" / "teddy").iterdir())[-1]
    page.locator(f"{APP} input[type=file]").first.set_input_files(teddy)
    expect(page.locator(f"{APP} .headline")).to_contain_text("teddy")
    assert not watched.foreign and not watched.errors

    # The same file in the classifier app.
    with ipyfastai("any_classifier", "--preheat", "0") as app:
        other = watch()
        other.page.goto(app.url)
        file = {"name": "my_bears.onnx", "mimeType": "application/octet-stream", "buffer": bundle.read_bytes()}
        other.page.locator("input[type=file]").first.set_input_files([file])
        expect(other.page.get_by_text("Add photos for My bears")).to_be_visible()
        other.page.locator(f"{APP} input[type=file]").first.set_input_files(teddy)
        expect(other.page.locator(f"{APP} .headline")).to_contain_text("teddy")
        assert not other.foreign and not other.errors
        other.page.goto("about:blank")


def test_a_page_of_a_kernel_that_waited_lists_what_was_begun_meanwhile(watch, tmp_path):
    with ipyfastai("training_studio", "--preheat", "1", "--workspace", tmp_path) as server:
        watched = watch(viewport={"width": 390, "height": 844})
        page = watched.page
        page.goto(server.url)
        expect(step(page, "Photos")).to_be_visible()
        earlier = page.get_by_role("combobox", name="Earlier projects")
        expect(earlier).to_have_count(0)
        Project.new(tmp_path / "projects", "Bears").close()
        page.reload()
        expect(earlier.locator("option")).to_have_text(re.compile(r"^Bears, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"))
        expect(page.get_by_text("Where are the photos?")).to_be_visible()
        fits(page)
        assert not watched.foreign and not watched.errors


def test_a_project_is_deleted_brought_back_and_removed_for_good(watch, tmp_path):
    for name in ("Bears", "Cats"):
        photos = tmp_path / "photos" / f"for {name}" / name
        photos.mkdir(parents=True)
        (photos / "1.jpg").touch()
        project = Project.new(tmp_path / "projects", name)
        project.save(photos=str(photos))
        project.close()
    with ipyfastai("training_studio", "--preheat", "0", "--workspace", tmp_path) as server:
        watched = watch(viewport={"width": 390, "height": 844})
        page = watched.page
        page.goto(server.url)
        earlier = page.get_by_role("combobox", name="Earlier projects")
        aside = page.get_by_role("combobox", name="Deleted projects")

        def delete():
            bears = earlier.locator("option", has_text="Bears")
            expect(bears).to_have_count(1)
            earlier.select_option(label=bears.text_content())
            button(page, "Delete it").click()
            expect(page.get_by_text("Bears is deleted, and can be brought back.")).to_be_visible()
            expect(earlier.locator("option")).to_have_text([re.compile("^Cats, ")])
            expect(aside.locator("option")).to_have_text([re.compile("^Bears, ")])

        # Another visit can still bring it back.
        delete()
        page.reload()
        button(page, "Bring it back").click()
        expect(page.get_by_text("Bears is back.")).to_be_visible()
        expect(earlier.locator("option")).to_have_count(2)
        expect(aside).to_have_count(0)
        assert (tmp_path / "photos" / "for Bears" / "Bears" / "1.jpg").exists()

        # For good only after a second yes; the button that asks is the one that takes it back.
        delete()
        yes = button(page, re.compile("^Yes, remove Bears, its runs and the photos"))
        button(page, "Remove it for good…").click()
        expect(yes).to_be_visible()
        fits(page)
        expect(button(page, "No, keep it")).to_be_focused()
        page.keyboard.press("Enter")
        expect(yes).to_have_count(0)
        button(page, "Remove it for good…").click()
        yes.click()
        expect(page.get_by_text("Bears is removed.")).to_be_visible()
        expect(aside).to_have_count(0)
        assert [folder.name for folder in (tmp_path / "photos").iterdir()] == ["for Cats"]
        page.reload()
        expect(earlier.locator("option")).to_have_text([re.compile("^Cats, ")])
        expect(aside).to_have_count(0)
        assert not watched.foreign and not watched.errors


def test_on_a_phone_with_nothing_but_the_built_in_digits(watch, studio):
    """No data, no network: digits, a learning rate from the curve, a training, what it confuses, a bundle."""
    watched = watch(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, color_scheme="dark")
    page = watched.page
    page.goto(studio.url)
    button(page, "Handwritten digits").click()
    page.get_by_label("Pictures of each digit").fill("30")
    page.get_by_label("Pictures of each digit").press("Tab")
    button(page, "Use the digits").click()
    go_on(page, "Look, label, split")
    expect(page.get_by_text(re.compile(r"^300 \w+ of 10 labels: always"))).to_be_visible()
    expect(page.get_by_label("What is in them").locator("option:checked")).to_contain_text("Digits")
    button(page, "Look at a batch").click()
    expect(page.get_by_text("Training batch 1 of 15")).to_be_visible(timeout=SLOW)
    fits(page)
    go_on(page, "Learning rate")
    button(page, "Find a learning rate").click(timeout=SLOW)
    button(page, re.compile(r"^Use \d")).first.click(timeout=SLOW)
    fits(page)
    go_on(page, "Train")
    train(page, epochs=2)
    fits(page)
    go_on(page, "What it confuses")
    expect(page.get_by_text(re.compile(r"\d+ of 60 held-back photos are called wrongly."))).to_be_visible(timeout=SLOW)
    fits(page)
    wrong = int(re.search(r"(\d+) of 60 held-back", step(page, "What it confuses").inner_text())[1])
    assert wrong < 50, "always the same digit gets 54 of 60 wrong"
    go_on(page, "Clean the photos")
    fits(page)
    go_on(page, "Publish")
    button(page, "Publish", exact=True).click()
    expect(page.get_by_text("Published as handwritten_digits.onnx.").first).to_be_visible(timeout=SLOW)
    fits(page)
    # Another visit finds the project, and goes on from what was trained.
    page.goto(studio.url)
    page.get_by_role("combobox", name="Earlier projects").select_option(index=0)
    button(page, "Go on with it").first.click()
    step(page, "Train").get_by_role("button").click()
    expect(page.get_by_role("combobox", name="Trained earlier")).to_be_visible(timeout=SLOW)
    button(page, re.compile("^Use this network")).click()
    go_on(page, "What it confuses", timeout=SLOW)
    expect(page.get_by_text(f"{wrong} of 60 held-back photos are called wrongly.")).to_be_visible(timeout=SLOW)
    assert not watched.foreign and not watched.errors
