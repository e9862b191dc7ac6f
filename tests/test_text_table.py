"""Tables in text files: their letters, their first lines, and what parts the cells."""

import io

import pytest
from ipyfastai.models.text_encoding import file_encoding, text_encoding
from ipyfastai.models.text_table import cells, separator_of, table_head

ALL = ("::", "\t", ";", ",", "|", " ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lines_are_read_in_the_letters_they_are_written_in(encoding):
    head = table_head("\nsep=;\nname;is\n\nAmélie;1\n".encode(encoding), cut=False)
    assert head.lines == ["name;is", "Amélie;1"] and head.skipped == 2
    assert head.encoding == encoding.removesuffix("-sig")


def test_a_line_that_is_cut_off_is_not_looked_at():
    assert table_head(b"a,b\n1,2\n3", cut=True).lines == ["a,b", "1,2"]
    assert table_head(b"a,b,c", cut=True).lines == ["a,b,c"], "one that is very long is all there is"


@pytest.mark.parametrize(
    "data, sentence",
    [
        (b"", "This file is empty (0 bytes)."),
        (b" \n\n", "no lines with anything in them"),
        (b"\n<!DOCTYPE html><html>", "This is a web page"),
        (b"PK\x03\x04", "a zip or an Excel file"),
        (b"a\0b", "This is no text file"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(ValueError) as error:
        table_head(data, cut=False)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    "lines, separator",
    [
        (["1::2::3", "4::5::6"], "::"),
        (["king\t1,5\t2", "queen\t1\t2,5"], "\t"),
        (["a;1,5;2,5", "b;3,5;4,5"], ";"),
        (['"Amélie, the film",4', "B,5"], ","),
        (["196 242 3", " 186 302 3 "], " "),
        (["x y", "row1 1 2"], " "),  # R names no column of names
        (["one", "two, or three", "four"], ""),
        (["one"], ""),
    ],
)
def test_the_separator_is_what_parts_most_lines_alike(lines, separator):
    assert separator_of(lines, ALL) == separator


def test_a_table_with_too_few_columns_has_no_separator():
    assert separator_of(["a,b", "c,d"], ALL, least=3) == ""


def test_quotation_marks_count_where_a_separator_can_stand_between_them():
    assert cells('1, "a, b" ,3', ",") == ["1", "a, b", "3"]
    assert cells('1\t"a', "\t") == ["1", '"a'] and cells('"a, b', ",") == ["a, b"]


def test_a_letter_far_behind_the_head_tells_the_encoding():
    plain, late = b"a,b\n" * 50_000, "Amélie".encode("cp1252")
    assert text_encoding((plain + late)[: 1 << 16]) == "utf-8"
    assert file_encoding(io.BytesIO(plain + late)) == "cp1252"
    assert file_encoding(io.BytesIO(plain + "Amélie".encode())) == "utf-8"
    cut = "é".encode() * (1 << 16)  # a letter of two bytes lies across the end of the first piece
    assert file_encoding(io.BytesIO(b"a" + cut)) == "utf-8" and file_encoding(io.BytesIO(cut[:-1])) == "cp1252"
