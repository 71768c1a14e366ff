"""Which jobs come out of what was read; reading itself is in tests/python/chain, the whole in tests/e2e."""

from pathlib import Path

import pytest

from tests.python.relayer.making import KEEP, OTHER_TX, block, delivered, requested, settled
from tests.support.terms import INPUT, make_terms
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub
from vouch.chain.events import HUB_EVENTS
from vouch.chain.follower import Follower
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.relayer.errors import ReorganisedTooDeep
from vouch.relayer.intake import Intake
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store


def test_work_is_handed_over_once(store: Store) -> None:
    intake = Intake(store, KEEP)
    first, second = requested(block(2), salt=1), requested(block(3), salt=2)
    intake.take([block(2)], [first])
    intake.take([block(3)], [second])
    assert [job.id for job in intake.work()] == [first.id, second.id]
    assert intake.work() == []
    assert intake.recent_blocks() == [block(3), block(2), block(1)]


def test_only_the_newest_of_a_job_is_handed_over(store: Store) -> None:
    intake, asked = Intake(store, KEEP), requested(block(2))
    intake.take([block(2)], [asked])
    intake.take([block(3)], [delivered(block(3), asked.id, OTHER_TX)])
    assert [job.status for job in intake.work()] == [JobStatus.DELIVERED]


def test_what_ended_before_it_was_handed_over_needs_no_work(store: Store) -> None:
    intake, asked = Intake(store, KEEP), requested(block(2))
    intake.take([block(2)], [asked])
    intake.take([block(3)], [settled(block(3), asked.id, OTHER_TX)])
    assert intake.work() == []


def test_the_end_of_a_gap_is_handed_over(store: Store) -> None:
    intake, asked = Intake(store, KEEP), requested(block(2))
    intake.take([block(2)], [asked, delivered(block(2), asked.id, OTHER_TX)])
    intake.take([block(3)], [settled(block(3), asked.id, OTHER_TX)])
    assert [job.status for job in intake.work()] == [JobStatus.DONE]


def test_what_a_fork_took_back_before_it_was_handed_over_needs_no_work(store: Store) -> None:
    intake, asked = Intake(store, KEEP), requested(block(3))
    intake.take([block(2)], [])
    intake.take([block(3)], [asked])
    intake.rewind(block(2))
    assert intake.work() == []
    intake.take([block(3, "fork")], [asked])
    assert [job.id for job in intake.work()] == [asked.id]


def test_what_a_fork_opened_again_is_work(store: Store) -> None:
    intake, asked = Intake(store, KEEP), requested(block(2))
    intake.take([block(2)], [asked])
    intake.take([block(3)], [settled(block(3), asked.id, OTHER_TX)])
    assert intake.work() == []
    intake.rewind(block(2))
    assert [job.status for job in intake.work()] == [JobStatus.SEEN]


async def test_a_fork_deeper_than_the_memory_is_an_error(rpc: Rpc, hub: Hub, tmp_path: Path) -> None:
    with Store(tmp_path / "relayer.sqlite") as store:
        start = int(await rpc.call("eth_blockNumber"), 16)
        follower = Follower(rpc, hub.address, HUB_EVENTS, Intake(store, 2), ChainClock(), start=start)
        for _ in range(6):
            await rpc.call("evm_mine")
            await follower.read()
        await rpc.call("anvil_reorg", 5, [])
        with pytest.raises(ReorganisedTooDeep) as deep:
            await follower.read()
        assert deep.value.oldest == start + 4


async def test_reading_goes_on_where_the_store_left_off(
    rpc: Rpc, hub: Hub, sender: TxSender, tmp_path: Path
) -> None:
    start = int(await rpc.call("eth_blockNumber"), 16)
    ids = []
    for salt in (1, 2):
        with Store(tmp_path / "relayer.sqlite") as store:
            intake = Intake(store, KEEP)
            follower = Follower(rpc, hub.address, HUB_EVENTS, intake, ChainClock(), start=start)
            assert (follower.cursor, follower.head) == (store.cursor(), start if salt == 2 else 0)
            head = await rpc.call("eth_getBlockByNumber", "latest", False)
            deadline = int(head["timestamp"], 16) + 3600
            terms = make_terms(consumer=sender.address, salt=salt, deliver_by=deadline)
            await sender.transact(hub.request(terms, INPUT))
            await follower.read()
            ids.append([job.terms.salt for job in intake.work()])
            start = follower.head
    assert ids == [[1], [2]]
