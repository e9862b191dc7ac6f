"""The explorer in Python: selections, neighbours, axes, isolating, bookmarks, and what a page may send."""

import asyncio
import gc
import json
import weakref

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models.embeddings import layouts, pca
from ipyfastai.models.embeddings.embedding import Embedding
from ipyfastai.models.progress import Progress
from ipyfastai.widgets import EmbeddingExplorer, link_explorers
from ipyfastai.widgets.embeddings.encodings import CATEGORIES, MISSING, OTHER, colours, sizes
from ipyfastai.widgets.embeddings.label_choice import LabelChoice
from ipyfastai.widgets.embeddings.plot import checked_rows
from ipywidgets.widgets.widget import _instances as alive
from PIL import Image
from traitlets import TraitError

COUNT, WIDTH = 60, 6
RANDOM = np.random.default_rng(0)
VECTORS = (RANDOM.normal(size=(COUNT, WIDTH)) * np.linspace(3, 1, WIDTH)).astype(np.float32)
TITLES = [f"Film {number}" for number in range(COUNT)]
FILMS = pd.DataFrame({"genre": ["Drama", "Comedy", "War"] * (COUNT // 3), "year": range(1940, 1940 + COUNT)})


@pytest.fixture
def explorer():
    explorer = EmbeddingExplorer(VECTORS, TITLES, metadata=FILMS)
    yield explorer
    explorer.close()


def listed(explorer):
    return [name for name, _ in explorer.points._list._state["rows"]]


def drawn(explorer):
    """Where the points are that a page draws."""
    return np.frombuffer(explorer.plot._places, np.float32).reshape(-1, 2)


def send(widget, **content):
    widget._receive(widget, content, [])


def press(form, name):
    send(form, type="press", name=name)


def test_a_selection_is_a_table_of_its_rows(explorer):
    told = []
    explorer.observe(lambda change: told.append(change.new), "value")
    explorer.selection = [14, 3, 3]
    assert explorer.selection == (3, 14)
    assert explorer.value.index.tolist() == [3, 14] and explorer.value["label"].tolist() == ["Film 3", "Film 14"]
    assert explorer.value["year"].tolist() == [1943, 1954] and explorer.value["genre"].tolist() == ["Drama", "War"]
    assert explorer.plot.scatter.selection.tolist() == [3, 14] and told[-1] is explorer.value
    for nothing in ((), None):
        explorer.selection = nothing
        assert explorer.selection == () and explorer.value is None and explorer.plot.scatter.selection.tolist() == []


WRONG = ["x", 3, [1.5], [COUNT], [-1], [[1]], [[1], [2, 3]], [True, "a"], [True], [2**70], [None], np.array([0.5])]


@pytest.mark.parametrize("positions", WRONG)
def test_no_such_selection(explorer, positions):
    with pytest.raises(TraitError):
        explorer.selection = positions
    assert explorer.selection == ()


def test_positions_are_those_of_the_rows_that_were_given():
    vectors = VECTORS.copy()
    vectors[2, 1] = np.nan
    explorer = EmbeddingExplorer(vectors, TITLES)
    explorer.selection = (3,)
    assert explorer.value["label"].tolist() == ["Film 3"] and explorer.value.index.tolist() == [3]
    assert explorer.plot.scatter.selection.tolist() == [2]
    assert "Film 2" in explorer.plot._words["notices"][0]
    with pytest.raises(TraitError, match="position 2"):
        explorer.selection = (2,)
    explorer.close()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_one_row_has_its_nearest_neighbours_listed(explorer, metric):
    explorer.points.measure(7, metric)
    explorer.selection = (5,)
    table, own = VECTORS.astype(float), VECTORS[5].astype(float)
    if metric == "cosine":
        far = 1 - table @ own / np.linalg.norm(table, axis=1) / np.linalg.norm(own)
    else:
        far = np.linalg.norm(table - own, axis=1)
    far[5] = np.inf
    assert listed(explorer) == [TITLES[row] for row in np.argsort(far)[:7]]
    assert explorer.plot._marks["near"] == np.argsort(far)[:7].tolist() and explorer.plot._marks["focus"] == 5
    send(explorer.plot, type="key", name="previous")
    assert explorer.plot._marks["current"] == np.argsort(far)[6]
    send(explorer.plot, type="key", name="next")
    send(explorer.plot, type="key", name="open")
    assert explorer.selection == (np.argsort(far)[0],)
    send(explorer.plot, type="key", name="clear")
    assert explorer.selection == ()


def test_search_lists_and_selects(explorer):
    send(explorer.points._list, type="search", value="film 1.$", column=0)
    assert listed(explorer) == [f"Film {number}" for number in range(10, 20)]
    assert explorer.plot._marks["found"] == list(range(10, 20)) and explorer.selection == ()
    send(explorer.points._list, type="all")
    assert explorer.selection == tuple(range(10, 20))
    explorer.points.search("^war$", 1)
    assert listed(explorer) == [f"Film {number}" for number in range(2, COUNT, 3)]
    explorer.points.search("(")
    assert "no regular expression" in explorer.points._list._state["bad"]
    explorer.points.search("nothing like this")
    assert explorer.points._list._state["title"] == "Nothing matches" and listed(explorer) == []


def test_isolating_finds_the_components_of_what_is_left(explorer):
    explorer.selection = range(10, 30)
    press(explorer._actions, "isolate")
    part = VECTORS[10:30].astype(float)
    _, values, rows = np.linalg.svd(part - part.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(explorer._basis.pca.ratios, values**2 / (values**2).sum(), rtol=1e-5)
    np.testing.assert_allclose(
        np.abs(explorer._basis.along(1)), np.abs((part - part.mean(axis=0)) @ rows[1]), atol=1e-4
    )
    assert explorer.plot.count == 20 and explorer.selection == ()
    explorer.plot.scatter.set_state({"selection": {"view": np.uint32([0, 19]).data, "dtype": "uint32", "shape": [2]}})
    assert explorer.selection == (10, 29)
    explorer.isolate()
    assert explorer.plot.count == 2
    press(explorer._actions, "back")
    assert explorer.plot.count == 20 and explorer.selection == (10, 29)
    press(explorer._actions, "all")
    assert explorer.plot.count == COUNT and explorer.selection == tuple(range(10, 30))
    explorer.selection = (0, 5)
    assert explorer.plot.scatter.selection.tolist() == [0, 5]


def test_what_the_explorer_cannot_be_made_of(monkeypatch):
    before = set(alive)
    with pytest.raises(ValueError, match="no column 'genre'"):
        EmbeddingExplorer(VECTORS, TITLES, colour="genre")
    with pytest.raises(ValueError, match="An Embedding has its own labels"):
        EmbeddingExplorer(Embedding(VECTORS), TITLES)
    monkeypatch.setattr(pca, "LARGEST", 3)
    with pytest.raises(ValueError, match="60 rows with 6 columns would take too long"):
        EmbeddingExplorer(VECTORS, TITLES)
    assert set(alive) == before, "nothing of it is left"


def test_isolating_equal_rows_is_refused_with_a_sentence():
    explorer = EmbeddingExplorer(np.vstack([VECTORS, VECTORS[:1]]), [*TITLES, "twin"])
    explorer.selection = (0, COUNT)
    explorer.isolate()
    assert "the same" in explorer.job._shown["text"] and explorer.plot.count == COUNT + 1
    explorer.close()


def test_an_axis_of_ones_own_is_the_difference_of_two_selections(explorer):
    own = explorer.axes._own
    explorer.selection = (0, 1)
    press(own, "take A")
    explorer.selection = (7,)
    press(own, "take B")
    send(own, type="set", name="name A", value="romance")
    press(own, "on x")
    difference = VECTORS[:2].astype(float).mean(axis=0) - VECTORS[7]
    expected = VECTORS @ (difference / np.linalg.norm(difference))
    np.testing.assert_allclose(explorer._basis.along(explorer.view.x), expected, rtol=1e-4, atol=1e-4)
    assert explorer.plot._words["x"] == "romance − Film 7"
    assert np.corrcoef(drawn(explorer)[:, 0], expected)[0, 1] > 0.9999


def test_a_page_gets_only_what_changes(explorer, monkeypatch):
    sent = []
    send_state = explorer.plot.send_state

    def names(key):
        return {key} if isinstance(key, str) else set(key)

    monkeypatch.setattr(explorer.plot, "send_state", lambda key=None: sent.append(names(key)) or send_state(key))
    explorer.selection = (2, 3)
    send(explorer.looks._form, type="set", name="colour", value=1)
    changed = set().union(*sent)
    assert {"_codes", "_looks"} <= changed and "_places" not in changed
    codes = np.frombuffer(explorer.plot._codes, np.uint8).reshape(-1, 2)
    colours_of = explorer.plot._looks["colours"]
    assert len(set(map(tuple, (colours_of[code] for code in codes[:3, 0])))) == 3 and codes[0, 0] == codes[3, 0]
    assert explorer.plot.scatter.selection.tolist() == [2, 3]


def test_search_and_neighbours_are_ready_once_a_page_has_drawn(explorer):
    assert "neighbours" not in vars(explorer._basis) and "_search" not in vars(explorer.points)
    send(explorer.plot, type="labels", token="t", x=[0, 1], y=[-1, 0], size=[600, 400])
    assert "neighbours" in vars(explorer._basis) and "_search" in vars(explorer.points)


def test_components_are_chosen_swapped_and_flipped(explorer):
    send(explorer.axes._bars, axis="x", component=3)
    assert explorer.plot._words["x"].startswith("Component 4 ")
    before = drawn(explorer).copy()
    press(explorer.axes._axes, "swap")
    np.testing.assert_array_equal(drawn(explorer), before[:, ::-1])
    send(explorer.axes._axes, type="set", name="flip_x", value=True)
    np.testing.assert_allclose(drawn(explorer)[:, 0], -before[:, 1], atol=1e-6)
    send(explorer.axes._axes, type="set", name="how", value=1)
    standard = (VECTORS - VECTORS.mean(axis=0)) / VECTORS.std(axis=0)
    np.testing.assert_allclose(explorer._basis.vectors, standard, rtol=1e-3, atol=1e-4)


def test_a_layout_is_made_once_and_may_be_left(explorer, monkeypatch):
    made = []

    def layout(name, vectors, *, progress: Progress):
        made.append(name)
        return vectors[:, 4:]

    monkeypatch.setattr("ipyfastai.models.embeddings.layouts.layout", layout)
    form = explorer.axes._axes
    for place in (1, 0, 1):
        send(form, type="set", name="layout", value=place)
    assert made == ["UMAP"] and explorer.plot._words["x"] == "UMAP 1"
    assert np.corrcoef(drawn(explorer)[:, 1], VECTORS[:, 5])[0, 1] > 0.9999
    bookmark = explorer.bookmark("laid out")
    explorer.view.layout = ""
    explorer.go_to(bookmark)
    assert explorer.view.layout == "UMAP" and made == ["UMAP"]


@pytest.mark.parametrize("vectors", [VECTORS[:, :1], VECTORS[:2], VECTORS[:4]])
def test_few_columns_or_rows(vectors):
    explorer = EmbeddingExplorer(vectors, TITLES[: len(vectors)])
    assert explorer.plot.count == len(vectors) and np.isfinite(drawn(explorer)).all()
    explorer.selection = (0,)
    assert len(listed(explorer)) == min(10, len(vectors) - 1)
    explorer.close()


def test_bookmarks_bring_a_view_back(explorer, tmp_path):
    explorer.selection = range(10, 30)
    explorer.isolate()
    explorer.selection = (12, 14)
    send(explorer.looks._form, type="set", name="colour", value=1)
    send(explorer.axes._bars, axis="y", component=2)
    view = [float(number) for number in range(16)]
    send(explorer.plot, type="camera", view=view)
    send(explorer.bookmarks, type="keep", value=" Twenty ")
    text = explorer.bookmarks.text()
    explorer.show_all()
    explorer.selection = ()
    send(explorer.bookmarks, type="forget", value=0)
    assert explorer.bookmarks.value == ()

    send(explorer.bookmarks, type="load", value=text)
    assert explorer.bookmarks._state["names"] == ["Twenty"]
    send(explorer.bookmarks, type="go", value=0)
    assert explorer.plot.count == 20 and explorer.selection == (12, 14) and explorer.view.colour == "genre"
    assert explorer.plot._words["y"].startswith("Component 3 ") and explorer.plot.camera == view
    explorer.back()
    assert explorer.plot.count == COUNT

    for bad in ("{", "[]", text.replace(f"[{COUNT}", "[7"), json.dumps({"bookmarks": 3})):
        send(explorer.bookmarks, type="load", value=bad)
        assert explorer.bookmarks._state["bad"] and len(explorer.bookmarks.value) == 1


def test_linked_explorers_have_one_selection(explorer):
    other = EmbeddingExplorer(-VECTORS, TITLES)
    explorer.selection = (4, 5)
    unlink = link_explorers(explorer, other)
    assert other.selection == (4, 5)
    other.selection = (1,)
    assert explorer.selection == (1,)
    explorer.plot.scatter.hovering = 9
    assert explorer.hovered == 9 and other.plot._marks["pointed"] == 9 and other.plot._marks["current"] is None
    other.points.go(2)
    here = other.plot._marks["current"]
    explorer.plot.scatter.hovering = 7
    assert other.plot._marks["pointed"] == 7 and other.plot._marks["current"] == here
    assert [7, "Film 7"] in map(list, other.plot._marks["texts"])
    explorer.plot.scatter.hovering = None
    assert other.plot._marks["pointed"] is None and other.plot._marks["current"] == here
    unlink()
    other.selection = (2,)
    assert explorer.selection == (1,)
    with pytest.raises(ValueError, match="60 rows and the second 2"):
        link_explorers(explorer, small := EmbeddingExplorer(VECTORS[:2], TITLES[:2]))
    other.close()
    small.close()


def test_what_a_page_sends_is_checked(explorer):
    explorer.selection = (3, 4)
    view = [0.0] * 16
    for content in (
        None, 3, {}, {"type": "camera", "view": [float("nan")] * 16}, {"type": "camera", "view": view[1:]},
        {"type": "camera", "view": "x"}, {"type": "key", "name": ["next"]}, {"type": "key", "name": "close"},
        {"type": "about", "token": "t", "row": COUNT}, {"type": "about", "token": "t", "row": -1},
        {"type": "about", "token": "t", "row": True}, {"type": "about", "token": 5, "row": 1},
        {"type": "labels", "token": "t", "x": [0, 0], "y": [0, 1], "size": [100, 100]},
        {"type": "labels", "token": "t", "x": [0, 1], "y": [0, 1e400], "size": [100, 100]},
        {"type": "labels", "token": "t", "x": [0, 1], "y": [0, 1], "size": 3},
        {"type": "labels", "token": "t" * 1000, "x": [0, 1], "y": [0, 1], "size": [100, 100]},
    ):  # fmt: skip
        explorer.plot._receive(explorer.plot, content, [])
    for widget in (explorer.points._list, explorer.bookmarks, explorer.axes._bars):
        for content in (
            None, {}, {"type": "go", "value": 9}, {"type": "current", "value": -1}, {"type": "all"},
            {"type": "search", "value": "x" * 2000, "column": 0}, {"type": "search", "value": "x", "column": 9},
            {"type": "keep", "value": "\ud800"}, {"type": "keep", "value": "x" * 99},
            {"axis": "x", "component": WIDTH}, {"axis": "z", "component": 0},
        ):  # fmt: skip
            widget._receive(widget, content, [])
    for name, value in (("k", 1000), ("k", 0), ("k", "1"), ("metric", 2)):
        send(explorer.points._near, type="set", name=name, value=value)
    assert explorer.points.k == 10
    for rows in ([COUNT], [2**32 - 1]):
        explorer.plot.scatter.set_state({"selection": {"view": np.uint32(rows).data, "dtype": "uint32", "shape": [1]}})
        assert explorer.selection == (3, 4)
    explorer.plot.scatter.hovering = COUNT
    assert explorer.hovered is None and explorer.plot.camera is None and explorer.bookmarks.value == ()


def test_what_a_page_says_is_there_is_not_believed(explorer):
    """It can set any synced trait: none is read back."""
    bars, points, plot = explorer.axes._bars, explorer.points._list, explorer.plot
    bars.set_state({"_state": {"ratios": [0.1] * 1000}})
    send(bars, axis="x", component=999)
    assert explorer.view.x == 0
    for state in ({}, {"rows": [["x", ""]] * 50, "all": "all"}):
        points.set_state({"_state": state})
        send(points, type="open", value=40)
        send(points, type="all")
        send(points, type=["open"], value=0)
    assert explorer.selection == ()
    explorer.points.search("Film 7")
    assert listed(explorer) == ["Film 7"] and points._state["title"] == "1 of 60 points match"
    plot.set_state({"scatter": f"IPY_MODEL_{plot.model_id}", "_words": {"x": "!" * 1000, "other": 1}})
    explorer.selection = (2,)
    assert plot._drawn.selection.tolist() == [2] and "other" not in plot._words
    explorer.close()
    assert plot._drawn.comm is None


def test_axes_of_bookmarks_are_offered_and_do_not_pile_up(explorer):
    unit = [1.0, *[0.0] * (WIDTH - 1)]
    for number in range(30):
        views = [{"name": "a", **{axis: {"name": f"{axis} {number}", "unit": unit} for axis in "xy"}}]
        file = {"format": "ipyfastai embedding bookmarks", "version": 1, "shape": [COUNT, WIDTH], "bookmarks": views}
        send(explorer.bookmarks, type="load", value=json.dumps(file))
        send(explorer.bookmarks, type="go", value=0)
    form = explorer.axes._axes
    [x] = [field for field in form._fields["fields"] if field["name"] == "x"]
    assert len(explorer.axes.directions) == 20
    assert x["options"][form["x"]] == "x 29" and x["options"][form["y"]] == "y 29"


def test_rows_of_a_page():
    assert checked_rows(np.uint32([3, 1, 3]), 4).tolist() == [1, 3]
    assert checked_rows(None, 4).tolist() == []
    assert checked_rows(np.float32([1]), 4) is None and checked_rows(np.uint32([[1]]), 4) is None


def test_a_page_gets_labels_of_what_is_in_view(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer.plot, "send", lambda content, buffers=None: sent.append(content))
    send(explorer.plot, type="labels", token="t", x=[0, 1], y=[-1, 0], size=[600, 400])
    points = drawn(explorer)
    assert sent[0]["token"] == "t" and 0 < len(sent[0]["rows"]) <= 5 * 15
    for row, text in zip(sent[0]["rows"], sent[0]["texts"], strict=True):
        assert text == TITLES[row] and 0 <= points[row, 0] < 1 and -1 <= points[row, 1] < 0


def test_labels_are_spread_and_the_important_ones_first():
    points = np.random.default_rng(0).uniform(-1, 1, (20_000, 2)).astype(np.float32)
    importance = np.arange(20_000) % 977
    rows = LabelChoice(points, importance).within((-1, 1), (-1, 1), across=4, down=5)
    cells = {(int((x + 1) * 2), int((y + 1) * 2.5)) for x, y in points[rows]}
    assert len(rows) == len(cells) == 20
    assert (np.diff(importance[rows]) <= 0).all() and importance[rows].min() > 950
    assert not len(LabelChoice(points).within((5, 6), (5, 6), across=4, down=5))


def test_a_tooltip_has_text_and_picture():
    pictures = [Image.new("RGB", (30, 20), "red")] * 2
    explorer = EmbeddingExplorer(VECTORS[:2], ["<b>a</b>", "b"], metadata={"year": [1999, None]}, thumbnails=pictures)
    told = []
    asyncio.run(explorer._tooltip.tell(0, lambda *what: told.append(what)))
    asyncio.run(explorer._tooltip.tell(1, lambda *what: told.append(what)))
    assert told[0][:2] == ("<b>a</b>", [("year", "1999")]) and told[0][2][:2] == b"\xff\xd8"
    assert told[1][:2] == ("b", [])
    explorer.close()


def test_the_csv_runs_no_formula(explorer):
    explorer.close()
    explorer = EmbeddingExplorer(VECTORS[:3], ["=1+1", "é", "c"], metadata={"@x": ["+2", "b", None]})
    explorer.selection = (0, 1)
    table = pd.read_csv(explorer.csv._path, encoding="utf-8-sig")
    assert table.columns.tolist()[:3] == ["position", "label", "'@x"]
    assert table.iloc[0].tolist()[:3] == [0, "'=1+1", "'+2"] and table["label"][1] == "é"
    path = explorer.csv._path
    explorer.close()
    assert not path.exists()


def read(explorer):
    return pd.read_csv(explorer.csv._path, encoding="utf-8-sig", index_col="position")


def test_the_csv_has_what_is_known_of_each_point_and_where_it_lies(explorer):
    explorer.selection = (3, 14)
    part = VECTORS.astype(float) - VECTORS.astype(float).mean(axis=0)
    left, values, _ = np.linalg.svd(part, full_matrices=False)
    table = read(explorer)
    assert table.index.tolist() == [3, 14] and table["label"].tolist() == ["Film 3", "Film 14"]
    assert table["genre"].tolist() == ["Drama", "War"] and table.columns[3].startswith("Component 1 (")
    where = (left * values)[[3, 14], :2]
    np.testing.assert_allclose(np.abs(table.iloc[:, 3:]), np.abs(where), rtol=1e-4, atol=1e-4)
    press(explorer.axes._axes, "swap")
    assert read(explorer).columns[3].startswith("Component 2 (")
    explorer.isolate()
    explorer.selection = (3, 5)
    assert read(explorer).iloc[1, 3:].isna().all(), "it is not looked at"
    explorer.show_all()
    explorer.selection = ()
    assert explorer.csv._path is None
    press(explorer._actions, "csv")
    assert explorer.csv._offered["label"] == "CSV of the points" and len(read(explorer)) == COUNT


def test_other_looks_and_axes_leave_what_was_found(explorer):
    told = []
    explorer.points.search("^film 7$")
    explorer.selection = ()
    explorer.observe(told.append, "value")
    send(explorer.looks._form, type="set", name="colour", value=1)
    press(explorer.axes._axes, "swap")
    assert listed(explorer) == ["Film 7"] and explorer.plot._marks["found"] == [7] and not told


def test_what_is_done_to_many_rows_is_said_before_it_is_done(explorer, monkeypatch):
    hint = explorer.axes._axes._fields["fields"][0]["hint"]
    assert "placed between" not in hint
    monkeypatch.setattr(layouts, "ALL", COUNT - 1)
    monkeypatch.setattr(layouts, "SOME", 20)
    explorer.axes.show(explorer._basis)
    hint = explorer.axes._axes._fields["fields"][0]["hint"]
    assert "20 rows at random are laid out, and 40 others placed between the 3 nearest of them." in hint


def test_colours_of_categories():
    found = colours(pd.Series(["a", "b", "a", None], name="kind"))
    assert found.legend["entries"] == [["a", CATEGORIES[0], 2], ["b", CATEGORIES[1], 1], ["missing", MISSING, 1]]
    assert [found.values[int(code)] for code in found.codes] == [CATEGORIES[0], CATEGORIES[1], CATEGORIES[0], MISSING]
    many = colours(pd.Series([f"name {number}" for number in range(100_000)] + ["name 7"]))
    assert len(many.values) == len(CATEGORIES) + 1 and many.values[-1] == OTHER
    assert many.legend["entries"][0] == ["name 7", CATEGORIES[0], 2]
    assert many.legend["entries"][-1] == ["99,990 others", OTHER, 99_990]
    kinds = pd.Series([f"kind {number}" for number in range(12)] + [None])
    assert len(sizes(kinds, 5).values) == len(sizes(kinds, 5).legend["entries"]) == 12
    assert len(set(sizes(kinds, 5).values)) == 12 and sizes(kinds, 5).codes.max() == 11
    assert len(colours(pd.Series([True, False])).legend["entries"]) == 2


def test_colours_and_sizes_of_numbers():
    year = pd.Series([1900.0, 1950.0, 2000.0, np.nan], name="year")
    found = colours(year)
    assert found.values[int(found.codes[3])] == MISSING and found.codes[0] == 0
    assert found.codes[0] < found.codes[1] < found.codes[2]
    assert sizes(year, 5).codes.tolist() == [0, 4, 7, 0] and sizes(year, 5).values[0] == 3
    dates = colours(pd.Series(pd.to_datetime(["2001-02-03", "2005-06-07"]), name="day"))
    assert dates.legend["low"].endswith("2001-02-18") and dates.codes.tolist() == [0, 63]
    assert np.isfinite(colours(pd.Series([np.nan, np.nan])).codes).all()
    assert np.isfinite(colours(pd.Series([2.5, 2.5])).codes).all()


def test_closing_takes_all_its_widgets_along():
    before = set(alive)
    explorer = EmbeddingExplorer(VECTORS, TITLES, metadata=FILMS)
    assert len(set(alive) - before) > 20
    explorer.close()
    explorer.close()
    assert set(alive) == before


def test_one_that_is_closed_leaves_its_vectors():
    explorer = EmbeddingExplorer([[1, 2], [3, 5], [4, 1]])
    explorer.selection = (1,)
    left = weakref.ref(explorer.embedding)
    explorer.close()
    del explorer
    gc.collect()
    assert left() is None
