"""What a widget has come to is its own to set: an assignment from outside would show what is not so."""

import ipyfastai.widgets
import pytest
from ipyfastai.widgets import Publish
from traitlets import TraitError

NAMES = ["BatchGrid", "DataCheck", "DataSummary", "DeviceCard", "ImageSource", "LabelRule", "Publish", "SplitChooser"]


@pytest.mark.parametrize("name", [*NAMES, "EmbeddingExplorer", "Trainer", "TrainingStudio"])
def test_results_are_read_only(name):
    assert getattr(ipyfastai.widgets, name).value.read_only


def test_setting_one_is_an_error(tmp_path):
    publish = Publish(folder=tmp_path)
    with pytest.raises(TraitError, match="read-only"):
        publish.value = tmp_path
    assert publish.value is None
    publish.close()
