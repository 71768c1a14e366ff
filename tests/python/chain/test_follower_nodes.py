"""Following through a node that lags, refuses, hides or goes away; the chain behind it is a real one."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.e2e.relayer_proxy import Call
from tests.python.chain.following import Chain, Notes
from vouch.chain.contracts import Hub
from vouch.chain.errors import RpcError, RpcUnavailable
from vouch.chain.events import HubLog, RequestedLog
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


@pytest.fixture
def chain(rpc: Rpc, hub: Hub, sender: TxSender) -> Chain:
    return Chain(rpc, hub, sender)


async def test_blocks_that_do_not_hang_together_are_not_taken(chain: Chain) -> None:
    start = await chain.head() + 1
    await chain.ask(1)
    await chain.ask(2)
    between = hex(start + 1)

    def forked(call: Call, answer: Any) -> Any:
        if call["method"] == "eth_getBlockByNumber" and call["params"][0] == between and torn:
            return {**answer, "result": {**answer["result"], "parentHash": "0x" + "11" * 32}}
        return answer

    torn = [True]
    notes = Notes()
    async with chain.spoilt(forked) as (rpc, _):
        follower = chain.follower(notes, start, rpc=rpc)
        await follower.read()
        assert follower.cursor is not None
        assert (notes.salts, notes.rewound, follower.cursor.number) == ([], [], start - 1)
        torn.clear()
        await follower.read()
        assert notes.salts == [1, 2]


async def test_a_node_that_hides_logs_is_asked_by_hash(chain: Chain) -> None:
    def hide(call: Call, answer: Any) -> Any:
        ranged = call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]
        return {**answer, "result": []} if ranged else answer

    start, notes = await chain.head() + 1, Notes()
    async with chain.spoilt(hide) as (rpc, proxy):
        follower = chain.follower(notes, start, rpc=rpc)
        await chain.ask(1)
        await follower.read()
        await chain.ask(2)
        await chain.ask(3)
        await follower.read()
        assert proxy.meddled > 0
    assert notes.salts == [1, 2, 3]


async def test_a_node_that_does_not_know_a_block_by_hash_is_asked_again(chain: Chain) -> None:
    def hide(call: Call, answer: Any) -> Any:
        if call["method"] != "eth_getLogs":
            return answer
        if "fromBlock" in call["params"][0]:
            return {**answer, "result": []}
        error = {"code": -32000, "message": "unknown block"}
        return {"jsonrpc": "2.0", "id": call["id"], "error": error} if lags else answer

    start, notes, lags = await chain.head() + 1, Notes(), [True]
    await chain.ask(1)
    async with chain.spoilt(hide) as (rpc, _):
        follower = chain.follower(notes, start, rpc=rpc)
        await follower.read()
        assert (notes.salts, notes.rewound) == ([], [])
        lags.clear()
        await follower.read()
    assert (notes.salts, notes.rewound) == ([1], [])


async def test_a_node_that_refuses_many_blocks_is_asked_for_fewer(chain: Chain) -> None:
    def refuse(call: Call, answer: Any) -> Any:
        query = call["params"][0] if call["method"] == "eth_getLogs" else {}
        if "fromBlock" not in query:
            return answer
        if query["toBlock"] != "latest" and int(query["toBlock"], 16) - int(query["fromBlock"], 16) < 3:
            return answer
        error = {"code": -32005, "message": "query exceeds max block range 3"}
        return {"jsonrpc": "2.0", "id": call["id"], "error": error}

    start, notes = await chain.head() + 1, Notes()
    await chain.ask(1)
    await chain.mine(40)
    await chain.ask(2)
    async with chain.spoilt(refuse) as (rpc, proxy):
        follower = chain.follower(notes, start, rpc=rpc)
        await follower.read()
        await chain.ask(3)
        await follower.read()
        assert proxy.meddled > 0
    assert notes.salts == [1, 2, 3]


async def test_a_node_that_refuses_every_log_is_no_silence(chain: Chain) -> None:
    def refuse(call: Call, answer: Any) -> Any:
        error = {"code": -32601, "message": "no logs here"}
        return {"jsonrpc": "2.0", "id": call["id"], "error": error} if "Logs" in call["method"] else answer

    start, notes = await chain.head() + 1, Notes()
    await chain.ask(1)
    async with chain.spoilt(refuse) as (rpc, _):
        with pytest.raises(RpcError, match="no logs here"):
            await chain.follower(notes, start, rpc=rpc).read()


async def test_a_node_that_refuses_blocks_is_no_silence(chain: Chain) -> None:
    def refuse(call: Call, answer: Any) -> Any:
        error = {"code": -32601, "message": "no blocks here"}
        return {"jsonrpc": "2.0", "id": call["id"], "error": error} if "Block" in call["method"] else answer

    async with chain.spoilt(refuse) as (rpc, _):
        with pytest.raises(RpcError, match="no blocks here"):
            await chain.follower(Notes(), 1, rpc=rpc).read()


async def test_a_malformed_log_is_warned_of_and_passed_over(
    chain: Chain, caplog: pytest.LogCaptureFixture
) -> None:
    class Lenient(Notes):
        def take(self, logs: Sequence[HubLog], up_to: int) -> None:
            super().take([log for log in logs if isinstance(log, RequestedLog)], up_to)

    def cut(call: Call, answer: Any) -> Any:
        if call["method"] != "eth_getLogs":
            return answer
        return {**answer, "result": [{**log, "data": "0x12"} for log in answer["result"]]}

    start, notes = await chain.head() + 1, Lenient()
    await chain.ask(1)
    async with chain.spoilt(cut) as (rpc, _):
        await chain.follower(notes, start, rpc=rpc).read()
    assert (notes.salts, notes.steps[-1]) == ([], start)
    assert f"of block {start} passed over" in caplog.text


async def test_the_first_block_that_is_not_there_yet_is_asked_for_again(chain: Chain) -> None:
    def lag(call: Call, answer: Any) -> Any:
        hidden = lags and call["method"] == "eth_getBlockByNumber" and call["params"][0] == hex(start - 1)
        return {**answer, "result": None} if hidden else answer

    start, notes, lags = await chain.head() + 1, Notes(), [True]
    await chain.ask(1)
    async with chain.spoilt(lag) as (rpc, _):
        follower = chain.follower(notes, start, rpc=rpc)
        await follower.read()
        assert (follower.cursor, follower.forks, notes.rewound) == (None, 0, [])
        lags.clear()
        await follower.read()
    assert notes.salts == [1]


async def test_a_chain_that_goes_away_while_a_fork_is_followed(chain: Chain) -> None:
    def break_off(call: Call, answer: Any) -> Any:
        single = call["method"] == "eth_getBlockByNumber" and call["params"][0] == hex(common)
        return {} if breaks and single else answer

    start, notes, breaks = await chain.head() + 1, Notes(), [True]
    for salt in range(1, 4):
        await chain.ask(salt)
    common = await chain.head() - 2
    async with chain.spoilt(break_off) as (rpc, _):
        breaks.clear()
        follower = chain.follower(notes, start, rpc=rpc)
        for _ in range(2):
            await follower.read()
        await chain.rpc.call("anvil_reorg", 2, [])
        breaks.append(True)
        with pytest.raises(RpcUnavailable):
            await follower.read()
        breaks.clear()
        await follower.read()
    assert (notes.rewound, follower.forks) == ([common], 1)
