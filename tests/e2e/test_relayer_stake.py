"""What is delivered with a gap and what is proven first: stake, limits, and other people's quorums."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.relayer_proxy import Call, proxy, tries
from tests.e2e.relayer_quorum import BOND, ETHER, EXPOSURE, SIGNERS, kinds, says, trio
from tests.e2e.relayer_world import ended, until
from tests.support.terms import FEE
from vouch.chain.abi import function
from vouch.protocol.quorum import Policy
from vouch.protocol.seal import SIGNED, address_of
from vouch.protocol.status import Status
from vouch.relayer.config import CosignerEndpoint, QuorumConfig
from vouch.relayer.job import JobStatus, TxKind
from vouch.relayer.store import Store


@pytest.mark.parametrize(
    ("stake", "terms", "config", "why"),
    [
        (0, {}, {}, "of the stake of"),
        (EXPOSURE + BOND - 1, {}, {}, "of the stake of"),
        (10 * ETHER, {"exposure": (1 << 256) - 1}, {}, "of the stake of"),
        (10 * ETHER, {}, {"max_exposure": EXPOSURE}, f"at most {EXPOSURE} shall be"),
        (10 * ETHER, {"prove_within": 59}, {}, "proveWithin is 59 s, we ask for 60"),
        (10 * ETHER, {"prove_within": 59, "window": 600}, {}, "proveWithin is 59 s, we ask for 60"),
        (10 * ETHER, {"prove_within": 0}, {}, "the terms allow no gap"),
        (10 * ETHER, {"window": 86_401}, {}, "the window is 86401 s, we wait 86400 for the fee at most"),
        (10 * ETHER, {"window": 61}, {"max_window": 60}, "the window is 61 s, we wait 60 for the fee"),
    ],
)
async def test_what_is_not_delivered_is_proven_first(
    tmp_path: Path, stake: int, terms: dict[str, Any], config: dict[str, Any], why: str
) -> None:
    async with trio(tmp_path, stake=stake) as t, t.members(), t.w.relayer(t.config(**config)) as store:
        asked = await t.ask(**terms)
        job = await ended(store, asked)
        assert any(why in step.reason for step in store.steps(asked))
        assert kinds(store, asked) == [TxKind.FULFIL]
        assert job.answer is not None
        assert (await t.w.hub.assurance_of(asked)).proven
        assert await t.w.hub.credit_of(t.w.operator) == FEE


@pytest.mark.parametrize(("window", "config"), [(86_400, {}), (86_401, {"max_window": 86_401})])
async def test_the_longest_window_that_is_waited_for(
    tmp_path: Path, window: int, config: dict[str, Any]
) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config(**config)) as store:
        asked = await t.ask(window=window)
        await ended(store, asked, JobStatus.DELIVERED)
        assert kinds(store, asked) == [TxKind.DELIVER]


async def test_nothing_at_stake_needs_no_stake(tmp_path: Path) -> None:
    async with trio(tmp_path, stake=0) as t, t.members(), t.w.relayer(t.config()) as store:
        asked = await t.ask(exposure=0, bond=0)
        await ended(store, asked)
        assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]


async def test_no_more_is_delivered_than_the_stake_covers(tmp_path: Path) -> None:
    """Eight requests at once, stake for three: nothing reverts, and all are answered."""
    async with trio(tmp_path, stake=3 * (EXPOSURE + BOND)) as t, t.members():
        async with t.w.relayer(t.config()) as store:
            sender, requests = t.w.sender(4), []
            await t.w.rpc.call("evm_setAutomine", False)
            for i in range(8):
                question = b"question %d" % i
                terms = t.terms(question, window=1_000)
                requests.append(terms.id(t.w.anvil.chain_id, t.w.hub.address))
                await sender.send(t.w.hub.request(terms, question), gas=150_000, simulate=False)
            await t.w.rpc.call("evm_mine")
            await t.w.rpc.call("evm_setAutomine", True)
            await t.w.rpc.call("evm_mine")

            async def done() -> bool:
                counts = store.counts()
                return (counts.get(JobStatus.DELIVERED), counts.get(JobStatus.DONE)) == (3, 5)

            await until(done, seconds=20)
            assert await t.exposed() == 3 * (EXPOSURE + BOND)
            await until(lambda: _over(store))
            sent = [tx for request in requests for tx in store.transactions(request)]
            assert {tx.status.value for tx in sent} == {"mined"}
            reasons = [step.reason for request in requests for step in store.steps(request)]
            assert sum("of the stake of" in reason for reason in reasons) >= 5
            assert not any("UncoveredExposure" in reason for reason in reasons), "nothing was tried in vain"


async def _over(store: Store) -> bool:
    return not store.pending()


async def test_stake_that_a_settlement_frees_is_used_again(tmp_path: Path) -> None:
    async with trio(tmp_path, stake=EXPOSURE + BOND) as t, t.members():
        async with t.w.relayer(t.config()) as store:
            first = await t.ask(b"one", window=100)
            await ended(store, first, JobStatus.DELIVERED)
            second = await t.ask(b"two")
            await ended(store, second)
            await t.later(101)
            await ended(store, first)
            third = await t.ask(b"three")
            await ended(store, third)
            assert kinds(store, second) == [TxKind.FULFIL]
            assert kinds(store, third) == [TxKind.DELIVER, TxKind.SETTLE]


async def test_stake_that_is_gone_in_the_same_moment(tmp_path: Path) -> None:
    """Between the decision and the transaction: the chain has the last word, and the answer another way."""
    async with trio(tmp_path, stake=EXPOSURE + BOND) as t, t.members():
        async with proxy(t.w, lambda _, answer: answer) as (rpc, handler):
            deliver = function("InferenceHub", "deliver").selector

            async def unbond(call: Call) -> None:
                if tries(call, deliver):
                    await t.w.sender(1).transact(t.w.nodes.unbond(1))

            handler.before = unbond
            async with t.w.relayer(t.config(rpc_url=rpc)) as store:
                asked = await t.ask()
                await ended(store, asked)
                assert await says(store, asked, "proof first (UncoveredExposure(")
                assert kinds(store, asked) == [TxKind.FULFIL]


async def test_requests_that_trust_other_quorums_are_refused(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        other = Policy(1, t.policy.signers)
        asked = await t.ask(trust=other.trust)
        job = await ended(store, asked, JobStatus.REFUSED)
        assert job.reason.startswith(
            f"UntrustedPolicy: the terms trust 0x{other.trust.hex()}, we have quorum 2 of 3"
        )
        assert f"trust 0x{t.policy.trust.hex()}" in job.reason
        assert await t.w.hub.status_of(asked) is Status.REQUESTED


async def test_without_a_quorum_the_route_is_refused(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.w.relayer(t.config(quorum=None)) as store:
        job = await ended(store, await t.ask(), JobStatus.REFUSED)
        assert job.reason.startswith("UntrustedPolicy: ")
        assert job.reason.endswith("we have no quorum (--cosigner)")


async def test_an_operator_outside_of_the_quorum_needs_the_others(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        policy = Policy.of(2, (address_of(key.public_key) for key in SIGNERS))
        others = tuple(CosignerEndpoint(f"http://127.0.0.1:{port}") for port in t.ports)
        async with t.w.relayer(t.config(quorum=QuorumConfig(2, others))) as store:
            asked = await t.ask(trust=policy.trust)
            await ended(store, asked)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            await until(lambda: says(store, asked, "delivered by us"))


async def test_an_answer_that_a_stranger_delivers_is_proven_too(tmp_path: Path) -> None:
    """On the route SIGN the seal is the signature that `deliver` takes: whoever sees it can open the gap."""
    question = b"public?"
    async with trio(tmp_path) as t:
        terms = t.terms(question, route=SIGNED, trust=bytes(32), window=0)
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        body = {"chainId": t.w.anvil.chain_id, "hub": t.w.hub.address}
        body |= {"terms": f"0x{bytes(terms).hex()}", "input": f"0x{question.hex()}"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{t.url}/vouch/v1/answers", json=body) as reply,
        ):
            signature = bytes.fromhex((await reply.json())["signature"][2:])
        await t.w.sender(4).transact(t.w.hub.request(terms, question))
        await t.w.sender(5).transact(t.w.hub.deliver(terms, t.w.operator, question, signature))
        assert await t.exposed() == EXPOSURE + BOND
        async with t.w.relayer(t.config(quorum=None)) as store:
            job = await ended(store, asked)
            assert job.reason == "settled by us"
            assert kinds(store, asked) == [TxKind.SETTLE]
            assert await t.exposed() == 0


@pytest.mark.parametrize(
    "terms",
    [
        {"prove_within": 29},
        {"prove_within": 0, "window": 600},
        {"prove_within": 29, "route": SIGNED, "trust": bytes(32)},
    ],
)
async def test_a_gap_too_short_to_defend_is_refused(tmp_path: Path, terms: dict[str, Any]) -> None:
    async with trio(tmp_path) as t, t.members(), t.w.relayer(t.config()) as store:
        job = await ended(store, await t.ask(**terms), JobStatus.REFUSED)
        assert job.reason.startswith("GapTooShort: with stake behind the answer we need 30 s to prove it")
        await ended(store, await t.ask(**terms | {"exposure": 0, "bond": 0}))
