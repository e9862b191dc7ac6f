"""ImageSource: from a filled-in form to a folder of images, and what a page cannot ask for."""

import asyncio
import io
import threading
import zipfile
from pathlib import Path

import pytest
from drawings import plain
from ipyfastai.models.data.sources import Fetched
from ipyfastai.models.progress import Cancelled
from ipyfastai.widgets import ImageSource, Offer
from ipyfastai.widgets.data.image_source import ZipUpload
from ipyfastai.widgets.form import Field
from ipyfastai.widgets.uploads import Upload


def send(form, name, value=None, kind="set"):
    form._receive(form, {"type": kind, "name": name, "value": value}, [])


def choose(source, name):
    send(source.form, "source", [offer.name for offer in source._offers].index(name))


def sentences(source):
    return [text for _, text in source.findings._shown["sentences"]]


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/") + ".jpg", data)
    return out.getvalue()


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.delenv("IPYFASTAI_DATA_ROOT", raising=False)
    widget = ImageSource(into=tmp_path / "into")
    yield widget
    widget.close()


class Drawn:
    """A source that draws its pictures."""

    def __init__(self, count, **options):
        self.count, self.options = count, options

    def fetch(self, into, *, progress=None):
        files = [into / "red" / f"{n}.jpg" for n in range(self.count)]
        (into / "red").mkdir()
        for file in files:
            file.write_bytes(plain())
        return Fetched(into, files, **self.options)


def test_the_digits_without_network(source):
    choose(source, "Handwritten digits")
    send(source.form, "per_class", 5)
    send(source.form, "fetch", kind="press")
    assert len(list(source.value.rglob("*.png"))) == 50 and sentences(source) == ["50 photos in 10 folders."]


def test_a_zip_that_was_uploaded(source):
    assert source.upload in source.children
    source.upload.value = (Upload.keep("my bears.zip", zipped(black__1=plain(), teddy__2=plain())),)
    assert source.value.name == "my bears"
    assert sorted(str(file.relative_to(source.value)) for file in source.value.rglob("*.jpg")) == [
        "black/1.jpg",
        "teddy/2.jpg",
    ]


def test_a_zip_that_will_not_do_is_told_and_what_was_there_stays(source, tmp_path):
    assert source.fetch(Drawn(2))
    before = source.value
    source.upload.value = (Upload.keep("a.zip", zipped()),)
    assert source.job._shown == {"state": "failed", "text": "This zip is empty."}
    assert source.value == before and len(list((tmp_path / "into").iterdir())) == 1, "no empty folder stays"
    chosen = {"type": "select", "choice": "1", "files": [{"id": "b" * 32, "name": "b.zip", "size": 0}]}
    source.upload._receive(source.upload, chosen, [])
    assert source.upload._files[0]["state"] == "refused"
    assert source.job._shown == {}, "what was said of the zip before is not said of this one"


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    source = ImageSource(into=tmp_path / "taken")
    source.fetch(Drawn(1))
    assert source.job._shown == {"state": "failed", "text": "The files could not be used: File exists."}
    assert source.value is None and not source.job.busy
    source.close()


def test_what_is_no_zip_is_refused_beside_its_name():
    with pytest.raises(ValueError, match="not a zip file"):
        ZipUpload()._check(Upload.keep("a.zip", b"<html>"))
    assert ZipUpload()._check(Upload.keep("a.zip", zipped(a=plain()))) == ""


def test_failures_are_listed(source):
    source.fetch(Drawn(3, failures=[("<b>.jpg", "It was no picture."), ("x", "Gone.")]))
    one, flat, left_out = sentences(source)
    assert (one, left_out) == ("3 photos in 1 folder.", "2 were left out.") and "file names or a table" in flat
    assert source.findings._shown["tables"][1]["rows"] == [["<b>.jpg", "It was no picture."], ["x", "Gone."]]


def test_server_folders_only_below_the_root(tmp_path, monkeypatch):
    for name in ("data/bears/black/1.jpg", "secret/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(plain())
    monkeypatch.delenv("IPYFASTAI_DATA_ROOT", raising=False)
    assert "Server folder" not in ImageSource().form._fields["fields"][0]["options"], "not offered without a root"
    monkeypatch.setenv("IPYFASTAI_DATA_ROOT", str(tmp_path / "data"))
    source = ImageSource(into=tmp_path / "into")
    choose(source, "Server folder")
    [folder] = [field for field in source.form._fields["fields"] if field["name"] == "folder"]
    assert folder["options"] == ["bears", "bears/black"]
    for hostile in ("../secret", -1, 2, "/etc"):
        send(source.form, "folder", hostile)
    send(source.form, "fetch", kind="press")
    assert source.value == tmp_path / "data" / "bears"


def test_on_a_public_server_a_folder_is_copied(tmp_path, monkeypatch):
    (tmp_path / "data" / "red").mkdir(parents=True)
    (tmp_path / "data" / "red" / "1.jpg").write_bytes(plain())
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    source = ImageSource(data_root=tmp_path / "data")
    choose(source, "Server folder")
    send(source.form, "fetch", kind="press")
    assert not source.value.is_relative_to(tmp_path) and len(list(source.value.rglob("*.jpg"))) == 1
    folder = source.value
    source.close()
    assert not folder.exists(), "what was fetched goes with the widget"


def test_a_sentence_for_a_form_that_says_nothing(source):
    for name, says in (("Web addresses", "There is no web address in that."), ("Photo search", "Name 1 to 50 things")):
        choose(source, name)
        send(source.form, "fetch", kind="press")
        assert says in source.job._shown["text"] and source.value is None


def test_web_addresses_within_this_network_are_not_asked(source):
    choose(source, "Web addresses")
    send(source.form, "urls", "bear\nhttp://169.254.169.254/latest/meta-data\nhttp://127.0.0.1:1/1.jpg")
    send(source.form, "fetch", kind="press")
    assert "None of these hosts can be found" in source.job._shown["text"]
    assert "private network" in source.job._shown["text"]


def test_a_source_of_the_programmer_s_own():
    source = ImageSource(
        extra=[Offer("My camera", lambda form: Drawn(form["count"]), [Field("count", "Photos", "number", 2, high=9)])]
    )
    choose(source, "My camera")
    send(source.form, "count", 4)
    send(source.form, "fetch", kind="press")
    assert len(list(source.value.rglob("*.jpg"))) == 4
    source.close()


def test_a_second_click_does_nothing_and_cancel_leaves_nothing(tmp_path):
    began = threading.Event()

    class Slow:
        def fetch(self, into, *, progress=None):
            (into / "part.jpg").write_bytes(plain())
            began.set()
            while True:
                progress.report(0)

    async def clicks():
        source, ended = ImageSource(into=tmp_path), asyncio.Event()
        assert source.fetch(Slow())
        await asyncio.to_thread(began.wait, 10)
        assert not source.fetch(Slow())
        source.job.observe(lambda change: change.new or ended.set(), "busy")
        source.job._receive(source.job, {"type": "cancel"}, [])
        await asyncio.wait_for(ended.wait(), 10)
        await asyncio.sleep(0)
        return source

    source = asyncio.run(clicks())
    assert source.value is None and source.job._shown["text"] == "Cancelled." and list(tmp_path.iterdir()) == []


def test_a_zip_that_arrives_meanwhile_is_taken_next_and_let_go_of(tmp_path):
    go_on = threading.Event()

    class Slow(Drawn):
        def fetch(self, into, *, progress=None):
            go_on.wait(60)
            return super().fetch(into)

    async def both():
        source, came = ImageSource(into=tmp_path), asyncio.Event()
        source.fetch(Slow(1), name="slow")
        source.upload.value = (Upload.keep("next.zip", zipped(red__1=plain())),)
        source.observe(lambda change: change.new.name == "next" and came.set(), "value")
        go_on.set()
        await asyncio.wait_for(came.wait(), 10)
        while source.upload.value:
            await asyncio.sleep(0.01)
        return source

    source = asyncio.run(asyncio.wait_for(both(), 30))
    assert len(list(source.value.rglob("*.jpg"))) == 1
    source.close()
    assert source.value.exists(), "what lies in a folder of the programmer's stays"


def test_a_source_may_be_any_object_that_fetches(source):
    class Broken:
        def fetch(self, into, *, progress=None):
            raise Cancelled

    source.fetch(Broken())
    assert source.value is None
    assert source.fetch(Drawn(1), name="../../etc") and source.value.parent.parent == Path(source._folder)
