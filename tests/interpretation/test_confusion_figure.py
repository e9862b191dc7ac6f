"""The confusion matrix as a matplotlib figure."""

import io
import subprocess
import sys

import numpy as np
import pytest
from ipyfastai.models.interpretation.figure import confusion_figure, figure_bytes, shown_values
from PIL import Image
from sklearn.metrics import confusion_matrix

COUNTS = np.array([[6, 2, 0], [1, 9, 0], [0, 0, 0]])
LABELS = ["black", "$\\frac{<b>grizzly$", "ted\0dy"]


@pytest.mark.parametrize(("by", "normalize"), [("label", "true"), ("predicted", "pred")])
def test_shares_are_scikit_learns(by, normalize):
    truth, answers = np.repeat([0, 0, 1, 1], [6, 2, 1, 9]), np.repeat([0, 1, 0, 1], [6, 2, 1, 9])
    theirs = confusion_matrix(truth, answers, labels=[0, 1], normalize=normalize)
    assert shown_values(COUNTS, by)[:2, :2] == pytest.approx(theirs)
    assert np.isnan(shown_values(COUNTS, by)[2, 2])
    assert shown_values(COUNTS, "counts") is COUNTS
    with pytest.raises(ValueError, match="by must be"):
        shown_values(COUNTS, "row")


@pytest.mark.parametrize("by", ["counts", "label", "predicted"])
def test_it_says_what_the_matrix_says(by):
    [axes] = confusion_figure(COUNTS, LABELS, by=by, title="$valid").axes
    expected = {
        "counts": ["6", "2", "1", "9"],
        "label": ["75%", "25%", "10%", "90%"],
        "predicted": ["86%", "18%", "14%", "82%"],
    }
    assert [text.get_text() for text in axes.texts] == expected[by]
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "black",
        "$\\frac{<b>grizzly$",
        "ted\N{REPLACEMENT CHARACTER}dy",
    ]
    colours = axes.images[0].get_array()
    assert (colours[0, 2] == 1).all(), "nothing is white"
    assert colours[0, 0, 2] > colours[0, 0, 0] and colours[0, 1, 0] > colours[0, 1, 2], "right is blue, wrong is red"


def test_files_that_open_and_are_the_same_each_time():
    figure = confusion_figure(COUNTS, LABELS, title="$5 <i>")
    assert Image.open(io.BytesIO(figure_bytes(figure, "png"))).format == "PNG"
    svg = figure_bytes(figure, "svg")
    assert svg.startswith(b"<?xml") and b"<b>" not in svg and b"<dc:date>" not in svg


def test_without_labels_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        confusion_figure(np.zeros((0, 0), int), [])


def test_without_matplotlib_a_sentence_says_so():
    code = (
        "import sys, numpy; sys.modules['matplotlib'] = None\n"
        "from ipyfastai.models.interpretation.figure import confusion_figure\n"
        "try: confusion_figure(numpy.eye(2, dtype=int), ['a', 'b'])\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs matplotlib, which is not installed" in done.stdout
