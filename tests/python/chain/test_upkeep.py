"""Transactions that need looking after: replaced, dropped, reorganised away, behind a gap."""

import asyncio
from collections.abc import Callable

import pytest

from tests.python.chain.paying import NOBODY, PAY, balance, mined
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.errors import NonceUsed, TransactionReplaced
from vouch.chain.hexes import to_hex
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, SentTx


async def test_an_abandoned_nonce_is_filled(
    rpc: Rpc, accounts: tuple[LocalKey, ...], sender_of: Callable[[LocalKey], TxSender]
) -> None:
    sender = sender_of(accounts[3])
    start = await mined(rpc, sender.address)
    first, second = await sender.prepare(PAY), await sender.prepare(PAY)
    assert (first.nonce, second.nonce) == (start, start + 1)
    await sender.broadcast(second)
    await sender.abandon(first)
    assert (await sender.wait(second, timeout=30)).tx_hash == second.hash
    assert (await sender.transact(PAY)).succeeded
    assert (await balance(rpc), await mined(rpc, sender.address)) == (2, start + 3)


async def test_another_process_used_the_nonce(
    rpc: Rpc, accounts: tuple[LocalKey, ...], sender_of: Callable[[LocalKey], TxSender]
) -> None:
    mine = await sender_of(accounts[3]).prepare(PAY)
    await sender_of(accounts[3]).transact(Call(NOBODY, b"", 2))
    late = TxSender(rpc, accounts[3], check_up=0.05)
    late.adopt(mine.raw)
    with pytest.raises(NonceUsed, match="is taken"):
        await late.broadcast(mine)
    with pytest.raises(TransactionReplaced, match=f"nonce {mine.nonce}"):
        await late.wait(mine, timeout=30)
    assert (await late.transact(PAY)).succeeded


async def test_a_stuck_transaction_is_replaced_and_found(rpc: Rpc, accounts: tuple[LocalKey, ...]) -> None:
    signed: list[SentTx] = []
    twice = asyncio.Event()

    def stored(tx: SentTx) -> None:
        signed.append(tx)
        if len(signed) == 3:
            twice.set()

    sender = TxSender(rpc, accounts[3], replace_after=0.1, on_attempt=stored)
    await rpc.call("evm_setAutomine", False)
    sent = await sender.send(PAY)
    waiting = asyncio.create_task(sender.wait(sent, timeout=10))
    await asyncio.wait_for(twice.wait(), 30)
    await rpc.call("evm_mine")
    receipt = await waiting
    assert receipt.tx_hash in {tx.hash for tx in signed[1:]}
    old, new = signed[0].transaction.fees, signed[1].transaction.fees
    assert new.max_fee >= old.max_fee * 1.125
    assert new.priority >= old.priority * 1.125
    assert {tx.nonce for tx in signed} == {sent.nonce}
    assert await balance(rpc) == 1


async def test_a_dropped_transaction_is_broadcast_again(rpc: Rpc, accounts: tuple[LocalKey, ...]) -> None:
    sender = TxSender(rpc, accounts[3], check_up=0.05)
    await rpc.call("evm_setAutomine", False)
    sent = await sender.send(PAY)
    await rpc.call("anvil_dropTransaction", to_hex(sent.hash))
    assert await rpc.call("eth_getTransactionByHash", to_hex(sent.hash)) is None
    await rpc.call("evm_setAutomine", True)
    assert (await sender.wait(sent, timeout=30)).tx_hash == sent.hash


async def test_confirmations_are_waited_for(rpc: Rpc, sender: TxSender) -> None:
    waiting = asyncio.create_task(sender.transact(PAY, confirmations=2, timeout=10))
    await asyncio.sleep(0.1)
    await rpc.call("anvil_mine", "0x1")
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await rpc.call("anvil_mine", "0x1")
    assert (await waiting).succeeded


async def test_a_reorg_that_loses_transactions_is_mended(accounts: tuple[LocalKey, ...]) -> None:
    async with Anvil() as chain, Rpc(chain.http_url) as rpc:
        sender = TxSender(rpc, accounts[3], check_up=0.05)
        for _ in range(3):
            await sender.transact(PAY)
        await rpc.call("anvil_reorg", 2, [])
        assert await balance(rpc) == 1
        assert (await sender.transact(PAY, timeout=10)).succeeded
        assert (await balance(rpc), await mined(rpc, sender.address)) == (4, 4)
