"""Bad input in a real page: each gets a clear sentence, the app goes on, nothing else is lost."""

import re
import socket
import threading
from contextlib import closing

import numpy as np
import pytest
from browser import fits, until
from browser import serve_notebook as serving
from drawings import (
    DARK,
    DATA,
    HEIC,
    HTML,
    LIGHT,
    PDF,
    RED,
    SVG,
    animation,
    encoded,
    huge_jpeg,
    huge_png,
    large_photo,
    plain,
    sixteen_bit_png,
    turned,
)
from PIL import Image
from playwright.sync_api import expect
from test_browser_classifier import CLASSIFIER, PLAIN, answer, choose, items, open_app, photo

# Nothing is shrunk in the browser, so that large files travel as they are.
WHOLE = (
    "# Whole files",
    CLASSIFIER
    + """
app, told = ImageClassifier(light_or_dark, max_side=None), HTML()
def tell(change):
    for upload in change.new:
        told.value = f"<p class='told'>{upload.size}</p>"
app.upload.observe(tell, "value")
VBox([app, told])
""",
)
LIMITED = (
    "# Limits",
    CLASSIFIER + "ImageClassifier(light_or_dark, max_files=3, max_mb=0.1, max_pixels=200_000, max_side=None)",
)


def file(name, data):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def refused(page, sentences):
    """Wait until the page says beside these names, and no others, what is wrong."""
    page.get_by_text("could not be used.").wait_for()
    expect(page.locator(".files .name")).to_have_text(list(sentences))
    expect(page.locator(".files .what")).to_contain_text(list(sentences.values()))


@pytest.fixture
def app(watch, serve_notebook):
    watched = watch()
    watched.page.on("dialog", lambda dialog: watched.errors.append(f"a dialog: {dialog.message}"))
    yield open_app(watched.page, serve_notebook(*PLAIN))
    assert not watched.foreign and not watched.errors


def test_many_bad_files_in_one_choice_lose_no_good_one(app):
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    bad = {
        "page.jpg": (HTML, "This is a web page, not a photo, whatever its name says."),
        "text.jpg": (b"Missing resource...", "This is a text file, not a photo"),
        "empty.jpg": (b"", "This file is empty (0 bytes)."),
        "cut.jpg": (encoded(Image.fromarray(noise))[:3000], "This picture is cut off"),
        "cut.png": (encoded(Image.fromarray(noise), "PNG")[:3000], "This picture is cut off"),
        "huge.png": (huge_png(), "50 megapixels, the limit"),
        "huge.jpg": (huge_jpeg(), "megapixels, the limit"),
        "phone.heic": (HEIC, "This is a HEIC photo"),
        "drawing.svg": (SVG, "This is an SVG drawing, not a photo"),
        "paper.jpg": (PDF, "This is a PDF document, not a photo"),
    }
    good = [photo(LIGHT, "first.jpg"), photo(RED, "red.jpg"), photo(DARK, "last.jpg")]
    choose(app, *good[:2], *(file(name, data) for name, (data, _) in bad.items()), good[2])
    app.get_by_role("heading", name="3 photos").wait_for()
    refused(app, {name: sentence for name, (_, sentence) in bad.items()})
    items(app, "first.jpg", "red.jpg", "last.jpg")
    app.get_by_text("The classifier failed on this photo (RuntimeError).").first.wait_for()
    expect(app.locator("body")).not_to_contain_text("publisher", use_inner_text=True)
    choose(app, photo(DARK, "next.jpg"))
    app.get_by_role("heading", name="4 photos").wait_for()
    answer(app, "dark 92 %")
    expect(app.get_by_text("could not be used.")).to_be_hidden()


def test_odd_but_sound_pictures_are_classified(app):
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))  # transparent: white
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([20, 20, 20] + [0] * 765)
    odd = {
        "gray.jpg": (encoded(Image.new("L", (40, 40), 250)), "light"),
        "palette.png": (encoded(palette, "PNG"), "dark"),
        "clear.png": (encoded(clear, "PNG"), "light"),
        "cmyk.jpg": (encoded(Image.new("CMYK", (40, 40), (0, 0, 0, 230))), "dark"),
        "sixteen.png": (sixteen_bit_png(np.full((40, 40), 60_000)), "light"),
        "turned.jpg": (turned(6, np.full((40, 60, 3), 250, np.uint8)), "light"),
        "moving.gif": (animation("GIF", [LIGHT, DARK, RED]), "light"),
        "pages.tiff": (animation("TIFF", [DARK, LIGHT]), "dark"),
    }
    choose(app, *(file(name, data) for name, (data, _) in odd.items()))
    app.get_by_role("heading", name="8 photos").wait_for()
    expect(app.locator("tbody td:first-child")).to_have_text(list(odd))
    expect(app.locator("tbody td:nth-child(2)")).to_have_text([predicted for _, predicted in odd.values()])
    several = app.locator(".files li", has_text="It holds several pictures: the first is used.")
    expect(several.locator(".name")).to_have_text(["moving.gif", "pages.tiff"])
    app.get_by_role("button", name="turned.jpg", exact=True).click()
    shown = app.get_by_role("img", name="turned.jpg: light")
    for side, pixels in {"naturalWidth": 40, "naturalHeight": 60}.items():  # upright
        expect(shown).to_have_js_property(side, pixels)


def test_the_broken_files_of_bears_dirty(app):
    if not DATA.is_dir():
        pytest.skip(f"no sample data at {DATA}")
    paths = sorted((DATA / "bears_dirty").glob("*/*"))
    app.locator("input[type=file]").first.set_input_files(paths)
    app.get_by_role("heading", name="16 photos").wait_for()
    said = app.locator(".files li")
    expect(said).to_have_count(6)
    expect(said.filter(has_text="web page")).to_have_count(5)
    expect(said.filter(has_text="00000123.jpg")).to_contain_text("text file")


NAMES = {
    "<img src=x onerror=alert(1)>.jpg": "<img src=x onerror=alert(1)>.jpg",
    "n" * 300 + ".jpg": "n" * 255,
    "🐻‍❄️ snow.jpg": "🐻‍❄️ snow.jpg",
    "evil\u202egpj.jpg": "evilgpj.jpg",
    "&lt;b&gt;.jpg": "&lt;b&gt;.jpg",
}


def test_names_are_text_wherever_they_are_shown(app):
    choose(app, *(photo(LIGHT, name) for name in NAMES))
    app.get_by_role("heading", name="5 photos").wait_for()
    items(app, *NAMES.values())
    choose(app, *(file(name, HTML) for name in NAMES))
    refused(app, dict.fromkeys(NAMES.values(), "This is a web page"))
    for name in NAMES.values():
        app.locator("tbody button", has_text=name).click()
        app.locator("figcaption", has_text=name).wait_for()
    expect(app.locator("img[src='x'], img[onerror]")).to_have_count(0)
    fits(app)


def test_no_files_too_many_too_large_too_many_pixels(watch, serve_notebook):
    page = open_app(watch().page, serve_notebook(*LIMITED))
    data = page.evaluate_handle(
        """() => { const t = new DataTransfer(); t.items.add(new File(["x"], "notes.txt")); return t; }"""
    )
    page.locator(".zone").dispatch_event("drop", {"dataTransfer": data})
    page.get_by_text("1 other file was left out, being no photo.").wait_for()

    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    choose(
        page,
        file("heavy.jpg", encoded(Image.fromarray(noise), quality=98)),
        photo(size=(1000, 250), name="wide.jpg"),
        photo(),
    )
    refused(
        page,
        {
            "heavy.jpg": re.compile(r"^This photo is 0\.\d MB; the limit is 0\.1 MB\.$"),
            "wide.jpg": "1,000 × 250 pixels (0.25 megapixels)",
        },
    )
    answer(page, "light 98 %")

    choose(page, *(photo(DARK, f"{n}.jpg") for n in range(5)))
    page.get_by_text("Only 3 files at a time: 2 more were left out.").wait_for()
    page.get_by_role("heading", name="4 photos").wait_for()


class Line:
    """A line between browser and server that can be cut, or be slow: a TCP proxy on a free port.

    >>> with Line(url) as line:
    ...     page.goto(line.url)
    ...     line.cut()
    """

    def __init__(self, url):
        self._port = int(re.search(r":(\d+)", url)[1])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = re.sub(r"//[^/]+", f"//127.0.0.1:{self._listener.getsockname()[1]}", url)
        self._open = set()
        self.up = threading.Event()
        self.up.set()
        self.flows = threading.Event()  # clear it, and what the browser sends waits
        self.flows.set()
        self.hold_after = None  # bytes from the browser after which it holds by itself
        self.received = 0
        self.reached = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.flows.set()
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            if not self.up.is_set():
                browser.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._port))
            self._open |= {browser, server}
            threading.Thread(target=self._pump, args=(browser, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, browser, False), daemon=True).start()

    def _pump(self, source, target, upwards):
        with closing(source), closing(target):
            try:
                while data := source.recv(65536):
                    if upwards:
                        self.received += len(data)
                        if self.hold_after is not None and self.received > self.hold_after:
                            self.hold_after = None
                            self.flows.clear()
                            self.reached.set()
                        self.flows.wait()
                    target.sendall(data)
            except OSError:
                pass
            finally:
                for end in (source, target):
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def hold(self, after):
        """Stop what the browser sends once it has sent that many more bytes; wait for `reached`."""
        self.received, self.hold_after = 0, after
        self.reached.clear()

    def cut(self):
        """End every connection, as a phone does that leaves its Wi-Fi."""
        for end in list(self._open):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open.clear()


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    with serving(*WHOLE) as url, Line(url) as line:
        yield line


BIG = large_photo(14.5)


def test_a_photo_of_14_megabytes_arrives_whole(watch, line):
    assert 14.5e6 <= len(BIG) < 25e6
    watched = watch()
    page = open_app(watched.page, line.url)
    choose(page, file("forest.jpg", BIG))
    page.locator(".told", has_text=str(len(BIG))).wait_for()
    page.locator(".headline", has_text="%").wait_for()
    assert not watched.errors


def test_cancel_half_way_and_choose_again(watch, line):
    page = open_app(watch().page, line.url)
    line.hold(after=1_500_000)
    choose(page, file("forest.jpg", BIG), photo(LIGHT, "small.jpg"))
    assert line.reached.wait(90)
    page.get_by_role("progressbar", name="Upload progress").wait_for()
    page.locator(".moving").get_by_role("button", name="Cancel").click()
    line.flows.set()
    page.locator(".files li", has_text="forest.jpg").get_by_text("Cancelled.").wait_for()
    page.get_by_role("progressbar", name="Upload progress").wait_for(state="hidden")
    choose(page, file("again.jpg", BIG))
    page.locator(".told", has_text=str(len(BIG))).wait_for()
    page.get_by_role("img", name=re.compile("again.jpg: ")).wait_for()


def test_a_connection_dropped_half_way_goes_on_by_itself(watch, line):
    page = watch().page
    page.clock.install()
    open_app(page, line.url)
    line.hold(after=5_000_000)
    choose(page, file("forest.jpg", BIG))
    assert line.reached.wait(90)
    line.up.clear()  # no way to come back yet
    line.cut()
    line.flows.set()
    page.clock.fast_forward("00:40")  # as long as it waits for an answer
    page.get_by_text("No answer from the server. Trying again").wait_for()
    line.up.set()
    page.locator(".told", has_text=str(len(BIG))).wait_for()
    page.get_by_role("img", name=re.compile("forest.jpg: ")).wait_for()


def test_thirty_photos_of_five_megabytes_arrive(watch, line, tmp_path):
    paths = [tmp_path / f"{n}.jpg" for n in range(30)]
    # Dark, and large only by what lies behind the end of the picture.
    for n, path in enumerate(paths):
        path.write_bytes(plain((8 * n,) * 3) + bytes(5_000_000))
    watched = watch()
    page = open_app(watched.page, line.url)
    page.locator("input[type=file]").first.set_input_files(paths)
    page.get_by_role("heading", name="30 photos").wait_for(timeout=120_000)
    for path in paths:
        expect(page.locator("tbody button .name").get_by_text(path.name, exact=True)).to_have_count(1)
    expect(page.get_by_text("could not be used")).to_be_hidden()
    assert not watched.errors


# What a page that is not ours may send over its own websocket.

FORGED = [
    {"type": "chunk", "id": "../../../etc/passwd", "offset": 0, "total": 9},
    {"type": "chunk", "id": "0" * 32, "offset": -1, "total": 2**70},
    {"type": "select", "files": [{"id": "f" * 32, "name": 7, "size": -1}]},
    {"type": "select", "files": "all of them"},
    {"type": "head", "id": None},
    {"type": "no such thing"},
    [],
    None,
]

# Notes the page's sockets and the last choice of files that it sent.
SPY = """
  window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) { super(...args); sockets.push(this); }
    send(data) {
      if (typeof data !== "string" && new TextDecoder().decode(data).includes('"select"')) window.choice = data;
      super.send(data);
    }
  };
"""

# In Jupyter's binary format (v1.kernel.websocket.jupyter.org): the number of parts and their offsets
# as 64-bit integers, then the channel, header, parent header, metadata, content and buffers.
FORGE = """(contents) => {
  const decode = (data) => {
    const view = new DataView(data);
    const count = Number(view.getBigUint64(0, true));
    const at = (i) => Number(view.getBigUint64(8 * (i + 1), true));
    return Array.from({ length: count - 1 }, (_, i) => new TextDecoder().decode(data.slice(at(i), at(i + 1))));
  };
  const [channel, header, parent, metadata, content] = decode(choice);
  const encode = (parts) => {
    const bytes = parts.map((part) => new TextEncoder().encode(part));
    const offsets = [8 * (bytes.length + 2)];
    for (const part of bytes) offsets.push(offsets.at(-1) + part.length);
    const out = new Uint8Array(offsets.at(-1));
    const view = new DataView(out.buffer);
    view.setBigUint64(0, BigInt(offsets.length), true);
    offsets.forEach((offset, i) => view.setBigUint64(8 * (i + 1), BigInt(offset), true));
    bytes.forEach((part, i) => out.set(part, offsets[i]));
    return out.buffer;
  };
  const socket = sockets.filter((each) => each.readyState === 1).at(-1);
  for (const forged of contents) {
    const id = { ...JSON.parse(header), msg_id: crypto.randomUUID() };
    const body = { ...JSON.parse(content), data: { method: "custom", content: forged } };
    socket.send(encode([channel, JSON.stringify(id), parent, metadata, JSON.stringify(body)]));
  }
  return JSON.parse(header).msg_type;
}"""


def test_hand_made_messages_over_the_websocket_change_nothing(watch, serve_notebook):
    watched, heard = watch(), []

    def listen(websocket):
        websocket.on("framereceived", lambda frame: heard.append(str(frame).count("did not understand the page")))

    watched.page.on("websocket", listen)
    watched.context.add_init_script(SPY)
    page = open_app(watched.page, serve_notebook(*PLAIN))
    choose(page, photo(LIGHT, "a.jpg"), photo(DARK, "b.jpg"))
    page.get_by_role("heading", name="2 photos").wait_for()
    assert page.evaluate(FORGE, FORGED) == "comm_msg"
    choose(page, photo(DARK, "c.jpg"))
    page.get_by_role("heading", name="3 photos").wait_for()
    items(page, "a.jpg", "b.jpg", "c.jpg")
    # All but the one of an unknown id, which may have been cancelled.
    until(lambda: page.evaluate("1") and sum(heard) >= len(FORGED) - 1)
    assert sum(heard) == len(FORGED) - 1
    assert not watched.errors
