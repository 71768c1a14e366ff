"""The chain takes blocks back: nothing is seen twice, nothing is lost."""

from pathlib import Path
from typing import Any

from tests.e2e.relayer_proxy import Call, proxy
from tests.e2e.relayer_world import World, ended, until, world
from tests.support.terms import FEE
from vouch.protocol.status import Status
from vouch.relayer.job import JobStatus, TxStatus
from vouch.relayer.store import Store


async def _raw_of(w: World, request: bytes, store: Store) -> str:
    job = store.get(request)
    assert job is not None
    raw: str = await w.rpc.call("eth_getRawTransactionByHash", job.tx)
    return raw


async def test_a_fulfilment_that_was_taken_back_is_sent_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await w.ask()
        first = await ended(store, asked)
        assert first.end_block is not None
        await until(lambda: _closed(store, asked))
        await w.rpc.call("anvil_reorg", 1, [])
        assert await w.hub.status_of(asked) is Status.REQUESTED
        await until(lambda: _is(w, asked, Status.SETTLED))
        again = await ended(store, asked)
        assert again.end_tx == first.end_tx  # the same bytes
        assert await w.settled_logs(asked) == 1
        assert any("reorganised away" in step.reason for step in store.steps(asked))


async def test_a_request_that_was_taken_back_waits_for_its_return(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, w.relayer(w.config(url)) as store:
        asked = await w.ask()
        await ended(store, asked)
        await until(lambda: _closed(store, asked))
        raw = await _raw_of(w, asked, store)
        await w.rpc.call("anvil_reorg", 2, [])
        assert await w.hub.status_of(asked) is Status.NONE
        await until(lambda: _left(store, asked))
        await w.rpc.call("eth_sendRawTransaction", raw)
        await until(lambda: _is(w, asked, Status.SETTLED))
        await ended(store, asked)
        assert await w.settled_logs(asked) == 1
        assert await w.hub.credit_of(w.operator) == FEE


async def test_a_fork_while_the_relayer_was_away(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url:
        async with w.relayer(w.config(url)) as store:
            asked = await w.ask()
            await ended(store, asked)
            await until(lambda: _closed(store, asked))
        await w.rpc.call("anvil_reorg", 1, [])
        other = await w.ask(b"meanwhile")
        async with w.relayer(w.config(url)) as store:
            await ended(store, other)
            await until(lambda: _is(w, asked, Status.SETTLED))
            await ended(store, asked)
            assert await w.settled_logs(asked) == await w.settled_logs(other) == 1
            assert await w.fulfilments() == 2


async def test_a_fork_counts_though_the_chain_was_away_right_after_it(tmp_path: Path) -> None:
    trouble: list[str] = []

    def break_off(call: Call, answer: Any) -> Any:
        looks = call["method"] == "eth_getLogs" and call["params"][0].get("toBlock") == "latest"
        if trouble == ["fork"] and call["method"] == "eth_getBlockByNumber" and call["params"][0] == common:
            trouble.append("away")
        elif trouble == ["fork", "away"] and looks:
            trouble.append("over")
            return {}  # no JSON-RPC answer at all
        return answer

    common = ""
    async with world(tmp_path) as w, w.node() as url, proxy(w, break_off) as (rpc, _):
        async with w.relayer(w.config(url, rpc_url=rpc)) as store:
            asked = await w.ask()
            await ended(store, asked)
            await until(lambda: _closed(store, asked))
            common = hex(int(await w.rpc.call("eth_blockNumber"), 16) - 1)
            trouble.append("fork")
            await w.rpc.call("anvil_reorg", 1, [])
            await until(lambda: _is(w, asked, Status.SETTLED))
            assert trouble == ["fork", "away", "over"]
            assert await w.settled_logs(asked) == 1


async def _closed(store: Store, request: bytes) -> bool:
    return all(tx.status is TxStatus.MINED for tx in store.transactions(request))


async def _left(store: Store, request: bytes) -> bool:
    job = store.get(request)
    return job is not None and job.status is not JobStatus.DONE


async def _is(w: World, request: bytes, status: Status) -> bool:
    return await w.hub.status_of(request) is status
