"""The one Voila configuration: `make app`, `ipyfastai` and Binder all serve with it.

Voila would read `voila.json` and `voila.py` from the working directory and the Jupyter folders. This
server does not (see `server.py`), so a file left in a folder cannot switch off what is decided here;
the few choices that are the publisher's are options of the `ipyfastai` command.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from jupyterlab_server.config import get_federated_extensions
from traitlets.config import Config
from voila.configuration import VoilaConfiguration
from voila.utils import get_voila_labextensions_path

from .assets import VERSIONED_STATIC
from .cards import Card
from .gateway import GatewayKernels, connect_to_gateway
from .kernels import DashboardKernelManager, DashboardKernelSpecManager

# Besides what builds on @jupyter-widgets/base; the rest that is installed for JupyterLab stays away.
WIDGET_EXTENSIONS = frozenset({"@voila-dashboards/widgets-manager8", "anywidget"})

# Tornado's own limit, made explicit: one message from a browser. `ImageUpload` sends chunks below 1 MB.
MESSAGE_BYTES = 10 * 2**20

# A page connects to its kernel as soon as it is complete, on a crowded machine after minutes; one that has
# not by then was closed, or never was one.
JOIN_SECONDS = 600

# Widgets need inline scripts, `eval` (the JSON validators of JupyterLab) and blob: modules (anywidget).
# What matters is that nothing is fetched from, or sent to, any other host.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)


def widget_extensions() -> list[str]:
    """Names of the installed JupyterLab extensions that bring widgets, and so are needed in a page."""
    installed = get_federated_extensions(get_voila_labextensions_path())
    builders = {name for name, data in installed.items() if "@jupyter-widgets/base" in data["dependencies"]}
    return sorted(builders | WIDGET_EXTENSIONS)


def page_config(
    page_config: dict[str, Any], *, notebook_path: str, base_url: str, voila_configuration: VoilaConfiguration, **_: Any
) -> dict[str, Any]:
    """Voila's hook: what `template/index.html.j2` is told beyond, or other than, by Voila itself."""
    server = voila_configuration.parent
    page_config["dashboardTitle"] = Card.of(Path(server.root_dir) / notebook_path).title
    page_config["fullStaticUrl"] = base_url + VERSIONED_STATIC
    page_config["galleryUrl"] = "" if server.notebook_path else base_url
    return page_config


def configuration(
    *,
    idle_minutes: float,
    preheated: int,
    max_visitors: int,
    not_preheated: Collection[str] = (),
    gateway_url: str | None = None,
) -> Config:
    """The traitlets `Config` for `DashboardServer`.

    >>> configuration(idle_minutes=30, preheated=1, max_visitors=100)

    `idle_minutes` without a message end a session; `preheated` kernels wait per dashboard, none for
    the file names in `not_preheated`. At most `max_visitors` have a kernel at a time. With a
    `gateway_url`, kernels run where that Jupyter Kernel Gateway does, and none waits there.
    """
    if gateway_url:
        preheated = 0
    config = Config()

    page = config.VoilaConfiguration
    page.template, page.allow_template_override = "lab", "NO"
    page.theme, page.allow_theme_override = "light", "NO"  # the template follows the visitor's system
    page.strip_sources, page.show_tracebacks = True, False
    page.file_allowlist = []  # the gallery serves its thumbnails itself, nothing else is a visitor's business
    page.extension_allowlist = widget_extensions()
    page.page_config_hook = page_config
    page.multi_kernel_manager_class = GatewayKernels if gateway_url else DashboardKernelManager
    page.kernel_spec_manager_class = DashboardKernelSpecManager
    page.preheat_kernel, page.default_pool_size = preheated > 0, preheated
    config.VoilaKernelManager.preheat_denylist = list(not_preheated)

    kernels = config.MappingKernelManager
    kernels.allow_tracebacks = False  # on the websocket; `show_tracebacks` above is about the page
    kernels.cull_idle_timeout = max(1, round(idle_minutes * 60))
    kernels.cull_interval = min(30, kernels.cull_idle_timeout)
    config.VisitorKernels.max_visitors = max_visitors
    config.VisitorKernels.join_seconds = min(JOIN_SECONDS, kernels.cull_idle_timeout)
    kernels.cull_connected = True  # an open but forgotten tab is connected too
    # A kernel that died has lost the page's widgets: a new one in its place would leave the page mute.
    config.KernelRestarter.restart_limit = 0

    if gateway_url:
        connect_to_gateway(config, gateway_url)
    config.Voila.tornado_settings = {
        "websocket_max_message_size": MESSAGE_BYTES,
        "headers": {
            "Content-Security-Policy": PAGE_POLICY,
            "Referrer-Policy": "same-origin",  # Jupyter Server answers its own pages by their referrer
            "X-Content-Type-Options": "nosniff",
        },
    }
    return config
