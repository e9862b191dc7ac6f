"""Predictions in a CSV, however it is written, and where the pictures lie that it names."""

import io

import numpy as np
import pandas as pd
import pytest
from ipyfastai.models import predictions_table
from ipyfastai.models.interpretation.locate import locate
from ipyfastai.models.interpretation.predictions import labels, probabilities
from ipyfastai.models.interpretation.predictions_file import read_predictions
from ipyfastai.models.progress import Cancelled, Progress

PLAIN = "item,label,predicted\nblack/1.jpg,black,grizzly\nteddy/2.jpg,teddy,teddy\n"


@pytest.fixture
def read(tmp_path):
    def read(content, encoding="utf-8", **options):
        path = tmp_path / "upload"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read_predictions(path, **options)

    return read


def test_a_table_that_was_saved_comes_back(read):
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    table = predictions_table(
        [f"{row}.jpg" for row in range(50)], np.arange(50) % 3, probabilities=shares,
        labels=["b", 'a, "quoted"', "None"],
        split=["train"] * 30 + ["valid"] * 20,
    )  # fmt: skip
    pd.testing.assert_frame_equal(read(table.to_csv(index=False)), table, rtol=1e-4)
    assert labels(read(table.to_csv())) == labels(table), "with the row numbers that pandas writes too"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators(read, encoding, separator):
    text = "\r\n".join(separator.join(row) for row in (["Label", " ITEM", "Predicted"], ["Bär", "é.jpg", "Maße"]))
    text = "\ufeff" + text if encoding == "utf-16-le" else text
    table = read(text, encoding)
    assert table.loc[0, ["item", "label", "predicted"]].tolist() == ["é.jpg", "Bär", "Maße"]


def test_a_letter_of_windows_far_behind(read):
    lines = "".join(f"{row}.jpg,plain,plain\n" for row in range(20_000))
    assert read(f"item,label,predicted\n{lines}x.jpg,Bär,Bär\n", "cp1252").label.iloc[-1] == "Bär"


def test_as_excel_writes_it_in_german(read):
    table = read(
        "sep=;\r\nitem;label;predicted;confidence;loss\r\n1.jpg;a;b;0,75;1,5e-1\r\n2.jpg;a;a;1;\r\n\r\n", "cp1252"
    )
    assert table.confidence.tolist() == [0.75, 1] and table.loss[0] == 0.15 and np.isnan(table.loss[1])


def test_names_like_missing_values_are_labels(read):
    table = read("item,label,predicted\nNA,None,nan\nnull,<b>,=1+1\n")
    assert table.label.tolist() == ["None", "<b>"] and table.item.tolist() == ["NA", "null"]


def test_probabilities_keep_their_order_and_further_columns_are_left_out(read):
    table = read("note,item,label,predicted,probability of Z,Probability Of a\nhi,1.jpg,a,Z,0.75,0.25\n")
    assert labels(table) == ["Z", "a"] and probabilities(table).tolist() == [[0.75, 0.25]]
    assert "note" not in table and table.confidence[0] == 0.75


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "This file is empty"),
        (b"PK\x03\x04\x14\0", "an Excel file, whatever its name says: unpack it, or save it as CSV"),
        (b"\x89PNG\r\n\x1a\n\0\0", "This is no text file. It needs a row for each picture"),
        ("item,label\n1.jpg,a\n", "no column predicted. It needs .* columns item"),
        ("hello", "no column item and none label and none predicted"),
        ("item,label,predicted\n", "a header and no rows"),
        ("item,label,predicted,label\n1,a,a,a\n", "column 'label' stands in the file twice"),
        ("item,label,predicted\n1.jpg,a,a\n2.jpg,a\n", "Row 2 has 2 cells and the header 3"),
        ("item,label,predicted\n1.jpg,,a\n", "Row 1 has no label"),
        ("item,label,predicted\n1.jpg,a,\n", "Row 1 has no predicted"),
        ("item,label,predicted\n ,a,a\n", "Row 1 has no item"),
        ("item,label,predicted\n1.jpg,a,a\n1.jpg,a,a\n", "'1.jpg' stands in the table more than once"),
        ("item,label,predicted,loss\n1.jpg,a,a,low\n", "Row 1 has 'low' where a number should be"),
        ("item,label,predicted,confidence\n1.jpg,a,a,93\n", "A confidence lies between 0 and 1"),
        ("item,label,predicted,probability of a\n1.jpg,a,b,1\n", "'b', which is none of the labels: 'a'"),
        ("item,label,predicted\n1.jpg,a,\"a" + "x" * 200_000, "is a quote missing there"),
        ("item,label,predicted\n" + "".join(f"{n},l{n},a\n" for n in range(2001)), "2,002 different labels; 2,000 is"),
        ("item,label,predicted,split\n" + "".join(f"{n},a,a,s{n}\n" for n in range(101)), "101 different splits; 100"),
        ("item,label,predicted," + "x" * 200_000, "no column item and none label"),
        ("item,label,predicted" + "".join(f",probability of {n}" for n in range(2001)), "of 2,001 labels; 2,000 is"),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_cannot_be_used_is_told(read, content, says):
    with pytest.raises(ValueError, match=says):
        read(content)


def test_a_hundred_thousand_columns_are_not_compared_with_each_other(read):
    header = ",".join(["item", "label", "predicted", *map(str, range(100_000))])
    assert len(read(f"{header}\na{',a' * 100_002}\n")) == 1  # in pairs: for minutes


def test_a_hundred_thousand_rows_with_progress_and_cancel(read):
    rows = io.StringIO()
    pd.DataFrame({"item": [f"{n}.jpg" for n in range(100_000)], "label": "a", "predicted": "b"}).to_csv(
        rows, index=False
    )
    seen = []

    class Watching(Progress):
        def report(self, done, total=None, text=""):
            seen.append((done, total))
            super().report(done, total, text)

    assert len(read(rows.getvalue(), progress=Watching())) == 100_000
    assert len(seen) >= 40 and seen == sorted(seen) and seen[-1][0] <= seen[-1][1]
    cancelled = Progress()
    cancelled.cancel()
    with pytest.raises(Cancelled):
        read(rows.getvalue(), progress=cancelled)


# Where they lie.


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "pictures"
    for name in ("black/1.jpg", "black/2.jpg", "teddy/1.jpg", "3.jpg", "deep/er/3.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a picture")
    return root


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("black/1.jpg", "black/1.jpg"),
        ("/home/me/bears/black/1.jpg", "black/1.jpg"),
        ("C:\\Users\\me\\bears\\teddy\\1.jpg", "teddy/1.jpg"),
        ("2.jpg", "black/2.jpg"),
        ("../../er/3.jpg", "deep/er/3.jpg"),
        ("3.jpg", "3.jpg"),
        ("1.jpg", None),
        ("/etc/passwd", None),
        ("white/9.jpg", None),
        ("..", None),
    ],
)
def test_a_picture_of_an_archive_is_found_by_the_end_of_its_path(pictures, item, found):
    [path], missing = locate([item], pictures, sorted(pictures.rglob("*.jpg")))
    assert missing == (found is None)
    assert path.startswith(str(pictures)) and (not found or path == str(pictures / found))


def test_below_a_folder_only_what_lies_there_is_found(pictures, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"")
    (pictures / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (pictures / "out").symlink_to(tmp_path)
    paths, missing = locate(["black/1.jpg", str(pictures / "3.jpg"), "gone.jpg"], pictures)
    assert paths == [str(pictures / name) for name in ("black/1.jpg", "3.jpg", "gone.jpg")] and missing == 1
    for item in ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "out/secret.jpg", "black/\0.jpg"):
        with pytest.raises(ValueError, match="leads out of the folder of pictures"):
            locate([item], pictures)


def test_two_items_cannot_be_one_picture(pictures):
    with pytest.raises(ValueError, match="'a/2.jpg' and 'b/2.jpg' would both be the picture 'black/2.jpg'"):
        locate(["a/2.jpg", "b/2.jpg"], pictures, sorted(pictures.rglob("*.jpg")))
    with pytest.raises(ValueError, match="say them apart"):
        locate(["x.jpg", "../x.jpg"], pictures, [])
