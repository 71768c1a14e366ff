"""Delivered first, proven later: the trust gap from its opening to its end, with a quorum of real nodes."""

from dataclasses import replace
from pathlib import Path

from tests.e2e.relayer_quorum import BOND, ETHER, EXPOSURE, hash_of, kinds, says, trio
from tests.e2e.relayer_world import QUICK, ended, get_json, until
from tests.support.terms import FEE
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Status
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.web.ports import free_port


async def test_two_of_three_sign_what_was_delivered(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked = await t.ask()
        job = await ended(store, asked)
        assert job.reason == "settled by us"
        assert job.answer is not None
        assert job.answer.seal is not None
        assert job.answer.seal[:4] == QUORUM
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
        steps = [step.status for step in store.steps(asked)]
        assert steps.index(JobStatus.DELIVERED) < steps.index(JobStatus.DONE)
        assurance = await t.w.hub.assurance_of(asked)
        assert (assurance.status, assurance.proven) == (Status.SETTLED, True)
        assert await t.exposed() == 0
        assert await t.w.hub.credit_of(t.w.operator) == FEE


async def test_an_unchallenged_window_settles_without_a_proof(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked = await t.ask(window=1_000)
        job = await ended(store, asked, JobStatus.DELIVERED)
        await until(lambda: says(store, asked, "the end of the window"))
        assert await t.exposed() == EXPOSURE + BOND
        await t.later(999)
        assert (await ended(store, asked, JobStatus.DELIVERED)).delivered_block == job.delivered_block
        await t.later(2)
        job = await ended(store, asked)
        assert job.reason == "settled by us: nobody challenged"
        assert job.answer is not None
        assert job.answer.seal is None, "nobody was asked for a signature"
        assert not (await t.w.hub.assurance_of(asked)).proven
        assert await t.exposed() == 0
        assert await t.w.hub.credit_of(t.w.operator) == FEE


async def test_a_challenge_is_answered_with_the_proof(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        asked = await t.ask(window=1_000)
        job = await ended(store, asked, JobStatus.DELIVERED)
        challenger = await t.challenge(job)
        job = await ended(store, asked)
        assert job.challenger == challenger
        assert JobStatus.CHALLENGED in [step.status for step in store.steps(asked)]
        assert (await t.w.hub.assurance_of(asked)).proven
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
        assert await t.w.hub.credit_of(t.w.operator) == FEE + BOND


async def test_a_chain_that_makes_no_blocks_settles_at_the_end_of_the_window(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        async with t.w.relayer(t.config(patience=replace(QUICK, quiet=1.5))) as store:
            asked = await t.ask(window=2)
            assert (await ended(store, asked)).reason == "settled by us: nobody challenged"


async def test_a_gap_is_shown_with_its_deadline(tmp_path: Path) -> None:
    port = free_port()
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config(status_port=port)) as store:
        asked = await t.ask(window=1_000)
        job = await ended(store, asked, JobStatus.DELIVERED)
        await until(lambda: says(store, asked, "the end of the window"))
        told = (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]
        line = told["delivered"][f"0x{asked.hex()}"]
        assert line.startswith("delivered, can be challenged until ")
        assert "waits until" in line
        assert told["quorum"]["trust"] == f"0x{t.policy.trust.hex()}"
        assert told["quorum"]["signers"] == list(t.policy.signers)
        assert (told["ok"], told["atRisk"]) == (True, {})
        one = (await get_json(f"http://127.0.0.1:{port}/requests/0x{asked.hex()}"))[1]
        gap = await t.w.hub.gap_of(job.terms)
        assert (one["challengeBy"], one["proveBy"]) == (gap.challenge_by, None)


async def test_another_relayer_of_the_operator_is_no_harm(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        async with t.w.relayer(t.config("one"), 2) as one, t.w.relayer(t.config("two"), 3) as two:
            requests = [await t.ask(b"%d" % i) for i in range(4)]
            for asked in requests:
                for store in (one, two):
                    job = await ended(store, asked)
                    assert job.reason in ("settled by us", f"lost race: settled by {t.w.operator}")
                assert await t.w.settled_logs(asked) == 1
            assert await t.exposed() == 0
            assert await t.w.hub.credit_of(t.w.operator) == 4 * FEE


async def test_what_others_deliver_is_left_to_them(tmp_path: Path) -> None:
    """Anybody's request: another operator is faster, and we have nothing to prove."""
    async with trio(tmp_path) as t, t.members():
        question = b"who is first?"
        terms = t.terms(question, window=1_000, exposure=0, bond=0)
        rival = t.w.sender(6)
        await rival.transact(t.w.nodes.register("http://rival.invalid"))
        asker = t.w.sender(4)
        await asker.transact(t.w.hub.request(terms, question))
        await rival.transact(t.w.hub.deliver(terms, rival.address, b"mine", t.signature(terms, b"mine", 6)))
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        port = free_port()
        async with t.w.relayer(t.config(status_port=port)) as store:
            job = await ended(store, asked, JobStatus.DELIVERED)
            assert job.reason == f"delivered by {rival.address}"
            await rival.transact(t.w.hub.challenge(terms, rival.address, hash_of(job)))
            await ended(store, asked, JobStatus.CHALLENGED)
            await ended(store, await t.ask(b"and mine?"))
            assert store.steps(asked)[-1].reason == f"challenged by {rival.address}"
            told = (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]
            assert told["jobs"]["challenged"] == 1
            assert told["delivered"] == told["atRisk"] == {}
            await t.later(1_000)
            await rival.transact(t.w.hub.reject(terms, rival.address, hash_of(job)))
            job = await ended(store, asked, JobStatus.FAILED)
            assert job.reason.startswith(f"rejected: {rival.address} slashed")
            assert store.transactions(asked) == []


async def test_a_lost_database_does_not_lose_the_stake(tmp_path: Path) -> None:
    async with trio(tmp_path) as t:
        async with t.members(), t.w.relayer(t.config()) as store:
            asked = await t.ask(window=1_000)
            job = await ended(store, asked, JobStatus.DELIVERED)
        await t.challenge(job)
        async with t.members(), t.w.relayer(t.config("fresh"), 3) as store:
            job = await ended(store, asked)
            assert job.reason == "settled by us"
            assert kinds(store, asked) == [TxKind.SETTLE]
            assert (await t.w.hub.assurance_of(asked)).proven


async def test_a_lost_database_and_a_member_who_is_down(tmp_path: Path) -> None:
    """Until who is in the quorum is known again, the stake is at risk; then the proof is collected."""
    async with trio(tmp_path) as t:
        async with t.members(), t.w.relayer(t.config()) as store:
            asked = await t.ask(window=1_000)
            job = await ended(store, asked, JobStatus.DELIVERED)
        await t.challenge(job)
        async with t.member(0), t.w.relayer(t.config("fresh"), 3) as store:
            await until(lambda: says(store, asked, "which no quorum of ours has"))
            async with t.member(1):
                assert (await ended(store, asked)).reason == "settled by us"


async def test_the_proof_is_collected_while_the_delivery_waits_for_its_block(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        question, asker = b"how soon?", t.w.sender(4)
        terms = t.terms(question)
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        await t.w.rpc.call("evm_setAutomine", False)
        await asker.send(t.w.hub.request(terms, question), gas=150_000, simulate=False)
        await t.w.rpc.call("evm_mine")
        await ended(store, asked, JobStatus.SENT)
        await until(lambda: _is_sealed(store, asked))
        assert kinds(store, asked) == [TxKind.DELIVER]
        await t.w.rpc.call("evm_mine")
        await ended(store, asked, JobStatus.DELIVERED)
        await t.w.rpc.call("evm_setAutomine", True)
        await ended(store, asked)
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]


async def _is_sealed(store: Store, request: bytes) -> bool:
    job = store.get(request)
    return job is not None and job.sealed


async def test_deliveries_of_a_burst_all_settle(tmp_path: Path) -> None:
    async with trio(tmp_path, stake=100 * ETHER) as t, t.members():
        async with t.w.relayer(t.config(), 2) as store:
            requests = [await t.ask(b"%d" % i) for i in range(20)]
            for asked in requests:
                await ended(store, asked, seconds=30)
                assert await t.w.settled_logs(asked) == 1
            assert await t.exposed() == 0
