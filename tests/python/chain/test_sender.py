import asyncio
from collections.abc import Callable

import pytest

from tests.python.chain.paying import NOBODY, PAY, balance, mined
from tests.python.chain.terms import terms_of
from vouch.chain.abi import artefact
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub
from vouch.chain.errors import GasOverCap, RpcUnavailable, Unfunded
from vouch.chain.fees import FeePolicy
from vouch.chain.hexes import to_hex
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc, RpcError
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, BadTransaction, Call, SentTx


async def test_transact_gives_the_receipt(rpc: Rpc, sender: TxSender) -> None:
    receipt = await sender.transact(PAY)
    assert receipt.succeeded
    assert (receipt.sender, receipt.to, receipt.gas_used) == (sender.address, NOBODY, 21_000)
    assert await balance(rpc) == 1


async def test_many_tasks_share_one_lane(rpc: Rpc, sender: TxSender) -> None:
    receipts = await asyncio.gather(*(sender.transact(PAY) for _ in range(30)))
    assert len({r.tx_hash for r in receipts}) == 30
    assert await balance(rpc) == 30


async def test_what_would_revert_is_not_sent(rpc: Rpc, hub: Hub, sender: TxSender) -> None:
    before = await mined(rpc, sender.address)
    with pytest.raises(Reverted, match=r"InsufficientCredit.*deposit first") as caught:
        await sender.transact(hub.request(terms_of(sender.address, NOBODY), b"in", value=5))
    assert caught.value.error.args["available"] == 5
    with pytest.raises(Reverted, match="WrongInputHash"):
        await sender.transact(hub.request(terms_of(sender.address, NOBODY), b"other"), gas=500_000)
    assert await mined(rpc, sender.address) == before


async def test_a_revert_on_chain_is_named(hub: Hub, sender: TxSender) -> None:
    call = hub.request(terms_of(sender.address, NOBODY), b"other")
    with pytest.raises(Reverted, match=r"WrongInputHash.*transaction 0x") as caught:
        await sender.transact(call, gas=500_000, simulate=False)
    assert caught.value.tx_hash is not None


async def test_out_of_gas_on_chain_is_named(hub: Hub, sender: TxSender) -> None:
    with pytest.raises(Reverted, match="OutOfGas"):
        await sender.transact(
            hub.request(terms_of(sender.address, NOBODY), b"in"), gas=40_000, simulate=False
        )


async def test_gas_over_the_cap(sender: TxSender) -> None:
    with pytest.raises(GasOverCap) as caught:
        await sender.send(PAY, gas=MAX_TX_GAS + 1)
    assert (caught.value.received, caught.value.cap) == (MAX_TX_GAS + 1, MAX_TX_GAS)
    assert (await sender.transact(PAY, gas=MAX_TX_GAS)).succeeded


async def test_an_empty_account_is_unfunded(rpc: Rpc) -> None:
    poor = TxSender(rpc, LocalKey.generate())
    with pytest.raises(Unfunded, match=f"{poor.address} cannot pay"):
        await poor.transact(PAY)
    with pytest.raises(Unfunded):
        await poor.transact(Call(NOBODY, b""), gas=21_000, simulate=False)
    await rpc.call("anvil_setBalance", poor.address, hex(10**18))
    assert (await poor.transact(PAY)).succeeded  # and the nonces of the refused ones were given back


async def test_a_stale_nonce_is_signed_anew(
    rpc: Rpc, sender_of: Callable[[LocalKey], TxSender], accounts: tuple[LocalKey, ...]
) -> None:
    one, other = sender_of(accounts[3]), sender_of(accounts[3])
    await one.transact(PAY)
    await other.transact(PAY)
    await other.transact(PAY)
    assert (await one.transact(PAY)).succeeded
    assert await balance(rpc) == 4


async def test_too_low_a_fee_is_asked_anew(rpc: Rpc, accounts: tuple[LocalKey, ...]) -> None:
    sender = TxSender(rpc, accounts[3], fees=FeePolicy(rpc, ttl=600))
    await sender.transact(PAY)
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    await rpc.call("evm_mine")
    assert (await sender.transact(PAY)).succeeded
    assert await balance(rpc) == 2


async def test_the_last_abandoned_nonce_is_used_again(
    rpc: Rpc, accounts: tuple[LocalKey, ...], sender_of: Callable[[LocalKey], TxSender]
) -> None:
    sender = sender_of(accounts[3])
    start = await mined(rpc, sender.address)
    await sender.abandon(await sender.prepare(PAY))
    assert (await sender.send(PAY)).nonce == start


async def test_the_same_bytes_after_a_restart(
    rpc: Rpc, accounts: tuple[LocalKey, ...], sender_of: Callable[[LocalKey], TxSender]
) -> None:
    stored = (await sender_of(accounts[3]).prepare(PAY)).raw
    reborn = sender_of(accounts[3])
    adopted = reborn.adopt(stored)
    later = await reborn.prepare(PAY)
    assert later.nonce == adopted.nonce + 1
    await reborn.broadcast(adopted)
    await reborn.broadcast(adopted)
    assert (await reborn.wait(adopted, timeout=30)).succeeded
    again = sender_of(accounts[3]).adopt(stored)
    assert again == adopted
    await sender_of(accounts[3]).broadcast(again)  # mined long ago
    assert await balance(rpc) == 1
    with pytest.raises(BadTransaction):
        reborn.adopt(b"\x02\xc0")


async def test_blocks_that_take_their_time(accounts: tuple[LocalKey, ...]) -> None:
    async with Anvil(block_time=1) as slow, Rpc(slow.http_url) as rpc:
        sender = TxSender(rpc, accounts[3])
        receipts = await asyncio.gather(*(sender.transact(PAY, timeout=20) for _ in range(5)))
        assert all(r.succeeded for r in receipts)
        assert await balance(rpc) == 5


async def test_a_chain_without_eip_1559(accounts: tuple[LocalKey, ...]) -> None:
    async with Anvil(hardfork="berlin") as old, Rpc(old.http_url) as rpc:
        sender = TxSender(rpc, accounts[3], replace_after=0.1)
        receipt = await sender.transact(PAY)
        found = await rpc.call("eth_getTransactionByHash", to_hex(receipt.tx_hash))
        assert int(found["type"], 16) == 0
        await rpc.call("evm_setAutomine", False)
        sent = await sender.send(PAY)
        assert SentTx.parse(sent.raw) == sent
        waiting = asyncio.create_task(sender.wait(sent, timeout=10))
        await asyncio.sleep(0.3)
        await rpc.call("evm_mine")
        assert (await waiting).tx_hash != sent.hash


async def test_access_list(rpc: Rpc, sender: TxSender, hub: Hub) -> None:
    access = ((hub.address, (bytes(32), b"\x01" * 32)),)
    sent = await sender.send(hub.deposit(7, sender.address), access_list=access)
    assert SentTx.parse(sent.raw).transaction.access_list == access
    assert (await sender.wait(sent)).succeeded
    assert await hub.credit_of(sender.address) == 7


async def test_a_creation_over_the_size_limit_is_refused_before_it_costs(sender: TxSender) -> None:
    with pytest.raises((RpcError, Reverted)):
        await sender.transact(Call(None, b"\x00" * 60_000))
    assert (await sender.transact(Call(None, artefact("ModelRegistry").creation()))).contract is not None


async def test_no_node_at_all(accounts: tuple[LocalKey, ...]) -> None:
    async with Rpc("http://127.0.0.1:1") as nowhere:
        with pytest.raises(RpcUnavailable):
            await TxSender(nowhere, accounts[0]).transact(PAY)
