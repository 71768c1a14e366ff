"""What shared work does for those who wait; what it does for answers is in test_answers.py."""

import asyncio

import pytest

from vouch.node.work import SharedWork


class Job:
    """Counts how often it was begun, and ends when it may."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return self.begun


async def test_one_key_is_one_piece_of_work_while_it_lasts() -> None:
    job, other = Job(), Job()
    async with SharedWork(1) as work:
        waiting = [asyncio.create_task(work.share("key", job)) for _ in range(5)]
        waiting.append(asyncio.create_task(work.share("other", other)))
        await asyncio.sleep(0)
        job.may_end.set()
        other.may_end.set()
        assert await asyncio.gather(*waiting) == [1] * 6
        assert await work.share("key", job) == 2
    assert (job.begun, other.begun) == (2, 1)


async def test_work_may_wait_for_other_work() -> None:
    inner, outer = Job(), Job()
    inner.may_end.set()
    outer.may_end.set()
    async with SharedWork(1) as work:

        async def nested() -> tuple[int, int]:
            return await work.share("inner", inner), await outer()

        assert await work.share("outer", nested) == (1, 1)


async def test_all_who_wait_see_a_failure_and_the_next_one_begins_anew() -> None:
    async def fail() -> None:
        raise ValueError("no")

    job = Job()
    job.may_end.set()
    async with SharedWork(1) as work:
        outcomes = await asyncio.gather(*(work.share("key", fail) for _ in range(3)), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["no"] * 3
        assert await work.share("key", job) == 1


async def test_work_goes_on_without_those_who_wait_and_is_ended_at_the_end() -> None:
    job, endless = Job(), Job()
    ended: list[int] = []

    async def noted() -> None:
        ended.append(await job())

    async with asyncio.timeout(30):
        async with SharedWork(0.05) as work:
            gone = [asyncio.create_task(work.share(made, made)) for made in (noted, endless)]
            await asyncio.sleep(0)
            for task in gone:
                task.cancel()
            await asyncio.gather(*gone, return_exceptions=True)
            job.may_end.set()
    assert ended == [1]
    assert not endless.may_end.is_set()


async def test_cancelled_waiting_is_no_result() -> None:
    job = Job()
    async with SharedWork(1) as work:
        gone, stays = (asyncio.create_task(work.share("key", job)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        job.may_end.set()
        assert await stays == 1
