"""The job that drops stale work."""

import asyncio
import threading

from ipyfastai.widgets.newest_job import NewestJob


def test_of_work_that_piles_up_only_the_newest_is_done():
    async def drag():
        gate, done, asked = threading.Event(), [], []
        job = NewestJob()

        def work(number):
            def make(progress):
                asked.append(number)
                gate.wait(60)
                return number

            return make

        for number in range(5):
            job.run(work(number), then=done.append)
        gate.set()
        while job.busy or len(done) < 2:
            await asyncio.sleep(0.01)
        return asked, done, job._shown

    asked, done, shown = asyncio.run(drag())
    assert asked == done == [0, 4] and shown == {}, "quick work is finished and shows no line"


def test_slow_work_is_cancelled_for_newer_and_no_word_of_it_is_said(monkeypatch):
    monkeypatch.setattr("ipyfastai.widgets.newest_job.QUIET", -1)

    async def replace():
        began, done, said = threading.Event(), [], []
        job = NewestJob()
        job.observe(lambda change: said.append(change.new.get("text")), "_shown")

        def endless(progress):
            began.set()
            while True:
                progress.report(0, 1, "Making pictures")

        job.run(endless, then=done.append)
        await asyncio.to_thread(began.wait, 10)
        job.run(lambda progress: "newer", then=done.append)
        while not done or job.busy:
            await asyncio.sleep(0.01)
        return done, said

    done, said = asyncio.run(replace())
    assert done == ["newer"] and "Cancelled." not in said


def test_cancel_takes_what_waits_too():
    async def cancel():
        began, done = threading.Event(), []
        job = NewestJob()

        def endless(progress):
            began.set()
            while True:
                progress.report(0, 1)

        job.run(endless, then=done.append)
        await asyncio.to_thread(began.wait, 10)
        job.run(lambda progress: "newer", then=done.append)
        job._receive(job, {"type": "cancel"}, [])
        while job.busy:
            await asyncio.sleep(0.01)
        return done, job._shown["text"]

    assert asyncio.run(cancel()) == ([], "Cancelled.")


def endless(began):
    def work(progress):
        began.set()
        while True:
            progress.report(0, 1, "Searching")

    return work


def test_what_turns_out_to_be_slow_makes_way_for_what_has_come_before_that():
    async def replace():
        began, done = threading.Event(), []
        job = NewestJob()
        job.run(endless(began), then=done.append)
        job.run(lambda progress: "newer", then=done.append)  # at once: the first still seems to be quick
        while job.busy:
            await asyncio.sleep(0.01)
        return done, job._shown

    assert asyncio.run(asyncio.wait_for(replace(), 30)) == (["newer"], {})


def test_what_is_not_wanted_any_more_ends_without_a_word(monkeypatch):
    monkeypatch.setattr("ipyfastai.widgets.newest_job.QUIET", -1)

    async def drop():
        began, done, said = threading.Event(), [], []
        job = NewestJob()
        job.drop()
        job.observe(lambda change: said.append(change.new.get("text")), "_shown")
        job.run(endless(began), then=done.append)
        job.run(lambda progress: "newer", then=done.append)
        job.drop()
        while job.busy:
            await asyncio.sleep(0.01)
        job.run(lambda progress: "newest", then=done.append)
        while job.busy:
            await asyncio.sleep(0.01)
        return done, said

    done, said = asyncio.run(asyncio.wait_for(drop(), 30))
    assert done == ["newest"] and not any("ancel" in (text or "") for text in said)
