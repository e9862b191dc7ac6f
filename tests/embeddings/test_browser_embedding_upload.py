"""Vectors as a visitor brings them: in the kernel, and on the dashboard's own page."""

import asyncio
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from browser import until
from ipyfastai.models.embeddings import pca
from ipyfastai.models.embeddings.files import read_vectors
from ipyfastai.widgets import AnyEmbedding, EmbeddingUpload
from ipyfastai.widgets.uploads import Upload
from ipywidgets.widgets.widget import _instances as alive
from playwright.sync_api import expect

DASHBOARD = Path(__file__).parents[2] / "dashboards" / "embedding_explorer.ipynb"
VECTORS = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
METADATA = "title\tyear\n" + "".join(f"Film {row}\t{1950 + row}\n" for row in range(50))


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def run(begin, job):
    """What happens once something has begun, up to its end; then what the job says."""

    async def running():
        begin()
        while job.busy:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    asyncio.run(running())
    return job._shown.get("text", "")


@pytest.fixture
def upload():
    made = EmbeddingUpload()
    yield made
    made.close()


def arrive(upload, name, data, to="vectors"):
    def begin():
        getattr(upload, to).value = (Upload.keep(name, data),)

    return run(begin, upload.job)


def test_vectors_then_metadata_that_names_them(upload):
    assert arrive(upload, "films.npy", npy(VECTORS)) == "50 vectors of 4 numbers each."
    assert upload.value.labels[7] == "7" and upload.metadata in upload.children
    said = arrive(upload, "films.tsv", METADATA.encode(), "metadata")
    assert said == "50 vectors of 4 numbers each, 1 column of metadata."
    assert upload.value.labels[7] == "Film 7" and upload.value.metadata.year[7] == 1957
    arrive(upload, "words.csv", b"word,kind,x,y\nking,m,1,2\nqueen,f,2,1\n")
    assert upload.value.labels.tolist() == ["king", "queen"] and list(upload.value.metadata) == ["kind"]
    arrive(upload, "more.csv", b"kind,n\na,1\nb,2\n", "metadata")
    assert upload.value.labels.tolist() == ["king", "queen"] and upload.value.metadata.kind.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "data", "to", "says"),
    [
        ("a.npy", b"PK\x03\x04", "vectors", "This is a zip or .npz file"),
        ("a.npy", npy(np.zeros((5, 2))), "vectors", "All rows are the same"),
        ("a.csv", b"a,b\n1,2\n", "vectors", "1 row of 1 can be used"),
        ("m.tsv", b"title\nx\n", "metadata", "There are 50 vectors, and 1 row of metadata"),
        ("m.tsv", b"\0", "metadata", "This is no text file"),
    ],
)
def test_what_cannot_be_used_is_told_and_changes_nothing(upload, name, data, to, says):
    arrive(upload, "films.npy", npy(VECTORS))
    before = upload.value
    assert arrive(upload, name, data, to).startswith(says)
    assert upload.job._shown["state"] == "failed" and upload.value is before


def test_components_are_found_in_the_background_and_once(monkeypatch):
    threads, fit = [], pca.PCA.fit

    def watched(*given, **more):
        threads.append(threading.get_ident())
        return fit(*given, **more)

    monkeypatch.setattr(pca.PCA, "fit", watched)
    app = AnyEmbedding()
    arrive(app.upload, "films.npy", npy(VECTORS))
    explorer = app.value
    arrive(app.upload, "films.tsv", METADATA.encode(), "metadata")
    assert app.value is not explorer and app.value.embedding.labels[7] == "Film 7"
    assert len(threads) == 1 and threads[0] != threading.get_ident()
    app.close()


def test_an_upload_whose_components_take_too_long_can_be_cancelled(upload, monkeypatch):
    arrive(upload, "films.npy", npy(VECTORS))
    before, begun, fit = upload.value, threading.Event(), pca.PCA.fit

    def slow(vectors, components, *, progress):
        begun.set()
        until(lambda: progress.cancelled)
        return fit(vectors, components, progress=progress)

    monkeypatch.setattr(pca.PCA, "fit", slow)

    def begin():
        upload.vectors.value = (Upload.keep("more.npy", npy(-VECTORS)),)
        asyncio.get_running_loop().create_task(cancel())

    async def cancel():
        while not begun.is_set():
            await asyncio.sleep(0.01)
        upload.job.cancel()

    assert run(begin, upload.job) == "Cancelled." and upload.value is before


def gated(upload, monkeypatch):
    """The reading of more vectors begins, and goes on once `gate` is set."""
    gate, begun = threading.Event(), threading.Event()

    def read(file, name):
        begun.set()
        until(gate.is_set)
        return read_vectors(file, name)

    monkeypatch.setattr("ipyfastai.widgets.embeddings.upload.read_vectors", read)

    async def reading():
        while not begun.is_set():
            await asyncio.sleep(0.01)

    return gate, reading


@pytest.mark.parametrize("before", [False, True])
def test_metadata_that_comes_while_vectors_are_read_is_of_these(upload, monkeypatch, before):
    if before:
        arrive(upload, "films.npy", npy(VECTORS))
        arrive(upload, "films.tsv", METADATA.encode(), "metadata")
    gate, reading = gated(upload, monkeypatch)
    seen = []
    upload.observe(lambda change: seen.append(change.new.labels[0]), "value")

    async def both():
        upload.vectors.value = (Upload.keep("more.npy", npy(-VECTORS[:3])),)
        await reading()
        upload.metadata.value = (Upload.keep("more.csv", b"title,kind\na,x\nb,y\nc,z\n"),)
        gate.set()
        while upload.job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(both())
    assert upload.value.labels.tolist() == ["a", "b", "c"] and upload.value.metadata.kind.tolist() == ["x", "y", "z"]
    assert np.array_equal(upload.value.vectors, -VECTORS[:3]) and upload.metadata.value[0].name == "more.csv"
    assert seen == ["0", "a"]


def test_metadata_of_vectors_that_cannot_be_read_is_not_given_to_others(upload, monkeypatch):
    arrive(upload, "films.npy", npy(VECTORS))
    before = upload.value
    gate, reading = gated(upload, monkeypatch)

    async def both():
        upload.vectors.value = (Upload.keep("more.npy", b"PK\x03\x04"),)
        await reading()
        upload.metadata.value = (Upload.keep("films.tsv", METADATA.encode()),)
        gate.set()
        while upload.job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(both())
    assert (
        upload.value is before and upload.metadata.value == () and upload.job._shown["text"].startswith("This is a zip")
    )
    assert arrive(upload, "films.tsv", METADATA.encode(), "metadata").endswith("1 column of metadata.")


def test_an_example_takes_the_place_of_vectors_and_their_metadata(upload):
    arrive(upload, "films.npy", npy(VECTORS))
    said = run(lambda: upload.show_example("Invented films"), upload.job)
    assert said.startswith("200 vectors of 5 numbers each") and upload.metadata not in upload.children


def test_closing_takes_everything_along():
    before = set(alive)
    app = AnyEmbedding()
    run(lambda: app.upload.show_example("Invented films"), app.upload.job)
    first = app.value
    arrive(app.upload, "films.npy", npy(VECTORS))
    assert app.value is not first and first.comm is None and app.children == (app.upload, app.value)
    app.close()
    assert set(alive) == before


def test_the_dashboard(watch, serve_notebook):
    watched = watch()
    page = watched.page
    page.goto(serve_notebook(DASHBOARD))
    page.get_by_role("button", name="Try it: invented films").click()
    expect(page.get_by_text("200 vectors of 5 numbers each, 4 columns of metadata.")).to_be_visible()
    expect(page.get_by_text("0 of 200 points selected")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "films.npy", "mimeType": "application/octet-stream", "buffer": npy(VECTORS)}
    )
    expect(page.get_by_text("0 of 50 points selected")).to_be_visible()
    page.locator("input[type=file]").nth(1).set_input_files(
        {"name": "films.tsv", "mimeType": "text/tab-separated-values", "buffer": METADATA.encode()}
    )
    expect(page.get_by_text("50 vectors of 4 numbers each, 1 column of metadata.")).to_be_visible()
    expect(page.locator(".ipyfastai-embedding-explorer")).to_have_count(1)  # the one before is gone
    expect(page.get_by_label("Search in").locator("option")).to_have_text(["Labels", "year"])
    page.get_by_label("Search by regular expression").fill("film 1[0-3]$")
    found = page.locator(".ipyfastai-point-list li")
    expect(found).to_have_count(4)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "bad.npy", "mimeType": "application/octet-stream", "buffer": b"PK\x03\x04"}
    )
    expect(page.get_by_text("This is a zip or .npz file, whatever its name says")).to_be_visible()
    expect(found).to_have_count(4)
    assert not watched.foreign and not watched.errors
