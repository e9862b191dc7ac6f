"""How far long work is, and how it is stopped."""

import pytest
from ipyfastai.models.progress import Cancelled, Progress


def test_work_says_how_far_it_is():
    progress = Progress()
    assert (progress.done, progress.total, progress.text) == (0, None, "")
    progress.report(3, 10, "Reading a.jpg")
    assert (progress.done, progress.total, progress.text) == (3, 10, "Reading a.jpg")


def test_cancelled_work_learns_of_it_at_its_next_report():
    progress = Progress()
    progress.cancel()
    assert progress.cancelled
    with pytest.raises(Cancelled):
        progress.report(4, 10)
    assert progress.done == 4, "what was reached is told all the same"
