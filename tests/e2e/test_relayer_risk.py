"""Co-signers who are down or disagree: what happens to stake and request."""

from pathlib import Path

from tests.e2e.relayer_quorum import BOND, EXPOSURE, SIGNERS, Contrary, Trio, hash_of, kinds, says, trio
from tests.e2e.relayer_world import ended, get_json, until
from tests.support.terms import FEE
from vouch.protocol.seal import address_of
from vouch.protocol.status import Status
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store
from vouch.web.ports import free_port


async def _challenged_alone(t: Trio, asked: bytes, store: Store) -> None:
    """Somebody demands the proof while both others are down."""
    await t.challenge(await ended(store, asked, JobStatus.DELIVERED))
    await ended(store, asked, JobStatus.CHALLENGED)
    await until(lambda: says(store, asked, "1 of 2 signatures"))


async def test_co_signers_who_come_back_in_time_save_the_stake(tmp_path: Path) -> None:
    async with trio(tmp_path) as t:
        async with t.members():
            relayer = t.w.relayer(t.config())
            store = await relayer.__aenter__()
            asked = await t.ask(window=1_000)
            await ended(store, asked, JobStatus.DELIVERED)
        try:
            await _challenged_alone(t, asked, store)
            await until(lambda: says(store, asked, "Cannot connect"))
            async with t.member(1):
                assert (await ended(store, asked)).reason == "settled by us"
            signed = store.cosignatures(t.digest(await ended(store, asked))).signed
            assert set(signed) == {address_of(SIGNERS[1].public_key)}
        finally:
            await relayer.__aexit__(None, None, None)


async def test_a_proof_that_takes_long_is_reported_as_a_risk(tmp_path: Path) -> None:
    port = free_port()
    async with trio(tmp_path) as t:
        async with t.members():
            relayer = t.w.relayer(t.config(status_port=port))
            store = await relayer.__aenter__()
            asked = await t.ask(window=1_000)
            await ended(store, asked, JobStatus.DELIVERED)
        try:
            await _challenged_alone(t, asked, store)
            assert (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]["atRisk"] == {}
            await t.later(60)  # more than half of proveWithin
            await until(lambda: says(store, asked, "stake at risk: 1 of 2 signatures"))
            status, told = await get_json(f"http://127.0.0.1:{port}/healthz")
            assert (status, told["ok"]) == (503, False)
            assert "Cannot connect" in told["atRisk"][f"0x{asked.hex()}"]
            async with t.member(0):
                await ended(store, asked)
            assert (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]["atRisk"] == {}
        finally:
            await relayer.__aexit__(None, None, None)


async def test_one_who_disagrees_is_outvoted(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(Contrary()), t.w.relayer(t.config()) as store:
        asked = await t.ask()
        job = await ended(store, asked)
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
        assert job.reason == "settled by us"


async def test_all_who_disagree_cost_the_stake_and_that_is_said(tmp_path: Path) -> None:
    port = free_port()
    async with trio(tmp_path) as t, t.members(Contrary(), Contrary()):
        async with t.w.relayer(t.config(status_port=port)) as store:
            asked = await t.ask()
            await until(lambda: says(store, asked, "stake at risk: 1 of 2 signatures"))
            job = await ended(store, asked, JobStatus.DELIVERED)
            assert job.reason.count("Disagrees") == 2
            status, told = await get_json(f"http://127.0.0.1:{port}/healthz")
            assert status == 503
            assert "Disagrees" in told["atRisk"][f"0x{asked.hex()}"]
            await t.later(101)
            await until(lambda: says(store, asked, "passed without a proof"))
            rejecter = t.w.sender(5)
            await rejecter.transact(t.w.hub.reject(job.terms, t.w.operator, hash_of(job)))
            job = await ended(store, asked, JobStatus.FAILED)
            assert job.reason.startswith("rejected: ")
            assert f"slashed, {EXPOSURE + BOND} token units" in job.reason
            assert kinds(store, asked) == [TxKind.DELIVER]
            assert (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]["atRisk"] == {}
            # The lane goes on, and what is final stays so.
            assert await t.w.hub.credit_of(t.w.operator) == 0


async def test_without_a_gap_a_quorum_that_disagrees_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(Contrary(), Contrary()):
        async with t.w.relayer(t.config()) as store:
            asked = await t.ask(prove_within=0, operator=t.w.operator)
            job = await ended(store, asked, JobStatus.FAILED)
            assert job.reason.startswith("no quorum: 1 of 2 signatures; ")
            assert job.reason.count("Disagrees") == 2
            assert store.transactions(asked) == []
            await t.later(700)
            await ended(store, asked, JobStatus.EXPIRED)
            assert await t.w.hub.credit_of(t.w.anvil.accounts[4].address) == FEE


async def test_without_co_signers_in_reach_nothing_is_put_at_risk(tmp_path: Path) -> None:
    async with trio(tmp_path) as t:
        async with t.members():
            async with t.w.relayer(t.config()):
                pass  # who signs is known from here on
        async with t.w.relayer(t.config()) as store:
            asked = await t.ask()
            await until(lambda: says(store, asked, "proof first (1 of 2 signers are ready"))
            assert await t.w.hub.status_of(asked) is Status.REQUESTED
            async with t.member(0):
                await ended(store, asked)
            assert kinds(store, asked) == [TxKind.FULFIL]
            assert (await t.w.hub.assurance_of(asked)).proven


async def test_a_quorum_nobody_could_learn_is_waited_for(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.w.relayer(t.config()) as store:
        asked = await t.ask()
        await until(lambda: says(store, asked, "quorum not known until"))
        async with t.members():
            await ended(store, asked)


async def test_a_tombstoned_route_frees_the_stake(tmp_path: Path) -> None:
    async with trio(tmp_path) as t:
        async with t.members():
            relayer = t.w.relayer(t.config())
            store = await relayer.__aenter__()
            waits = await t.ask(b"open", window=1_000)
            await ended(store, waits, JobStatus.DELIVERED)
            asked = await t.ask(b"challenged", window=1_000)
            await ended(store, asked, JobStatus.DELIVERED)
        try:
            await _challenged_alone(t, asked, store)
            await t.w.sender(0).transact(t.w.router.tombstone(b"QRUM"))
            for request in (asked, waits):
                await ended(store, request, JobStatus.EXPIRED)
                assert kinds(store, request) == [TxKind.DELIVER, TxKind.EXPIRE_DELIVERED]
            assert await t.exposed() == 0
            assert await t.w.hub.credit_of(t.w.anvil.accounts[4].address) == 2 * FEE
        finally:
            await relayer.__aexit__(None, None, None)
