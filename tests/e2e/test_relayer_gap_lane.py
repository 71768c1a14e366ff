"""Deliveries and settlements in difficulties: lost answers, strangers in the pool, and time that runs out."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.relayer_proxy import Call, proxy, tries
from tests.e2e.relayer_quorum import ETHER, kinds, says, trio
from tests.e2e.relayer_world import ended, get_json, until
from tests.support.terms import FEE
from vouch.chain.abi import function
from vouch.chain.transaction import Call as Transact
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.job import JobStatus, TxKind, TxStatus
from vouch.relayer.store import Store
from vouch.web.ports import free_port


async def test_answers_that_are_lost_on_the_way_are_not_sent_twice(tmp_path: Path) -> None:
    lost: list[Call] = []

    def lose(call: Call, answer: Any) -> Any:
        # Each transaction's first broadcast: neither result nor error, so its outcome is unknown.
        if call["method"] == "eth_sendRawTransaction" and call["params"] not in lost:
            lost.append(call["params"])
            return {"jsonrpc": "2.0", "id": call["id"]}
        return answer

    async with trio(tmp_path) as t, t.members(), proxy(t.w, lose) as (rpc, _):
        async with t.w.relayer(t.config(rpc_url=rpc)) as store:
            asked = await t.ask()
            await ended(store, asked)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assert await t.w.fulfilments() == len(lost) == 2
            assert await t.w.hub.credit_of(t.w.operator) == FEE


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_chain_that_is_away_when_it_gets_a_transaction(tmp_path: Path, arrives: bool) -> None:
    """Nobody knows whether it arrived: it stays signed and stored, and no second one is made."""
    async with trio(tmp_path) as t, t.members(), proxy(t.w, lambda _, answer: answer) as (rpc, handler):
        cut: list[Call] = []

        async def cut_off(call: Call) -> None:
            if call.get("method") == "eth_sendRawTransaction" and call["params"] not in cut:
                cut.append(call["params"])
                handler.away = True

        setattr(handler, "after" if arrives else "before", cut_off)
        async with t.w.relayer(t.config(rpc_url=rpc)) as store:
            asked = await t.ask()
            for count in (1, 2):
                await until(partial(_are, cut, count))
                await asyncio.sleep(4)  # until the sender gave up asking
                handler.away = False
            await ended(store, asked, seconds=20)
            assert kinds(store, asked) == [TxKind.DELIVER, TxKind.SETTLE]
            assert await t.w.fulfilments() == 2


async def test_a_delivery_that_somebody_else_made_while_ours_was_tried(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members(), proxy(t.w, lambda _, answer: answer) as (rpc, handler):
        deliver = function("InferenceHub", "deliver").selector
        async with t.w.relayer(t.config(rpc_url=rpc)) as store:

            async def be_faster(call: Call) -> None:
                if tries(call, deliver) and await t.w.hub.status_of(asked) is Status.REQUESTED:
                    data = bytes.fromhex(call["params"][0]["data"][2:])
                    await t.w.sender(5).transact(Transact(t.w.hub.address, data))
                    await ended(store, asked, JobStatus.DELIVERED)

            terms = t.terms(b"who?")
            asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
            handler.after = be_faster
            await t.w.sender(4).transact(t.w.hub.request(terms, b"who?"))
            await ended(store, asked)
            assert await says(store, asked, f"delivered by {t.w.operator}")
            assert kinds(store, asked) == [TxKind.SETTLE], "ours would have reverted"


async def test_a_node_that_is_down_is_not_waited_for_when_the_answer_is_out(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        terms = t.terms(b"public?", window=1_000)
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        signature = t.signature(terms, b"public?", 1)
        nobody = f"http://127.0.0.1:{free_port()}"
        async with t.w.relayer(replace(t.config(), nodes=(NodeEndpoint(nobody),))) as store:
            await t.w.sender(4).transact(t.w.hub.request(terms, b"public?"))
            await until(lambda: says(store, asked, "Cannot connect"))
            await t.w.sender(5).transact(t.w.hub.deliver(terms, t.w.operator, b"public?", signature))
            await ended(store, asked, JobStatus.DELIVERED)
            steps = len(store.steps(asked))
            await asyncio.sleep(1)
            assert [step.reason for step in store.steps(asked)[steps:]] == []


async def test_a_seal_in_the_pool_that_a_stranger_makes_a_delivery_of(tmp_path: Path) -> None:
    """The signature of an answer on SIGN waits for its block; who pays more opens the gap with it."""
    async with trio(tmp_path) as t, t.w.relayer(t.config(quorum=None)) as store:
        await ended(store, await t.w.ask(b"first"))
        question, asker = b"second", t.w.sender(4)
        terms = t.terms(question, route=SIGNED, trust=bytes(32))
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        await t.w.rpc.call("evm_setAutomine", False)
        await asker.send(t.w.hub.request(terms, question), gas=150_000, simulate=False)
        await t.w.rpc.call("evm_mine")
        job = await ended(store, asked, JobStatus.SENT)
        assert job.answer is not None
        assert job.answer.seal is not None
        call = t.w.hub.deliver(terms, t.w.operator, question, job.answer.seal[4:])
        thief = {"from": t.w.anvil.accounts[5].address, "to": t.w.hub.address, "data": f"0x{call.data.hex()}"}
        dear = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11), "gas": hex(300_000)}
        await t.w.rpc.call("eth_sendTransaction", thief | dear)
        await t.w.rpc.call("evm_mine")
        assert await t.w.hub.status_of(asked) is Status.DELIVERED
        await t.w.rpc.call("evm_setAutomine", True)
        assert (await ended(store, asked)).reason == "settled by us"
        assert kinds(store, asked) == [TxKind.FULFIL, TxKind.SETTLE]
        statuses = [tx.status for tx in store.transactions(asked)]
        assert statuses[0] is TxStatus.REVERTED
        assert await t.exposed() == 0


async def test_a_proof_that_does_not_come_before_deliver_by(tmp_path: Path) -> None:
    async with trio(tmp_path, stake=0) as t:
        async with t.members(), t.w.relayer(t.config()):
            pass  # who signs is known from here on
        async with t.w.relayer(t.config()) as store:
            asked = await t.ask(operator=t.w.operator)
            await until(lambda: says(store, asked, "Cannot connect"))
            await t.later(1_000)
            await until(lambda: says(store, asked, "deliverBy"))
            job = await ended(store, asked, JobStatus.EXPIRED)
            await until(lambda: _has(t.w.hub.credit_of(t.w.anvil.accounts[4].address), FEE))
            assert kinds(store, asked) == [TxKind.EXPIRE]
            assert job.delivered_block is None


async def test_a_request_that_a_fork_took_back_is_no_risk(tmp_path: Path) -> None:
    """A stranger delivered our node's answer, so that no transaction of ours brings it back either."""
    port, question = free_port(), b"whose?"
    async with trio(tmp_path) as t:
        terms = t.terms(question, window=1_000)
        asked = terms.id(t.w.anvil.chain_id, t.w.hub.address)
        receipt = await t.w.sender(4).transact(t.w.hub.request(terms, question))
        raw = await t.w.rpc.call("eth_getRawTransactionByHash", receipt.tx_hash)
        signature = t.signature(terms, question, 1)
        await t.w.sender(5).transact(t.w.hub.deliver(terms, t.w.operator, question, signature))
        await t.w.sender(5).transact(t.w.hub.challenge(terms, t.w.operator, keccak(question)))
        async with t.w.relayer(t.config(status_port=port, quorum=t.quorum_by_name())) as store:
            await until(lambda: says(store, asked, "proof is due: 1 of 2"))
            await t.later(60)
            await until(lambda: says(store, asked, "stake at risk"))
            assert (await get_json(f"http://127.0.0.1:{port}/healthz"))[0] == 503
            await t.w.rpc.call("anvil_reorg", 4, [])
            assert await t.w.hub.status_of(asked) is Status.NONE
            await until(lambda: _healthy(port))
            async with t.members():
                await t.w.rpc.call("eth_sendRawTransaction", raw)
                # Whether it is delivered again depends on who is known to be up by then.
                await until(lambda: _is_in(store, asked, JobStatus.DELIVERED, JobStatus.DONE), seconds=20)
                await t.later(1_001)
                job = await ended(store, asked)
                assert job.challenger is None
                assert await t.w.nodes.free_stake_of(t.w.operator) == 10 * ETHER


async def _is_in(store: Store, request: bytes, *statuses: JobStatus) -> bool:
    return store.status(request) in statuses


async def _are(things: list[Call], count: int) -> bool:
    return len(things) == count


async def _has(amount: Awaitable[int], wanted: int) -> bool:
    return await amount == wanted


async def _healthy(port: int) -> bool:
    told = (await get_json(f"http://127.0.0.1:{port}/healthz"))[1]
    return not told["atRisk"]
