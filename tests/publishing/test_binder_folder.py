"""The folder for Binder: what repo2docker would build, and the page behind the badge's address."""

import os
import re
import sys
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from browser import Server
from bundles import bundle, description
from drawings import plain
from dry_build import dry_build
from ipyfastai.models.publishing.binder import MAX_FILE, badge_url, binder_folder
from playwright.sync_api import expect

HOSTILE = "<b>Reds</b> [x](y) {0}"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "colours.onnx"
    card = {"name": "Red or not?", "summary": "Tells\ncolours apart.", "licence": "CC0"}
    path.write_bytes(bundle(description(card=card)))
    return path


@pytest.fixture(scope="module")
def folder(published, tmp_path_factory):
    return binder_folder(published, tmp_path_factory.mktemp("binder") / "red", repository="ada/red-or-not")


def test_what_lies_in_it(folder, published):
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "environment.yml", "red_or_not.ipynb", "red_or_not.onnx", "start"
    }  # fmt: skip
    assert (folder / "red_or_not.onnx").read_bytes() == published.read_bytes()
    notebook = nbformat.read(folder / "red_or_not.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.ipyfastai.title == "Red or not?"
    assert os.access(folder / "start", os.X_OK)


def test_the_readme_has_the_badge_of_that_repository(folder):
    readme = (folder / "README.md").read_text()
    url = "https://mybinder.org/v2/gh/ada/red-or-not/HEAD?urlpath=ipyfastai%2Fvoila%2Frender%2Fred_or_not.ipynb"
    assert badge_url("ada/red-or-not", "red_or_not") == url
    assert readme.count(f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({url})") == 2
    assert "git@" not in readme and "https://github.com/ada/red-or-not.git" in readme
    assert "Tells colours apart." in readme and "## Licence\n\nCC0" in readme


def test_repo2docker_finds_the_environment(folder):
    said = dry_build(folder)
    assert "Building conda environment for python=3.12" in said
    assert '--file "environment.yml"' in said
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/start"' in said


def test_it_installs_the_app_and_no_torch(folder):
    environment = yaml.safe_load((folder / "environment.yml").read_text())
    [pip] = [one["pip"] for one in environment["dependencies"] if isinstance(one, dict)]
    assert len(pip) == 1 and re.fullmatch(r"ipyfastai\[app\]==[\d.]+", pip[0])
    assert not any("torch" in str(one) for one in environment["dependencies"])


def test_the_badges_address_classifies_a_photo(page, folder):
    """Started by the folder's own `start`, as Binder does it, behind a Jupyter Server with a base URL."""
    base = "/user/ada/"
    options = f"--no-browser --port=0 --IdentityProvider.token= --allow-root --ServerApp.base_url={base}"
    command = [str(folder / "start"), sys.executable, "-m", "jupyter_server", *options.split()]
    with Server(command, cwd=folder) as server:
        path = unquote(badge_url("ada/red", "red_or_not").split("urlpath=")[1])
        page.goto(server.url.split(base)[0] + base + path)
        expect(page).to_have_title("Red or not?")
        expect(page.get_by_role("button", name="Choose photos")).to_be_visible()
        red = {"name": "red.jpg", "mimeType": "image/jpeg", "buffer": plain((250, 10, 10))}
        page.locator("input[type=file]").first.set_input_files([red])
        expect(page.locator(".headline").filter(has_text="red")).to_be_visible()


@pytest.mark.parametrize(
    "repository", ["ada", "ada/", "/red", "ada/red/tree", "ada/..", "a da/red", "-ada/red", "ada/<b>"]
)
def test_what_is_no_repository_is_refused(published, tmp_path, repository):
    with pytest.raises(ValueError, match='Name the GitHub repository as "owner/name"'):
        binder_folder(published, tmp_path / "out", repository=repository)
    assert not (tmp_path / "out").exists()


def test_nothing_of_another_is_overwritten(published, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty"):
        binder_folder(published, tmp_path, repository="ada/red")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_github_would_not_take_is_refused(published, tmp_path, monkeypatch):
    monkeypatch.setattr("ipyfastai.models.publishing.binder.MAX_FILE", 100)
    assert MAX_FILE == 100_000_000
    with pytest.raises(ValueError, match="GitHub takes no file above"):
        binder_folder(published, tmp_path / "out", repository="ada/red")


def test_words_of_an_author_stay_words(tmp_path):
    (tmp_path / "x.onnx").write_bytes(bundle(description(card={"name": HOSTILE, "summary": HOSTILE})))
    folder = binder_folder(tmp_path / "x.onnx", tmp_path / "out", repository="ada/x")
    readme = (folder / "README.md").read_text()
    assert r"# \<b\>Reds\</b\> \[x\](y) {0}" in readme and "<b>" not in readme
    [notebook] = folder.glob("*.ipynb")
    title = nbformat.read(notebook, as_version=4).cells[0].source
    assert "<b>" not in title
