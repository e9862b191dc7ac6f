"""A form described in Python: what a page may set, and what is kept when its fields change."""

import pytest
from ipyfastai.widgets.data.findings import MAX_ROWS, Findings, Table
from ipyfastai.widgets.form import Field, Form

FIELDS = [
    Field("by", "By", "choice", options=["a", "b"]),
    Field("which", "Which", "select", options=["x", "y", "z"]),
    Field("some", "Some", "several", options=["x", "y", "z"]),
    Field("text", "Text", "text"),
    Field("seed", "Seed", "number", 42, low=1, high=99),
    Field("share", "Share", "number", 0.5, low=0, high=1, step=0.1),
    Field("check", "Check", "check"),
    Field("off", "Off", "text", "stays", disabled=True),
    Field("go", "Go", "button"),
]


@pytest.fixture
def form():
    said = []
    form = Form(changed=lambda name: said.append((name, form[name])), pressed=said.append)
    form.show(FIELDS)
    form.said = said
    return form


def send(form, name, value=None, kind="set"):
    form._receive(form, {"type": kind, "name": name, "value": value}, [])


def test_what_it_starts_with(form):
    start = {"by": 0, "which": 0, "some": (), "text": "", "seed": 42, "share": 0.5, "check": False, "off": "stays"}
    assert {name: form[name] for name in start} == start


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("by", 1, 1),
        ("some", [2, 0, 2], (0, 2)),
        ("text", "ü", "ü"),
        ("seed", 7.0, 7),
        ("share", 0.25, 0.25),
        ("check", True, True),
    ],
)
def test_what_is_sent_is_the_value_and_told_once(form, name, sent, value):
    send(form, name, sent)
    send(form, name, sent)
    assert form[name] == value and form.said == [(name, value)]
    [shown] = [field for field in form._fields["fields"] if field["name"] == name]
    assert shown["value"] == value


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("by", 2), ("by", -1), ("by", True), ("by", "1"), ("by", 0.5), ("which", None), ("some", 1), ("some", [3]),
        ("some", [[0]]), ("text", 3), ("text", "x" * 1_000_001), ("seed", 0), ("seed", 100), ("seed", float("nan")),
        ("seed", float("inf")), ("seed", True), ("seed", "7"), ("check", 1), ("off", "changed"),
        ("unknown", 1), ("go", 1), ("seed", 10**400), ("text", "half \ud83e"),
    ],
)  # fmt: skip
def test_anything_else_changes_nothing(form, name, sent):
    before = dict(form._values)
    send(form, name, sent)
    assert form._values == before and form.said == []


@pytest.mark.parametrize(
    "message", [None, [], {}, {"name": 3}, {"name": ["by"], "type": "set"}, {"name": "by"}, {"type": "set"}]
)
def test_messages_that_are_none(form, message):
    form._receive(form, message, [])
    assert form.said == []


def test_a_page_that_writes_the_fields_itself_gains_nothing(form):
    form.set_state({"_fields": {"fields": [{"name": "by", "kind": "choice", "options": ["a"] * 9, "value": 8}]}})
    send(form, "by", 8)
    assert form["by"] == 0


def test_buttons_are_pressed(form):
    send(form, "go", kind="press")
    send(form, "by", kind="press")
    assert form.said == ["go"]


def test_values_outlive_their_fields_unless_they_no_longer_fit(form):
    send(form, "which", 2)
    form.show(FIELDS[:1])
    form.show(FIELDS)
    assert form["which"] == 2
    form.show([Field("which", "Which", "select", options=["x"])])
    assert form["which"] == 0


def test_long_tables_are_cut_and_say_so_and_empty_ones_are_left_out():
    findings = Findings()
    findings.show(
        [("good", "All is well.")],
        [Table("Rows", ["n"], [(n,) for n in range(MAX_ROWS + 5)]), Table("None", ["n"], [])],
    )
    [table] = findings._shown["tables"]
    assert len(table["rows"]) == MAX_ROWS and table["count"] == MAX_ROWS + 5
