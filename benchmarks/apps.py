"""Three apps around the same network, each served as its users would serve it."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

# The cells of the fastai book's chapter 2 ("Creating a Notebook App from the Model"), unchanged in kind.
FASTAI = """
from fastai.vision.all import *
from fastai.vision.widgets import *
learn_inf = load_learner('export.pkl')
btn_upload = widgets.FileUpload()
out_pl = widgets.Output()
lbl_pred = widgets.Label()
def on_data_change(change):
    lbl_pred.value = ''
    img = PILImage.create(btn_upload.data[-1] if hasattr(btn_upload, 'data') else bytes(btn_upload.value[-1].content))
    out_pl.clear_output()
    with out_pl: display(img.to_thumb(128, 128))
    with learn_inf.no_bar(): pred, pred_idx, probs = learn_inf.predict(img)
    lbl_pred.value = f'Prediction: {pred}; Probability: {probs[pred_idx]:.04f}'
btn_upload.observe(on_data_change, names=['value'])
display(VBox([widgets.Label('Select your bear!'), btn_upload, out_pl, lbl_pred]))
"""
BARE = "import ipywidgets\nipywidgets.Button(description='Upload')"

# In the page: when the text that `selector` finds next changes and can be read, in seconds of the Unix clock.
WATCH_ANSWER = """(selector) => {
  const watch = {};
  const within = (node) => (node.closest ? node : node.parentElement)?.closest(selector);
  new MutationObserver((changes, observer) => {
    const answer = document.querySelector(selector);
    if (answer?.textContent && answer.checkVisibility() && changes.some(({ target }) => within(target))) {
      watch.at = (performance.timeOrigin + performance.now()) / 1000;
      observer.disconnect();
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
  return watch;
}"""


@dataclass(frozen=True)
class App:
    """What to start, what a visitor waits for, and where the answer appears (CSS selectors)."""

    name: str
    command: tuple[str, ...]
    button: str
    answer: str = ""


def apps(folder: Path, *, preheated: bool) -> list[App]:
    """The three apps, their notebooks written into `folder`."""
    heat = "True" if preheated else "False"
    voila = (sys.executable, "-m", "voila", "--no-browser", f"--port={_free_port()}", f"--preheat_kernel={heat}")
    for name, code in (("fastai", FASTAI), ("bare", BARE)):
        (folder / name).mkdir(exist_ok=True)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        nbformat.write(notebook, folder / name / "app.ipynb")
    ours = (sys.executable, "-m", "ipyfastai.dashboards.app", "bear_classifier", "--no-browser", "--port=0")
    return [
        App("fastai app", (*voila, "fastai/app.ipynb"), "button.jupyter-button", ".widget-label:last-child"),
        App("ipyfastai", (*ours, f"--preheat={int(preheated)}"), "button.primary", ".headline"),
        App("bare page", (*voila, "bare/app.ipynb"), "button.jupyter-button"),
    ]


def _free_port() -> int:
    # Voila would print port 0 where it was asked for any.
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def export_learner(folder: Path) -> None:
    """The fastai app's `export.pkl`: MobileNetV2, three labels, the input size of the shipped bundle.

    Its weights are random: what is timed does not depend on them.
    """
    import numpy as np
    from ipyfastai.models import Classifier
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner
    from PIL import Image

    bears = Classifier.shipped("bears")
    with tempfile.TemporaryDirectory() as photos:
        for index, label in enumerate(bears.labels):
            Path(photos, label).mkdir()
            for number in range(4):
                noise = np.random.default_rng([number, index]).integers(0, 255, (9, 9, 3), dtype=np.uint8)
                Image.fromarray(noise).resize((64, 64)).save(Path(photos, label, f"{number}.jpg"))
        side = bears.size[0]
        loaders = image_folder_dataloaders(photos, size=side, valid_pct=0.5, batch_size=2)
        learn = transfer_learner(loaders, pretrained=False)
        (folder / "fastai").mkdir(exist_ok=True)
        learn.export(folder / "fastai" / "export.pkl")


def kernels(server: psutil.Process) -> list[psutil.Process]:
    return [child for child in server.children(recursive=True) if "ipykernel_launcher" in " ".join(child.cmdline())]


def wait_until_preheated(server: psutil.Process) -> None:
    """Until the kernel that waits for the next visitor has nothing left to do."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # The kernel of a visitor who left may end between two looks.
        with contextlib.suppress(psutil.NoSuchProcess):
            if kernels(server) and all(kernel.cpu_percent(1.0) < 2 for kernel in kernels(server)):
                return
    raise RuntimeError(f"no preheated kernel came to rest: {' '.join(server.cmdline())}")


def seconds_since() -> Callable[..., float]:
    """A watch: seconds from now to when it is called, or to a given moment of the Unix clock."""
    began = time.time()
    return lambda moment=None: (moment or time.time()) - began


def pss(process: psutil.Process) -> float:
    """Megabytes (of a million bytes): a process's own memory, and its share of what it shares."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024 / 1e6
