"""What is done next about a result that is out: every branch, with everything real but the hub's answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.python.relayer.guarding import PROVE_WITHIN, Parts, guarded
from tests.python.relayer.making import (
    KEEP,
    OPERATOR,
    UNSEALED,
    block,
    challenged,
    delivered,
    outbox,
    requested,
)
from vouch.chain.clock import ChainClock
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Gap, Status
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.relayer.watch import Watch

SEAL = b"QRUM" + bytes(99)
WINDOW = 100


@pytest.fixture
async def parts(store: Store) -> AsyncIterator[Parts]:
    async with guarded(store) as made:
        yield made


def window(parts: Parts, **changes: Any) -> Job:
    job = parts.delivered(window=WINDOW, **changes)
    parts.store.set_deadline(job.id, 1_000 + WINDOW, None)
    return job


async def test_the_deadline_is_the_hubs_own_and_asked_for_once(parts: Parts) -> None:
    job = parts.delivered(window=WINDOW)
    parts.hub.gap = Gap(Status.DELIVERED, 1_100, 0, 0, OPERATOR)
    assert await parts.look(job) == {}
    assert parts.job(job.id).challenge_by == 1_100
    parts.hub.gap = Gap(Status.DELIVERED, 9_999, 0, 0, OPERATOR)
    watch = Watch()
    await parts.look(job, watch)
    assert (parts.job(job.id).challenge_by, watch.due) == (1_100, 1_100)


@pytest.mark.parametrize("status", [Status.REQUESTED, Status.SETTLED, Status.CHALLENGED])
async def test_a_chain_that_is_ahead_or_behind_is_asked_again(parts: Parts, status: Status) -> None:
    job = parts.delivered(window=WINDOW)
    parts.hub.gap = Gap(status, 0, 0, 0, OPERATOR)
    assert await parts.look(job) == {}
    assert parts.job(job.id).challenge_by is None


async def test_a_deadline_of_before_a_fork_is_not_kept(parts: Parts) -> None:
    job = parts.delivered(window=WINDOW)
    parts.hub.gap = Gap(Status.DELIVERED, 1_100, 0, 0, OPERATOR)

    def fork() -> None:
        parts.store.rewind(2)
        again = delivered(block(3, "fork"), job.id, b"\1" * 32)
        parts.store.advance([block(3, "fork"), block(4, "fork")], [replace(again, block_number=4)], KEEP)

    parts.hub.meanwhile = fork
    assert await parts.look(job) == {}
    assert (parts.job(job.id).delivered_block, parts.job(job.id).challenge_by) == (4, None)


async def test_a_deadline_of_before_a_challenge_is_not_kept(parts: Parts) -> None:
    job = parts.delivered(window=WINDOW)
    parts.hub.gap = Gap(Status.DELIVERED, 1_100, 0, 0, OPERATOR)

    def challenge() -> None:
        parts.store.advance([block(4)], [challenged(block(4), job.id)], KEEP)

    parts.hub.meanwhile = challenge
    assert await parts.look(job) == {}
    assert parts.job(job.id).challenge_by is None


async def test_the_windows_last_second_belongs_to_challengers(parts: Parts) -> None:
    job = window(parts)
    parts.clock.observe(1_000 + WINDOW)
    assert await parts.look(job) == {}
    parts.clock.observe(1_001 + WINDOW)
    assert set(await parts.look(job)) == {TxKind.SETTLE}


@pytest.mark.parametrize("dead", [False, True])
async def test_after_the_window_no_seal_is_sent(parts: Parts, dead: bool) -> None:
    job = window(parts, seal=SEAL)
    parts.routes.set_dead(QUORUM, dead=dead)
    parts.clock.observe(1_001 + WINDOW)
    ((kind, (queued,)),) = (await parts.look(job)).items()
    assert kind is TxKind.SETTLE
    assert queued.answer is not None
    assert queued.answer.seal is None


async def test_after_a_restart_the_clock_is_right_from_the_start(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise every proof would look late until the first block is read."""
    job = parts.delivered()
    parts.store.set_deadline(job.id, None, 5_100)
    monkeypatch.setattr(time, "time", lambda: 5_000.0)
    parts.desk.clock = ChainClock()
    watch = Watch()
    await parts.look(job, watch)
    assert watch.alarm == 5_050


async def test_a_seal_that_is_there_ends_the_window_early(parts: Parts) -> None:
    ((kind, (queued,)),) = (await parts.look(window(parts, seal=SEAL))).items()
    assert kind is TxKind.SETTLE
    assert queued.sealed


@pytest.mark.parametrize("seal", [None, SEAL])
async def test_on_a_dead_route_the_stake_is_freed_while_that_is_possible(
    parts: Parts, seal: bytes | None
) -> None:
    job = window(parts, seal=seal)
    parts.routes.set_dead(QUORUM, dead=True)
    assert set(await parts.look(job)) == {TxKind.EXPIRE_DELIVERED}


async def test_what_is_under_way_is_not_sent_again(parts: Parts) -> None:
    job = window(parts, seal=SEAL)
    assert await parts.look(job, Watch(errand=True)) == {}
    parts.store.sign(outbox(1, job.id, kind=TxKind.SETTLE))
    assert await parts.look(job) == {}


async def test_a_proof_that_is_too_late_is_said_and_not_sent(parts: Parts) -> None:
    job = parts.delivered(seal=SEAL)
    parts.store.set_deadline(job.id, None, 1_050)
    parts.clock.observe(1_051)
    assert await parts.look(job) == {}
    assert parts.desk.risks[job.id].startswith("proveBy 1050 passed without a proof")


async def test_the_last_second_for_the_proof_is_ours(parts: Parts) -> None:
    job = parts.delivered(seal=SEAL)
    parts.store.set_deadline(job.id, None, 1_050)
    parts.clock.observe(1_050)
    assert set(await parts.look(job)) == {TxKind.SETTLE}


async def test_a_quorum_that_was_never_ours_is_a_risk(parts: Parts) -> None:
    job = parts.delivered(trust=b"\7" * 32)
    parts.store.set_deadline(job.id, None, 1_050)
    assert await parts.look(job) == {}
    assert parts.desk.risks[job.id] == f"the terms trust 0x{'07' * 32}, which no quorum of ours has"


async def test_others_deliveries_are_none_of_ours(parts: Parts) -> None:
    log = requested(block(2), route=QUORUM, prove_within=PROVE_WITHIN)
    parts.store.advance([block(2)], [log], KEEP)
    parts.store.advance([block(3)], [delivered(block(3), log.id, b"\1" * 32)], KEEP)
    assert not await parts.defence.look(parts.job(log.id), Watch())


async def test_a_request_that_vanished_is_watched_no_longer(parts: Parts) -> None:
    """Delivered by a stranger, so that no transaction of ours brings it back."""
    log = requested(block(2), route=QUORUM, prove_within=PROVE_WITHIN)
    parts.store.advance([block(2)], [log], KEEP)
    parts.store.answered(log.id, UNSEALED)
    parts.store.advance([block(3)], [delivered(block(3), log.id, b"\1" * 32)], KEEP)
    parts.store.set_deadline(log.id, None, 1_050)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(parts.guard.run())
        await asyncio.sleep(0)
        parts.guard.take([parts.job(log.id)])
        await _until(lambda: log.id in parts.guard.risks)
        parts.store.rewind(1)
        assert parts.job(log.id).status is JobStatus.ORPHANED
        parts.guard.look_at_all()
        await _until(lambda: not parts.guard.risks)
        running.cancel()


async def test_a_delivery_that_a_fork_took_back_is_no_risk(parts: Parts) -> None:
    """Its transaction brings it again, so it is still watched."""
    job = parts.delivered()
    parts.store.set_deadline(job.id, None, 1_050)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(parts.guard.run())
        await asyncio.sleep(0)
        parts.guard.take([job])
        await _until(lambda: job.id in parts.guard.risks)
        parts.store.rewind(2)
        assert parts.job(job.id).status is JobStatus.SENT
        parts.guard.look_at_all()
        await _until(lambda: not parts.guard.risks)
        running.cancel()


async def _until(what: Callable[[], bool]) -> None:
    for _ in range(3000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not so after 30 s")
