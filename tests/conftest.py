"""Fixtures for tests that click in a real Chromium against real servers.

A page does what it does when it can: what it shows is waited for (`expect(...)`, `wait_for_function`), never
read once. Each wait has `browser.PATIENCE`.

- `browser`: Chromium, one for each module.
- `watch(**options)`: a new `Watched` context, e.g. `watch(viewport=..., color_scheme="dark")`; closed
  after the test. `page`: the page of a plain one; the test fails if it asked another host for anything.
- `gallery`: URL of a running `ipyfastai` with the shipped dashboards, one for the session.
- `serve_notebook`: `serve_notebook("# Title", "code")` returns the URL of that notebook, served alone with
  our configuration until the test module ends; the same cells are served once.
- `jupyterlab`: URL and folder of a running JupyterLab, one for the session.
"""

import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from browser import CHROMIUM_OPTIONS, PATIENCE, Server, Watched, chromium_path, ipyfastai
from browser import serve_notebook as serving
from drawings import DATA


@pytest.fixture(scope="module")
def browser():
    # Not for the session: while Playwright runs, so does an event loop, and a module that follows could
    # not start one of its own.
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def watch(browser):
    """Call it for a new `Watched` browser context; takes Playwright's `new_context` options."""
    watched = []

    def new(**options):
        watched.append(Watched(browser, **options))
        return watched[-1]

    yield new
    for one in watched:
        one.context.close()


@pytest.fixture
def page(watch):
    """A page that may ask no other host for anything."""
    watched = watch()
    yield watched.page
    assert not watched.foreign, f"asked other hosts for {watched.foreign}"


@pytest.fixture(scope="session")
def gallery():
    with ipyfastai() as server:
        yield server.url


@pytest.fixture(scope="module")
def serve_notebook():
    """Call it with the cells of a notebook, or a Path to one, for the URL where it is served alone."""
    with ExitStack() as running:
        urls = {}

        def serve(*cells, arguments=()):
            key = (cells, tuple(arguments))
            if key not in urls:
                urls[key] = running.enter_context(serving(*cells, arguments=arguments))
            return urls[key]

        yield serve


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """A running JupyterLab: `jupyterlab.url` (no token) and `jupyterlab.folder`, whose files it shows.

    Write a notebook there with `browser.write_notebook` and open `{url}lab/tree/NAME.ipynb`.
    """
    folder = tmp_path_factory.mktemp("jupyterlab")
    options = "--no-browser --port=0 --ServerApp.port_retries=50 --IdentityProvider.token= --allow-root"
    command = [sys.executable, "-m", "jupyterlab", *options.split(), "--LabApp.news_url=None"]
    with Server(command, cwd=folder, env={"JUPYTER_CONFIG_DIR": str(folder / ".config")}) as server:
        yield SimpleNamespace(url=server.url.split("lab")[0], folder=folder)


@pytest.fixture(scope="session")
def colours(tmp_path_factory):
    """A folder of drawn photos of three colours."""
    from learners import draw_colours

    return draw_colours(tmp_path_factory.mktemp("photos") / "colours")


@pytest.fixture(scope="session")
def colour_learner(colours):
    """A fastai Learner that tells the colours apart. Do not change it."""
    from learners import train_on_colours

    return train_on_colours(colours)


@pytest.fixture(scope="session")
def bear_learner():
    """A fastai Learner trained for one epoch on the sample bears. Do not change it."""
    from learners import train_on_bears

    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
        return train_on_bears()
