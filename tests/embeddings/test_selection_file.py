"""CSV files of tables: what is offered is what was asked for last, whole."""

import asyncio
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ipyfastai.widgets.embeddings.selection_file import PLENTY, SelectionFile
from ipyfastai.widgets.job import Job

MANY = 3 * PLENTY + 1
LARGE = pd.DataFrame({"label": [f"row {row}" for row in range(MANY)], "x": np.arange(MANY) / 7})
SMALL = LARGE.iloc[[3, 14]]


@pytest.fixture
def file():
    file = SelectionFile(Job())
    yield file
    for widget in (file, file._job):
        widget.layout.close()
        widget.close()


def while_running(begin, job):
    async def running():
        begin()
        while job.busy:
            await asyncio.sleep(0.01)

    asyncio.run(running())


def read(file):
    return pd.read_csv(file._path, encoding="utf-8-sig", index_col="position")


def files(file):
    return list(Path(file._folder.name).iterdir())


def test_a_large_table_is_written_whole_in_the_background(file):
    while_running(lambda: file.make(LARGE, "points"), file._job)
    pd.testing.assert_frame_equal(read(file), LARGE, check_names=False)
    assert file._offered["name"] == "points.csv" and file._offered["label"] == "CSV of the points"
    file.make(SMALL, "selection")
    assert read(file).index.tolist() == [3, 14] and files(file) == [file._path], "the one before is deleted"


def test_a_wide_table_is_written_in_the_background_too(file):
    wide = pd.DataFrame(np.zeros((300, 200)))

    def begin():
        file.make(wide, "points")
        assert file._job.busy and file._path is None

    while_running(begin, file._job)
    assert read(file).shape == (300, 200)


def test_what_was_asked_for_last_is_offered_and_no_other(file):
    def begin():
        assert file.make(LARGE, "selection")
        assert file.make(SMALL, "selection"), "a small one needs no job"
        assert not file.make(LARGE[::-1], "selection"), "that would have to wait"
        assert file.make(SMALL, "selection")

    while_running(begin, file._job)
    assert read(file).index.tolist() == [3, 14] and b"\0" not in file._path.read_bytes()
    assert file._offered["size"] == file._path.stat().st_size and files(file) == [file._path]


def test_nothing_is_offered_that_is_of_no_use_any_more(file):
    def begin():
        file.make(LARGE, "selection")
        file.offer(None)

    while_running(begin, file._job)
    assert file._offered == {} and not files(file)


def test_writing_can_be_stopped(file):
    def begin():
        file.make(LARGE, "selection")
        file._job.cancel()

    while_running(begin, file._job)
    assert file._offered == {} and not files(file) and file._job._shown["text"] == "Cancelled."


def test_columns_of_one_name_get_numbers(file):
    file.make(pd.DataFrame([[1, 2, 3]], [5], columns=["position", "x", "x"]), "points")
    assert file._path.read_text(encoding="utf-8-sig").splitlines()[0] == "position,position 2,x,x 2"
