"""Names for classes that somebody types."""

import os

import pytest
from ipyfastai.models.cleaning.class_name import LONGEST, new_class, why_no_folder

KNOWN = ["black", "grizzly", "Straße"]


def test_a_name_is_taken_as_it_is_meant():
    assert new_class("  polar bear\n", KNOWN) == "polar bear"
    assert new_class("grizzly", KNOWN) == "grizzly"
    assert new_class("Ba\u0308r", KNOWN) == "B\u00e4r"  # as a Mac's keyboard and a file system may give it
    assert new_class("日本の熊", KNOWN) == "日本の熊"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" ", "Type a name"),
        ("GRIZZLY", "There is a class 'grizzly' already"),
        ("STRASSE", "There is a class 'Straße' already"),
        ("a/b", "a slash"),
        ("..", "no folder of its own"),
        (".git", "begin with a dot"),
        ("a\\b", "a backslash"),
        ("a\x1bb", "a control character"),
        ("a\x85b", "a control character"),
        ("a\u2028b", "a control character"),
        ("grizzly\u202egpj", "a control character"),
        ("a\0b", "a null byte"),
        ("ä" * (LONGEST // 2 + 1), "longer than 255 bytes"),
        ("a \ud83d", "half of a character"),
    ],
)
def test_what_can_be_no_folder_is_said(text, why):
    with pytest.raises(ValueError, match=why):
        new_class(text, KNOWN)


def test_a_folder_that_is_there_may_be_called_what_nobody_would_type():
    assert why_no_folder(".hidden", known=True) == ""
    assert why_no_folder("../up", known=True) == "it has a slash"


def test_every_name_that_is_taken_makes_a_folder(tmp_path):
    for text in ("polar bear", "ä" * (LONGEST // 2), "a:b*?", "-rf", "日本の熊"):
        (tmp_path / new_class(text, KNOWN)).mkdir()
    assert len(os.listdir(tmp_path)) == 5
