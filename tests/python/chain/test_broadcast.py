"""Broadcasts through a proxy that loses calls and answers."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.python.chain.paying import PAY, balance
from tests.python.chain.proxy import Fate, Proxy, proxy
from vouch.chain.account import LocalKey
from vouch.chain.errors import NotMined
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


@pytest_asyncio.fixture(loop_scope="session")
async def gate(rpc: Rpc) -> AsyncIterator[Proxy]:
    async with proxy(rpc.url) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def lossy(gate: Proxy) -> AsyncIterator[Rpc]:
    async with Rpc(gate.url) as made:
        yield made


@pytest.mark.parametrize("fate", [Fate.LOSE_CALL, Fate.LOSE_ANSWER])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_lost_broadcast_is_looked_into(
    rpc: Rpc, gate: Proxy, lossy: Rpc, accounts: tuple[LocalKey, ...], fate: Fate, times: int
) -> None:
    gate.judge = lambda method, before: (
        fate if method.startswith("eth_sendRaw") and before < times else Fate.PASS
    )
    receipt = await TxSender(lossy, accounts[3]).transact(PAY)
    assert receipt.succeeded
    assert await balance(rpc) == 1


async def test_send_returns_what_is_unknown_and_wait_mends_it(
    rpc: Rpc, gate: Proxy, lossy: Rpc, accounts: tuple[LocalKey, ...]
) -> None:
    lost = True
    broken = ("eth_sendRawTransaction", "eth_getTransactionByHash")
    gate.judge = lambda method, _: Fate.LOSE_CALL if lost and method in broken else Fate.PASS
    sender = TxSender(lossy, accounts[3], check_up=0.05)
    sent = await sender.send(PAY)
    assert await balance(rpc) == 0
    with pytest.raises(NotMined, match="outcome is unknown"):
        await sender.wait(sent, timeout=0.2)
    lost = False
    assert (await sender.wait(sent, timeout=30)).tx_hash == sent.hash
    assert await balance(rpc) == 1


async def test_waiting_survives_a_node_that_does_not_answer(
    gate: Proxy, lossy: Rpc, accounts: tuple[LocalKey, ...]
) -> None:
    sender = TxSender(lossy, accounts[3])
    sent = await sender.send(PAY)
    gate.judge = lambda _, before: Fate.LOSE_CALL if before < 6 else Fate.PASS
    assert (await sender.wait(sent, timeout=30)).tx_hash == sent.hash


async def test_without_the_sync_method(gate: Proxy, lossy: Rpc, accounts: tuple[LocalKey, ...]) -> None:
    refused = {"code": -32601, "message": "the method eth_sendRawTransactionSync does not exist"}
    gate.judge = lambda method, _: refused if method.endswith("Sync") else Fate.PASS
    sender = TxSender(lossy, accounts[3])
    assert (await sender.transact(PAY)).succeeded
    assert (await sender.transact(PAY)).succeeded
    assert gate.seen["eth_sendRawTransactionSync"] == 1


async def test_a_sync_call_that_ends_too_early(
    gate: Proxy, lossy: Rpc, accounts: tuple[LocalKey, ...]
) -> None:
    def judge(method: str, before: int) -> Fate | dict[str, object]:
        return {"code": 4, "message": "timeout"} if method.endswith("Sync") else Fate.PASS

    gate.judge = judge
    sender = TxSender(lossy, accounts[3], check_up=0.05)
    assert (await sender.transact(PAY, timeout=30)).succeeded
