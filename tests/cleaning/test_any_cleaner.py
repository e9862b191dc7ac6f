"""`AnyCleaner`: a visitor's own pictures, cleaned and taken home."""

import io
import os
import zipfile

import pandas as pd
import pytest
from drawings import DARK, LIGHT, plain
from ipyfastai.models.thumbnails import Thumbnails
from ipyfastai.widgets import AnyCleaner
from ipyfastai.widgets.uploads import Upload
from ipywidgets.widgets.widget import _instances as alive

PICTURES = {"set/light/1.jpg": LIGHT, "set/light/2.jpg": LIGHT, "set/dark/1.jpg": DARK, "set/dark/2.jpg": LIGHT}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes | str) else plain(content))
    return out.getvalue()


@pytest.fixture
def app(tmp_path):
    thumbnails = Thumbnails(tmp_path / "cache")
    before = set(alive)
    made = AnyCleaner(thumbnails=thumbnails)
    yield made
    made.close()
    assert set(alive) <= before and not thumbnails._closed, "closing lets go of its own"
    thumbnails.close()


def give(app, name, data):
    app.upload.upload.value = (Upload.keep(name, data),)
    return app.value


def say(widget, **content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def click(sheet, text):
    index = next(index for index, (choice, _) in enumerate(sheet._shown["choices"]) if choice.startswith(text))
    say(sheet, type="press", version=sheet._version, index=index, page="x")


def taken_home(app):
    """The zip, piece by piece as a page asks for it."""
    pieces = []
    app.download.send = lambda content, buffers=None: pieces.append(bytes(buffers[0]))
    size, number = app.download._offered["size"], app.download._offered["number"]
    while sum(map(len, pieces)) < size:
        say(app.download, type="get", token="x", number=number, offset=sum(map(len, pieces)))
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_a_zip_of_class_folders_is_cleaned_and_comes_back(app, monkeypatch):
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")  # it is the visitor's own copy, so they may
    cleaner = give(app, "set.zip", zipped({**PICTURES, "set/README.txt": "About these pictures."}))
    assert cleaner.table["label"].value_counts().to_dict() == {"light": 2, "dark": 2}
    shown = [item.split("set/")[1] for item in cleaner.grid.table["item"]]
    cleaner.grid.value = (shown.index("dark/2.jpg"),)
    say(cleaner.buttons, type="act", action="move", index=cleaner._pictures.labels.index("light"))
    cleaner.grid.value = (shown.index("light/1.jpg"),)
    say(cleaner.buttons, type="act", action="delete")
    click(cleaner.panel.sheet, "Apply 2 marks")
    click(cleaner.panel.sheet, "Yes")
    assert app.download in app.children and not app.download._offered
    say(app.pack, type="start")
    home = taken_home(app)
    assert sorted(home.namelist()) == ["labels.csv", "set/dark/1.jpg", "set/light/2-2.jpg", "set/light/2.jpg"]
    labels = pd.read_csv(home.open("labels.csv")).set_index("item")["label"]
    assert labels["set/light/2-2.jpg"] == "light" and len(labels) == 3
    assert home.read("set/light/2-2.jpg") == plain(LIGHT)

    click(cleaner.panel.sheet, "Undo")
    assert not app.download._offered, "what was packed is not what is there now"


def test_what_was_taken_home_can_be_given_again(app):
    again = zipped(
        {**PICTURES, "labels.csv": "item,label,split\nset/dark/2.jpg,light,train\nset/dark/1.jpg,dark,valid\n"}
    )
    cleaner = give(app, "cleaned.zip", again)
    assert cleaner.table["label"].tolist() == ["light", "dark"] and cleaner.table["split"].tolist() == [
        "train",
        "valid",
    ]


def test_predictions_bring_their_orders(app):
    rows = ["item,label,predicted,confidence,loss", "dark/2.jpg,dark,light,0.9,2.3", "dark/1.jpg,dark,dark,0.9,0.1"]
    cleaner = give(app, "set.zip", zipped({**PICTURES, "predictions.csv": "\n".join(rows)}))
    assert [os.path.basename(item) for item in cleaner.grid.table["item"]] == ["2.jpg", "1.jpg"]
    assert cleaner.bar._choices["order"][0] == "worst loss first"


def test_a_csv_alone_can_be_marked_and_never_applied(app):
    cleaner = give(app, "p.csv", b"item,label,predicted\na.jpg,dark,light\nb.jpg,light,light\n")
    cleaner.grid.value = (0,)
    say(cleaner.buttons, type="act", action="delete")
    offered = [text for text, _ in cleaner.panel.sheet._shown["choices"]]
    assert offered == ["Download marks as CSV", "Download labels as CSV"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("flat.zip", zipped({"1.jpg": LIGHT, "dark/1.jpg": DARK}), "put those of each class into a folder"),
        ("not.zip", b"PK but no zip", "not a zip file"),
        ("none.zip", zipped({"notes.txt": "nothing"}), "no photos"),
        ("bad.csv", b"file,class\na,b\n", "no column item"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_earlier_one_stays(app, name, data, sentence):
    before = give(app, "set.zip", zipped(PICTURES))
    give(app, name, data)
    assert app.value is before and before is not None
    assert app.upload.job._shown["state"] == "failed" and sentence in app.upload.job._shown["text"]


def test_another_upload_takes_its_place_and_the_first_one_goes(app):
    first = give(app, "set.zip", zipped(PICTURES))
    folder, state = app.upload.root, app._state
    first.grid.value = (0,)
    say(first.buttons, type="act", action="delete")
    assert state.exists()
    second = give(app, "other.zip", zipped({"a/1.jpg": LIGHT, "b/1.jpg": DARK}))
    assert second is not first and not folder.exists() and not state.exists()
    assert second.value.empty and app.children[1] is second


def test_more_than_can_be_downloaded_is_refused_with_a_sentence(app, monkeypatch):
    monkeypatch.setattr("ipyfastai.widgets.cleaning.any_cleaner.LARGEST", 10)
    give(app, "set.zip", zipped(PICTURES))
    say(app.pack, type="start")
    assert "too much to download" in app.pack._shown["text"] and not app.download._offered
