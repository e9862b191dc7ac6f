"""On real photos, with a pretrained MobileNetV2 whose frozen batch norms stay as they are: as fastai does it."""

import shutil

import numpy as np
import pytest
import torch
from drawings import DATA
from fastai.torch_core import set_seed
from ipyfastai.models import TrainingRun, TrainingSettings, find_learning_rate
from ipyfastai.models.vision import image_folder_dataloaders, transfer_learner

PATIENCE = 300
PHOTOS = 8  # of each label


@pytest.fixture(scope="module")
def bears(tmp_path_factory):
    if not (DATA / "bears").is_dir():
        pytest.skip(f"no sample photos in {DATA}")
    folder = tmp_path_factory.mktemp("bears")
    for label in ("black", "grizzly", "teddy"):
        (folder / label).mkdir()
        for photo in sorted((DATA / "bears" / label).iterdir())[:PHOTOS]:
            shutil.copy(photo, folder / label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYFASTAI_WEIGHTS", str(DATA / "weights"))
        yield folder


def learner(bears):
    set_seed(0, reproducible=True)
    return transfer_learner(image_folder_dataloaders(bears, size=48, batch_size=8))


def same(first, second):
    pairs = zip(first.model.state_dict().items(), second.model.state_dict().items(), strict=True)
    return [name for (name, one), (_, other) in pairs if not torch.equal(one, other)] == []


def test_the_finder_and_then_the_training_are_fastais(bears, tmp_path):
    theirs, ours = learner(bears), learner(bears)
    theirs.path = tmp_path
    set_seed(1)
    with theirs.no_bar():
        valley = theirs.lr_find(show_plot=False, num_it=16).valley
    set_seed(1)
    curve = find_learning_rate(ours, num_it=16)
    assert curve.suggestions["valley"] == pytest.approx(valley)
    assert np.array_equal(curve.losses, np.array([float(loss) for loss in theirs.recorder.losses], np.float32))

    fresh = learner(bears)
    set_seed(2)
    with fresh.no_bar(), fresh.no_logging():
        fresh.fine_tune(1, 5e-3)
    run = TrainingRun(ours, TrainingSettings(epochs=1, learning_rate=5e-3, seed=2), folder=tmp_path / "runs")
    run.start()
    assert run.wait(PATIENCE) and run.state == "finished"
    assert same(ours, fresh)  # also after the finder: it left nothing behind
    assert run.history["valid_loss"].iloc[-1] == fresh.recorder.values[-1][1]
    valid = [path.parent.name for path in ours.dls.valid.items]
    counts = [path.parent.name for path in ours.dls.train.items]
    answer = max(ours.dls.vocab, key=counts.count)
    assert run.baseline["error_rate"] == pytest.approx(1 - valid.count(answer) / len(valid))
