"""Reading from a chain's node that lags, refuses ranges, or is away: no request is lost."""

import asyncio
from pathlib import Path
from typing import Any

from tests.e2e.relayer_proxy import Call, proxy
from tests.e2e.relayer_world import ended, world


async def test_a_node_that_lags_behind_its_own_head_hides_nothing(tmp_path: Path) -> None:
    def lag(call: Call, answer: Any) -> Any:
        ranged = call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]
        return {**answer, "result": []} if ranged else answer

    async with world(tmp_path) as w, w.node() as url, proxy(w, lag) as (rpc, handler):
        async with w.relayer(w.config(url, rpc_url=rpc)) as store:
            for i in range(3):
                await ended(store, await w.ask(b"%d" % i))
        assert handler.meddled > 0


async def test_a_node_that_refuses_ranges_is_asked_for_less(tmp_path: Path) -> None:
    def refuse(call: Call, answer: Any) -> Any:
        if call["method"] != "eth_getLogs" or "fromBlock" not in call["params"][0]:
            return answer
        query = call["params"][0]
        newest = query["toBlock"] == "latest"
        if not newest and int(query["toBlock"], 16) - int(query["fromBlock"], 16) < 3:
            return answer
        error = {"code": -32005, "message": "query exceeds max block range 3"}
        return {"jsonrpc": "2.0", "id": call["id"], "error": error}

    async with world(tmp_path) as w, w.node() as url, proxy(w, refuse) as (rpc, handler):
        asked = [await w.ask(b"%d" % i) for i in range(5)]
        await w.rpc.call("anvil_mine", hex(40))
        asked += [await w.ask(b"later %d" % i) for i in range(5)]
        async with w.relayer(w.config(url, rpc_url=rpc)) as store:
            for request in asked:
                await ended(store, request)
        assert handler.meddled > 0


async def test_a_chain_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with world(tmp_path) as w, w.node() as url, proxy(w, lambda _, answer: answer) as (rpc, handler):
        async with w.relayer(w.config(url, rpc_url=rpc)) as store:
            handler.away = True
            asked = await w.ask()
            await asyncio.sleep(0.5)
            assert store.get(asked) is None
            handler.away = False
            await ended(store, asked)
            assert await w.fulfilments() == 1


async def test_an_answer_that_is_lost_on_the_way_is_not_sent_twice(tmp_path: Path) -> None:
    lost: list[Call] = []

    def lose(call: Call, answer: Any) -> Any:
        if call["method"] == "eth_sendRawTransaction" and not lost:
            lost.append(call)
            return {"jsonrpc": "2.0", "id": call["id"]}  # neither result nor error: the outcome is unknown
        return answer

    async with world(tmp_path) as w, w.node() as url, proxy(w, lose) as (rpc, _):
        async with w.relayer(w.config(url, rpc_url=rpc)) as store:
            await ended(store, await w.ask(b"one"))
            await ended(store, await w.ask(b"two"))
            assert await w.fulfilments() == 2
        assert lost
