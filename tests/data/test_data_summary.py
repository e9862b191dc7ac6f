"""`DataSummary` without a browser: what it tells of sound and of broken data."""

import pytest
from drawings import plain
from fastai.vision.all import CategoryBlock, DataBlock, ImageBlock, Resize, get_image_files, parent_label
from ipyfastai.models.data.summary import Step, summarise
from ipyfastai.widgets import DataSummary


@pytest.fixture
def photos(tmp_path):
    for label in ("a", "<b>"):
        (tmp_path / label).mkdir()
        for number in range(4):
            (tmp_path / label / f"{number}.png").write_bytes(plain(size=(40 + number, 30), kind="PNG"))
    return tmp_path


def block(**options):
    return DataBlock(
        blocks=(ImageBlock, CategoryBlock), get_items=get_image_files, get_y=parent_label,
        splitter=lambda items: (list(range(6)), [6, 7]), **options,
    )  # fmt: skip


def test_its_value_is_the_steps(photos):
    summary = DataSummary(block(item_tfms=Resize(16)), photos, bs=2)
    assert all(isinstance(step, Step) for step in summary.value)
    assert list(summary.value) == summarise(block(item_tfms=Resize(16)), photos, bs=2)
    assert [step["name"] for step in summary.view._steps] == [step.name for step in summary.value]
    assert summary.value[-1].parts[0].shape == (2, 3, 16, 16)


def test_a_page_learns_what_to_add_and_no_path_of_the_server(photos):
    summary = DataSummary(block(), photos)
    assert summary.view._steps[-1]["remedy"] == "item_tfms=Resize(32)"
    assert str(photos) not in str(summary.view._steps)
    summary._data = block(item_tfms=Resize(32))
    summary.job._receive(summary.job, {"type": "start"}, [])
    assert not summary.view._steps[-1]["problem"], "gone through again"


def test_what_is_no_data_and_a_batch_of_nothing(photos):
    with pytest.raises(ValueError, match="bs must be positive"):
        DataSummary(block(), photos, bs=0)
    with pytest.raises(TypeError, match="expected a DataBlock or DataLoaders, got int"):
        DataSummary(3)


def test_close_lets_go_of_the_data(photos):
    summary = DataSummary(block(item_tfms=Resize(16)), photos)
    summary.close()
    assert summary._data is None and summary.job.comm is None
