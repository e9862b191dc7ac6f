"""The wheel travels alone, and the Makefile installs once."""

import ensurepip
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import psutil
import pytest
from browser import ipyfastai
from playwright.sync_api import expect

ROOT = Path(__file__).parents[1]
# Left behind in a checkout by editors, tools and earlier builds.
NOT_SOURCE = shutil.ignore_patterns(".venv", ".git", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("copy") / "ipyfastai", symlinks=True, ignore=NOT_SOURCE)


@pytest.fixture(scope="module")
def wheel(checkout):
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(checkout / "dist")]
    done = subprocess.run([*command, str(checkout)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((checkout / "dist").glob("*.whl"))


def listed(*options):
    """What `git ls-files` lists of the three rooms."""
    command = ["git", "ls-files", "-z", *options, "dashboards", "widgets", "models"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return {name for name in done.stdout.split("\0") if name and "__pycache__" not in name}


def test_everything_that_runs_travels_in_the_wheel_and_nothing_else(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {f"ipyfastai/{name}" for name in listed() - listed("--deleted")} <= packed
    # What somebody is about to add is packed too; what git ignores (caches, checkpoints) never is.
    assert packed <= {f"ipyfastai/{name}" for name in listed("--cached", "--others", "--exclude-standard")}


def test_a_dashboard_runs_from_the_wheel(wheel, tmp_path, page):
    """Outside the checkout, from a folder that holds the wheel's content and nothing else of ours."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    # Found before an editable install, by the server and, as PYTHONPATH is passed on, by its kernels.
    with ipyfastai("--preheat", "0", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")}) as server:
        page.goto(server.url)
        expect(page.locator(".card img").first).not_to_have_js_property("naturalWidth", 0)
        page.get_by_role("link", name="Bear classifier").click()
        expect(page.get_by_role("button", name="Choose photos")).to_be_visible()
        [kernel] = psutil.Process(server.process.pid).children()
        assert kernel.cwd() == str(tmp_path / "installed" / "ipyfastai" / "dashboards")


def make(checkout, target):
    """What `make target` would run, one command per line."""
    done = subprocess.run(["make", "--dry-run", target], cwd=checkout, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("target, extras", [("app", "[app]"), ("test", "[train,app,test]")])
def test_make_installs_once(checkout, target, extras):
    assert f"--editable '.{extras}'" in make(checkout, target)
    stamps = checkout / ".venv"
    stamps.mkdir(exist_ok=True)
    for stamp in ("created", "app.installed", "test.installed", "browser.installed"):
        (stamps / stamp).touch()
    assert "pip" not in make(checkout, target)
    newest = (stamps / "test.installed").stat().st_mtime + 10
    os.utime(checkout / "pyproject.toml", (newest, newest))
    assert f"--editable '.{extras}'" in make(checkout, target)
    os.utime(checkout / "pyproject.toml", (newest - 100, newest - 100))
    shutil.rmtree(stamps)


# What Debian's Python does without its package python3-venv, and one without pip too.
NO_ENSUREPIP = """#!/bin/sh
case "$*" in
"-m venv --without-pip "*) ;;
"-m venv "*) mkdir -p "$3/bin"; echo "ensurepip is not available"; exit 1 ;;
"-m pip "*) {pip} ;;
esac
exec {python} "$@"
"""


def make_venv(checkout, *, pip):
    """Make `.venv` with such a Python; the pip to install is the one that came with this Python."""
    bundled = Path(ensurepip.__file__).with_name("_bundled")
    if not bundled.is_dir():
        pytest.skip("this Python itself has no ensurepip with its wheel")
    python = checkout / "no_ensurepip"
    python.write_text(NO_ENSUREPIP.format(python=sys.executable, pip=pip))
    python.chmod(0o755)
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(bundled)}
    command = ["make", ".venv/created", f"PYTHON={python}"]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def test_make_needs_no_ensurepip(checkout):
    done = make_venv(checkout, pip=":")
    assert done.returncode == 0, done.stdout + done.stderr
    pip = subprocess.run([checkout / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True, text=True)
    assert str(checkout / ".venv") in pip.stdout
    assert not (checkout / ".venv/bin/ruff").exists()  # a new environment, not this one
    shutil.rmtree(checkout / ".venv")


def test_make_leaves_no_half_made_environment(checkout):
    done = make_venv(checkout, pip="exit 1")
    assert done.returncode != 0
    assert (
        "install its venv module (Debian, Ubuntu: sudo apt install python3-venv), then run make again." in done.stderr
    )
    assert not (checkout / ".venv").exists()


def test_make_removes_no_environment_that_was_there(checkout):
    mine = checkout / ".venv" / "mine"
    mine.parent.mkdir()
    mine.touch()
    assert make_venv(checkout, pip="exit 1").returncode != 0
    assert mine.exists() and not mine.with_name("created").exists()
    shutil.rmtree(checkout / ".venv")


def test_make_app_takes_a_port(checkout):
    done = subprocess.run(
        ["make", "--dry-run", "app", "PORT=9000"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert "ipyfastai --port 9000" in done.stdout
