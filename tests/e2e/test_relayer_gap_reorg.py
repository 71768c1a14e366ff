"""The chain takes blocks of a trust gap back: what was delivered is delivered again, or found delivered."""

from pathlib import Path

from tests.e2e.relayer_quorum import BOND, EXPOSURE, Trio, kinds, says, trio
from tests.e2e.relayer_world import ended, until
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import Job, JobStatus, TxKind, TxStatus
from vouch.relayer.store import Store


async def test_a_delivery_that_was_taken_back_is_sent_again(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked, first = await _delivered(t, store)
        (tx,) = store.transactions(asked)
        await t.w.rpc.call("anvil_reorg", 1, [])
        assert await t.w.hub.status_of(asked) is Status.REQUESTED
        await until(lambda: says(store, asked, "the block that delivered it was reorganised away"))
        await until(lambda: _is(t, asked, Status.DELIVERED))
        again = await _redelivered(store, first)
        assert [each.hash for each in store.transactions(asked)] == [tx.hash], "the same bytes"
        gap = await t.w.hub.gap_of(again.terms)
        await until(lambda: _knows_deadline(store, asked, gap.challenge_by))
        await t.later(1_001)
        assert (await ended(store, asked)).reason == "settled by us: nobody challenged"
        assert await t.exposed() == 0
        assert await t.w.hub.credit_of(t.w.operator) == FEE


async def test_a_challenge_that_vanished_is_forgotten(tmp_path: Path) -> None:
    async with trio(tmp_path) as t:
        async with t.members():
            relayer = t.w.relayer(t.config())
            store = await relayer.__aenter__()
            asked, job = await _delivered(t, store)
        try:
            challenger = await t.challenge(job)
            assert (await ended(store, asked, JobStatus.CHALLENGED)).challenger == challenger
            await until(lambda: says(store, asked, "proof is due: 1 of 2"))
            await t.w.rpc.call("anvil_reorg", 1, [])
            await until(lambda: says(store, asked, "the block that challenged it was reorganised away"))
            job = await ended(store, asked, JobStatus.DELIVERED)
            assert (job.challenger, job.challenged_block) == (None, None)
            await t.later(1_001)
            assert (await ended(store, asked)).reason == "settled by us: nobody challenged"
        finally:
            await relayer.__aexit__(None, None, None)


async def test_a_settlement_that_was_taken_back_is_sent_again(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked = await t.ask()
        first = await ended(store, asked)
        await until(lambda: _closed(store, asked))
        await t.w.rpc.call("anvil_reorg", 2, [])
        assert await t.w.hub.status_of(asked) is Status.REQUESTED
        await until(lambda: _is(t, asked, Status.SETTLED))
        again = await ended(store, asked)
        assert again.end_tx == first.end_tx
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
        assert await t.w.settled_logs(asked) == 1
        assert await t.exposed() == 0


async def test_a_fork_in_which_somebody_else_delivered_the_same(tmp_path: Path) -> None:
    """Ours is dropped for good; another relayer of the operator was faster in the new blocks."""
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked, job = await _delivered(t, store)
        assert job.answer is not None
        assert job.answer.signature is not None
        other = t.w.sender(5)
        call = t.w.hub.deliver(job.terms, t.w.operator, job.answer.output, job.answer.signature)
        await t.w.rpc.call("evm_setAutomine", False)
        await t.w.rpc.call("anvil_reorg", 1, [])
        sent = await other.send(call, gas=300_000, simulate=False)
        await t.w.rpc.call("evm_setAutomine", True)
        await t.w.rpc.call("evm_mine")
        await other.wait(sent)
        await until(lambda: _is(t, asked, Status.DELIVERED))
        await _redelivered(store, job)
        await t.challenge(job)
        await ended(store, asked)
        assert (await t.w.hub.assurance_of(asked)).proven
        assert await t.w.hub.credit_of(t.w.operator) == FEE + BOND


async def test_a_fork_while_the_relayer_was_away(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        async with t.w.relayer(t.config()) as store:
            asked, first = await _delivered(t, store)
        await t.w.rpc.call("anvil_reorg", 1, [])
        other = await t.w.ask(b"meanwhile")
        async with t.w.relayer(t.config()) as store:
            await ended(store, other)
            await until(lambda: _is(t, asked, Status.DELIVERED))
            await _redelivered(store, first)
            assert await t.exposed() == EXPOSURE + BOND
            await t.later(1_001)
            await ended(store, asked)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]


async def _delivered(t: Trio, store: Store) -> tuple[bytes, Job]:
    """A request in its window, whose delivery is over for the lane too."""
    asked = await t.ask(window=1_000)
    job = await ended(store, asked, JobStatus.DELIVERED)
    await until(lambda: _closed(store, asked))
    await until(lambda: says(store, asked, "the end of the window"))
    return asked, job


async def _redelivered(store: Store, before: Job) -> Job:
    """The job once it is delivered again, in another block than before."""

    async def again() -> bool:
        steps = [step.reason for step in store.steps(before.id)]
        gone = max(i for i, reason in enumerate(steps) if "reorganised away" in reason)
        job = store.get(before.id)
        return job is not None and job.status.in_gap and len(steps) > gone + 1

    await until(again)
    return await ended(store, before.id, JobStatus.DELIVERED)


async def _knows_deadline(store: Store, request: bytes, challenge_by: int) -> bool:
    job = store.get(request)
    return job is not None and job.challenge_by == challenge_by


async def _closed(store: Store, request: bytes) -> bool:
    return all(tx.status is TxStatus.MINED for tx in store.transactions(request))


async def _is(t: Trio, request: bytes, status: Status) -> bool:
    return await t.w.hub.status_of(request) is status
