"""The table of what is selected."""

import numpy as np
import pandas as pd
from ipyfastai.widgets import EmbeddingExplorer


def test_a_column_of_the_metadata_may_be_called_label_too():
    known = pd.DataFrame({"label 2": [7, 8, 9], "label": ["grizzly", "black", "teddy"], "position": [1, 2, 3]})
    explorer = EmbeddingExplorer(np.eye(3), ["a.jpg", "b.jpg", "c.jpg"], metadata=known)
    explorer.selection = (0, 2)
    assert explorer.value["label"].tolist() == ["a.jpg", "c.jpg"]
    assert explorer.value["label 3"].tolist() == ["grizzly", "teddy"] and explorer.value["label 2"].tolist() == [7, 9]
    table = pd.read_csv(explorer.csv._path, encoding="utf-8-sig")
    assert table.columns.tolist()[:5] == ["position", "label", "label 2", "label 3", "position 2"]
    assert table.columns.is_unique and table["label 3"].tolist() == ["grizzly", "teddy"]
    explorer.close()
