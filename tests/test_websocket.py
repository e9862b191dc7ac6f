"""What a visitor with a websocket client of their own can send to a running dashboard."""

import asyncio
import json
import re
import struct
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser import ipyfastai, write_notebook
from ipyfastai.dashboards.kernels import DashboardKernelManager
from ipyfastai.dashboards.websocket import V1_PROTOCOL, is_v1_message
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from tornado.websocket import websocket_connect

TEXT = "import ipywidgets\nipywidgets.Text('hello')"
MESSAGE = serialize_msg_to_ws_v1([b"{}", b"{}", b"{}", b"{}", b"a buffer"], "shell")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    notebook = write_notebook(tmp_path_factory.mktemp("dashboards") / "text.ipynb", "# Text", TEXT)
    with ipyfastai(notebook, "--preheat", "0") as server:
        yield server


def in_a_loop(talk):
    """The result of a coroutine, run in a thread: Playwright keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(talk, 60)).result()


def visit(server):
    """Open the page as a browser would, and return the address of its websocket."""
    with urllib.request.urlopen(server.url) as page:
        kernel = re.search(r'"kernelId": "(.*?)"', page.read().decode())[1]
    return f"{server.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"


def close_code(address, message, *, binary=True, subprotocols=(V1_PROTOCOL,)):
    """What the server closes the connection with after `message`."""

    async def talk():
        socket = await websocket_connect(address, subprotocols=list(subprotocols))
        await socket.write_message(message, binary=binary)
        while await socket.read_message() is not None:
            pass
        return socket.close_code

    return in_a_loop(talk())


MALFORMED = {
    "a huge number of offsets": struct.pack("<Q", 20_000_000) + b"\0" * 8,
    "no offset": struct.pack("<Q", 0) + b"\0" * 64,
    "too few offsets": struct.pack("<6Q", 5, 48, 48, 48, 48, 48),
    "fewer offsets than announced": struct.pack("<6Q", 6, 56, 56, 56, 56, 56),
    "descending": struct.pack("<7Q", 6, 56, 58, 57, 58, 58, 58) + b"{}",
    "beyond the end": struct.pack("<7Q", 6, 56, 56, 56, 56, 56, 2**40),
    "into the offsets": struct.pack("<7Q", 6, 0, 56, 56, 56, 56, 56),
    "cut off": MESSAGE[:-1],
    "nothing": b"",
    "text": "{}",
}


def test_a_message_is_one():
    assert is_v1_message(MESSAGE)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_message_is_none(name):
    assert not is_v1_message(MALFORMED[name])


def test_a_malformed_message_closes_the_connection_and_nothing_else(server):
    address = visit(server)
    assert close_code(address, MALFORMED["a huge number of offsets"]) == 1002
    assert close_code(address, "{}", binary=False) == 1002
    for header in (b"{", b"[]", b"[" * 100_000, b"{}"):
        message = serialize_msg_to_ws_v1([header, b"{}", b"{}", b"{}"], "shell")
        assert close_code(address, message) == 1002, header[:9]
    assert close_code(address, struct.pack("!i", 2**31 - 1), subprotocols=()) == 1002
    visit(server)


def test_an_error_in_the_kernel_is_not_told(server):
    """A widget message without a method: ipywidgets answers with a traceback, the paths in it."""

    async def ask(socket, kind, content, answered):
        session = Session()
        await socket.write_message(serialize_msg_to_ws_v1(session.msg(kind, content), "shell", session.pack), True)
        while True:
            _, parts = deserialize_msg_from_ws_v1(await socket.read_message())
            if json.loads(parts[0])["msg_type"] == answered:
                return json.loads(parts[3])

    async def talk(address):
        socket = await websocket_connect(address, subprotocols=[V1_PROTOCOL])
        known = await ask(socket, "comm_info_request", {"target_name": "jupyter.widget"}, "comm_info_reply")
        return await ask(socket, "comm_msg", {"comm_id": next(iter(known["comms"])), "data": {}}, "error")

    told = in_a_loop(talk(visit(server)))
    assert told["evalue"] == "Execution error"
    assert "File" not in "".join(told["traceback"])


def test_a_kernel_that_no_page_joins_ends_soon():
    async def cull(*, joined):
        manager = DashboardKernelManager(join_seconds=0.2, cull_idle_timeout=600)
        kernel = await manager.start_kernel()
        try:
            if joined:
                manager.notify_connect(kernel)
            await manager.cull_kernel_if_idle(kernel)
            assert kernel in manager
            # Each message of the kernel, as when it has started, prolongs its time.
            for _ in range(10 if joined else 200):
                await asyncio.sleep(0.25)
                if kernel not in manager:
                    return True
                await manager.cull_kernel_if_idle(kernel)
            return kernel not in manager
        finally:
            await manager.shutdown_all()

    assert in_a_loop(cull(joined=False))
    assert not in_a_loop(cull(joined=True))
