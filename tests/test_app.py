"""The `ipyfastai` command, as typed in a terminal."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys

import psutil
import pytest
from browser import ipyfastai, write_notebook
from playwright.sync_api import expect


def run(*arguments, **options):
    """The command's exit code and what it printed, for runs that end by themselves."""
    command = [sys.executable, "-m", "ipyfastai.dashboards.app", "--no-browser", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "mine.ipynb", "# Mine", "import ipywidgets\nipywidgets.Button(description='Go')")


def test_a_dashboards_name_serves_that_one_alone(page):
    with ipyfastai("bear_classifier", "--preheat", "0") as server:
        page.goto(server.url)
        expect(page).to_have_title("Bear classifier")
        assert page.goto(f"{server.url}voila/render/any_classifier.ipynb").status == 404
        expect(page.get_by_text("There is nothing at this address")).to_be_visible()


def test_a_notebook_of_ones_own_and_a_base_url(page, notebook):
    with ipyfastai(notebook, "--preheat", "0", "--base-url", "some/where") as server:
        assert server.url.endswith("/some/where/")
        page.goto(server.url)
        expect(page.get_by_role("button", name="Go")).to_be_visible()


def test_only_this_computer_can_connect(gallery):
    port = int(gallery.rstrip("/").rsplit(":", 1)[1])
    pid = next(c.pid for c in psutil.net_connections("tcp") if c.laddr.port == port and c.status == "LISTEN")
    addresses = {c.laddr.ip for c in psutil.Process(pid).net_connections("tcp") if c.laddr.port == port}
    assert addresses <= {"127.0.0.1", "::1"}


def test_an_unknown_notebook_lists_the_names():
    code, said = run("beer_classifier")
    assert code == 1
    assert "no dashboard called 'beer_classifier'" in said
    assert "bear_classifier" in said and "any_classifier" in said


def test_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = run("--port", str(port), "--host", "127.0.0.1")
    assert code == 1
    assert said.strip() == (
        f"Port {port} is already in use, perhaps by another ipyfastai. "
        f"Stop that one, or choose another port: --port {port + 1}"
    )


def test_an_address_that_is_not_this_computers():
    for host in ("192.0.2.1", "no.such.host.invalid"):
        code, said = run("--host", host, "--port", "0")
        assert code == 1
        assert f"This computer has no address {host!r} to listen on." in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["--port", "70000"], "a port is a number from 0 to 65535, not 70000"),
        (["--port", "http"], "invalid"),
        (["--idle-minutes", "0"], "a number of minutes above 0"),
        (["--preheat", "-1"], "a number of kernels, or 0 for none"),
        (["--gateway-url", "gpu-host:8888"], "an address like http://gpu-host:8888, not 'gpu-host:8888'"),
    ],
)
def test_a_wrong_option_says_why(arguments, reason):
    code, said = run(*arguments)
    assert code == 2
    assert reason in said and "Traceback" not in said


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("replaced", ["AllowListFileHandler", "TornadoVoilaHandler", "FileFindHandler"])
def test_a_voila_that_serves_otherwise_is_not_started(notebook, replaced, alone):
    """As a version would be whose handler is another: a file of any visitor's choice could be served."""
    otherwise = (
        f"import sys, voila.app; voila.app.{replaced} = type('Other', (voila.app.{replaced},), {{}}); "
        "from ipyfastai.dashboards.app import main; main()"
    )
    served = notebook if alone else notebook.parent
    command = [sys.executable, "-c", otherwise, "--no-browser", "--port", "0", "--preheat", "0", served]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"does not serve with {replaced}, which the dashboards replace" in done.stderr
    assert "Traceback" not in done.stderr


def test_uploads_may_not_lie_below_what_is_served(notebook):
    temporary = notebook.parent / "temporary"
    temporary.mkdir()
    code, said = run("--port", "0", str(notebook), env={**os.environ, "TMPDIR": str(temporary)})
    assert code == 1
    assert f"What visitors upload goes to {temporary}, which lies below the folder to serve" in said


def test_without_voila_it_says_how_to_get_it(tmp_path):
    (tmp_path / "voila.py").write_text("raise ModuleNotFoundError(\"No module named 'voila'\", name='voila')")
    code, said = run(env={"PYTHONPATH": str(tmp_path), "PATH": ""})
    assert code == 1
    assert "pip install 'ipyfastai[app]'" in said and "Traceback" not in said


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_leaves_no_kernel_behind(page, notebook, stop):
    server = ipyfastai(notebook, "--preheat", "1").__enter__()
    page.goto(server.url)
    expect(page.get_by_role("button", name="Go")).to_be_visible()
    kernels = psutil.Process(server.process.pid).children(recursive=True)
    assert kernels
    assert server.stop(stop) == 0
    _, alive = psutil.wait_procs(kernels, timeout=60)
    assert alive == []
    assert "Traceback" not in server.output


TOLD = """
import json, os, ipywidgets
told = {name: value for name, value in os.environ.items() if name.startswith("IPYFASTAI_")}
ipywidgets.Textarea(json.dumps(told), description="told")
"""


def told(page, tmp_path, *arguments, env=None):
    """What a kernel is told by a server that was started so."""
    notebook = write_notebook(tmp_path / "told.ipynb", "# Told", TOLD)
    here = {"JUPYTER_DATA_DIR": str(tmp_path / "data"), "IPYFASTAI_WEIGHTS": "", "IPYFASTAI_DATA": "", **(env or {})}
    with ipyfastai(notebook, "--preheat", "0", *arguments, env=here) as server:
        page.goto(server.url)
        field = page.get_by_label("told")
        expect(field).not_to_have_value("")
        variables = json.loads(field.input_value())
    return {name: value for name, value in variables.items() if value}


def test_for_this_computer_alone_projects_are_kept_among_the_users_data(page, tmp_path):
    assert told(page, tmp_path) == {"IPYFASTAI_WORKSPACE": str(tmp_path / "data" / "ipyfastai")}


def test_the_publisher_names_the_folders(page, tmp_path):
    (tmp_path / "photos").mkdir()
    options = ["--data-root", tmp_path / "photos", "--workspace", tmp_path / "new" / "work"]
    assert told(page, tmp_path, *options) == {
        "IPYFASTAI_DATA_ROOT": str(tmp_path / "photos"),
        "IPYFASTAI_WORKSPACE": str(tmp_path / "new" / "work"),
    }
    assert stat.S_IMODE((tmp_path / "new" / "work").stat().st_mode) == 0o700


@pytest.mark.parametrize("open_to_others", [["--host", "0.0.0.0"], ["--base-url", "/behind/"]])
def test_strangers_get_neither_a_lasting_folder_nor_leave_to_change_files(page, tmp_path, open_to_others):
    assert told(page, tmp_path, *open_to_others) == {"IPYFASTAI_PUBLIC": "1"}


def test_the_publisher_can_allow_strangers_to_change_files(page, tmp_path):
    options = ["--host", "0.0.0.0", "--allow-apply"]
    assert told(page, tmp_path, *options) == {"IPYFASTAI_PUBLIC": "1", "IPYFASTAI_APPLY": "1"}


def test_a_server_said_to_be_public_is(page, tmp_path):
    assert told(page, tmp_path, env={"IPYFASTAI_PUBLIC": "1"}) == {"IPYFASTAI_PUBLIC": "1"}


@pytest.mark.parametrize(
    "option, reason", [("--data-root", "there is no folder"), ("--workspace", "nothing can be kept in")]
)
def test_a_folder_that_cannot_be_used_is_said_at_once(tmp_path, option, reason):
    (tmp_path / "file").write_text("no folder")
    code, said = run("--port", "0", option, str(tmp_path / "file"))
    assert code == 1
    assert f"{option}: {reason}" in said and "Traceback" not in said
