"""DataCheck: the report of a folder shown, files put aside and back."""

import pytest
from drawings import HTML, plain
from ipyfastai.models.data.aside import aside_folder
from ipyfastai.widgets import DataCheck
from test_check import fill, photo


def send(form, name, value=None, kind="set"):
    form._receive(form, {"type": kind, "name": name, "value": value}, [])


def labels(check):
    return [field["label"] for field in check.form._fields["fields"]]


def sentences(check):
    return [text for _, text in check.findings._shown["sentences"]]


@pytest.fixture
def root(tmp_path):
    files = {f"red/{n}.jpg": photo(n) for n in range(11)} | {f"<b>/{n}.jpg": photo(100 + n) for n in range(10)}
    files |= {
        "red/copy.jpg": photo(3),
        "<b>/other.jpg": photo(5),
        "red/page.jpg": HTML,
        "red/blank.jpg": plain(size=(200, 200)),
    }
    return fill(tmp_path / "set", files)


@pytest.fixture
def check(root):
    widget = DataCheck(root)
    yield widget
    widget.close()


def test_it_checks_by_itself_and_says_what_it_found(check, root):
    assert sentences(check)[0] == "1 of 25 photos cannot be opened."
    assert check.value.counts.to_dict() == {"red": 13, "<b>": 11}
    counts, broken = check.findings._shown["tables"]
    assert counts["rows"] == [["red", 13, "54 %"], ["<b>", 11, "46 %"]]
    assert broken["rows"] == [
        ["red/page.jpg", "This is a web page, not a photo, whatever its name says. Save the picture itself."]
    ]
    assert str(root) not in str(check.findings._shown), "no server path on a page"


def test_what_was_found_is_shown_as_pictures(check):
    [part] = [field for field in check.form._fields["fields"] if field["name"] == "part"]
    assert part["options"] == ["Two labels (1)", "Exact copies (2)", "Stand out (1)"]
    assert [item.rsplit("/", 1)[1] for item in check.grid.table.item] == ["other.jpg", "5.jpg"]
    assert check.grid.table.label.tolist() == ["<b>", "red"] and check.grid.table.note.tolist() == ["set 1 of 1"] * 2
    send(check.form, "part", 1)
    assert check.grid.table.note.tolist() == ["set 1 of 2", "set 1 of 2", "set 2 of 2", "set 2 of 2"]
    send(check.form, "part", 2)
    assert check.grid.table.note.tolist() == ["It is all of one colour."]


def test_aside_undo_and_once_more_after_the_page_is_gone(check, root):
    assert labels(check)[-1] == "Move 1 file aside"
    send(check.form, "aside", kind="press")
    assert not (root / "red/page.jpg").exists() and (aside_folder(root) / "red/page.jpg").read_bytes() == HTML
    assert check.moving._shown["text"] == "1 file moved to the folder “set set aside” beside this one."
    assert len(check.value.unreadable) == 0 and labels(check)[-1] == "Undo: put 1 file back"
    send(check.form, "back", kind="press")
    assert (root / "red/page.jpg").read_bytes() == HTML and not aside_folder(root).exists()
    assert labels(check)[-1] == "Move 1 file aside" and len(check.value.unreadable) == 1
    send(check.form, "aside", kind="press")
    again = DataCheck(root)
    assert labels(again)[-1] == "Put back 1 file moved aside earlier"
    send(again.form, "back", kind="press")
    assert (root / "red/page.jpg").exists() and labels(again)[-1] == "Move 1 file aside"
    again.close()


def test_a_file_that_went_meanwhile_is_told(check, root):
    (root / "red/page.jpg").unlink()
    send(check.form, "aside", kind="press")
    assert check.moving._shown["text"].endswith("1 file stayed, page.jpg first: It is not there any more.")
    assert check.moving._shown["state"] == "failed"


def test_on_a_public_server_nothing_is_moved_unless_the_page_says_so(root, monkeypatch):
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    check = DataCheck(root)
    send(check.form, "aside", kind="press")
    check._pressed("aside")
    assert (root / "red/page.jpg").exists() and labels(check) == ["Show"]
    check.close()
    allowed = DataCheck(root, allowed=True)
    send(allowed.form, "aside", kind="press")
    assert not (root / "red/page.jpg").exists()
    allowed.close()


def test_other_images_and_images_that_are_no_more(check, tmp_path):
    seen = []
    check.observe(lambda change: seen.append(change.new), "value")
    check.check(fill(tmp_path / "other", {"a/1.jpg": photo(1)}))
    assert sentences(check) == ["There is one photo only."] and labels(check) == [] and check.grid not in check.children
    check.check(tmp_path / "nowhere")
    assert (
        check.value is None and check.job._shown["text"] == "There is no folder 'nowhere'." and sentences(check) == []
    )
    assert len(seen) == 2


def test_without_images_it_waits():
    check = DataCheck()
    assert check.value is None and not check.check()
    assert check.job._shown["text"] == "There are no photos to check yet."
    check.close()


def test_a_table_of_items_is_moved_only_where_its_folder_is_known(root):
    from ipyfastai.models import folder_items

    items = folder_items(root).assign(label="x")
    check = DataCheck(items)
    assert check.value.counts.to_dict() == {"x": 24} and labels(check) == ["Show"]
    assert check.findings._shown["tables"][1]["rows"][0][0] == "page.jpg"
    check.check(items, root=root)
    assert check.findings._shown["tables"][1]["rows"][0][0] == "red/page.jpg"
    send(check.form, "aside", kind="press")
    assert not (root / "red/page.jpg").exists()
    send(check.form, "back", kind="press")
    assert len(check.value.unreadable) == 1 and (root / "red/page.jpg").exists()
    check.close()
