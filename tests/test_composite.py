"""Widgets made of others: nothing of them is left when they are closed."""

import gc

import pytest
from ipyfastai import widgets
from ipyfastai.widgets.composite import Composite, discard
from ipywidgets import HTML
from ipywidgets.widgets.widget import _instances as alive


@pytest.mark.parametrize(
    "make",
    [
        lambda learn, folder: widgets.ImageSource(),
        lambda learn, folder: widgets.DataCheck(),
        lambda learn, folder: widgets.LabelRule(),
        lambda learn, folder: widgets.SplitChooser(),
        lambda learn, folder: widgets.BatchGrid(learn.dls),
        lambda learn, folder: widgets.ResizeExplorer(),
        lambda learn, folder: widgets.DataSummary(learn.dls),
        lambda learn, folder: widgets.DeviceCard(),
        lambda learn, folder: widgets.LRFinder(learn),
        lambda learn, folder: widgets.Trainer(learn, folder=folder),
        lambda learn, folder: widgets.Publish(learn, folder=folder),
        lambda learn, folder: widgets.EmbeddingExplorer([[1, 2], [3, 5]]),
    ],
    ids=[
        *("source", "check", "rule", "split", "batches", "resize", "summary", "device", "finder", "trainer"),
        *("publish", "explorer"),
    ],
)
def test_each_lets_go_of_everything(make, colour_learner, tmp_path):
    gc.collect()
    before = set(alive)
    widget = make(colour_learner, tmp_path)
    assert len(set(alive) - before) > 3
    widget.close()
    widget.close()
    assert set(alive) <= before


def test_parts_that_are_not_shown_are_closed_too():
    class Both(Composite):
        def __init__(self):
            self.parts = HTML(), HTML()
            super().__init__(self.parts[:1])

    both = Both()
    both.close()
    assert all(part.comm is None and part.layout.comm is None for part in both.parts)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("make", [widgets.BatchGrid, widgets.DataSummary, widgets.ResizeExplorer, widgets.Trainer])
def test_one_that_could_not_be_made_leaves_quietly(make):
    with pytest.raises(TypeError):
        make(3)
    gc.collect()


def test_what_is_discarded_leaves_no_layout():
    parts = HTML(), Composite([HTML()])
    layouts = [part.layout for part in (*parts, *parts[1].children)]
    discard(*parts)
    assert all(layout.comm is None for layout in layouts)
