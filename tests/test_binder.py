"""Binder: what repo2docker would build, and the dashboards behind a real Jupyter Server."""

import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from browser import Server
from dry_build import dry_build
from playwright.sync_api import expect

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
BASE = "/user/ada/"


def names(requirements):
    return {re.match(r"[\w-]+", requirement)[0].lower() for requirement in requirements if requirement != "pip"}


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def jupyter_server(tmp_path_factory):
    options = f"--no-browser --port=0 --IdentityProvider.token= --allow-root --ServerApp.base_url={BASE}"
    command = [sys.executable, "-m", "jupyter_server", *options.split()]
    with Server(command, cwd=tmp_path_factory.mktemp("server")) as server:
        yield server.url.split(BASE)[0] + BASE


def test_repo2docker_finds_the_environment():
    said = dry_build(ROOT)
    assert "Building conda environment for python=3.12" in said
    assert '--file "binder/environment.yml"' in said
    assert "binder/postBuild" in said


def test_one_environment_file_for_binder_and_conda(environment):
    link = ROOT / "binder" / "environment.yml"
    assert link.is_symlink() and link.resolve() == ROOT / "environment.yml"
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def test_the_environment_has_what_serving_needs_and_no_torch(environment):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = names(project["dependencies"]) | names(project["optional-dependencies"]["app"])
    listed = names(environment["dependencies"])
    assert needed <= listed
    given = {*project["dependencies"], *project["optional-dependencies"]["app"]}
    assert {one for one in environment["dependencies"] if names([one]) & needed} == given
    assert listed - needed == {"python", "jupyter-server-proxy"}


def test_the_badges_addresses_work_behind_jupyter_server(page, jupyter_server):
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{jupyter_server}ipyfastai/")
    page.get_by_role("link", name="Bear classifier").click()
    expect(page).to_have_url(f"{jupyter_server}ipyfastai/voila/render/bear_classifier.ipynb")
    expect(page).to_have_title("Bear classifier")
    expect(page.get_by_role("button", name="Choose photos")).to_be_visible()
    assert sockets and all(f"{BASE}ipyfastai/api/kernels/" in url for url in sockets)
    page.get_by_role("link", name="All dashboards").click()
    expect(page).to_have_url(f"{jupyter_server}ipyfastai/")
