"""The sending lane in difficulties: no money, lost, stuck, overtaken and reverted transactions."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.relayer_world import QUICK, World, ended, until, world
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import JobStatus, TxStatus
from vouch.relayer.store import Store

ETHER = 10**18


async def _sent(w: World, store: Store, **terms: Any) -> bytes:
    """A request whose fulfilment waits in the pool; blocks come by hand from now on."""
    asked = await w.ask(b"now")
    await ended(store, asked)
    sender = w.sender(4)
    await w.rpc.call("evm_setAutomine", False)
    asks = w.terms(sender.address, b"later", **terms)
    await sender.send(w.hub.request(asks, b"later"), gas=150_000, simulate=False)
    await w.rpc.call("evm_mine")
    request = asks.id(w.anvil.chain_id, w.hub.address)
    await ended(store, request, JobStatus.SENT)
    return request


async def _mine_until_done(w: World, store: Store, request: bytes) -> None:
    async def done() -> bool:
        await w.rpc.call("evm_mine")
        await asyncio.sleep(0.05)
        job = store.get(request)
        return job is not None and job.status is JobStatus.DONE

    await until(done)


async def test_without_money_it_says_so_and_goes_on_when_there_is_some(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        relayer = w.anvil.accounts[2].address
        await w.rpc.call("anvil_setBalance", relayer, hex(1))
        async with w.relayer(w.config(url)) as store:
            asked = await w.ask()
            await until(lambda: _says(store, asked, "cannot pay"))
            job = store.get(asked)
            assert job is not None
            assert job.status is JobStatus.ANSWERED
            assert store.pending() == []
            await w.rpc.call("anvil_setBalance", relayer, hex(ETHER))
            await ended(store, asked)


async def _says(store: Store, request: bytes, text: str) -> bool:
    return any(text in step.reason for step in store.steps(request))


async def test_a_dropped_transaction_is_offered_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await _sent(w, store)
        (tx,) = store.transactions(asked)
        await w.rpc.call("anvil_dropTransaction", tx.hash)
        await until(lambda: _known(w, tx.hash))
        await w.rpc.call("evm_mine")
        assert (await ended(store, asked)).end_tx == tx.hash
        assert [each.hash for each in store.transactions(asked)] == [tx.hash]


async def _known(w: World, tx: bytes) -> bool:
    return await w.rpc.call("eth_getTransactionByHash", tx) is not None


async def test_a_stuck_transaction_is_replaced_with_a_higher_fee(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        config = w.config(url, patience=replace(QUICK, replace=0.6))
        async with w.relayer(config) as store:
            asked = await _sent(w, store)
            await until(lambda: _replaced(w, store, asked))
            await w.rpc.call("evm_mine")
            job = await ended(store, asked)
            await until(lambda: _over(store))
            first, *others = store.transactions(asked)
            assert {first.nonce} == {tx.nonce for tx in others}
            assert first.status is TxStatus.REPLACED
            assert [tx.hash for tx in others if tx.status is TxStatus.MINED] == [job.end_tx]
            assert await w.settled_logs(asked) == 1


async def _replaced(w: World, store: Store, request: bytes) -> bool:
    first, *others = store.transactions(request)
    return bool(others) and not await _known(w, first.hash)


async def _over(store: Store) -> bool:
    return not store.pending()


async def test_a_nonce_that_something_else_used_costs_nothing_but_time(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await _sent(w, store)
        (lost,) = store.transactions(asked)
        account = w.anvil.accounts[2].address
        await w.rpc.call("anvil_dropTransaction", lost.hash)
        foreign = {"from": account, "to": account, "nonce": hex(lost.nonce), "maxFeePerGas": hex(10**10)}
        await w.rpc.call("anvil_impersonateAccount", account)
        await w.rpc.call("eth_sendTransaction", foreign)
        await w.rpc.call("evm_mine")
        await _mine_until_done(w, store, asked)
        first, *_ = store.transactions(asked)
        assert (first.hash, first.status) == (lost.hash, TxStatus.REPLACED)
        assert await w.settled_logs(asked) == 1


async def test_a_race_that_is_lost_on_the_chain_is_no_error(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        one, two = w.config(url, name="one"), w.config(url, name="two")
        async with w.relayer(one, 2) as first, w.relayer(two, 3) as second:
            asked = await _sent(w, first)
            await ended(second, asked, JobStatus.SENT)
            await w.rpc.call("evm_mine")
            await w.rpc.call("evm_setAutomine", True)
            jobs = [await ended(store, asked) for store in (first, second)]
            for store in (first, second):
                await until(partial(_over, store))
            loser = next(s for s, job in zip((first, second), jobs, strict=True) if "lost race" in job.reason)
            assert [tx.status for tx in loser.transactions(asked)] == [TxStatus.REVERTED]
            assert (await ended(loser, asked)).attempts == 0
            # Both lanes go on.
            again = await w.ask(b"again")
            for store in (first, second):
                await ended(store, again)
            assert await w.hub.credit_of(w.operator) == 3 * FEE


async def test_an_operator_that_is_not_registered_waits_for_its_registration(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        operator = w.sender(1)
        await operator.transact(w.nodes.retire())
        asked = await w.ask()
        await until(lambda: _says(store, asked, "UnregisteredOperator"))
        assert await w.fulfilments() == 0
        await operator.transact(w.nodes.register("http://node.invalid"))
        await ended(store, asked)
        assert await w.hub.status_of(asked) is Status.SETTLED


async def test_a_tombstoned_route_fails_with_its_name(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        await w.sender(0).transact(w.router.tombstone(b"SIGN"))
        job = await ended(store, await w.ask(), JobStatus.FAILED)
        assert job.reason.startswith("RouteIsTombstoned(")
        assert await w.fulfilments() == 0
