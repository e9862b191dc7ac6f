"""`FileUpload`: the protocol between page and kernel, also when the page is not ours."""

import asyncio
import errno
import gc
import json
import logging

import pytest
from ipyfastai.widgets import FileUpload, file_upload
from ipyfastai.widgets.uploads import CHUNK_LIMIT, spool, spooled

A, B, C = "a" * 32, "b" * 32, "c" * 32


class Page:
    """What a browser would say to a widget, and what it hears."""

    def __init__(self, widget):
        self.widget, self.heard = widget, []
        widget.send = lambda content, buffers=None: self.heard.append(content)

    def say(self, content, *buffers):
        """One comm message, through the same door as those that arrive over a websocket."""
        self.widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": buffers})

    def select(self, *files, **more):
        files = [dict(zip(("id", "name", "size"), file, strict=True)) for file in files]
        self.say({"type": "select", "files": files, **more})

    def chunk(self, id, data, offset=0, total=None):
        self.say({"type": "chunk", "id": id, "offset": offset, "total": total or len(data)}, data)

    def send(self, id, data, name="file.bin"):
        self.select((id, name, len(data)))
        self.chunk(id, data)

    @property
    def states(self):
        return {file["id"]: file["state"] for file in self.widget._files}

    @property
    def messages(self):
        return {file["id"]: file["message"] for file in self.widget._files}

    @property
    def rejected(self):
        return [content for content in self.heard if content["type"] == "rejected"]


@pytest.fixture
def page():
    return Page(FileUpload(max_files=4, max_mb=2))


def names_and_bytes(widget):
    return [(upload.name, upload.bytes) for upload in widget.value]


def on_disk():
    gc.collect()
    return set(spool().iterdir())


# A file's way


def test_a_file_arrives_in_chunks_that_are_acknowledged(page):
    seen = []
    page.widget.observe(lambda change: seen.append(change.new), "busy")
    page.select((A, "letters.txt", 9))
    page.say({"type": "head", "id": A}, b"abc")
    assert page.heard[-1] == {"type": "go", "id": A, "offset": 0}
    for offset, chunk in [(0, b"abc"), (3, b"def"), (6, b"ghi")]:
        page.chunk(A, chunk, offset, 9)
        assert page.heard[-1] == {"type": "ack", "id": A, "received": offset + 3}
    assert names_and_bytes(page.widget) == [("letters.txt", b"abcdefghi")]
    assert (page.states, page.messages) == ({A: "ready"}, {A: ""})
    assert seen == [True, False]


def test_what_fits_into_one_chunk_needs_no_head(page):
    page.send(A, b"hello")
    assert names_and_bytes(page.widget) == [("file.bin", b"hello")]


def test_after_a_break_the_head_is_answered_with_where_to_go_on(page):
    page.select((A, "a", 9))
    page.say({"type": "head", "id": A}, b"abc")
    page.chunk(A, b"abcd", 0, 9)
    page.chunk(A, b"ij", 7, 9)  # the one between was lost
    assert page.heard[-1] == {"type": "ack", "id": A, "received": 4}
    page.say({"type": "head", "id": A}, b"abc")
    assert page.heard[-1] == {"type": "go", "id": A, "offset": 4}
    page.chunk(A, b"abcd", 0, 9)  # once more changes nothing
    page.chunk(A, b"efghi", 4, 9)
    assert names_and_bytes(page.widget) == [("a", b"abcdefghi")]


def test_value_keeps_the_order_of_the_choice_and_grows_as_files_arrive(page):
    grown = []
    page.widget.observe(lambda change: change.new and grown.append([u.name for u in change.new]), "value")
    page.select((A, "first", 1), (B, "second", 1))
    page.chunk(B, b"b")
    page.chunk(A, b"a")
    assert grown == [["second"], ["first", "second"]]


def test_the_same_file_can_be_sent_twice(page):
    page.send(A, b"same", "bear.jpg")
    page.send(B, b"same", "bear.jpg")
    assert names_and_bytes(page.widget) == [("bear.jpg", b"same")]
    page.select((A, "bear.jpg", 4), (C, "bear.jpg", 4))  # twice in one choice
    page.chunk(A, b"same")
    page.chunk(C, b"same")
    assert names_and_bytes(page.widget) == [("bear.jpg", b"same")] * 2


def test_half_of_a_character_can_be_answered(page):
    page.select((A, "one", 3), choice="half \ud83e")
    assert page.heard[-1]["choice"] == "half ?"


def test_a_new_choice_starts_anew_once_the_last_is_done(page):
    page.send(A, b"1", "one")
    page.select((B, "two", 2))
    page.select((C, "three", 3))  # while two is on its way
    page.chunk(B, b"22")
    page.chunk(C, b"333")
    assert names_and_bytes(page.widget) == [("two", b"22"), ("three", b"333")]


def test_append_keeps_the_earlier_ones():
    page = Page(FileUpload(append=True, max_files=2))
    page.send(A, b"1", "one")
    page.send(B, b"2", "two")
    page.send(C, b"3", "three")
    assert names_and_bytes(page.widget) == [("one", b"1"), ("two", b"2")]
    assert page.widget._notice == "Only 2 files at a time: 1 more was left out."


def test_clear_forgets_all_and_the_widget_works_again(page):
    before = on_disk()
    page.send(A, b"1", "one")
    page.select((B, "two", 2), left_out=1)
    page.chunk(B, b"2", 0, 2)
    page.widget.clear()
    assert (page.widget.value, page.widget.busy, page.widget._files, page.widget._notice) == ((), False, [], "")
    assert on_disk() == before
    page.chunk(B, b"2", 1, 2)  # comes too late
    page.send(A, b"1", "one again")
    assert names_and_bytes(page.widget) == [("one again", b"1")]
    page.say({"type": "clear"})
    assert page.widget.value == ()


def test_files_leave_the_disk_with_their_uploads(page):
    before = on_disk()
    page.send(A, b"1")
    kept = page.widget.value
    page.send(B, b"2")
    assert len(on_disk() - before) == 2
    del kept
    assert len(on_disk() - before) == 1
    page.widget.clear()
    assert on_disk() == before


# Limits


@pytest.mark.parametrize("limits", [{"max_mb": 0}, {"max_mb": -1}, {"max_files": 0}])
def test_a_limit_below_one_is_refused_at_construction(limits):
    with pytest.raises(ValueError, match="positive"):
        FileUpload(**limits)


def test_empty_and_too_large_files_are_refused_beside_their_names(page):
    page.select((A, "empty", 0), (B, "large", 2_000_001), (C, "good", 2))
    page.chunk(C, b"ok")
    assert page.states == {A: "refused", B: "refused", C: "ready"}
    assert page.messages[A] == "This file is empty (0 bytes)."
    assert page.messages[B] == "This file is 2.0 MB; the limit is 2 MB."
    assert names_and_bytes(page.widget) == [("good", b"ok")]


def test_max_mb_holds_for_what_is_sent_not_for_what_was_said(page):
    before = on_disk()
    page.select((A, "said to be small", 5), (B, "good", 2))
    page.chunk(A, b"x" * 10, 0, 2_000_001)
    page.chunk(B, b"ok")
    assert page.states == {A: "refused", B: "ready"}
    assert "the limit is 2 MB" in page.messages[A]
    assert len(on_disk() - before) == 1


def test_exactly_max_mb_arrives(page):
    data = bytes(1_000_000)
    page.select((A, "two million", 2_000_000))
    page.chunk(A, data, 0, 2_000_000)
    page.chunk(A, data, 1_000_000, 2_000_000)
    assert page.states == {A: "ready"}


@pytest.mark.parametrize(
    "count, limit, left_out, notice",
    [
        (4, 4, 0, ""),
        (5, 4, 0, "Only 4 files at a time: 1 more was left out."),
        (7, 4, 0, "Only 4 files at a time: 3 more were left out."),
        (2, 1, 0, "Only one file at a time: 1 more was left out."),
        (0, 4, 0, "There was no file in that."),
        (0, 4, 1, "1 other file was left out, being no file."),
        (2, 4, 3, "3 other files were left out, being no file."),
    ],
)
def test_a_sentence_on_what_was_left_out(count, limit, left_out, notice):
    page = Page(FileUpload(max_files=limit))
    page.select(*((f"{i:032}", f"{i}", 1) for i in range(count)), left_out=left_out)
    for i in range(count):
        page.chunk(f"{i:032}", b"x")
    assert page.widget._notice == notice
    assert len(page.widget.value) == min(count, limit)


def test_files_that_a_page_did_not_even_name_are_counted(page):
    """A folder of 10,000 photos: the page names one more than fit, and says how many others there are."""
    page.select(*((f"{i:032}", f"{i}", 1) for i in range(5)), more=9995)
    assert page.widget._notice == "Only 4 files at a time: 9996 more were left out."


def test_multiple_false_takes_one():
    page = Page(FileUpload(multiple=False))
    page.select((A, "one", 1), (B, "two", 1))
    page.chunk(A, b"1")
    page.chunk(B, b"2")
    assert names_and_bytes(page.widget) == [("one", b"1")]


# Cancel, refuse, fail


def test_cancel_one_of_two(page):
    before = on_disk()
    page.select((A, "one", 4), (B, "two", 1))
    page.chunk(A, b"12", 0, 4)
    page.say({"type": "cancel", "id": A})
    assert (page.states[A], page.messages[A]) == ("cancelled", "Cancelled.")
    page.chunk(A, b"34", 2, 4)  # was already under way
    page.say({"type": "head", "id": A}, b"12")
    page.chunk(B, b"2")
    assert names_and_bytes(page.widget) == [("two", b"2")]
    assert page.states == {A: "cancelled", B: "ready"}
    assert len(on_disk() - before) == 1


def test_cancel_all_keeps_what_has_arrived(page):
    page.select((A, "one", 1), (B, "two", 4), (C, "three", 9))
    page.chunk(A, b"1")
    page.chunk(B, b"2", 0, 4)
    page.say({"type": "cancel"})
    assert page.states == {A: "ready", B: "cancelled", C: "cancelled"}
    assert names_and_bytes(page.widget) == [("one", b"1")]
    assert not page.widget.busy


def test_a_second_cancel_takes_a_file_off_the_list(page):
    page.select((A, "one", 1), (B, "two", 0))
    page.chunk(A, b"1")
    page.say({"type": "cancel", "id": B})
    assert page.states == {A: "ready"}
    page.say({"type": "cancel", "id": A})
    assert (page.states, page.widget.value) == ({}, ())


def test_a_page_that_was_closed_is_told_apart(page):
    page.select((A, "one", 4))
    page.say({"type": "cancel", "id": A, "lost": True})
    assert page.messages[A] == "The page was closed before it had arrived. Choose it again."


def test_a_file_the_browser_cannot_read(page):
    page.select((A, "moved", 4), (B, "good", 1))
    page.say({"type": "refuse", "id": A, "why": "read"})
    page.chunk(B, b"2")
    assert page.messages == {A: "The browser could not read this file. Was it moved or deleted?", B: ""}
    assert names_and_bytes(page.widget) == [("good", b"2")]


def test_a_full_disk_is_told_and_the_next_file_goes_on(page, monkeypatch):
    before = on_disk()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    page.select((A, "one", 4), (B, "two", 1))
    page.chunk(A, b"12", 0, 4)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        page.chunk(A, b"34", 2, 4)
    assert page.messages[A] == "The server could not keep this file: No space left on device."
    assert on_disk() == before
    page.chunk(B, b"2")
    assert names_and_bytes(page.widget) == [("two", b"2")]


class Picky(FileUpload):
    """Refuses by what `_check` raises."""

    problem = ValueError

    def _check(self, upload):
        if upload.bytes == b"bad":
            raise self.problem()
        return "A remark." if upload.bytes == b"odd" else ""


@pytest.mark.parametrize(
    "problem, says",
    [
        (lambda: ValueError("This is bad."), "This is bad."),
        (MemoryError, "The server could not open this file (MemoryError)."),
        (lambda: OSError(errno.EIO, "/secret/path"), "The server could not open this file (OSError)."),
    ],
)
def test_a_file_whose_check_fails_is_refused_and_leaves_the_disk(problem, says, monkeypatch):
    # pytest keeps what is logged, and with it the traceback, the frame and the upload.
    monkeypatch.setattr(logging.getLogger(file_upload.__name__), "disabled", True)
    before = on_disk()
    page = Page(Picky())
    page.widget.problem = problem
    page.select((A, "bad", 3), (B, "odd", 3))
    page.chunk(A, b"bad")
    page.chunk(B, b"odd")
    assert page.states == {A: "refused", B: "ready"}
    assert page.messages == {A: says, B: "A remark."}
    assert len(on_disk() - before) == 1


def test_clear_while_a_file_is_being_checked(page):
    """On an event loop, as in a kernel, the check runs beside the messages."""

    async def scene():
        page.send(A, b"1")
        assert page.widget.busy
        page.say({"type": "clear"})
        page.send(B, b"2")
        while page.widget.busy:
            await asyncio.sleep(0)
        return page.states

    assert asyncio.run(scene()) == {B: "ready"}


def test_cancel_while_a_file_is_being_checked(page):
    async def scene():
        page.send(A, b"1")
        page.say({"type": "cancel"})
        page.send(B, b"2")
        while page.widget.busy:
            await asyncio.sleep(0)

    problems = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
        await scene()
        gc.collect()

    asyncio.run(watched())
    assert problems == []
    assert page.states == {B: "ready"}
    assert names_and_bytes(page.widget) == [("file.bin", b"2")]


# A page that is not ours

GOOD = {"type": "select", "files": [{"id": C, "name": "new", "size": 1}]}


def choice(**file):
    return {"type": "select", "files": [{"id": C, "name": "new", "size": 1, **file}]}


def two(**second):
    return {
        "type": "select",
        "files": [{"id": C, "name": "x", "size": 1}, {"id": "d" * 32, "name": "y", "size": 1, **second}],
    }


BAD_CHOICES = {
    "no files": {"type": "select"},
    "files is text": {"type": "select", "files": "abc"},
    "files is a mapping": {"type": "select", "files": {"0": {}}},
    "a file is text": {"type": "select", "files": ["abc"]},
    "a file is empty": {"type": "select", "files": [{}]},
    **{
        f"id {id!r:.20}": choice(id=id)
        for id in (None, 7, [], {}, "", "short", "x" * 65, "../../../etc/passwd", "a b c d e", "ä" * 9, A + "\n")
    },
    "the same id twice": two(id=C),
    "a bad second file": two(size=-1),
    **{
        f"size {size!r:.20}": choice(size=size)
        for size in (-1, True, 1.5, 1e3, 10**400, 2**53 + 1, "5", None, [], float("nan"))
    },
    **{f"name {name!r}": choice(name=name) for name in (None, 7, [], {})},
    **{f"left_out {n!r}": {**GOOD, "left_out": n} for n in (-1, True, "1", 1.0, 10**10, None)},
    **{f"more {n!r}": {**GOOD, "more": n} for n in (-1, True, "1", 1.0, 10**10, None)},
}


@pytest.mark.parametrize("message", BAD_CHOICES.values(), ids=BAD_CHOICES)
def test_a_bad_choice_is_rejected_and_nothing_is_lost(page, message):
    page.send(A, b"mine", "mine.txt")
    page.say(message)
    assert page.rejected[-1]["message"].startswith("The kernel did not understand the page: ")
    page.say({"type": "cancel"})  # whatever publishes next
    assert names_and_bytes(page.widget) == [("mine.txt", b"mine")]
    assert not page.widget.busy
    page.send(B, b"next", "next.txt")
    assert names_and_bytes(page.widget) == [("next.txt", b"next")]


def test_an_id_in_use_is_rejected_while_its_file_is_on_its_way(page):
    page.select((A, "mine", 4))
    page.chunk(A, b"12", 0, 4)
    page.select((A, "not mine", 4))
    assert page.rejected
    page.chunk(A, b"34", 2, 4)
    assert names_and_bytes(page.widget) == [("mine", b"1234")]


BAD_MESSAGES = {
    **{
        f"content {content!r:.20}": content
        for content in (None, 7, "chunk", [], [1], {}, {"type": None}, {"type": []}, {"type": {}})
    },
    "unknown type": {"type": "eval", "code": "1"},
    "a private method": {"type": "_publish"},
    **{f"head of id {id!r:.20}": {"type": "head", "id": id} for id in (None, 7, [], "../../x", "x" * 65)},
    "chunk without id": {"type": "chunk", "offset": 0, "total": 1},
    "refuse without id": {"type": "refuse"},
    "cancel of a path": {"type": "cancel", "id": "../../../etc/passwd"},
    "cancel of null": {"type": "cancel", "id": None},
}


@pytest.mark.parametrize("message", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_message_that_makes_no_sense_is_rejected(page, message):
    page.select((A, "mine", 4))
    page.chunk(A, b"12", 0, 4)
    page.say(message, b"x")
    assert len(page.rejected) == 1
    page.chunk(A, b"34", 2, 4)
    assert names_and_bytes(page.widget) == [("mine", b"1234")]


@pytest.mark.parametrize("kind", ["head", "chunk", "cancel", "refuse"])
def test_an_unknown_id_changes_nothing(page, kind):
    """Not an error either: a file may have ended while the message was on its way."""
    page.select((A, "mine", 4))
    page.say({"type": kind, "id": B, "offset": 0, "total": 1, "why": "read"}, b"x")
    page.chunk(A, b"mine")
    assert (page.states, page.rejected) == ({A: "ready"}, [])


BAD_CHUNKS = {
    **{
        f"offset {offset!r:.20}": {"offset": offset, "total": 4}
        for offset in (-1, True, 2.0, "2", None, 2**60, 3, 10**9)
    },
    **{f"total {total!r:.20}": {"offset": 2, "total": total} for total in (0, -4, True, 4.0, "4", None, 3, 5, 2**60)},
}


@pytest.mark.parametrize("fields", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_chunk_with_a_bad_number_is_rejected_and_its_file_goes_on(page, fields):
    page.select((A, "mine", 4))
    page.chunk(A, b"12", 0, 4)
    page.say({"type": "chunk", "id": A, **fields}, b"xx")
    assert len(page.rejected) == 1
    page.chunk(A, b"34", 2, 4)
    assert names_and_bytes(page.widget) == [("mine", b"1234")]


@pytest.mark.parametrize(
    "buffers", [[], [b""], [b"1", b"2"], [bytes(CHUNK_LIMIT + 1)]], ids=["none", "empty", "two", "large"]
)
@pytest.mark.parametrize("kind", ["head", "chunk"])
def test_a_message_must_carry_one_buffer_of_a_chunks_size(page, kind, buffers):
    page.select((A, "mine", 4))
    page.chunk(A, b"12", 0, 4)
    page.say({"type": kind, "id": A, "offset": 2, "total": 1_500_000}, *buffers)
    assert page.rejected or page.states[A] == "refused"
    assert page.widget.value == ()
    page.send(B, b"next")
    assert ("file.bin", b"next") in names_and_bytes(page.widget)


def test_a_first_chunk_that_does_not_fit_leaves_the_file_to_be_sent_rightly(page):
    page.select((A, "mine", 4))
    page.chunk(A, b"too much", 0, 4)
    assert page.rejected
    page.chunk(A, b"mine", 0, 4)
    assert names_and_bytes(page.widget) == [("mine", b"mine")]


def test_buffers_may_be_views_of_memory(page):
    page.send(A, memoryview(b"view"))
    assert names_and_bytes(page.widget) == [("file.bin", b"view")]


def test_setting_synced_traits_from_a_page_changes_no_limit(page):
    page.send(A, b"mine", "mine")

    def update(state):
        page.widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})

    update({"_options": {"max_mb": 1e9, "max_files": 10**6}, "_notice": "You won", "value": ["x"], "max_mb": 1e9})
    update({"_files": [{"id": B, "name": "forged", "size": 1, "state": "ready", "message": ""}], "busy": True})
    assert names_and_bytes(page.widget) == [("mine", b"mine")]
    assert (page.widget.max_mb, page.widget.max_files, page.widget.busy) == (2, 4, False)
    page.select(*((f"{i:032}", "x", 3_000_000) for i in range(9)))
    assert set(page.states.values()) == {"refused"} and len(page.states) == 4
    assert page.widget._notice == "Only 4 files at a time: 5 more were left out."


def test_synced_state_is_json_and_names_no_path(page):
    page.send(A, b"mine", "mine")
    state = {name: page.widget.get_state()[name] for name in ("_options", "_files", "_notice")}
    assert str(spool()) not in json.dumps(state)
    assert not any(page.widget.trait_metadata(name, "sync") for name in ("value", "busy"))


def test_two_widgets_share_nothing():
    one, other = Page(FileUpload()), Page(FileUpload())
    one.send(A, b"1")
    other.say({"type": "cancel", "id": A})
    other.chunk(A, b"2")
    assert [names_and_bytes(page.widget) for page in (one, other)] == [[("file.bin", b"1")], []]


def test_a_choice_sent_twice_is_one_choice(page):
    """Its answer was lost with the connection: the page asks again."""
    page.select((A, "one", 3), choice="first")
    page.chunk(A, b"one")
    page.select((A, "one", 3), choice="first")
    answers = [content for content in page.heard if content["type"] == "selected"]
    assert answers == [{"type": "selected", "choice": "first", "ids": [A]}] * 2
    assert (page.states, page.rejected) == ({A: "ready"}, [])


def test_the_page_is_told_which_files_were_taken_and_which_choice_was_no_good():
    page = Page(FileUpload(max_files=1))
    page.select((A, "one", 3), (B, "two", 3), choice="both")
    assert page.heard[-1] == {"type": "selected", "choice": "both", "ids": [A]}
    page = Page(FileUpload())
    page.select(("short", "one", 3), choice="bad")
    assert (page.heard[-1]["type"], page.heard[-1]["choice"]) == ("rejected", "bad")


def test_while_a_file_is_checked_the_page_knows(monkeypatch):
    seen = []

    class Slow(FileUpload):
        def _check(self, upload):
            seen.append(self._files[0]["state"])
            return ""

    Page(Slow()).send(A, b"one")
    assert seen == ["checking"]


def test_a_visitor_cannot_fill_the_disk(monkeypatch, page):
    monkeypatch.setattr("ipyfastai.widgets.uploads.SPOOL_LIMIT", spooled() + 4)
    page.select((A, "fits", 3), (B, "does not", 3))
    page.chunk(A, b"one")
    page.chunk(B, b"two")
    assert page.states == {A: "ready", B: "refused"}
    assert page.messages[B] == "The server could not keep this file: the room for uploads is used up."
