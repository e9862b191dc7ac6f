"""Voila with a gallery in front, its own templates, and one configuration that no stray file changes."""

from __future__ import annotations

import os
import re
import signal
import webbrowser
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import tornado.ioloop
import voila
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import _kernel_id_regex
from jupyter_server.utils import url_path_join
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets import Callable, Dict, Unicode
from voila.app import Voila
from voila.request_info_handler import RequestInfoSocketHandler
from voila.static_file_handler import AllowListFileHandler, MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.contentshandler import VoilaContentsHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.tornado.treehandler import TornadoVoilaTreeHandler

from .assets import VERSIONED_STATIC, AssetHandler
from .cards import THUMBNAILS
from .gallery import STATIC, DashboardHandler, GalleryHandler, NotFoundHandler, PictureHandler
from .websocket import KernelWebsocketHandler

TEMPLATES = Path(__file__).parent / "template"

# How kernels learn what the publisher has decided.
PUBLIC = "IPYFASTAI_PUBLIC"  # strangers can open pages
APPLY = "IPYFASTAI_APPLY"  # they may change files all the same
DATA_ROOT = "IPYFASTAI_DATA_ROOT"  # the only folder whose subfolders may be chosen
RECOMMENDER = "IPYFASTAI_RECOMMENDER"  # the file of the recommender that is served
WORKSPACE = "IPYFASTAI_WORKSPACE"  # where projects and runs outlive the page

# What Voila serves besides pages, kernels and themes: listings, any notebook, files by a list of patterns,
# the scripts of the page, which `AssetHandler` serves faster, and a websocket that trusts its messages.
REPLACED = (
    VoilaKernelWebsocketHandler,
    TornadoVoilaTreeHandler,
    TornadoVoilaHandler,
    VoilaContentsHandler,
    AllowListFileHandler,
    TemplateStaticFileHandler,
    MultiStaticFileHandler,
    FileFindHandler,
)

# Voila has these two only where it serves a folder.
OF_A_FOLDER = {TornadoVoilaTreeHandler, VoilaContentsHandler}

# Nothing is sent to the server over plain HTTP: uploads arrive over the websocket.
REQUEST_BYTES = 2**20


class UnknownVoila(RuntimeError):
    """Voila is not built as this server takes it to be, and would serve what it must not."""


class DashboardServer(Voila):
    """Serves the notebooks of `root_dir` behind a gallery, or the one at `notebook_path` alone.

    >>> server = DashboardServer(config=configuration(), root_dir="dashboards", port=8866)
    >>> server.initialize([])
    >>> server.start()  # returns on Ctrl-C, SIGTERM or SIGHUP, its kernels stopped

    Port 0 takes any free port. Raises OSError when it cannot listen on `ip` and `port`,
    and UnknownVoila when that version serves something in a way that is not replaced here.
    """

    on_listening = Callable(lambda url: None, help="called with the URL once the server answers there")
    variables = Dict(help="what every kernel is told, by names of environment variables")
    default_workspace = Unicode(help="where projects are kept if nobody else can connect and no folder was named")
    host_name = Unicode(help="the name in that URL, where it is not `ip`")

    def _config_file_paths_default(self) -> list[str]:
        return []

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        super().initialize(argv)
        # Said at each visit, of outputs that a notebook has stored; Voila shows none of those.
        self.log.addFilter(lambda record: "is not trusted" not in record.getMessage())
        if hasattr(signal, "SIGHUP"):  # the terminal was closed: no kernel may outlive it
            signal.signal(signal.SIGHUP, self._handle_signal_stop)

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths.insert(0, str(TEMPLATES))

    def start(self) -> None:
        # Bound before Voila starts its kernels, so that a port in use costs nothing and says so.
        self.sockets = bind_sockets(self.port, self.ip)
        self.port = self.sockets[0].getsockname()[1]
        # No name of another site may lead here, not even one that its DNS points to this computer. A proxy
        # in front passes on the name that its visitors know.
        alone = self.base_url == "/" and all(ip_address(one.getsockname()[0]).is_loopback for one in self.sockets)
        self.tornado_settings = {**self.tornado_settings, "allow_remote_access": not alone}
        self.config.VisitorKernels.variables = {**self._by_visitors(alone), **self.variables}
        super().start()

    def _by_visitors(self, alone: bool) -> dict[str, str]:
        """What kernels are told of who can open a page: strangers get no server folders, and no lasting one."""
        if not alone or os.environ.get(PUBLIC):
            return {PUBLIC: "1"}
        return {WORKSPACE: self.default_workspace} if self.default_workspace and WORKSPACE not in os.environ else {}

    def listen(self) -> None:
        server = HTTPServer(self.app, max_body_size=REQUEST_BYTES)
        server.add_sockets(self.sockets)
        self.ioloop = tornado.ioloop.IOLoop.current()
        self.ioloop.add_callback(self.on_listening, self.connection_url)
        if self.open_browser:
            self.ioloop.run_in_executor(None, webbrowser.open, self.connection_url)
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            self.log.info("Stopping on Ctrl-C.")
        finally:
            self.stop()

    @property
    def connection_url(self) -> str:
        """An address that a browser on this machine can open."""
        host = "localhost" if self.ip in ("", "0.0.0.0", "::") else self.ip
        return self._url(f"[{host}]" if ":" in host else host)

    def init_handlers(self) -> list[tuple]:
        def route(pattern: str) -> str:
            return url_path_join(self.server_url, pattern)

        shared = {"voila_configuration": self.voila_configuration}
        folder = {"folder": self.root_dir}
        rendering = {**shared, **folder, "template_paths": self.template_paths, "config": self.config}

        handlers = super().init_handlers()
        expected = set(REPLACED) - (OF_A_FOLDER if self.notebook_path else set())
        if missing := expected - {handler[1] for handler in handlers}:
            names = ", ".join(sorted(handler.__name__ for handler in missing))
            raise UnknownVoila(
                f"Voila {voila.__version__} does not serve with {names}, which the dashboards replace: "
                "it might show visitors files that are none of their business. "
                "Install a version that is known to work: pip install --upgrade 'ipyfastai[app]'"
            )
        accounts = {handler for _, handler in self.identity_provider.get_handlers()}
        dropped = {*REPLACED, RequestInfoSocketHandler, *accounts}
        handlers = [handler for handler in handlers if handler[1] not in dropped]
        scripts = {"paths": self.static_paths}
        handlers += [
            (route(rf"/api/kernels/{_kernel_id_regex}/channels"), KernelWebsocketHandler),
            (route(r"/ipyfastai/(.*)"), AssetHandler, {"paths": [str(STATIC)]}),
            (route(rf"/{re.escape(VERSIONED_STATIC)}/(.*)"), AssetHandler, {**scripts, "lasting": True}),
            (route(r"/voila/templates/lab/static/(.*)"), AssetHandler, scripts),
            (route(r"/voila/labextensions/(.*)"), AssetHandler, {"paths": self.labextensions_path}),
            (route(r"/thumbnails/(.*)"), PictureHandler, {"path": str(Path(self.root_dir) / THUMBNAILS)}),
        ]
        if self.notebook_path:
            alone = {**rendering, "notebook_path": str(Path(self.notebook_path).relative_to(self.root_dir))}
            handlers.append((route("/"), DashboardHandler, alone))
        else:
            handlers += [
                (route("/"), GalleryHandler, {**shared, **folder}),
                (route(r"/voila/render/(.*)"), DashboardHandler, rendering),
            ]
        return [*handlers, (r".*", NotFoundHandler, shared)]
