"""From a request on a real chain through a real node and back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.relayer_world import PRICE, QUICK, World, ended, until, world
from tests.support.contract import Contract, creation
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store
from vouch.web.ports import free_port


async def test_an_account_asks_and_is_answered(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await w.ask(b"how risky?")
        job = await ended(store, asked)
        assert job.reason == "settled by us"
        assert job.answer is not None
        assert (job.answer.output, job.answer.operator) == (b"how risky?", w.operator)
        assert await w.hub.status_of(asked) is Status.SETTLED
        assert await w.hub.credit_of(w.operator) == FEE
        steps = [step.status for step in store.steps(asked)]
        # The block may be read before the broadcast is known to have worked.
        steps = [status for status in steps if status is not JobStatus.SENT]
        assert steps == ["seen", "dispatched", "answered", "sending", "done"]
        assert [tx.hash for tx in store.transactions(asked)] == [job.end_tx]


async def test_requests_from_before_the_start_are_served(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        asked = [await w.ask(b"%d" % i) for i in range(3)]
        await w.rpc.call("anvil_mine", hex(50))  # so that they are read in a range and not block by block
        async with w.relayer(w.config(url, ws_url=None)) as store:
            for request in asked:
                await ended(store, request)


async def test_confirmations_are_waited_for(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        config = w.config(url, confirmations=3)
        async with w.relayer(config) as store:
            asked = await w.ask()
            await asyncio.sleep(0.4)
            assert store.get(asked) is None
            await w.rpc.call("anvil_mine", hex(3))
            await until(lambda: _is(w, asked, Status.SETTLED))
            await w.rpc.call("anvil_mine", hex(3))
            await ended(store, asked)


async def test_bytes_of_old_requests_are_dropped_at_the_start(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        async with w.relayer(w.config(url, keep_blocks=2)) as store:
            asked = await ended(store, await w.ask())
            await w.rpc.call("anvil_mine", "0x10")
            await until(lambda: _read_on(store, (asked.end_block or 0) + 3))
        async with w.relayer(w.config(url, keep_blocks=2)) as store:
            assert store.get(asked.id) == asked
        async with w.relayer(w.config(url, keep_blocks=2, keep_days=0.0)) as store:
            await until(lambda: _pruned(store, asked.id))
            (sent,) = store.transactions(asked.id)
            assert (sent.hash, sent.raw) == (asked.end_tx, b"")
            await ended(store, await w.ask(b"another"))


async def _read_on(store: Store, block: int) -> bool:
    cursor = store.cursor()
    return cursor is not None and cursor.number >= block


async def _pruned(store: Store, request: bytes) -> bool:
    job = store.get(request)
    return job is not None and job.input == b"" and job.answer is None


async def _is(w: World, request: bytes, status: Status) -> bool:
    return await w.hub.status_of(request) is status


async def test_a_node_that_is_down_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    async with world(tmp_path) as w, w.relayer(w.config(f"http://127.0.0.1:{port}")) as store:
        asked = await w.ask(operator=w.operator)
        waits = await ended(store, asked, JobStatus.SEEN)
        await until(lambda: _waits(store.steps(asked)))
        assert waits.answer is None
        async with w.node(port=port):
            await ended(store, asked)


async def _waits(steps: Sequence[object]) -> bool:
    return any("waits" in str(step) and "Cannot connect" in str(step) for step in steps)


async def test_another_node_answers_for_one_that_died(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node(name="first") as first:
        async with w.node(name="second") as second:
            async with w.relayer(w.config(second, first)) as store:
                for i in range(2):
                    await ended(store, await w.ask(b"%d" % i))
                assert {job.answer.node for s in await _ids(w) if (job := store.get(s)) and job.answer} == {
                    first,
                    second,
                }
        async with w.relayer(w.config(second, first)) as store:
            for i in range(2, 5):
                job = await ended(store, await w.ask(b"%d" % i))
                assert job.answer is not None
                assert job.answer.node == first


async def _ids(w: World) -> list[bytes]:
    logs = await w.rpc.call("eth_getLogs", {"address": w.hub.address, "fromBlock": "0x0"})
    return [bytes.fromhex(log["topics"][1][2:]) for log in logs if len(log["topics"]) == 3]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"operator": "0x00000000000000000000000000000000000000AA"}, "OtherOperator"),
        ({"model_id": b"\1" * 32}, "ModelNotServed"),
        ({"route": b"NONE"}, "ModelNotServed"),
        ({"fee": PRICE - 1}, "FeeTooLow"),
        ({"trust": b"\1" * 32}, "UntrustedOperator"),
        ({"callback_gas": 2_000_000}, "CallbackGasTooHigh"),
    ],
)
async def test_refusals_say_why(tmp_path: Path, changes: dict[str, Any], name: str) -> None:
    async with world(tmp_path) as w, w.node() as url:
        config = w.config(url)
        limits = type(config.limits)(callback_gas=1_000_000)
        async with w.relayer(w.config(url, limits=limits)) as store:
            job = await ended(store, await w.ask(**changes), JobStatus.REFUSED)
            assert job.reason.startswith(f"{name}: ")
            assert await w.fulfilments() == 0


async def test_a_late_request_is_refused_and_its_fee_given_back(tmp_path: Path) -> None:
    patience = replace(QUICK, margin=30.0)
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url, patience=patience)) as store:
        now = int((await w.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
        asked = await w.ask(operator=w.operator, deliver_by=now + 20)
        job = await ended(store, asked, JobStatus.REFUSED)
        assert job.reason.startswith("TooLate: ")
        await w.rpc.call("evm_increaseTime", 60)
        await w.rpc.call("evm_mine")
        job = await ended(store, asked, JobStatus.EXPIRED)
        assert await w.hub.status_of(asked) is Status.EXPIRED
        assert await w.hub.credit_of(w.anvil.accounts[4].address) == FEE


async def test_a_request_that_its_node_could_not_answer_expires_with_the_fee_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        async with w.node() as url:
            config = w.config(url)
            relayer = w.relayer(config)
            store = await relayer.__aenter__()
        try:
            asked = await w.ask(operator=w.operator)
            await until(lambda: _waits(store.steps(asked)))
            await w.rpc.call("evm_increaseTime", 1_000)
            await w.rpc.call("evm_mine")
            job = await ended(store, asked, JobStatus.EXPIRED)
            await until(lambda: _is(w, asked, Status.EXPIRED))
            assert job.answer is None
            assert any(
                "deliverBy" in step.reason and "Cannot connect" in step.reason for step in store.steps(asked)
            )
            assert await w.hub.credit_of(w.anvil.accounts[4].address) == FEE
        finally:
            await relayer.__aexit__(None, None, None)


async def _ask_hostile(w: World, mode: str) -> tuple[Contract, bytes]:
    modes = [
        "Accept",
        "RevertNamed",
        "RevertLong",
        "RevertEmpty",
        "BurnGas",
        "ReturnMegabyte",
        "RevertMegabyte",
    ]
    modes += ["WrongSelector", "ReturnShort", "ReturnNothing"]
    asker = w.sender(4)
    created = await asker.transact(creation("HostileConsumer", w.hub.address))
    consumer = Contract(w.rpc, "HostileConsumer", created.contract or "")
    await asker.transact(consumer.call("setMode", modes.index(mode)))
    terms = w.terms(consumer.address, b"hello", callback_gas=3_000_000)
    await asker.transact(consumer.call("ask", terms.to_abi(), b"hello", value=FEE))
    return consumer, terms.id(w.anvil.chain_id, w.hub.address)


@pytest.mark.parametrize("mode", ["RevertNamed", "RevertLong", "BurnGas", "RevertMegabyte", "ReturnNothing"])
async def test_a_hostile_consumer_costs_nobody_but_itself(tmp_path: Path, mode: str) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        _, asked = await _ask_hostile(w, mode)
        job = await ended(store, asked)
        assert job.callback_failure is not None
        assert len(job.callback_failure) <= 2 + 2 * 256
        assert await w.hub.credit_of(w.operator) == FEE
        assert (await w.hub.assurance_of(asked)).callback_failed
        # The lane goes on.
        await ended(store, await w.ask(b"next"))


async def test_a_megabyte_behind_the_right_answer_is_not_copied(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        consumer, asked = await _ask_hostile(w, "ReturnMegabyte")
        assert (await ended(store, asked)).callback_failure is None
        assert await consumer.read("calls") == 1


async def test_a_large_output_goes_out(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        job = await ended(store, await w.ask(bytes(range(1, 251)) * 240))
        assert job.answer is not None
        assert len(job.answer.output) == 60_000


async def test_a_burst_shares_transactions(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await w.ask_many(200)

        async def all_answered() -> bool:
            counts = store.counts()
            return (
                sum(counts.get(s, 0) for s in (JobStatus.ANSWERED, JobStatus.SENDING, JobStatus.SENT)) == 200
            )

        async def done() -> bool:
            await w.rpc.call("evm_mine")
            return store.counts() == {JobStatus.DONE: 200}

        await until(all_answered, seconds=30)
        await until(done, seconds=30)
        assert await w.hub.credit_of(w.operator) == 200 * FEE
        sizes = {tx.hash: len(tx.jobs) for request in asked for tx in store.transactions(request)}
        assert sum(sizes.values()) == 200
        # Four go out before the first block, whatever has come by then; the rest shares what follows.
        assert len(sizes) == await w.fulfilments() <= 20
        assert max(sizes.values()) == 50


async def test_two_relayers_race_without_harm(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        one, two = w.config(url, name="one"), w.config(url, name="two")
        async with w.relayer(one, 2) as first, w.relayer(two, 3) as second:
            asked = [await w.ask(b"%d" % i) for i in range(10)]
            for request in asked:
                reasons = {(await ended(store, request)).reason for store in (first, second)}
                assert reasons == {"settled by us", f"lost race: settled by {w.operator}"}
                assert await w.settled_logs(request) == 1


async def test_a_chain_without_the_hub_is_named(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        with pytest.raises(ExceptionGroup, match="unhandled") as failed:
            async with w.relayer(w.config(url, hub="0x00000000000000000000000000000000000000AA")):
                pass
        assert "InferenceHub" in str(failed.value.exceptions[0])


async def test_the_status_server_tells_the_story(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        port = free_port()
        async with w.relayer(w.config(url, status_port=port)) as store, aiohttp.ClientSession() as http:
            asked = await w.ask()
            await ended(store, asked)
            async with http.get(f"http://127.0.0.1:{port}/healthz") as reply:
                health = await reply.json()
                assert reply.status == 200
                assert health["ok"]
                assert health["jobs"] == {"done": 1}
            async with http.get(f"http://127.0.0.1:{port}/requests/0x{asked.hex()}") as reply:
                told = await reply.json()
                assert told["status"] == "done"
                assert told["operator"] == w.operator
                assert told["transactions"][0]["jobs"] == 1
            async with http.get(f"http://127.0.0.1:{port}/requests/0x{'00' * 32}") as reply:
                assert reply.status == 404
            async with http.get(f"http://127.0.0.1:{port}/requests/nonsense") as reply:
                assert reply.status == 400
