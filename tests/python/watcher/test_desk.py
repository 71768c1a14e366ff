"""Urgent work first, a few things at a time, and again what could not be done."""

import asyncio
import time

import pytest

from vouch.chain.errors import RpcUnavailable
from vouch.watcher.config import Patience
from vouch.watcher.desk import Desk
from vouch.watcher.errors import NotNow

QUICK = Patience(retry_first=0.01, retry_most=0.02)


class Work:
    """Notes what it gets; `fails` says how often a key raises what."""

    def __init__(self, fails: dict[str, list[Exception]] | None = None) -> None:
        self.done: list[tuple[str, int]] = []
        self.fails = fails or {}
        self.busy = self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, key: str, attempt: int) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self.gate.wait()
            self.done.append((key, attempt))
            if self.fails.get(key):
                raise self.fails[key].pop(0)
        finally:
            self.busy -= 1


async def worked(desk: Desk[str]) -> None:
    """Runs until nothing is left."""
    task = asyncio.create_task(desk.run())
    end = time.monotonic() + 30
    while len(desk):
        assert time.monotonic() < end, "there is work left"
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_most_urgent_comes_first() -> None:
    work = Work()
    desk = Desk("test", work, 1, QUICK)
    for key, urgency in (("late", 9.0), ("soon", 1.0), ("never", 99.0), ("now", 0.0)):
        desk.put(key, urgency)
    await worked(desk)
    assert work.done == [("now", 1), ("soon", 1), ("late", 1), ("never", 1)]


async def test_no_more_than_that_many_at_a_time() -> None:
    work = Work()
    work.gate.clear()
    desk = Desk("test", work, 2, QUICK)
    for i in range(5):
        desk.put(str(i))
    task = asyncio.create_task(worked(desk))
    await asyncio.sleep(0.02)
    assert work.busy == 2
    work.gate.set()
    await task
    assert (work.most, len(work.done)) == (2, 5)


async def test_what_cannot_be_done_now_comes_back_and_lets_others_pass() -> None:
    down = RpcUnavailable("http://x", "eth_call", "down")
    work = Work({"hard": [NotNow("busy"), down]})
    desk = Desk("test", work, 1, QUICK)
    desk.put("hard")
    desk.put("easy", 1.0)
    await worked(desk)
    assert work.done == [("hard", 1), ("easy", 1), ("hard", 2), ("hard", 3)]
    assert desk.trouble == ""


async def test_what_is_put_again_meanwhile_is_done_again_but_not_twice_at_a_time() -> None:
    work = Work()
    work.gate.clear()
    desk = Desk("test", work, 2, QUICK)
    desk.put("key")
    task = asyncio.create_task(worked(desk))
    await asyncio.sleep(0.01)
    desk.put("key")
    desk.put("key")
    await asyncio.sleep(0.01)
    assert work.busy == 1
    work.gate.set()
    await task
    assert work.done == [("key", 1), ("key", 1)]


async def test_pauses_double_up_to_the_longest() -> None:
    desk = Desk("test", Work(), 1, Patience(retry_first=0.5, retry_most=30))
    assert [desk._pause(n) for n in (1, 2, 3, 7, 5000)] == [0.5, 1.0, 2.0, 30, 30]


async def test_errors_that_nobody_foresaw_end_it() -> None:
    desk = Desk("test", Work({"key": [ZeroDivisionError()]}), 1, QUICK)
    desk.put("key")
    with pytest.raises(ExceptionGroup) as caught:
        await desk.run()
    assert caught.group_contains(ZeroDivisionError)
