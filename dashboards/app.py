"""The `ipyfastai` command: serves the gallery, or one dashboard alone, and opens a browser on it.

ipyfastai                    the gallery on http://localhost:8866/
ipyfastai bear_classifier    that dashboard alone
ipyfastai my_notebook.ipynb  a notebook of your own, with the same configuration
ipyfastai my_folder          a gallery of your own notebooks
"""

from __future__ import annotations

import argparse
import errno
import logging
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from .cards import cards

DASHBOARDS = Path(__file__).parent

# Long enough to think, make a phone call or lose a train's Wi-Fi without losing one's work; short enough
# that forgotten tabs do not fill a small server. The page says so when a session has ended.
IDLE_MINUTES = 30

# One kernel per dashboard waits, already run, for the next visitor: the bear classifier is usable in three
# quarters of the time, for some 95 MB that wait. Two would fill a Binder's 1 GB for no visitor.
PREHEATED = 1

# A kernel takes some 100 MB before it has loaded a model: what a large server bears. Lower on a small one.
MAX_VISITORS = 100


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; leaves through SystemExit with a sentence when it cannot."""
    options = _parser().parse_args(arguments)
    try:
        from jupyter_core.paths import jupyter_data_dir

        from .configuration import configuration
        from .server import APPLY, DATA_ROOT, RECOMMENDER, WORKSPACE, DashboardServer, UnknownVoila
    except ModuleNotFoundError as missing:
        if missing.name not in ("voila", "jupyter_core"):
            raise
        raise SystemExit(
            "The dashboards are served by Voila, which is not installed. Install it with: pip install 'ipyfastai[app]'"
        ) from None

    folder, notebook = _what_to_serve(options.notebook)
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary.is_relative_to(folder.resolve()):
        raise SystemExit(
            f"What visitors upload goes to {temporary}, which lies below the folder to serve, {folder}. "
            "Put the notebooks into a folder of their own, or set TMPDIR to a folder elsewhere."
        )
    told = {
        APPLY: "1" if options.allow_apply else "",
        DATA_ROOT: _data_root(options),
        RECOMMENDER: _recommender(options),
        WORKSPACE: _workspace(options),
    }
    server = DashboardServer(
        config=configuration(
            idle_minutes=options.idle_minutes,
            preheated=options.preheat,
            max_visitors=options.max_visitors,
            # A kernel that waits would hold the GPU's memory for nobody.
            not_preheated=[card.file for card in cards(folder) if card.wants_gpu],
            gateway_url=options.gateway_url,
        ),
        variables={name: value for name, value in told.items() if value},
        default_workspace="" if options.gateway_url else str(Path(jupyter_data_dir()) / "ipyfastai"),
        root_dir=str(folder),
        notebook_path=notebook and str(notebook),
        ip=options.host,
        port=options.port,
        base_url=f"/{options.base_url.strip('/')}/".replace("//", "/"),
        open_browser=options.browser,
        log_level=logging.INFO if options.verbose else logging.WARNING,
        on_listening=lambda url: print(f"{url}  (stop with Ctrl-C)", flush=True),
    )
    server.initialize([])
    try:
        server.start()
    except OSError as error:
        raise SystemExit(_cannot_listen(error, options)) from None
    except UnknownVoila as error:
        raise SystemExit(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ipyfastai",
        description="Serve the gallery of dashboards, or one dashboard alone, and open it in a browser.",
    )
    add = parser.add_argument
    add("notebook", nargs="?", help="a dashboard's name, a notebook of your own, or a folder of them")
    add("--port", type=_port, default=8866, help="default: %(default)s; 0 takes any free one")
    add("--host", default="localhost", help="default: %(default)s, so that only this computer can connect")
    add("--base-url", default="/", metavar="PATH", help="the path in front of every address, behind a proxy")
    add("--no-browser", dest="browser", action="store_false", help="only print the address")
    add("--preheat", type=_count, default=PREHEATED, metavar="N", help="waiting kernels per dashboard (%(default)s)")
    add("--idle-minutes", type=_minutes, default=IDLE_MINUTES, metavar="MIN", help="a session ends after (%(default)s)")
    add("--max-visitors", type=_visitors, default=MAX_VISITORS, metavar="N", help="at a time (%(default)s)")
    add("--data-root", metavar="DIR", help="offer the folders of photos and ratings below it; without it, none")
    add(
        "--workspace",
        metavar="DIR",
        help="keep projects and runs there, shared by all visitors; without it, only for this computer's user",
    )
    add("--recommender", metavar="FILE", help="the model that movie_recommender serves, in place of the example")
    add("--allow-apply", action="store_true", help="let visitors from elsewhere change the files of a dataset")
    add(
        "--gateway-url",
        type=_url,
        metavar="URL",
        help="run kernels at that Jupyter Kernel Gateway (docs/gpu_kernel.md)",
    )
    add("--verbose", action="store_true", help="log every request")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {port}")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("a number of kernels, or 0 for none")
    return count


def _visitors(text: str) -> int:
    visitors = int(text)
    if visitors < 1:
        raise argparse.ArgumentTypeError("a number of visitors from 1")
    return visitors


def _url(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise argparse.ArgumentTypeError(f"an address like http://gpu-host:8888, not {text!r}")
    return text


def _minutes(text: str) -> float:
    minutes = float(text)
    if not minutes > 0:
        raise argparse.ArgumentTypeError("a number of minutes above 0")
    return minutes


def _what_to_serve(asked: str | None) -> tuple[Path, Path | None]:
    """The folder and, where one notebook is served alone, that notebook."""
    if asked is None:
        return DASHBOARDS, None
    names = [card.name for card in cards(DASHBOARDS)]
    if asked.removesuffix(".ipynb") in names:
        return DASHBOARDS, DASHBOARDS / f"{asked.removesuffix('.ipynb')}.ipynb"
    path = Path(asked).resolve()
    if path.is_dir():
        return path, None
    if path.suffix == ".ipynb" and path.is_file():
        return path.parent, path
    raise SystemExit(
        f"There is no dashboard called {asked!r}, nor a notebook or folder at that path. "
        f"The dashboards are: {', '.join(names) or 'none yet'}."
    )


def _data_root(options: argparse.Namespace) -> str:
    """The folder that was named, as kernels are told; with a gateway it lies on that machine, unseen from here."""
    if not options.data_root or options.gateway_url:
        return options.data_root or ""
    folder = Path(options.data_root).expanduser().resolve()
    if not folder.is_dir():
        raise SystemExit(f"--data-root: there is no folder {folder}.")
    return str(folder)


def _recommender(options: argparse.Namespace) -> str:
    if not options.recommender or options.gateway_url:
        return options.recommender or ""
    file = Path(options.recommender).expanduser().resolve()
    if not file.is_file():
        raise SystemExit(f"--recommender: there is no file {file}.")
    return str(file)


def _workspace(options: argparse.Namespace) -> str:
    if not options.workspace or options.gateway_url:
        return options.workspace or ""
    folder = Path(options.workspace).expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError as error:
        raise SystemExit(f"--workspace: nothing can be kept in {folder}: {error.strerror}.") from None


def _cannot_listen(error: OSError, options: argparse.Namespace) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {options.port} is already in use, perhaps by another ipyfastai. "
            f"Stop that one, or choose another port: --port {options.port + 1}"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"This account may not listen on port {options.port}. Choose one above 1023, such as 8866."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"This computer has no address {options.host!r} to listen on. "
            "Use localhost for this computer alone, or 0.0.0.0 to be reached from others."
        )
    raise error


if __name__ == "__main__":
    sys.exit(main())
