"""Kernels on another machine, behind a Jupyter Kernel Gateway: pages from a small server, training on a GPU.

Jupyter Server can do the same (`jupyter server --gateway-url`), but passes on whatever a browser sends: with
Voila in front, a visitor could have the gateway run any code. Here the rules are those of a kernel of our own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from threading import Thread
from typing import Any

import websocket
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_core.utils import ensure_async
from jupyter_server.gateway.gateway_client import GatewayClient
from jupyter_server.gateway.managers import GatewayKernelClient, GatewayKernelManager, GatewayMappingKernelManager
from jupyter_server.services.kernels.connection.base import (
    BaseKernelWebsocketConnection,
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from jupyter_server.utils import url_path_join
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketError, websocket_connect
from traitlets import default
from traitlets.config import Config

from .kernels import DashboardKernel
from .visitors import VisitorKernels
from .websocket import PROTOCOL_ERROR, V1_PROTOCOL

CONNECT_SECONDS = 10
READY_SECONDS = 60  # for a kernel on a busy machine to start and answer
KERNEL_BYTES = 200 * 2**20  # one message from a kernel, which is trusted: more than any widget sends

NO_ANSWER = "the machine on which this dashboard computes does not answer"


def connect_to_gateway(config: Config, url: str) -> None:
    """Name the gateway; its token is read from JUPYTER_GATEWAY_AUTH_TOKEN, which no process list shows."""
    config.GatewayClient.url = url
    config.GatewayClient.connect_timeout = CONNECT_SECONDS
    config.GatewayClient.gateway_retry_max = 1  # a visitor waits
    config.Voila.kernel_websocket_connection_class = GatewayConnection
    GatewayClient.clear_instance()
    GatewayClient.instance(config=config)


class GatewayKernel(GatewayKernelManager):
    """One kernel at the gateway."""

    traceback_replacement_message = DashboardKernel.traceback_replacement_message

    @default("client_factory")
    def _default_client_factory(self) -> type:
        return GatewayChannels

    async def tell(self, variables: dict[str, str]) -> None:
        """Set environment variables in it; a gateway itself passes on only those that its owner has listed."""
        client = self.client()
        await client.start_channels()
        try:
            await client.wait_for_ready(timeout=READY_SECONDS)
            code = f"import os; os.environ.update({variables!r}); del os"
            reply = await client.execute(code, silent=True, store_history=False, reply=True, timeout=READY_SECONDS)
        finally:
            client.stop_channels()
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the kernel at the gateway refused its settings: {reply['content']}")


class GatewayKernels(VisitorKernels, GatewayMappingKernelManager):
    """The visitors' kernels, each at the gateway."""

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return f"{__name__}.{GatewayKernel.__name__}"

    async def start_kernel(self, *, env: Any = None, path: str | None = None, **kwargs: Any) -> str:
        """Start one; neither the environment of this machine nor a path on it means anything there."""
        self.admit_visitor()
        kernel_id = None
        try:
            kernel_id = await super().start_kernel(**kwargs)
            await self.get_kernel(kernel_id).tell(self.variables)
        except Exception as error:  # whatever it is, the gateway cannot be used
            if kernel_id is not None:
                await self.shutdown_kernel(kernel_id)
            raise HTTPError(502, NO_ANSWER) from error
        return kernel_id

    async def kernel_model(self, kernel_id: str) -> dict[str, Any]:
        """What the gateway says of the kernel now; HTTPError 404 once it has ended there."""
        self._check_kernel_id(kernel_id)
        model = await self.get_kernel(kernel_id).refresh_model()
        if model is None:
            self.remove_kernel(kernel_id)
            raise HTTPError(404, "this kernel has ended")
        return model

    async def list_kernels(self, **kwargs: Any) -> list[dict[str, Any]]:
        """Each is asked for by itself: a gateway lists its kernels to nobody unless told to."""
        models = []
        for kernel_id in list(self._kernels):
            with suppress(HTTPError):  # ended, or the gateway is away for a moment
                models.append(await self.kernel_model(kernel_id))
        return models


class GatewayChannels(GatewayKernelClient):
    """The server's own connection to a kernel, over which it runs the cells of a notebook.

    Other than its parent's it shows the gateway its token, takes binary messages (a widget that holds a
    picture begins with one), and waits as long as a silent cell needs.
    """

    async def start_channels(self, *args: Any, **channels: bool) -> None:
        arguments = GatewayClient.instance().load_connection_args()
        self.channel_socket = await asyncio.to_thread(
            websocket.create_connection,
            _channels_url(self.kernel_id),
            timeout=CONNECT_SECONDS,
            enable_multithread=True,
            header=arguments.get("headers", {}),
            sslopt={
                "ca_certs": arguments.get("ca_certs"),
                "certfile": arguments.get("client_cert"),
                "keyfile": arguments.get("client_key"),
            },
        )
        self.channel_socket.settimeout(None)
        await ensure_async(AsyncKernelClient.start_channels(self, *args, **channels))
        self.response_router = Thread(target=self._route_responses, daemon=True)
        self.response_router.start()

    def _route_responses(self) -> None:
        queues = self._channel_queues
        try:
            while message := self.channel_socket.recv():
                message = json.loads(message) if isinstance(message, str) else deserialize_binary_message(message)
                queues[message["channel"]].put_nowait(message)
        except (websocket.WebSocketException, OSError) as error:
            if not self._channels_stopped:
                self.log.warning("The connection to a kernel at the gateway has ended: %s", error)
        finally:
            for queue in queues.values():  # whoever waits for an answer is told that none will come
                queue.response_router_finished = True


class GatewayConnection(BaseKernelWebsocketConnection):
    """Between the websocket of a page and that of the gateway: of what comes from the page, widget messages only."""

    _gateway = None

    async def connect(self) -> None:
        request = HTTPRequest(_channels_url(self.kernel_id), **GatewayClient.instance().load_connection_args())
        try:
            self._gateway = await websocket_connect(
                request,
                subprotocols=[V1_PROTOCOL],
                max_message_size=KERNEL_BYTES,
                on_message_callback=self.handle_outgoing_message,
            )
        except (HTTPClientError, WebSocketError, OSError) as error:
            self.log.warning("No connection to a kernel at the gateway: %s", error)
            self.websocket_handler.close(reason=NO_ANSWER)
            return
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        if self._gateway.selected_subprotocol != V1_PROTOCOL:
            self.log.warning("This gateway is too old: it does not speak %s.", V1_PROTOCOL)
            self.websocket_handler.close(reason="this gateway is too old")

    def disconnect(self) -> None:
        if self._gateway is not None:
            self._gateway.close()
            self.multi_kernel_manager.notify_disconnect(self.kernel_id)

    def handle_incoming_message(self, incoming_msg: bytes | str) -> None:
        """Pass on what a page may send; a message that cannot be read ends the connection."""
        try:
            if isinstance(incoming_msg, str):
                raise ValueError("not the protocol that this gateway speaks")
            _, (header, *_) = deserialize_msg_from_ws_v1(incoming_msg)
            kind = json.loads(header)["msg_type"]
        except (ValueError, KeyError, TypeError):
            self.websocket_handler.close(PROTOCOL_ERROR, "malformed message")
            return
        if kind not in self.multi_kernel_manager.allowed_message_types:
            self.log.warning("A message of type %r is not allowed and was dropped.", kind)
        elif self._gateway is not None:
            self._gateway.write_message(incoming_msg, binary=True)

    def handle_outgoing_message(self, message: bytes | str | None) -> None:
        """Pass on what the kernel says, errors without their traceback; None: the gateway has closed."""
        if message is None:
            # The page connects again by itself; where the kernel has ended, it finds that out then.
            self.websocket_handler.close()
            return
        try:
            self.websocket_handler.write_message(self._without_traceback(message), binary=True)
        except WebSocketClosedError:
            self.log.debug("The page has gone; a message of its kernel was dropped.")

    def _without_traceback(self, message: bytes) -> bytes:
        channel, parts = deserialize_msg_from_ws_v1(message)
        if channel != "iopub" or json.loads(parts[0])["msg_type"] != "error":
            return message
        hidden = {"ename": "ExecutionError", "evalue": "Execution error"}
        parts[3] = json.dumps({**hidden, "traceback": [self.kernel_manager.traceback_replacement_message]}).encode()
        return serialize_msg_to_ws_v1(parts, channel)


def _channels_url(kernel_id: str) -> str:
    gateway = GatewayClient.instance()
    return url_path_join(gateway.ws_url or "", gateway.kernels_endpoint, kernel_id, "channels")
