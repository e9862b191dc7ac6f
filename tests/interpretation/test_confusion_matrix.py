"""`ConfusionMatrix` and `TopLosses` in the kernel: what they count and show, and what a page may not do."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from drawings import plain
from ipyfastai.models import predictions_table
from ipyfastai.models.thumbnails import Thumbnails
from ipyfastai.widgets import ConfusionMatrix, TopLosses
from PIL import Image
from traitlets import TraitError

LABELS = ["black", "grizzly", "teddy"]
# item, split, label, predicted, loss
ROWS = [
    ("a", "valid", 0, 0, 0.1), ("b", "valid", 0, 1, 2.0), ("c", "valid", 0, 1, 5.0), ("d", "valid", 1, 1, 0.2),
    ("e", "train", 0, 1, 3.0), ("f", "train", 2, 0, 4.0), ("g", "train", 2, 2, np.nan),
]  # fmt: skip


def table_of(rows=ROWS):
    items, split, label, predicted, loss = zip(*rows, strict=True)
    return predictions_table(items, label, predicted, labels=LABELS, split=split, loss=loss)


@pytest.fixture
def thumbnails(tmp_path):
    made = Thumbnails(tmp_path / "cache")
    yield made
    made.close()


@pytest.fixture
def matrix(thumbnails):
    matrix = ConfusionMatrix(table_of(), thumbnails=thumbnails)
    matrix.heard = []
    matrix._view.send = lambda content, buffers=(): matrix.heard.append((content, buffers))
    return matrix


def say(widget, **content):
    widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def shown_counts(matrix):
    """The counts as the page gets them."""
    counts = np.zeros((3, 3), int)
    for row, column, count in np.frombuffer(matrix._view._cells, "<i4").reshape(-1, 3):
        counts[row, column] = count
    return counts.tolist()


def test_the_counts_of_a_split_go_to_the_page(matrix):
    assert matrix.split == "valid"
    assert shown_counts(matrix) == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert matrix._view._state["splits"] == [["Validation", 4], ["Training", 3], ["All", 7]]
    matrix.split = None
    assert shown_counts(matrix) == [[1, 3, 0], [0, 1, 0], [1, 0, 1]]
    assert matrix._scores._scores["recall"] == [0.25, 1, 0.5]
    say(matrix._view, type="split", value=1)
    assert matrix.split == "train" and shown_counts(matrix) == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]
    assert matrix._scores._scores["recall"] == [0, None, 0.5]


def test_a_cell_shows_its_items_worst_first(matrix):
    seen = []
    matrix.observe(lambda change: seen.append((change.new, list(matrix.items.item))), "value")
    say(matrix._view, type="cell", row=0, column=1)
    assert seen == [(("black", "grizzly"), ["c", "b"])]
    assert list(matrix._grid.table.item) == ["c", "b"] and matrix._view._state["cell"] == [0, 1]
    assert matrix.items.index.tolist() == [2, 1], "positions in the table"
    matrix.split = "train"
    assert list(matrix.items.item) == ["e"] == list(matrix._grid.table.item)
    matrix.value = ("teddy", "grizzly")
    assert not len(matrix.items) and matrix._grid._shown["empty"] == "No photo of teddy was called grizzly."
    say(matrix._view, type="clear")
    assert matrix.value is None and matrix._grid.table is None
    assert matrix._grid._shown["empty"] == "Choose a cell of the matrix: its photos appear here."


def test_clicks_do_not_send_the_counts_again(matrix):
    sent = []
    matrix._view.send_state = lambda key=None: sent.extend([key] if isinstance(key, str) else key or ["all"])
    say(matrix._view, type="cell", row=0, column=1)
    say(matrix._view, type="by", value="label")
    assert set(sent) == {"_state"}


def test_the_order_by_confusion_is_made_when_it_is_asked_for(matrix):
    assert list(matrix._view._similar) == []
    say(matrix._view, type="order", value="similar")
    assert matrix.order == "similar" and sorted(matrix._view._similar) == [0, 1, 2]
    matrix.split = "train"
    assert list(matrix._view._similar) == [1, 0, 2], "black is taken for grizzly, teddy for black"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "cell", "row": 0, "column": 3}, {"type": "cell", "row": -1, "column": 0},
        {"type": "cell", "row": "0", "column": 0}, {"type": "cell", "row": True, "column": 0},
        {"type": "cell", "row": 0}, {"type": "cell"}, {"type": "split", "value": 3}, {"type": "split", "value": "all"},
        {"type": "by", "value": "loss"}, {"type": "order", "value": ["vocab"]}, {"type": ["cell"]}, {"type": "value"},
        *({"type": "file", "token": "t", "kind": "csv", "rows": [0], **wrong} for wrong in (
            {"kind": "pkl"}, {"token": 1}, {"rows": [0, 0]}, {"rows": []}, {"rows": [9]}, {"rows": [[0]]},
        )),
    ],
    ids=str,
)  # fmt: skip
def test_messages_that_make_no_sense_do_nothing(matrix, message):
    before = dict(matrix._view._state)
    say(matrix._view, **message)
    assert matrix._view._state == before and matrix.heard == [] and matrix.value is None


def test_traits_that_a_page_sets_are_not_believed(matrix):
    matrix._view.set_state({"_state": {"split": 1, "cell": [0, 1]}, "_labels": ["x", "y", "z"]})
    say(matrix._view, type="cell", row=0, column=1)
    assert matrix.value == ("black", "grizzly") and matrix.split == "valid"
    assert list(matrix.items.item) == ["c", "b"]


def test_csv_of_what_is_shown(matrix):
    say(matrix._view, type="file", kind="csv", token="mine", rows=[1, 0])
    [(content, [data])] = matrix.heard
    assert (content["type"], content["kind"], content["token"]) == ("file", "csv", "mine")
    rows = list(csv.reader(io.StringIO(data.decode())))
    assert rows == [["label / predicted", "grizzly", "black"], ["grizzly", "1", "0"], ["black", "2", "1"]]
    matrix.by = "label"
    say(matrix._view, type="file", kind="csv", token="mine", rows=[0, 2])
    rows = list(csv.reader(io.StringIO(matrix.heard[-1][1][0].decode())))
    assert rows[1][1:] == [str(1 / 3), "0.0"] and rows[2] == ["teddy", "", ""], "no share of nothing"


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figures_of_what_is_shown(matrix, kind, begins):
    say(matrix._view, type="file", kind=kind, token="mine", rows=[0, 1])
    [(content, [data])] = matrix.heard
    assert content["kind"] == kind and data.startswith(begins)
    if kind == "png":
        assert min(Image.open(io.BytesIO(data)).size) > 400


def test_without_matplotlib_the_page_gets_a_sentence(matrix, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    say(matrix._view, type="file", kind="png", token="mine", rows=[0])
    assert matrix.heard == [] and "needs matplotlib, which is not installed" in matrix._job._shown["text"]
    assert matrix._job._shown["state"] == "failed"


def test_a_formula_as_a_label_stays_text(thumbnails):
    matrix = ConfusionMatrix(predictions_table(["i"], ["=1+1"], ["=1+1"]), thumbnails=thumbnails)
    matrix._view.send = lambda content, buffers: matrix.__dict__.setdefault("sent", buffers)
    say(matrix._view, type="file", kind="csv", token="t", rows=[0])
    assert b"'=1+1" in bytes(matrix.sent[0]) and b",=1" not in bytes(matrix.sent[0])


@pytest.mark.parametrize("value", [("black", "puppy"), ("black",), "black", 3, ("black", None)])
def test_what_is_no_cell_is_refused(matrix, value):
    with pytest.raises(TraitError, match="is a cell"):
        matrix.value = value


def test_bad_tables_and_options_are_refused(thumbnails):
    with pytest.raises(ValueError, match="no column 'predicted'"):
        ConfusionMatrix(pd.DataFrame({"item": ["a"], "label": ["b"]}))
    with pytest.raises(ValueError, match="no split 'test'; there are 'valid', 'train', None"):
        ConfusionMatrix(table_of(), split="test")
    with pytest.raises(TraitError):
        ConfusionMatrix(table_of(), by="rows")
    many = [f"label {number}" for number in range(2001)]
    with pytest.raises(ValueError, match="2,001 labels; .* 2,000 at most"):
        ConfusionMatrix(predictions_table(many, many, many))


def test_no_items_one_label_and_other_splits(thumbnails):
    empty = ConfusionMatrix(predictions_table([], [], [], labels=["a", "b"]), thumbnails=thumbnails)
    assert empty.split is None and empty._view._state["splits"] == [["All", 0]] and not len(empty.items)
    nothing = ConfusionMatrix(predictions_table([], [], []), thumbnails=thumbnails)
    assert nothing._view._labels == []
    one = ConfusionMatrix(predictions_table(["i"], ["a"], ["a"], split="test"), thumbnails=thumbnails)
    assert one.split == "test" and one._view._state["splits"] == [["test", 1]]


def test_closing_lets_go_of_everything(matrix):
    children = matrix.children
    matrix.close()
    assert all(child.comm is None for child in children) and matrix._grid.table is None


# TopLosses.


@pytest.fixture
def losses(thumbnails):
    return TopLosses(table_of(), split=None, thumbnails=thumbnails)


def test_the_worst_come_first_and_the_unknown_last(losses):
    assert list(losses._grid.table.item) == list("cfebdag")
    assert losses._filter._state["said"] == "Of 1 the loss is not known: it stands last."
    losses.split = "valid"
    assert list(losses.items.item) == list("cbda") and losses._filter._state["said"] == ""


def test_they_can_be_narrowed_down(losses):
    say(losses._filter, type="only_wrong", value=True)
    assert list(losses._grid.table.item) == list("cfeb")
    say(losses._filter, type="label", value=2)
    assert losses.label == "teddy" and list(losses._grid.table.item) == ["f"]
    assert losses._filter._state["labels"] == [["black", 4], ["grizzly", 1], ["teddy", 2]]
    say(losses._filter, type="split", value=0)
    assert losses.split == "valid" and list(losses.items.item) == []
    assert losses._grid._shown["empty"] == "No photo here is a mistake."
    say(losses._filter, type="label", value=None)
    assert list(losses._grid.table.item) == ["c", "b"]


def test_selected_pictures_are_positions_in_the_table(losses):
    losses._grid.value = (0, 3)
    assert losses.value == (2, 1) and list(losses.table.item.iloc[list(losses.value)]) == ["c", "b"]
    losses.only_wrong = True
    losses.split = "train"
    assert losses.value == (), "of what is not shown nothing is selected"


@pytest.mark.parametrize(
    "message", [("split", 3), ("split", None), ("label", -1), ("label", "teddy"), ("only_wrong", 1)]
)
def test_choices_that_make_no_sense_change_nothing(losses, message):
    before = dict(losses._filter._state)
    say(losses._filter, type=message[0], value=message[1])
    assert losses._filter._state == before


def test_top_losses_refuse_what_they_do_not_know(losses):
    with pytest.raises(TraitError, match="no label 'puppy'"):
        losses.label = "puppy"
    with pytest.raises(ValueError, match="no split 'test'"):
        losses.split = "test"
    none = TopLosses(predictions_table(["i"], ["a"], ["b"]), thumbnails=losses._grid.thumbnails)
    assert none._filter._state["said"] == "No loss is known: they stand in the order of the table."


def test_pictures_of_the_items_are_those_of_the_grid(tmp_path, thumbnails):
    (tmp_path / "a.jpg").write_bytes(plain())
    table = predictions_table([str(tmp_path / "a.jpg")], ["x"], ["y"])
    matrix = ConfusionMatrix(table, root=tmp_path, thumbnails=thumbnails)
    assert matrix._grid.root == tmp_path and matrix._grid.thumbnails is thumbnails
