"""Pages from a light server, kernels at a Jupyter Kernel Gateway: two processes, two environments.

Both are this Python. The server's is made light by a folder in front of its path whose `torch`, `torchvision`
and `fastai` cannot be imported; the gateway and its kernels do not see that folder.
"""

import json
import os
import re
import socket
import subprocess
import sys
import uuid
from urllib.request import Request, urlopen

import pytest
from browser import Server, ipyfastai, kernels_of, until, write_notebook
from drawings import large_photo
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from playwright.sync_api import expect

TOKEN = "a-token-of-forty-letters-which-nobody-knows"
MISSING = "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)\n"

WHERE = """
import json, os, ipywidgets
from importlib.util import find_spec
told = {name: value for name, value in os.environ.items() if name.startswith("IPYFASTAI_")}
seen = {"parent": os.getppid(), "told": told, "names": sorted(os.environ), "torch": bool(find_spec("torch"))}
ipywidgets.Textarea(json.dumps(seen), description="where")
"""
TRAIN = """
import ipywidgets
button, said = ipywidgets.Button(description="Train"), ipywidgets.HTML()
def train(_):
    import torch
    x = torch.linspace(-1, 1, 50)[:, None]
    model = torch.nn.Linear(1, 1)
    descend = torch.optim.SGD(model.parameters(), 0.5)
    for _ in range(100):
        loss = ((model(x) - 3 * x) ** 2).mean()
        descend.zero_grad(); loss.backward(); descend.step()
    said.value = f"learned {model.weight.item():.1f}"
button.on_click(train)
ipywidgets.VBox([button, said])
"""
UPLOAD = """
import ipywidgets
from ipyfastai.widgets import ImageUpload
upload, said = ImageUpload(), ipywidgets.HTML()
def tell(change):
    said.value = "; ".join(f"arrived {one.size} {one._path.exists()} {one.image.size}" for one in change["new"])
upload.observe(tell, "value")
ipywidgets.VBox([upload, said])
"""
PICTURE = """
import ipywidgets
from PIL import Image
from ipyfastai.models.images import jpeg
ipywidgets.Image(value=jpeg(Image.new("RGB", (64, 48), "teal"), 64), format="jpg")
"""
FAIL = """
import ipywidgets
button = ipywidgets.Button(description="Fail")
def fail(_):
    raise RuntimeError("/home/publisher/secret")
button.on_click(fail)
button
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboards")
    for name, code in {"where": WHERE, "train": TRAIN, "upload": UPLOAD, "picture": PICTURE, "fail": FAIL}.items():
        write_notebook(folder / f"{name}.ipynb", f"# {name}", code)
    return folder


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The environment of a server without any deep learning in it."""
    folder = tmp_path_factory.mktemp("light")
    for name in ("torch", "torchvision", "fastai"):
        (folder / f"{name}.py").write_text(MISSING)
    return {"PYTHONPATH": str(folder), "JUPYTER_GATEWAY_AUTH_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """As in docs/gpu_kernel.md: a token, and what kernels may know of its environment."""
    options = f"--ip=127.0.0.1 --port={free_port()} --KernelGatewayApp.env_process_whitelist=HOME,LANG"
    command = [sys.executable, "-m", "kernel_gateway", *options.split()]
    environment = {"KG_AUTH_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": "hunter2"}
    with Server(command, cwd=tmp_path_factory.mktemp("gpu"), env=environment) as server:
        yield server


@pytest.fixture(scope="module")
def server(folder, light, gateway):
    options = ["--gateway-url", gateway.url, "--data-root", "/photos/there", "--allow-apply"]
    with ipyfastai(folder, *options, env=light) as server:
        yield server


def open_dashboard(page, server, name):
    page.goto(f"{server.url}voila/render/{name}.ipynb")
    expect(page.locator("#starting")).to_have_count(0)


def seen_by_the_kernel(page):
    field = page.get_by_label("where")
    expect(field).not_to_have_value("")
    return json.loads(field.input_value())


def test_the_servers_environment_is_light_indeed(light):
    for name in ("torch", "torchvision", "fastai"):
        done = subprocess.run(
            [sys.executable, "-c", f"import {name}"], env={**os.environ, **light}, capture_output=True
        )
        assert done.returncode == 1 and b"ModuleNotFoundError" in done.stderr


def test_the_kernel_runs_at_the_gateway_and_is_told_what_the_publisher_decided(page, server, gateway):
    open_dashboard(page, server, "where")
    seen = seen_by_the_kernel(page)
    assert seen["parent"] == gateway.process.pid and seen["torch"]
    assert kernels_of(server) == []
    assert seen["told"] == {"IPYFASTAI_APPLY": "1", "IPYFASTAI_DATA_ROOT": "/photos/there"}
    assert not {"AWS_SECRET_ACCESS_KEY", "KG_AUTH_TOKEN", "JUPYTER_GATEWAY_AUTH_TOKEN"} & set(seen["names"])


def test_strangers_are_strangers_to_a_kernel_at_the_gateway_too(page, folder, light, gateway):
    with ipyfastai(folder, "--gateway-url", gateway.url, "--base-url", "/behind/", env=light) as public:
        open_dashboard(page, public, "where")
        assert seen_by_the_kernel(page)["told"] == {"IPYFASTAI_PUBLIC": "1"}


def test_it_trains_where_torch_is(page, server):
    open_dashboard(page, server, "train")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_text("learned 3.0")).to_be_visible()


def test_an_upload_arrives_on_the_kernels_machine(watch, server):
    watched = watch()
    page, photo = watched.page, large_photo(3)
    open_dashboard(page, server, "upload")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "forest.jpg", "mimeType": "image/jpeg", "buffer": photo}]
    )
    expect(page.get_by_text(re.compile(rf"arrived {len(photo)} True"))).to_be_visible()
    assert not watched.foreign and not watched.errors


def test_a_widget_that_begins_with_a_picture(page, server):
    open_dashboard(page, server, "picture")
    page.wait_for_function("document.querySelector('.jupyter-widgets.widget-image')?.naturalWidth === 64")


def test_a_hand_made_execute_request_is_not_run(page, server, tmp_path):
    """Sent as the page itself would send it; a plain Jupyter Server would pass it on to the gateway."""
    with page.expect_websocket() as socket:
        open_dashboard(page, server, "where")
    proof = tmp_path / "proof"

    def message(kind, **content):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "", "version": "5.3"}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        return list(serialize_msg_to_ws_v1(parts, "shell"))

    answered = page.evaluate(
        """([url, request, question]) => new Promise((done) => {
             const socket = new WebSocket(url, ["v1.kernel.websocket.jupyter.org"]);
             socket.binaryType = "arraybuffer";
             socket.onopen = () => { socket.send(new Uint8Array(request)); socket.send(new Uint8Array(question)); };
             const words = new TextDecoder();
             // The kernel answers in turn: with this reply, the request before has had its chance to run.
             socket.onmessage = ({data}) => words.decode(data).includes('kernel_info_reply') && done("answered");
           })""",
        [
            socket.value.url.split("?")[0],
            message("execute_request", code=f"open({str(proof)!r}, 'w').close()", silent=False),
            message("kernel_info_request"),
        ],
    )
    assert answered == "answered" and not proof.exists()


@pytest.mark.parametrize("sent", ["'text'", "new Uint8Array(9)", "new Uint8Array(64)"])
def test_what_is_no_message_ends_the_connection(page, server, sent):
    with page.expect_websocket() as socket:
        open_dashboard(page, server, "where")
    code = page.evaluate(
        f"""(url) => new Promise((done) => {{
             const socket = new WebSocket(url, ["v1.kernel.websocket.jupyter.org"]);
             socket.onopen = () => socket.send({sent});
             socket.onclose = ({{code}}) => done(code);
           }})""",
        socket.value.url.split("?")[0],
    )
    assert code == 1002


def test_errors_reach_the_page_without_their_words(page, server):
    frames = []
    with page.expect_websocket() as connecting:
        page.goto(f"{server.url}voila/render/fail.ipynb")
    connecting.value.on("framereceived", lambda frame: frames.append(frame))
    with connecting.value.expect_event("framereceived", lambda frame: b"ExecutionError" in frame):
        page.get_by_role("button", name="Fail").click()
    assert frames and not any(b"publisher" in frame for frame in frames)


def test_leaving_the_page_ends_its_kernel(page, server, gateway):
    before = {kernel.pid for kernel in kernels_of(gateway)}
    open_dashboard(page, server, "where")
    [ours] = [kernel for kernel in kernels_of(gateway) if kernel.pid not in before]
    page.get_by_role("link", name="All dashboards").click()
    ours.wait(60)


def test_a_kernel_that_has_ended_is_told_on_the_page(page, server, gateway):
    page.clock.install()
    open_dashboard(page, server, "where")
    kernel_id = re.search(r'"kernelId": "(.*?)"', page.content())[1]
    end = Request(f"{gateway.url.rstrip('/')}/api/kernels/{kernel_id}", method="DELETE")
    end.add_header("Authorization", f"token {TOKEN}")
    urlopen(end).close()

    def asked_again():
        page.clock.run_for(30_000)
        return page.get_by_role("alert").count()

    until(asked_again)
    expect(page.get_by_role("alert")).to_contain_text("This session has ended.")


@pytest.mark.parametrize("fault", ["wrong token", "nobody there"])
def test_without_its_gateway_a_page_says_so(page, folder, light, gateway, fault):
    url = gateway.url if fault == "wrong token" else f"http://127.0.0.1:{free_port()}"
    with ipyfastai(folder, "--gateway-url", url, env={**light, "JUPYTER_GATEWAY_AUTH_TOKEN": "wrong"}) as server:
        assert page.goto(f"{server.url}voila/render/where.ipynb").status == 502
        expect(page.get_by_role("heading")).to_have_text("This dashboard cannot compute at the moment")
        assert TOKEN not in server.output and "Traceback" not in page.content()
