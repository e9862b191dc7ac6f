"""Photos that wait, worked off one at a time."""

import asyncio
import threading

import pytest
from ipyfastai.widgets.results import Result
from ipyfastai.widgets.work_queue import Batch, WorkQueue


class Recorder:
    """A queue whose classifier waits to be let go, and what came out of it."""

    def __init__(self, fails=()):
        self.gate = threading.Event()
        self.out, self.counts, self.rests = [], [], 0
        self.fails = fails
        self.queue = WorkQueue(self._classify, finished=self._finished, idle=self._idle)

    def _classify(self, name, source):
        assert self.gate.wait(60)
        if name in self.fails:
            raise RuntimeError(name)
        return Result(name)

    async def _finished(self, batch, result):
        self.out.append((batch, result.item))
        self.counts.append((self.queue.done, self.queue.total))

    async def _idle(self):
        self.rests += 1


def run(scene):
    asyncio.run(asyncio.wait_for(scene(), 60))


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_each_result_goes_to_the_batch_of_its_photo_and_the_count_is_right():
    recorder, first, second = Recorder(), Batch(), Batch()

    async def scene():
        recorder.queue.put(first, [("a", 1), ("b", 2)])
        recorder.queue.put(second, [("c", 3)])
        assert (recorder.queue.done, recorder.queue.total) == (0, 3)
        recorder.gate.set()
        await until(lambda: recorder.rests)

    run(scene)
    assert [(batch is first, name) for batch, name in recorder.out] == [(True, "a"), (True, "b"), (False, "c")]
    assert recorder.counts == [(1, 3), (2, 3), (3, 3)]
    assert (recorder.queue.done, recorder.queue.total, recorder.queue.working) == (0, 0, False)


def test_what_is_dropped_is_told_and_what_is_in_hand_is_finished():
    recorder, batch, other = Recorder(), Batch(), Batch()

    async def scene():
        recorder.queue.put(batch, [("a", 1), ("b", 2)])
        recorder.queue.put(other, [("c", 3)])
        await until(lambda: recorder.queue.total == 3 and len(recorder.queue._waiting) == 2)
        assert recorder.queue.drop(but=other) == [2]
        recorder.gate.set()
        await until(lambda: recorder.rests)

    run(scene)
    assert [name for _, name in recorder.out] == ["a", "c"]


@pytest.mark.filterwarnings("ignore")
def test_it_can_be_used_again_after_something_went_wrong(caplog):
    recorder = Recorder(fails={"bad"})
    recorder.gate.set()

    async def scene():
        recorder.queue.put(Batch(), [("bad", 1)])
        await until(lambda: recorder.rests)
        recorder.queue.put(Batch(), [("good", 2)])
        await until(lambda: recorder.rests == 2)

    run(scene)
    assert [name for _, name in recorder.out] == ["good"]
    assert "background work failed" in caplog.text
