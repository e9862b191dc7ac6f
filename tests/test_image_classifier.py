"""`ImageClassifier` with a plain function as its classifier."""

import asyncio
import gc
import math
import subprocess
import sys
import threading

import pytest
from drawings import DARK, HTML, LIGHT, RED, plain
from ipyfastai.widgets import ImageClassifier, image_classifier
from ipyfastai.widgets.card_view import CardView
from ipyfastai.widgets.examples import Examples
from ipyfastai.widgets.uploads import spool
from ipywidgets import Button
from PIL import Image, ImageStat
from test_file_upload import Page
from traitlets import TraitError, dlink


def light_or_dark(image):
    """Mean brightness; anything red is too much for it."""
    red, green, blue = ImageStat.Stat(image).mean
    if red > 200 > 100 > green:
        raise RuntimeError("red")
    light = (red + green + blue) / 765
    return {"light": light, "dark": 1 - light}


class Visitor(Page):
    """Somebody who sends photos to an `ImageClassifier` and looks at it."""

    def __init__(self, classifier=light_or_dark, **options):
        self.app = ImageClassifier(classifier, **options)
        super().__init__(self.app.upload)
        self.count = 0

    def choose(self, *files, **named):
        """One choice of files, each sent whole."""
        files = dict((f"{i}.jpg", file) for i, file in enumerate(files)) | named
        ids = {}
        for name in files:
            self.count += 1
            ids[name] = f"{self.count:032}"
        self.select(*((ids[name], name, len(file)) for name, file in files.items()))
        for name, file in files.items():
            self.chunk(ids[name], file)
        return self

    def flag(self, row, label):
        id = self.app.table._rows[row]["id"]
        data = {"method": "custom", "content": {"type": "flag", "id": id, "label": label}}
        self.app.table._handle_msg({"content": {"data": data}, "buffers": []})

    @property
    def table(self):
        return [(row["item"], row["predicted"], row["label"]) for row in self.app.table._rows]


def test_one_photo_gives_an_answer_bars_and_a_picture():
    visitor = Visitor().choose(plain(LIGHT))
    app = visitor.app
    assert app.answer._row["predicted"] == "light"
    assert app.answer._row["confidence"] == pytest.approx(250 / 255, abs=0.01)
    assert app.bars.value == pytest.approx({"light": 250 / 255, "dark": 5 / 255}, abs=0.01)
    assert (app.picture.caption, app.picture.alt) == ("0.jpg", "0.jpg: light")
    assert app.picture.value[:2] == b"\xff\xd8"
    assert app.labels == ["light", "dark"]


def test_value_is_the_last_choice_as_a_dataframe():
    visitor = Visitor().choose(plain(LIGHT), plain(DARK))
    assert visitor.app.value["predicted"].tolist() == ["light", "dark"]
    visitor.choose(plain(DARK))
    frame = visitor.app.value
    assert frame["predicted"].tolist() == ["dark"]
    assert frame["confidence"][0] == pytest.approx(235 / 255, abs=0.01)
    assert frame["probabilities"][0] == pytest.approx({"dark": 235 / 255, "light": 20 / 255}, abs=0.01)
    assert math.isnan(frame["novelty"][0]) and not frame["unfamiliar"][0]


def test_history_keeps_the_earlier_photos_in_the_table_or_not():
    kept, forgot = Visitor(), Visitor(history=False)
    for visitor in (kept, forgot):
        visitor.choose(a=plain(LIGHT), b=plain(DARK)).choose(c=plain(DARK))
    assert [row[0] for row in kept.table] == ["a", "b", "c"]
    assert [row[0] for row in forgot.table] == ["c"]


def test_a_photo_that_the_classifier_cannot_do_and_a_broken_one_lose_no_other():
    visitor = Visitor().choose(ok=plain(LIGHT), red=plain(RED), page=HTML, dark=plain(DARK))
    frame = visitor.app.value
    assert frame["item"].tolist() == ["ok", "red", "dark"]
    assert frame["predicted"].tolist() == ["light", "", "dark"]
    assert frame["error"].tolist() == ["", "The classifier failed on this photo (RuntimeError).", ""]
    assert "web page" in next(m for m in visitor.messages.values() if m)
    visitor.choose(next=plain(LIGHT))
    assert visitor.app.value["predicted"].tolist() == ["light"]


@pytest.mark.parametrize("nonsense", [None, {"a": math.nan}, {"a": 2}, [("a", 1)], {}])
def test_nonsense_from_a_classifier_is_a_sentence(nonsense):
    visitor = Visitor(lambda image: nonsense).choose(plain())
    row = visitor.app.answer._row
    assert row["error"].startswith("The classifier failed on this photo (") and row["confidence"] is None
    assert visitor.app.bars.value == {}
    assert visitor.app.picture.value


def test_flags():
    visitor = Visitor().choose(a=plain(LIGHT), b=plain(DARK), c=plain(DARK))
    assert visitor.app.flags.empty
    visitor.flag(0, "dark")
    visitor.flag(1, "light")
    visitor.flag(2, "no such label")
    visitor.flag(1, "")  # taken back
    assert visitor.table == [("a", "light", "dark"), ("b", "dark", ""), ("c", "dark", "")]
    assert visitor.app.answer._row["label"] == "dark"
    flags = visitor.app.flags
    assert flags[["item", "predicted", "label"]].values.tolist() == [["a", "light", "dark"]]
    assert visitor.app.value["label"].tolist() == ["dark", "", ""]
    visitor.choose(d=plain(DARK))
    assert visitor.app.flags["item"].tolist() == ["a"], "flags outlive the next choice"


def test_observe_is_told_of_each_choice_and_flag():
    visitor, seen = Visitor(), []
    visitor.app.observe(lambda change: seen.append(change.new[["item", "label"]].values.tolist()), "value")
    visitor.choose(a=plain(LIGHT))
    visitor.flag(0, "dark")
    assert [["a", ""]] in seen and seen[-1] == [["a", "dark"]]


def test_value_can_be_linked_to_another_widget():
    from traitlets import Any, HasTraits

    class Sink(HasTraits):
        value = Any()

    visitor, sink = Visitor(), Sink()
    dlink((visitor.app, "value"), (sink, "value"))
    visitor.choose(plain(DARK))
    assert sink.value["predicted"].tolist() == ["dark"]


def test_run_button_waits_for_the_click():
    visitor = Visitor(run="button")
    app = visitor.app
    assert app.button in app.children and app.button.disabled
    visitor.choose(a=plain(LIGHT), b=plain(DARK))
    assert (app.button.disabled, app.value.empty, app.answer._row) == (False, True, {})
    app.button.click()
    assert app.value["predicted"].tolist() == ["light", "dark"]
    assert app.button.disabled
    assert not any(isinstance(child, Button) for child in Visitor().app.children)


def test_what_was_taken_off_the_list_before_the_click_is_not_classified():
    visitor = Visitor(run="button").choose(a=plain(LIGHT), b=plain(DARK))
    [first, _] = visitor.states
    visitor.say({"type": "cancel", "id": first})
    visitor.app.button.click()
    assert visitor.app.value["item"].tolist() == ["b"]


def test_another_choice_before_the_click_replaces_the_first():
    visitor = Visitor(run="button").choose(a=plain(LIGHT)).choose(b=plain(DARK))
    visitor.app.button.click()
    assert visitor.app.value["item"].tolist() == ["b"]


def test_clear_before_the_click_leaves_nothing_to_do():
    visitor = Visitor(run="button").choose(a=plain(LIGHT))
    visitor.say({"type": "clear"})
    assert visitor.app.button.disabled


def test_taking_a_file_off_the_list_classifies_nothing_again():
    seen = []

    def counting(image):
        seen.append(image)
        return {"a": 1}

    visitor = Visitor(counting).choose(a=plain(), b=plain(), c=plain())
    visitor.say({"type": "cancel", "id": list(visitor.states)[1]})
    assert len(seen) == 3 and [row[0] for row in visitor.table] == ["a", "b", "c"]


def test_clear_and_undo_of_the_table():
    visitor = Visitor().choose(a=plain(LIGHT), b=plain(DARK))

    def say(kind):
        data = {"method": "custom", "content": {"type": kind}}
        visitor.app.table._handle_msg({"content": {"data": data}, "buffers": []})

    say("clear")
    assert visitor.table == [] and visitor.app.table._progress["undo"]
    visitor.choose(c=plain(DARK))
    say("undo")
    assert [row[0] for row in visitor.table] == ["a", "b", "c"] and not visitor.app.table._progress["undo"]


def test_a_classifier_with_labels_and_a_card():
    class Model:
        labels = ("light", "dark", "neither")

        class card:
            @staticmethod
            def sections():
                return [("Data", "drawn by a test")]

        def __call__(self, image):
            return light_or_dark(image)

    visitor = Visitor(Model()).choose(plain(LIGHT))
    [card] = [child for child in visitor.app.children if isinstance(child, CardView)]
    assert card._sections == [["Data", "drawn by a test"]]
    visitor.flag(0, "neither")
    assert visitor.app.flags["label"].tolist() == ["neither"]
    assert not any(isinstance(child, CardView) for child in Visitor().app.children)


def test_examples_by_path_image_and_pair(tmp_path):
    path = tmp_path / "night.png"
    path.write_bytes(plain(DARK, kind="PNG"))
    day = Image.new("RGB", (30, 20), LIGHT)
    visitor = Visitor(examples=[path, ("noon", day), day])
    [row] = [child for child in visitor.app.children if isinstance(child, Examples)]
    assert row._names == ["night", "noon", "example"]
    for index, (item, predicted) in enumerate([("night", "dark"), ("noon", "light")]):
        row._handle_msg({"content": {"data": {"method": "custom", "content": {"index": index}}}, "buffers": []})
        assert visitor.app.value[["item", "predicted"]].values.tolist() == [[item, predicted]]


@pytest.mark.parametrize(
    "arguments, options, error",
    [
        (["not callable"], {}, TypeError),
        ([light_or_dark], {"run": "now"}, ValueError),
        ([light_or_dark], {"max_files": 0}, ValueError),
        ([light_or_dark], {"max_side": 0}, ValueError),
    ],
)
def test_bad_arguments_are_refused_at_construction(arguments, options, error):
    with pytest.raises(error):
        ImageClassifier(*arguments, **options)


def test_options_go_to_the_upload():
    upload = ImageClassifier(light_or_dark, max_files=3, max_mb=7, max_pixels=99, max_side=None, label="Here").upload
    assert (upload.max_files, upload.max_mb, upload.max_pixels, upload.max_side) == (3, 7, 99, None)
    assert upload._options["label"] == "Here"


async def until(condition):
    """Let the event loop run until something holds."""
    while not condition():
        await asyncio.sleep(0.001)


def test_cancel_in_the_middle_of_a_batch():
    """On an event loop, as in a kernel: the third photo is in the classifier when Cancel is clicked."""
    third, go_on = threading.Event(), threading.Event()
    calls = []

    def slow(image):
        calls.append(image)
        if len(calls) == 3:
            third.set()
            assert go_on.wait(60)
        return light_or_dark(image)

    async def scene():
        visitor = Visitor(slow).choose(*[plain(LIGHT)] * 10)
        await until(third.is_set)
        data = {"method": "custom", "content": {"type": "cancel"}}
        visitor.app.table._handle_msg({"content": {"data": data}, "buffers": []})
        go_on.set()
        await until(lambda: not visitor.app._queue.working and not visitor.app.upload.busy)
        assert (len(calls), len(visitor.table), len(visitor.app.value)) == (3, 3, 3)
        assert visitor.app.table._progress["total"] == 0
        visitor.choose(next=plain(DARK))
        await until(lambda: len(visitor.app.value) == 1)
        assert visitor.app.value["predicted"].tolist() == ["dark"]

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_photos_chosen_while_others_are_classified_wait_their_turn():
    async def scene():
        visitor = Visitor().choose(a=plain(LIGHT), b=plain(DARK)).choose(c=plain(DARK))
        await until(lambda: len(visitor.table) == 3 and not visitor.app._queue.working)
        return visitor.table

    assert [row[0] for row in asyncio.run(asyncio.wait_for(scene(), 60))] == ["a", "b", "c"]


def test_the_oldest_photos_go_first(monkeypatch):
    monkeypatch.setattr(image_classifier, "KEPT", 3)
    visitor = Visitor().choose(a=plain(), b=plain()).choose(c=plain(), d=plain())
    assert [row[0] for row in visitor.table] == ["b", "c", "d"]


def test_a_long_visit_keeps_previews_not_the_files_that_were_sent():
    gc.collect()
    before = set(spool().iterdir())
    large = plain() + bytes(500_000)
    visitor = Visitor()
    for _ in range(5):
        visitor.choose(large)
    gc.collect()
    sizes = sorted(path.stat().st_size for path in set(spool().iterdir()) - before)
    assert len(sizes) == 6 and sizes[-1] == len(large) and sizes[-2] < 10_000


def test_two_apps_share_nothing():
    one, other = Visitor(), Visitor()
    one.choose(mine=plain(LIGHT), also_mine=plain(DARK))
    other.choose(theirs=plain(DARK))
    id = one.app.table._rows[0]["id"]
    data = {"method": "custom", "content": {"type": "choose", "id": id}}
    other.app.table._handle_msg({"content": {"data": data}, "buffers": []})
    assert (other.app.picture.caption, [row[0] for row in other.table]) == ("theirs", ["theirs"])


PROGRAM = """
import sys
from test_image_classifier import Visitor, plain
visitor = Visitor().choose(plain())
visitor.flag(0, "dark")
assert visitor.table == [("0.jpg", "light", "dark")]
print([name for name in ("pandas", "torch", "fastai", "matplotlib", "onnxruntime") if name in sys.modules])
visitor.app.value
print("pandas" in sys.modules)
"""


def test_a_visitor_who_only_looks_pays_for_no_pandas():
    folder = str(__import__("pathlib").Path(__file__).parent)
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=folder)
    assert ran.stdout.split("\n")[:2] == ["[]", "True"], ran.stderr


def test_value_holds_the_last_choice_alone_even_when_an_earlier_one_is_under_way():
    go_on = threading.Event()

    def slow(image):
        assert go_on.wait(60)
        return light_or_dark(image)

    async def scene(history):
        go_on.clear()
        visitor = Visitor(slow, history=history).choose(a=plain(LIGHT), b=plain(LIGHT), c=plain(LIGHT))
        await until(lambda: visitor.app._queue.working and len(visitor.app.upload.value) == 3)
        visitor.choose(z=plain(DARK))
        await until(lambda: len(visitor.app.upload.value) == 1)
        go_on.set()
        await until(lambda: not visitor.app._queue.working)
        return visitor.app.value["item"].tolist(), [row[0] for row in visitor.table]

    for history, listed in ((True, ["a", "b", "c", "z"]), (False, ["z"])):
        assert asyncio.run(asyncio.wait_for(scene(history), 60)) == (["z"], listed)


def test_with_a_button_nothing_is_classified_unasked():
    visitor = Visitor(run="button", examples=[("noon", Image.new("RGB", (9, 9), "white"))]).choose(a=plain(DARK))
    visitor.app._pick(0)
    assert visitor.app.value["item"].tolist() == ["noon"]
    assert not visitor.app.button.disabled
    visitor.app.button.click()
    assert visitor.app.value["item"].tolist() == ["a"]
    assert visitor.app.button.disabled


def test_clear_takes_the_answer_away_too_and_undo_brings_all_back():
    visitor = Visitor().choose(a=plain(LIGHT)).choose(b=plain(DARK))
    assert len(visitor.app.value) == 1
    for _ in range(2):  # a double click must not make Undo forget
        visitor.app._clear(True)
    assert (visitor.table, visitor.app.answer._row, visitor.app.picture.value, visitor.app.bars.value) == (
        [],
        {},
        b"",
        {},
    )
    assert visitor.app.value.empty
    visitor.app._clear(False)
    assert [row[0] for row in visitor.table] == ["a", "b"]
    assert visitor.app.value["item"].tolist() == ["b"]
    assert visitor.app.answer._row["item"] == "b" and visitor.app.picture.value


class Odd(dict):
    novelty = None


@pytest.mark.parametrize("classifier", [lambda image: Odd(a=1.0), lambda image: {"a": object()}])
def test_no_photo_is_lost_to_an_odd_classifier(classifier):
    visitor = Visitor(classifier).choose(a=plain(LIGHT), b=plain(LIGHT))
    assert [row["error"] for row in visitor.app.table._rows] == ["The classifier failed on this photo (TypeError)."] * 2


def test_a_full_disk_costs_the_picture_and_not_the_answer(monkeypatch):
    def full(name, data):
        raise OSError(28, "No space left on device")

    visitor = Visitor()
    monkeypatch.setattr("ipyfastai.widgets.uploads.Upload.keep", full)
    visitor.choose(a=plain(LIGHT))
    assert visitor.app.answer._row["predicted"] == "light" and visitor.app.picture.value == b""


def test_value_cannot_be_set_from_outside():
    with pytest.raises(TraitError, match="read-only"):
        Visitor().app.value = 3


def test_closing_lets_go_of_everything():
    from ipywidgets import Widget

    gc.collect()
    before = len(Widget.get_manager_state()["state"])
    visitor = Visitor().choose(plain(LIGHT))
    visitor.app.close()
    assert visitor.app.upload.comm is None
    assert len(Widget.get_manager_state()["state"]) <= before + 1


def test_a_classifier_can_ask_for_the_whole_photo():
    sizes = []

    def note(image):
        sizes.append(image.size)
        return {"a": 1.0}

    large = plain(LIGHT, size=(4000, 3000))
    Visitor(note, max_side=None).choose(large)
    Visitor(note, max_side=None, decode_side=None).choose(large)
    assert sizes == [(1000, 750), (4000, 3000)]
