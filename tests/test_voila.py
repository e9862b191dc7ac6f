"""The configuration of the running dashboards: what a visitor gets, and what nobody gets."""

import http.client
import json
import re
import stat
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import fits, ipyfastai, kernels_of, until, write_notebook
from ipyfastai.dashboards.kernels import kernel_environment
from playwright.sync_api import expect

BUTTON = """
import os
import ipywidgets as widgets

button = widgets.Button(description="Press me")
button.on_click(lambda _: setattr(button, "description", "Pressed"))
button
"""
ENVIRONMENT = "import json, os, ipywidgets\nipywidgets.Textarea(json.dumps(sorted(os.environ)), description='names')"
FAIL = "import sys\nprint('a_private_path', file=sys.stderr)\nnot_there"
DIE = """
import os
import ipywidgets as widgets

button = widgets.Button(description="Crash")
button.on_click(lambda _: os._exit(1))
button
"""
UPLOAD = """
import tempfile
import ipywidgets
from ipyfastai.widgets.uploads import Upload

upload = Upload.keep("bear.jpg", b"a photo")
ipywidgets.Text(tempfile.gettempdir(), description="folder")
"""
SECRETS = {"AWS_SECRET_ACCESS_KEY": "hunter2", "JUPYTERHUB_API_TOKEN": "hunter3", "IPYFASTAI_WEIGHTS": "/weights"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboards")
    write_notebook(folder / "button.ipynb", "# A button\n\nIt can be pressed.", BUTTON)
    write_notebook(folder / "environment.ipynb", "# Environment", ENVIRONMENT)
    write_notebook(folder / "math.ipynb", "# Sum $\\sum_i x_i$", "import ipywidgets\nipywidgets.HTMLMath('$x^2$')")
    write_notebook(
        folder / "failing.ipynb", "# Fails", "import sys\nprint('a_private_path', file=sys.stderr)\nnot_there"
    )
    write_notebook(folder / "crashing.ipynb", "# Crashes", DIE)
    write_notebook(folder / "upload.ipynb", "# Upload", UPLOAD)
    (folder / "upload.png").write_bytes(b"\x89PNG an upload")
    (folder / "model.onnx").write_bytes(b"a model")
    (folder / "voila.json").write_text(
        json.dumps({"VoilaConfiguration": {"show_tracebacks": True, "file_allowlist": [".*"], "theme": "dark"}})
    )
    return folder


@pytest.fixture(scope="module")
def server(folder):
    # Started where a voila.json lies that would open everything up.
    with ipyfastai(folder, "--preheat", "0", cwd=folder, env=SECRETS) as server:
        yield server


def open_dashboard(page, server, name):
    page.goto(f"{server.url}voila/render/{name}.ipynb")
    expect(page.locator("#starting")).to_have_count(0)


def written(field):
    """What stands in a text field, once something does."""
    expect(field).not_to_have_value("")
    return field.input_value()


def get(server, path, headers=None):
    """Status and body of a path sent exactly as it is: no client may tidy `..` away first."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_click_reaches_python(page, server):
    open_dashboard(page, server, "button")
    expect(page).to_have_title("A button")
    page.get_by_role("button", name="Press me").click()
    expect(page.get_by_role("button", name="Pressed")).to_be_visible()
    expect(page.get_by_text("It can be pressed.")).to_be_visible()


def test_while_a_cell_runs_the_page_says_that_it_starts(page, serve_notebook, tmp_path):
    gate = tmp_path / "gate"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.05)"
    page.goto(serve_notebook("# Slow", wait, BUTTON), wait_until="commit")
    expect(page.get_by_role("heading", name="Slow")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Starting…")
    gate.touch()
    expect(page.get_by_role("button", name="Press me")).to_be_visible()
    expect(page.get_by_role("status")).to_have_count(0)


def test_the_page_asks_no_other_host_and_logs_no_error(watch, server):
    watched = watch()
    for name in ("button", "math", "failing"):
        open_dashboard(watched.page, server, name)
    open_dashboard(watched.page, server, "math")
    expect(watched.page.locator("mjx-container")).to_have_count(2)
    watched.page.goto(f"{server.url}nothing/here")
    assert watched.foreign == []
    assert [error for error in watched.errors if "404" not in error] == []


def test_an_error_is_a_sentence_without_traceback(page, server):
    open_dashboard(page, server, "failing")
    expect(page.get_by_role("alert")).to_contain_text("This dashboard could not start.")
    html = page.content()
    assert "not_there" not in html and "a_private_path" not in html and "Traceback" not in html


def test_no_source_reaches_the_page(page, server):
    open_dashboard(page, server, "button")
    assert "on_click" not in page.content()


def test_template_and_theme_cannot_be_chosen_by_the_visitor(page, server):
    for query in ("?template=base&theme=dark", "?voila-template=reveal&voila-theme=dark"):
        page.goto(f"{server.url}voila/render/button.ipynb{query}")
        expect(page.get_by_role("button", name="Press me")).to_be_visible()
        expect(page.get_by_role("link", name="All dashboards")).to_be_visible()
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/upload.png",
        "/voila/files/model.onnx",
        "/voila/files/button.ipynb",
        "/voila/files/voila.json",
        "/voila/render/upload.png",
        "/voila/render/../button.ipynb",
        "/voila/render/%2e%2e/secret.ipynb",
        "/voila/render//etc/passwd",
        "/voila/tree",
        "/voila/tree/",
        "/voila/api/contents",
        "/voila/api/contents/button.ipynb",
        "/voila/static/../../../../../../../../etc/passwd",
        "/voila/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/voila/static//etc/passwd",
        "/voila/templates/lab/static/../../../../../../../../../etc/passwd",
        "/voila/templates/../static/../../../../etc/passwd",
        "/voila/labextensions/../../../../../../etc/passwd",
        "/voila/api/themes/../../../../../../etc/passwd",
        "/thumbnails/../upload.png",
        "/thumbnails/%2e%2e/upload.png",
        "/thumbnails//etc/passwd",
        "/ipyfastai/../server.py",
        "/api/contents",
        "/api/kernels",
        "/api/terminals",
        "/login",
        "/logout",
        "/voila/query/00000000-0000-0000-0000-000000000000",
    ],
)
def test_no_file_or_listing_is_served(server, path):
    status, body = get(server, path)
    assert 400 <= status < 500, (status, body[:200])
    assert b"root:" not in body and b"an upload" not in body and b"a model" not in body


def test_secrets_do_not_reach_the_kernel(page, server):
    open_dashboard(page, server, "environment")
    names = json.loads(written(page.get_by_label("names")))
    assert "PATH" in names and "IPYFASTAI_WEIGHTS" in names
    assert "AWS_SECRET_ACCESS_KEY" not in names and "JUPYTERHUB_API_TOKEN" not in names


def test_what_a_kernel_may_see():
    seen = kernel_environment({"HOME": "/h", "LC_ALL": "C", "TOKEN": "x", "VOILA_REQUEST_URL": "?private"})
    assert seen == {"HOME": "/h", "LC_ALL": "C"}


ENDINGS = {
    "killed": lambda kernel, server, page: kernel.kill(),
    "idle": lambda kernel, server, page: None,
    "left": lambda kernel, server, page: page.goto("about:blank"),
    "terminated": lambda kernel, server, page: server.stop(),
}


@pytest.mark.parametrize("ending, preheat", [("killed", 0), ("killed", 1), ("idle", 0), ("left", 1), ("terminated", 1)])
def test_what_a_visitor_sent_goes_with_the_kernel(page, folder, tmp_path, ending, preheat):
    minutes = 0.1 if ending == "idle" else 30
    arguments = ("--preheat", preheat, "--idle-minutes", minutes)
    with ipyfastai(folder / "upload.ipynb", *arguments, env={"TMPDIR": str(tmp_path)}) as server:
        page.goto(server.url)
        own = Path(written(page.get_by_label("folder")))
        assert own.parent == tmp_path
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        assert [path.read_bytes() for path in own.rglob("*") if path.is_file()] == [b"a photo"]
        [kernel] = [one for one in kernels_of(server) if one.environ().get("TMPDIR") == str(own)]
        ENDINGS[ending](kernel, server, page)
        until(lambda: not own.exists())
        server.stop()
        assert list(tmp_path.iterdir()) == []


def test_a_hand_made_execute_request_is_not_run(page, server, tmp_path):
    """The page's own websocket, told to run code, as a visitor with developer tools would."""
    with page.expect_websocket() as socket:
        open_dashboard(page, server, "button")
    proof = tmp_path / "proof"
    message = {
        "channel": "shell",
        "header": {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"},
        "parent_header": {},
        "metadata": {},
        "content": {"code": f"open({str(proof)!r}, 'w').close()", "silent": False},
    }
    request = json.dumps(message)
    question = json.dumps(
        {**message, "header": {**message["header"], "msg_type": "kernel_info_request"}, "content": {}}
    )
    page.evaluate(
        """([url, request, question]) => new Promise((done) => {
             const socket = new WebSocket(url);
             socket.onopen = () => { socket.send(request); socket.send(question); };
             // The kernel answers in turn: with this reply, the request before has had its chance to run.
             socket.onmessage = ({data}) => data.includes('kernel_info_reply') && done();
           })""",
        [socket.value.url.split("?")[0], request, question],
    )
    assert not proof.exists()


def test_it_follows_the_system_into_the_dark(watch, server):
    page = watch(color_scheme="dark").page
    open_dashboard(page, server, "button")
    ground = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color1').trim()"
    page.wait_for_function(f"document.body.dataset.jpThemeLight === 'false' && {ground} && {ground} !== 'white'")
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"document.body.dataset.jpThemeLight === 'true' && {ground} === 'white'")


def test_on_a_phone(watch, server):
    page = watch(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).page
    open_dashboard(page, server, "math")
    fits(page)
    page.wait_for_function("document.querySelector('h1').getBoundingClientRect().x >= 12")


@pytest.mark.parametrize("path", ["/", "/voila/render/button.ipynb", f"/api/kernels/{uuid.UUID(int=1)}/channels"])
def test_a_name_that_another_site_gave_this_computer_is_refused(server, path):
    assert get(server, path, {"Host": "rebound.example"})[0] == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_this_computers_own_names_are_answered(server, name):
    assert get(server, "/", {"Host": f"{name}:{urlsplit(server.url).port}"})[0] == 200


def test_behind_a_proxy_the_name_is_the_proxys(folder):
    with ipyfastai(folder, "--preheat", "0", "--base-url", "/behind/") as server:
        assert get(server, "/behind/", {"Host": "dashboards.example"})[0] == 200


def test_leaving_the_page_ends_its_kernel(page, server):
    page.goto(server.url)
    before = {kernel.pid for kernel in kernels_of(server)}
    open_dashboard(page, server, "button")
    ours = [kernel for kernel in kernels_of(server) if kernel.pid not in before]
    assert len(ours) == 1
    page.get_by_role("link", name="All dashboards").click()
    ours[0].wait(60)


def test_leaving_the_page_while_it_starts_ends_its_kernel(page, tmp_path):
    notebook = write_notebook(tmp_path / "slow.ipynb", "# Slow", "import time\ntime.sleep(600)")
    with ipyfastai(notebook, "--preheat", "0") as server:
        page.goto(server.url, wait_until="commit")
        expect(page.get_by_role("status")).to_have_text("Starting…")
        until(lambda: kernels_of(server))
        [kernel] = kernels_of(server)
        page.goto("about:blank")
        kernel.wait(60)


@pytest.mark.parametrize("preheat", [0, 1])
def test_one_visitor_too_many_is_asked_to_come_back(watch, folder, preheat):
    with ipyfastai(folder / "button.ipynb", "--preheat", preheat, "--max-visitors", "1") as server:
        first, second = watch().page, watch().page
        first.goto(server.url)
        expect(first.get_by_role("button", name="Press me")).to_be_visible()
        assert second.goto(server.url).status == 503
        expect(second.get_by_role("heading")).to_have_text("Too many visitors at the moment")
        expect(second.get_by_text("Try again in a minute.")).to_be_visible()
        [kernel, *_] = sorted(kernels_of(server), key=lambda kernel: kernel.create_time())
        first.goto("about:blank")
        kernel.wait(60)
        # The server forgets a kernel shortly after its process has gone.
        until(lambda: second.goto(server.url).status != 503)
        expect(second.get_by_role("button", name="Press me")).to_be_visible()


@pytest.mark.parametrize(
    "site, destination, status",
    [
        ("cross-site", "image", 403),
        ("cross-site", "iframe", 403),
        ("cross-site", "document", 200),
        ("same-origin", "iframe", 200),
        ("none", "document", 200),
    ],
)
def test_another_site_can_link_to_a_dashboard_but_not_embed_it(server, site, destination, status):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
    answer, body = get(server, "/voila/render/button.ipynb", headers)
    assert answer == status
    assert (b"A dashboard is opened by a link" in body) == (status == 403)


def test_a_kernel_that_dies_ends_the_session_with_a_banner(page, server):
    open_dashboard(page, server, "crashing")
    page.get_by_role("button", name="Crash").click()
    expect(page.get_by_role("alert")).to_contain_text("This session has ended.")
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_role("button", name="Crash")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_idle_session_is_ended_with_a_banner(page, folder):
    with ipyfastai(folder / "button.ipynb", "--preheat", "0", "--idle-minutes", "0.05") as server:
        page.clock.install()
        page.goto(server.url)
        expect(page.get_by_role("button", name="Press me")).to_be_visible()
        for kernel in kernels_of(server):
            kernel.wait(60)
        alert = page.get_by_role("alert")

        def ended():  # the server forgets a kernel shortly after its process has gone
            page.clock.run_for(30_000)
            return alert.count()

        until(ended)
        expect(alert).to_contain_text("This session has ended.")


def test_when_the_server_goes_the_page_says_so(page, folder):
    with ipyfastai(folder / "button.ipynb", "--preheat", "0") as alone:
        page.goto(alone.url)
        expect(page.get_by_role("button", name="Press me")).to_be_visible()
        expect(page.get_by_role("link", name="All dashboards")).to_have_count(0)
        page.clock.install()
    expect(page.get_by_role("alert")).to_contain_text("The connection is lost.")
    page.clock.run_for(70_000)
    expect(page.get_by_role("alert")).to_contain_text("Reload the page to start again")


def test_a_preheated_kernel_serves_one_visitor_only(watch, folder):
    with ipyfastai(folder / "button.ipynb", "--preheat", "1", "--verbose") as server:
        ids = []
        for _ in range(2):
            page = watch().page
            page.goto(server.url)
            page.get_by_role("button", name="Press me").click()
            expect(page.get_by_role("button", name="Pressed")).to_be_visible()
            ids.append(re.search(r'"kernelId": "(.*?)"', page.content())[1])
        assert ids[0] != ids[1]
