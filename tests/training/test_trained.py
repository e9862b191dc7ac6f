"""A trained network, back from the folder of its run."""

import pytest
import torch
from ipyfastai.models.data.items import folder_items
from ipyfastai.models.data.loaders import dataloaders
from ipyfastai.models.training.run import TrainingRun
from ipyfastai.models.training.settings import TrainingSettings
from ipyfastai.models.training.trained import load_trained
from learners import draw_colours

SETTINGS = TrainingSettings(epochs=1, frozen_epochs=0, arch="squeezenet1_1", pretrained=False, seed=3, batch_size=4)


@pytest.fixture(scope="module")
def run(colours, tmp_path_factory):
    run = TrainingRun(dataloaders(folder_items(colours), size=32), SETTINGS, folder=tmp_path_factory.mktemp("runs"))
    run.start()
    run.wait()
    assert run.state == "finished"
    return run


def test_it_answers_as_it_did(run, colours):
    again = load_trained(run.folder / run.name, dataloaders(folder_items(colours), size=32))
    assert again.settings == SETTINGS and again.name == run.name
    assert again.history["valid_loss"].tolist() == pytest.approx(run.history["valid_loss"].tolist())
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(again.learner.model.eval()(pictures), run.learner.model.eval()(pictures))


def test_other_data_are_refused(run, tmp_path):
    other = dataloaders(folder_items(draw_colours(tmp_path / "other", count=7)), size=32)
    with pytest.raises(ValueError, match="was trained on other data: other items"):
        load_trained(run.folder / run.name, other)


def test_where_nothing_was_finished_there_is_no_network(run, colours, tmp_path):
    with pytest.raises(ValueError, match="holds no training run"):
        load_trained(tmp_path, dataloaders(folder_items(colours), size=32))
    (run.folder / run.name / "last.safetensors").rename(tmp_path / "last.safetensors")
    with pytest.raises(ValueError, match="No epoch of the run .* was finished"):
        load_trained(run.folder / run.name, dataloaders(folder_items(colours), size=32))
    (tmp_path / "last.safetensors").rename(run.folder / run.name / "last.safetensors")
