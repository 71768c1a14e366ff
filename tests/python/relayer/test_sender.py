"""Whose transaction goes first, and how long many of them take, with a real hub that refuses them all."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.python.relayer.making import ANSWER, KEEP, block, requested
from tests.python.relayer.proving import until
from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub
from vouch.chain.rpc import Rpc
from vouch.relayer.config import Limits, Patience
from vouch.relayer.errands import Errand, Refusal
from vouch.relayer.job import TxKind
from vouch.relayer.sender import Sender
from vouch.relayer.store import Store


@pytest.fixture
def make(rpc: Rpc, hub: Hub, accounts: tuple[LocalKey, ...], store: Store) -> Callable[[ChainClock], Sender]:
    def made(clock: ChainClock) -> Sender:
        return Sender(
            rpc,
            accounts[2],
            hub,
            31337,
            store,
            clock,
            Limits(alone=12),
            Patience(quiet=15.0),
            lambda _: None,
            unanswered=lambda _: None,
            registered=lambda _: None,
        )

    return made


async def test_settlements_that_are_due_soonest_go_first(
    make: Callable[[ChainClock], Sender], store: Store
) -> None:
    tried: list[int | None] = []

    def refused(errand: Errand, _: Refusal) -> None:
        tried.append(errand.job.prove_by)

    sender = make(ChainClock())
    for salt, prove_by in enumerate((None, 3_000, 1_000, None, 2_000, 1_500)):
        (job,) = store.advance([block(2)], [requested(block(2), salt=salt)], KEEP)
        job = replace(job, answer=ANSWER, prove_by=prove_by)
        sender.errand(Errand(TxKind.SETTLE, job, refused))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sender.run())
        await until(lambda: len(tried) == 6)
        running.cancel()
    assert tried == [1_000, 1_500, 2_000, 3_000, None, None]


@pytest.mark.parametrize(
    ("blocks", "count", "seconds"),
    [
        ((), 1, 12.0),
        ((1_000,), 13, 24.0),
        ((1_000, 1_002), 12, 2.0),
        ((1_000, 1_002), 13, 4.0),
        ((1_000, 1_002), 0, 0.0),
        ((1_000, 1_015), 25, 45.0),
        ((1_000, 1_016), 25, 0.0),
    ],
)
def test_how_long_many_take(
    make: Callable[[ChainClock], Sender], blocks: tuple[int, ...], count: int, seconds: float
) -> None:
    clock = ChainClock()
    for each in blocks:
        clock.observe(each)
    assert make(clock).seconds_for(count) == seconds
