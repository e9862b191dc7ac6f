import pytest
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from ipyfastai.models import TrainingSettings
from ipyfastai.models.training.schedule import preview
from ipyfastai.models.training.settings import ARCHITECTURES
from ipyfastai.models.training.source import adapted, build, check_source
from learners import untrained


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_architecture_can_be_built_and_its_body_frozen(colours, arch):
    learn = build(untrained(colours).dls, TrainingSettings(arch=arch, pretrained=False, seed=0))
    learn.freeze()
    *body, head = learn.opt.param_lists
    # Norms of a network without pretrained weights go on learning; every weight matrix is frozen.
    assert not any(parameter.requires_grad for group in body for parameter in group if parameter.ndim > 1)
    assert len(head) == 2 and all(parameter.requires_grad for parameter in head)


def test_the_batch_size_is_changed_for_as_long_as_it_is_wanted(colours):
    learn, settings = untrained(colours), TrainingSettings(batch_size=6)
    ratio = learn.dls.valid.bs / learn.dls.train.bs
    dls, rng = learn.dls, learn.dls.rng.getstate()
    with adapted(learn, settings):
        assert learn.dls.train.bs == 6 and learn.dls.valid.bs == round(6 * ratio)
        assert learn.dls.rng.getstate() == rng and learn.dls.vocab == dls.vocab
        assert learn.dls.one_batch()[0].shape[0] == 6
    assert learn.dls is dls


def test_loaders_that_are_not_fastais_keep_their_batch_size(colours):
    data = torch.utils.data.TensorDataset(torch.rand(8, 4), torch.randint(0, 2, (8,)))
    dls = DataLoaders(*(torch.utils.data.DataLoader(data, batch_size=2) for _ in range(2)))
    learn = Learner(dls, torch.nn.Linear(4, 2), loss_func=torch.nn.CrossEntropyLoss())
    settings = TrainingSettings(frozen_epochs=0, batch_size=4)
    with pytest.raises(ValueError, match="cannot be changed"), adapted(learn, settings):
        pass
    with pytest.raises(ValueError, match="cannot be changed"):
        preview(learn, settings)
    assert len(preview(learn, TrainingSettings(frozen_epochs=0, epochs=1)).rate) == 4


def test_what_is_no_source():
    for source in (None, "learner.pkl", 3):
        with pytest.raises(TypeError, match="takes a fastai Learner"):
            check_source(source)
