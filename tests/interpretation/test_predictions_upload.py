"""Predictions as a visitor brings them: in the kernel, and on the dashboard's own page."""

import asyncio
import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from browser import fits, ipyfastai
from drawings import DATA, plain
from ipyfastai.models.thumbnails import Thumbnails
from ipyfastai.widgets import AnyPredictions, PredictionsUpload
from ipyfastai.widgets.uploads import Upload
from ipywidgets.widgets.widget import _instances as alive
from playwright.sync_api import expect

CSV = "item,label,predicted,loss\nlight/1.jpg,light,light,0.1\nlight/2.jpg,light,dark,3\ndark/1.jpg,dark,dark,0.2\n"
PICTURES = {"photos/light/1.jpg": 250, "photos/light/2.jpg": 90, "photos/dark/1.jpg": 20}


def zipped(csv=CSV, pictures=PICTURES, name="photos/predictions.csv"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, shade in pictures.items():
            archive.writestr(path, plain((shade,) * 3))
        if csv is not None:
            archive.writestr(name, csv)
    return out.getvalue()


@pytest.fixture
def upload():
    made = PredictionsUpload()
    yield made
    made.close()


def arrive(upload, name, data):
    """What happens once a file has arrived, up to its end."""
    data = data if isinstance(data, bytes) else data.encode()

    async def arrives():
        upload.upload.value = (Upload.keep(name, data),)
        while upload.job.busy:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    asyncio.run(arrives())
    return upload.job._shown.get("text", "")


def test_a_zip_of_predictions_and_pictures(upload):
    assert arrive(upload, "bears.zip", zipped()) == "3 predictions of 2 labels."
    assert upload.value.predicted.tolist() == ["light", "dark", "dark"]
    assert upload.value.item.tolist() == [str(upload.root / name) for name in PICTURES]
    assert all(map(os.path.isfile, upload.value.item))
    first = upload.root
    arrive(upload, "others.zip", zipped(CSV.replace("light/2.jpg", "light/none.jpg")))
    assert upload.job._shown["text"].endswith("1 of their pictures are not in the zip.")
    assert not first.exists() and upload.root.exists(), "what was uploaded before is gone"
    upload.close()
    assert not upload.root.exists()


def test_a_csv_alone_names_no_file_of_the_server(upload, tmp_path, monkeypatch):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(plain())
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{item},a,b\n" for item in (secret, "secret.jpg", "../../../../../../etc/passwd", "C:\\x\\y.jpg"))
    said = arrive(upload, "predictions.csv", "item,label,predicted\n" + rows)
    assert said.endswith("No picture of them is here: to see them, put the CSV and the pictures into one zip.")
    assert all(Path(item).is_relative_to(upload.root) and not os.path.exists(item) for item in upload.value.item)


def test_below_the_folder_that_the_server_names(tmp_path, monkeypatch):
    root = tmp_path / "data"
    (root / "light").mkdir(parents=True)
    (root / "light" / "1.jpg").write_bytes(plain())
    (tmp_path / "secret.jpg").write_bytes(plain())
    monkeypatch.setenv("IPYFASTAI_DATA_ROOT", str(root))
    upload = PredictionsUpload()
    said = arrive(upload, "predictions.csv", "item,label,predicted\nlight/1.jpg,a,a\nlight/2.jpg,a,b\n")
    assert said == "2 predictions of 2 labels. 1 of their pictures are not in the server's folder of pictures."
    assert upload.root == root and upload.value.item[0] == str(root / "light" / "1.jpg")
    said = arrive(upload, "predictions.csv", "item,label,predicted\n../secret.jpg,a,a\n")
    assert said == "The item '../secret.jpg' leads out of the folder of pictures."
    assert len(upload.value) == 2, "what was there before stays"
    upload.close()
    assert (root / "light" / "1.jpg").exists(), "the server's own pictures are never deleted"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("photos.zip", zipped(None), "This zip holds no CSV file, so nothing says what was predicted. It needs"),
        ("two.zip", zipped(pictures={"a.csv": 1}, name="b.csv"), "holds several CSV files .*call the one to read"),
        ("bad.zip", zipped()[:200], "This is not a zip file, or its end is missing"),
        ("empty.zip", zipped(None, {}), "This zip is empty"),
        ("table.csv", "item,label\na,b\n", "The file has no column predicted. It needs a row for each picture"),
        ("table.xlsx", zipped(), "an Excel file, whatever its name says: unpack it, or save it as CSV"),
        ("photo.csv", plain(), "This is no text file"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[:11] else "",
)
def test_what_cannot_be_used_is_told_in_a_sentence(upload, name, data, says):

    assert re.search(says, arrive(upload, name, data))
    assert upload.value is None and upload.job._shown["state"] == "failed"
    assert arrive(upload, "bears.zip", zipped()) == "3 predictions of 2 labels."


def test_a_second_choice_takes_the_place_of_one_that_is_still_read(upload):
    rows = "".join(f"{row}.jpg,a,b\n" for row in range(200_000))

    async def both():
        upload.upload.value = (Upload.keep("long.csv", ("item,label,predicted\n" + rows).encode()),)
        await asyncio.sleep(0)
        upload.upload.value = (Upload.keep("short.csv", CSV.encode()),)
        while upload.value is None:
            await asyncio.sleep(0.01)

    asyncio.run(both())
    assert len(upload.value) == 3


def test_other_predictions_take_the_place_of_the_first(tmp_path):
    thumbnails, before = Thumbnails(tmp_path), set(alive)
    app = AnyPredictions(thumbnails=thumbnails, noun="picture")
    arrive(app.upload, "bears.zip", zipped())
    first, losses = app.value, app.losses
    assert app.children == (app.upload, first, losses) and first.noun == losses.noun == "picture"
    arrive(app.upload, "others.csv", CSV)
    assert app.value is not first and first.comm is None and losses.comm is None
    assert first._grid.thumbnails is app.value._grid.thumbnails
    app.close()
    assert set(alive) <= before and not thumbnails._closed, "closing lets go of its own"


# On the dashboard's page.


@pytest.fixture(scope="module")
def dashboard():
    with ipyfastai("confusion_matrix", "--preheat", "0") as server:
        yield server.url


def opened(watched, url):
    watched.page.goto(url)
    watched.page.get_by_role("button", name="Choose a file").wait_for()
    return watched.page


def choose(page, name, data):
    data = data if isinstance(data, bytes) else data.encode()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").first.set_input_files([file])


def test_from_an_upload_to_the_photos_of_a_cell(watch, dashboard):
    watched = watch(viewport={"width": 390, "height": 844})
    page = opened(watched, dashboard)
    choose(page, "bears.zip", zipped())
    page.get_by_text("2 of 3 pictures right (67 %)").wait_for()
    page.get_by_role("button", name="1 picture of light was called dark").click()
    page.get_by_role("heading", name="1 picture of light was called dark, 50 % of the 2.").wait_for()
    grid = page.locator(".ipyfastai-picture-grid").first
    expect(grid.locator(".cell canvas")).to_have_count(1)
    expect(grid.locator(".cell")).to_contain_text("loss 3")
    page.wait_for_function("document.querySelector('.ipyfastai-picture-grid .cell canvas').width > 0")
    fits(page)
    # Worst first below it, all three.
    expect(page.locator(".ipyfastai-picture-grid").nth(1).locator(".cell canvas")).to_have_count(3)
    assert not watched.errors and not watched.foreign


def test_a_csv_alone_and_files_that_cannot_be_used(watch, dashboard):
    watched = watch()
    page = opened(watched, dashboard)
    choose(page, "photos.zip", zipped(None))
    page.get_by_text("so nothing says what was predicted. It needs a row for each picture").wait_for()
    choose(page, "predictions.csv", "item;label;predicted\n/etc/passwd;<b>a</b>;b\nx.jpg;b;b\n")
    page.get_by_text("1 of 2 pictures right (50 %)").wait_for()
    page.get_by_text("to see them, put the CSV and the pictures into one zip").wait_for()
    page.get_by_role("button", name="1 picture of <b>a</b> was called b").click()
    expect(page.locator(".ipyfastai-picture-grid").first).to_contain_text("This file is gone.")
    choose(page, "other.csv", "a,b\n1,2\n")
    page.get_by_text("The file has no column item and none label and none predicted.").wait_for()
    expect(page.get_by_text("1 of 2 pictures right (50 %)")).to_be_visible()  # what was there stays
    expect(page.locator("body")).not_to_contain_text("/tmp", use_inner_text=True)
    assert not watched.errors


def test_real_photos(watch, dashboard):
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    files = [file for label in ("black", "grizzly") for file in sorted((DATA / "bears" / label).iterdir())[:3]]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        rows = [f"{file},{file.parent.name},grizzly" for file in files]  # absolute paths of another computer
        archive.writestr("predictions.csv", "\n".join(["item,label,predicted", *rows]))
        for file in files:
            archive.write(file, Path(*file.parts[-2:]))
    watched = watch()
    page = opened(watched, dashboard)
    choose(page, "bears.zip", out.getvalue())
    page.get_by_role("button", name="3 pictures of black were called grizzly").click()
    grid = page.locator(".ipyfastai-picture-grid").first
    expect(grid.locator(".cell canvas")).to_have_count(3)
    page.wait_for_function(
        "[...document.querySelectorAll('.ipyfastai-picture-grid')][0].querySelector('.cell canvas').width > 0"
    )
    assert not watched.errors
