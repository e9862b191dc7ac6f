"""The dashboards under a Jupyter Server, as on Binder: found by jupyter-server-proxy as an entry point.

The gallery is then at `<server>/ipyfastai/`, the bear classifier at
`<server>/ipyfastai/voila/render/bear_classifier.ipynb`. The server starts the same command, so also with
the same configuration, as `ipyfastai` in a terminal, when somebody first asks for one of these addresses.
With IPYFASTAI_DASHBOARDS in its environment, it serves the notebooks of that folder in place of ours.
"""

from __future__ import annotations

import os
import sys
from typing import Any

START_SECONDS = 60
FOLDER = "IPYFASTAI_DASHBOARDS"


def server_process() -> dict[str, Any]:
    """How jupyter-server-proxy starts the dashboards; it fills in `{port}` and `{base_url}`."""
    return {
        "command": [
            sys.executable,
            *("-m", "ipyfastai.dashboards.app", "--no-browser"),
            *("--host", "127.0.0.1", "--port", "{port}"),
            *("--base-url", "{base_url}ipyfastai/"),
            *([_literal(os.environ[FOLDER])] if os.environ.get(FOLDER) else []),
        ],
        "absolute_url": True,
        "timeout": START_SECONDS,
        "launcher_entry": {"title": "Dashboards"},
    }


def _literal(path: str) -> str:
    """The path as jupyter-server-proxy, which fills in what stands in braces, leaves it alone."""
    return path.replace("{", "{{").replace("}", "}}")
