"""The wheel travels alone, and the Makefile installs once."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from browser import Server

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


def test_everything_that_runs_travels_in_the_wheel(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    for room, kinds in {
        "dashboards": ("*.py", "*.ipynb", "*.html", "*.j2", "*.css", "*.js", "*.svg"),
        "widgets": ("*.py", "*.js", "*.css"),
        "models": ("*.py", "*.onnx"),
    }.items():
        for kind in kinds:
            needed = {f"ipyfastai/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / room).rglob(kind)}
            assert needed <= packed
    assert not [name for name in packed if name.startswith("tests/") or "checkpoint" in name]


def test_the_dashboards_start_from_the_wheel(wheel, tmp_path, page):
    """Outside the checkout, from a folder that holds the wheel's content and nothing else of ours."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    start = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); "
        # An editable install is found by a finder of its own, which would come first.
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in getattr(f, '__module__', '')]; "
        "from ipyfastai.dashboards import app; print(app.__file__); app.main()"
    )
    command = [
        sys.executable,
        "-c",
        start,
        str(tmp_path / "installed"),
        "--no-browser",
        "--port",
        "0",
        "--preheat",
        "0",
    ]
    with Server(command, cwd=tmp_path) as server:
        assert server.lines[0].startswith(str(tmp_path / "installed"))
        page.goto(server.url)
        assert page.locator(".card img").first.evaluate("image => image.naturalWidth") > 0
        assert page.get_by_role("link", name="Bear classifier").is_visible()


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


def test_make_app_takes_a_port(checkout):
    done = subprocess.run(
        ["make", "--dry-run", "app", "PORT=9000"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert "ipyfastai --port 9000" in done.stdout
