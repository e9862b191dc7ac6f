"""A real browser and real servers for the tests: what `conftest.py` hands out as fixtures."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 120
PATIENCE = 90_000  # milliseconds in which a page does what is waited for: fastai loads on a crowded machine
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


def until(holds, seconds=60):
    """Wait until `holds()` is true: for what no page can be asked.

    >>> until(lambda: not folder.exists())
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come true within {seconds} seconds")
        time.sleep(0.05)


def fits(page):
    """Wait until nothing has to be scrolled sideways."""
    width = page.viewport_size["width"]
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def finds_nothing(page, script):
    """Wait until `script`, a JavaScript function that lists what is wrong on the page, lists nothing."""
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_function(f"() => ({script})().length === 0", polling=200)
    except Late:
        assert page.evaluate(script) == []
        raise


def chromium_path():
    """The Chromium on PATH, or None for the one that Playwright installed."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


class Server:
    """A server in a process of its own, ready once its output names a URL.

    >>> with Server([sys.executable, "-m", "ipyfastai.dashboards.app", "--port", "0"]) as server:
    ...     page.goto(server.url)

    `output` is what it has printed; leaving the block stops it as Ctrl-C on a terminal would not:
    with SIGTERM, and with the whole process group when that does not do within a minute.
    """

    def __init__(self, command, *, cwd=None, env=None):
        self.lines = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.url = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"https?://\S+", line)
            if found and self.url is None:
                self.url = found[0]
                self._ready.set()
        self._ready.set()

    @property
    def output(self):
        return "".join(self.lines)

    def __enter__(self):
        if not self._ready.wait(START_SECONDS) or self.url is None:
            self.stop()
            raise RuntimeError(f"the server named no URL:\n{self.output}")
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self, with_signal=signal.SIGTERM):
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        return self.process.returncode


def ipyfastai(*arguments, **options):
    """The command under test, as a `Server` on any free port."""
    command = [sys.executable, "-m", "ipyfastai.dashboards.app", "--no-browser", "--port", "0"]
    return Server([*command, *map(str, arguments)], **options)


def kernels_of(server):
    """The processes of the kernels that a server has started."""
    found = []
    for child in psutil.Process(server.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
    return found


def write_notebook(path, *cells, **metadata):
    """Write a notebook to `path`: cells that start with `#` and a space are Markdown, others code."""
    notebook = new_notebook(
        cells=[(new_markdown_cell if cell.startswith("# ") else new_code_cell)(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    if metadata:
        notebook.metadata.ipyfastai = metadata
    nbformat.write(notebook, path)
    return Path(path)


@contextmanager
def serve_notebook(*cells, arguments=(), **options):
    """Serve a notebook made of `cells`, or the one at a given path, alone and with our configuration.

    >>> with serve_notebook("# Title", "import ipywidgets; ipywidgets.Button(description='Go')") as url:
    ...     page.goto(url)
    ...     page.get_by_role("button", name="Go").click()

    Kernels are not preheated unless `arguments` say so. `options` go to `Server`: `env=`.
    """
    with tempfile.TemporaryDirectory() as folder:
        if len(cells) == 1 and isinstance(cells[0], Path):
            notebook = shutil.copy(cells[0], folder)
        else:
            notebook = write_notebook(Path(folder) / "notebook.ipynb", *cells)
        with ipyfastai(notebook, "--preheat", "0", *arguments, **options) as server:
            yield server.url


class Watched:
    """A browser context that records what a page should never do.

    `page` is the page; `foreign` the addresses it asked other hosts for; `errors` the messages of
    uncaught exceptions and `console.error`. Both stay empty on a sound page.
    """

    def __init__(self, browser, **options):
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.foreign, self.errors = [], []
        self.context.on("request", self._note_request)
        self.page = self.new_page()

    def new_page(self):
        page = self.context.new_page()
        page.on("websocket", self._note_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self.errors.append(line.text))
        return page

    def _note_request(self, request):
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.hostname not in LOCAL_HOSTS:
            self.foreign.append(request.url)
