"""The training studio's own cost: bare `learn.fine_tune` beside the same training watched in a browser.

Each training runs in a fresh process (for the Trainer: the kernel of a page that Chromium shows, on the same
machine), one after the other in rounds, so that a change in the machine's speed meets all of them. Writes its
part of docs/benchmarks.md; needs some ten minutes of a machine that does nothing else, and the sample photos.
`--quick` only tries whether everything works: one short round, nothing written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import CHROMIUM_OPTIONS, chromium_path, serve_notebook
from tests.drawings import DATA

from .document import part, put
from .figures import Target
from .options import count, need_photos, parser

TITLE = "Training"
BARE, RUN, TRAINER = "fine_tune", "TrainingRun", "Trainer"
SECONDS, COMPUTED, GAP = "training (s)", "processor time of its process (s)", "between two updates of the page (s)"
TARGETS = [
    Target(SECONDS, BARE, at_most=1.02, name=RUN),
    Target(SECONDS, BARE, at_most=1.02, name=TRAINER),
    Target(GAP, None, at_most=0.5, name=TRAINER),
]
ABOUT = """MobileNetV2 with ImageNet weights on `bears` (409 photos, 128 px, batches of 16): an epoch with frozen
layers, then {epochs} of all, validation included, on {device}.

- **fine_tune**: `learn.fine_tune({epochs})` in a script, without progress bars
- **TrainingRun**: the same training by `models.training.run`, with its checkpoints and files
- **Trainer**: the same by the widget, on a page of our server that Chromium shows on this machine

The weights that come out are the same, bit for bit. *between two updates*: from one change of the page to
the next while it trains, on average."""

SEED = 1
PATIENCE = 3_600_000  # ms, for a whole training on a crowded machine
CELL = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.training import shown
shown({epochs}, {folder!r})
"""
# Notes when the page changes; what belongs to one update comes within a frame or two.
WATCH = """() => {
  window.updates = [];
  new MutationObserver(() => {
    const now = performance.now();
    if (now - (window.updates.at(-1) ?? -1000) > 50) window.updates.push(now);
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def learner():
    """The learner that every training begins with."""
    from fastai.torch_core import set_seed
    from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

    os.environ.setdefault("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
    set_seed(0)
    return transfer_learner(image_folder_dataloaders(DATA / "bears", size=128))


def bare(epochs: int, folder: str) -> dict:
    from fastai.torch_core import set_seed

    learn, watch = learner(), Watch()
    set_seed(SEED)
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(epochs)
    return watch.read() | outcome(learn)


def run(epochs: int, folder: str) -> dict:
    from ipyfastai.models import TrainingRun, TrainingSettings

    training = TrainingRun(learner(), TrainingSettings(epochs=epochs, seed=SEED), folder=folder)
    watch = Watch()
    training.start()
    training.wait()
    return watch.read() | outcome(training.learner)


def shown(epochs: int, folder: str):
    """In a kernel: a Trainer that writes `outcome.json` when its training has ended."""
    import threading

    from ipyfastai.models import TrainingSettings
    from ipyfastai.widgets import Trainer

    trainer = Trainer(learner(), folder=folder, settings=TrainingSettings(epochs=epochs, seed=SEED))

    def wait(training) -> None:
        watch = Watch()
        training.wait()
        result = watch.read() | outcome(training.learner)
        Path(folder, "outcome.json").write_text(json.dumps(result))

    trainer.observe(lambda change: threading.Thread(target=wait, args=[change.new]).start(), "run")
    return trainer


class Watch:
    """Seconds since it was made: on the wall, and of this process on all cores."""

    def __init__(self):
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> dict:
        return {SECONDS: time.perf_counter() - self._began[0], COMPUTED: time.process_time() - self._began[1]}


def outcome(learn) -> dict:
    """A sum that any other weights would have another of, and the device."""
    from ipyfastai.models.training.device import device_name

    total = sum(tensor.double().abs().sum().item() for tensor in learn.model.state_dict().values())
    return {"weights": total, "device": device_name(next(learn.model.parameters()).device)}


def in_a_process(name: str, epochs: int, folder: Path) -> dict:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.training", "--only", name, "--epochs", str(epochs)]
    done = subprocess.run([*command, "--folder", str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def on_a_page(page: Page, epochs: int, folder: Path) -> tuple[dict, float]:
    """The training's outcome, and the seconds between two updates of the page."""
    root = str(Path(__file__).parents[1])
    with serve_notebook(CELL.format(root=root, epochs=epochs, folder=str(folder))) as url:
        page.goto(url, timeout=PATIENCE)
        train = page.get_by_role("button", name="Train", exact=True)
        train.wait_for(timeout=PATIENCE)
        page.evaluate(WATCH)
        train.click()
        page.get_by_text("Finished: ").wait_for(timeout=PATIENCE)
        updates = page.evaluate("window.updates")
    return json.loads((folder / "outcome.json").read_text()), (updates[-1] - updates[0]) / (len(updates) - 1) / 1000


def measure(rounds: int, epochs: int) -> tuple[dict, str]:
    """figures[what][name] = a value for each round, and the device's name."""
    figures: dict = defaultdict(lambda: defaultdict(list))
    weights, device = set(), ""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        for number in range(rounds):
            for leg in (BARE, RUN, TRAINER):
                folder = Path(name, f"{leg}-{number}")
                folder.mkdir()
                if leg == TRAINER:
                    browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
                    result, gap = on_a_page(browser.new_page(), epochs, folder)
                    browser.close()
                    result[GAP] = gap
                else:
                    result = in_a_process(leg, epochs, folder)
                for what in (SECONDS, COMPUTED, GAP):
                    if what in result:
                        figures[what][leg].append(result[what])
                weights.add(result["weights"])
                device = result["device"]
                print(f"round {number + 1}, {leg}: {result[SECONDS]:.2f} s, {result[COMPUTED]:.2f} s of processor time")
    if len(weights) > 1 and device.startswith("CPU"):  # a GPU's sums come in no fixed order
        raise RuntimeError(f"the trainings gave different weights: {weights}")
    return figures, device


def main() -> None:
    command = parser(__doc__, quick="one round of one epoch")
    command.add_argument("--epochs", type=count, default=3, metavar="N", help="of all layers, default: %(default)s")
    command.add_argument("--only", choices=[BARE, RUN], help="time one training and print its outcome as JSON")
    command.add_argument("--folder", default="", help="for the files of that one")
    options = command.parse_args()
    need_photos(command)
    if options.only:
        print(json.dumps({BARE: bare, RUN: run}[options.only](options.epochs, options.folder)))
        return
    epochs = 1 if options.quick else options.epochs
    figures, device = measure(1 if options.quick else options.rounds, epochs)
    about = ABOUT.format(epochs=epochs, device=device)
    body = part("benchmarks.training", figures, TARGETS, about=about, ours=TRAINER)
    print(body)
    if not options.quick:
        put(TITLE, body)


if __name__ == "__main__":
    main()
