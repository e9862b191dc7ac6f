"""Long work: what it returns, how it fails, and what a page is told."""

import asyncio
import threading

import pytest
from ipyfastai.widgets.job import Job


def test_the_result_comes_back_on_the_caller_s_thread():
    came = []
    Job().run(lambda progress: 6 * 7, then=lambda result: came.append((result, threading.current_thread())))
    assert came == [(42, threading.current_thread())]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("The folder is empty."), "The folder is empty."),
        (RuntimeError("No network."), "No network."),
        (
            OSError(28, "No space left on device", "/srv/secret"),
            "The files could not be used: No space left on device.",
        ),
        (ValueError("'/srv/secret/1.jpg' is no picture"), "'…/1.jpg' is no picture"),
        (
            RuntimeError("https://example.org/a/b/1.jpg, black/bears/1.jpg"),
            "https://example.org/a/b/1.jpg, black/bears/1.jpg",
        ),
        (KeyError("x"), "Something went wrong in the kernel (KeyError)."),
        (ValueError(), "Something went wrong in the kernel (ValueError)."),
    ],
)
def test_an_error_becomes_a_sentence(error, sentence):
    def work(progress):
        raise error

    job, failed, ended = Job(), [], []
    job.run(work, then=lambda result: pytest.fail("it failed"), failed=failed.append, ended=lambda: ended.append(1))
    assert job._shown == {"state": "failed", "text": sentence}
    assert failed == [error] and ended == [1] and not job.busy


def test_what_goes_wrong_with_the_result_is_said_and_not_swallowed():
    def then(result):
        raise ValueError("/srv/secret/1.jpg is not in the subpath of ...")

    job, ended = Job(), []
    with pytest.raises(ValueError):
        job.run(lambda progress: 1, then=then, ended=lambda: ended.append(1))
    assert job._shown == {"state": "failed", "text": "Something went wrong in the kernel (ValueError)."}
    assert ended == [1] and not job.busy


def test_a_second_start_does_nothing_and_cancel_ends_the_first():
    async def clicks():
        began, job, ended = threading.Event(), Job(), asyncio.Event()

        def work(progress):
            began.set()
            while True:
                progress.report(1, 4, "Reading")

        assert job.run(work, ended=ended.set)
        assert not job.run(work)
        await asyncio.to_thread(began.wait, 10)
        job._receive(job, {"type": "cancel"}, [])
        await asyncio.wait_for(ended.wait(), 10)
        return job

    job = asyncio.run(clicks())
    assert job._shown == {"state": "done", "text": "Cancelled."} and not job.busy


def test_a_result_that_comes_after_the_end_is_handed_over_only_where_it_is_of_files():
    async def closed_while_it_works(**options):
        began, go_on, job, came, ended = threading.Event(), threading.Event(), Job(), [], asyncio.Event()

        def work(_progress):
            began.set()
            return go_on.wait(60)

        job.run(work, then=came.append, ended=ended.set, **options)
        await asyncio.to_thread(began.wait, 10)
        job.close()
        go_on.set()
        await asyncio.wait_for(ended.wait(), 10)
        return came

    assert asyncio.run(closed_while_it_works()) == []
    assert asyncio.run(closed_while_it_works(outlives=True)) == [True]


def test_a_page_hears_how_far_it_is_and_how_long_it_will_take():
    async def watch():
        go_on, job, seen = threading.Event(), Job(), asyncio.Event()

        def work(progress):
            progress.report(1, 4, "Reading a.jpg")
            go_on.wait(60)

        job.observe(lambda change: change.new.get("done") == 1 and seen.set(), "_shown")
        job.run(work)
        await asyncio.wait_for(seen.wait(), 10)
        shown = dict(job._shown)
        go_on.set()
        return shown

    shown = asyncio.run(watch())
    assert shown["state"] == "running" and shown["total"] == 4 and shown["text"] == "Reading a.jpg"
    assert shown["seconds"] >= 0


def test_whatever_a_page_sends_is_no_command():
    job = Job()
    for message in (None, 3, [], {}, {"type": ["cancel"]}, {"type": "run"}, {"type": "cancel"}):
        job._receive(job, message, [])
    assert not job.busy


def test_its_own_button_starts_what_it_is_for_and_only_while_nothing_runs():
    pressed = []
    job = Job(button="Find", pressed=lambda: pressed.append(1), cancel="Stop")
    job._receive(job, {"type": "start"}, [])
    job.busy = True
    job._receive(job, {"type": "start"}, [])
    assert pressed == [1]


def test_its_thread_ends_with_the_work():
    """One that stayed would keep the helper threads that OpenMP gave it."""
    job, threads = Job(), []
    job.run(lambda progress: threads.append(threading.current_thread()))
    threads[0].join(60)
    assert threads[0] is not threading.main_thread() and not threads[0].is_alive()
