"""Sending from one account: simulated first, signed here, watched until mined, never lost track of."""

import asyncio
import logging
import time
from collections.abc import Callable

from vouch.chain.abi import ContractError
from vouch.chain.account import LocalKey
from vouch.chain.broadcast import Broadcaster
from vouch.chain.errors import (
    GasOverCap,
    NonceUsed,
    NotMined,
    RpcError,
    RpcUnavailable,
    TransactionReplaced,
    Unfunded,
)
from vouch.chain.fees import FeePolicy
from vouch.chain.hexes import to_hex
from vouch.chain.nonces import NonceLane
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.simulate import Simulator
from vouch.chain.transaction import MAX_TX_GAS, AccessList, Call, Receipt, SentTx, Transaction
from vouch.chain.upkeep import Upkeep

__all__ = [
    "GasOverCap",
    "NonceUsed",
    "NotMined",
    "Receipt",
    "Reverted",
    "SentTx",
    "TransactionReplaced",
    "TxSender",
    "Unfunded",
]

_log = logging.getLogger(__name__)


class TxSender:
    """One account's lane to the chain. Safe to use from many tasks at the same time.

    Args:
        key: the sending key; nothing else may send with it while this object does.
        fees: by default FeePolicy(rpc).
        gas_margin: what an estimate is multiplied with.
        poll: longest pause in seconds between two questions for a receipt; the first ones come tightly.
        check_up: seconds after which a missing receipt is looked into (dropped, behind a gap, replaced).
        replace_after: seconds after which a transaction is replaced with higher fees; None: never.
        on_attempt: gets every transaction before it is broadcast, replacements included; the outbox.
    """

    def __init__(
        self,
        rpc: Rpc,
        key: LocalKey,
        *,
        chain_id: int | None = None,
        fees: FeePolicy | None = None,
        gas_margin: float = 1.2,
        poll: float = 0.25,
        check_up: float = 2.0,
        replace_after: float | None = 60.0,
        on_attempt: Callable[[SentTx], None] | None = None,
    ) -> None:
        self.rpc, self.address = rpc, key.address
        self._key, self._chain_id, self._on_attempt = key, chain_id, on_attempt
        self._fees = fees or FeePolicy(rpc)
        self._poll, self._check_up, self._replace_after = poll, check_up, replace_after
        self._nonces = NonceLane(rpc, key.address)
        self._broadcaster = Broadcaster(rpc, key.address)
        self._simulator = Simulator(rpc, key.address, gas_margin)
        self._upkeep = Upkeep(
            rpc, key.address, self._nonces, self._fees, self._broadcaster, self._simulator, self._sign
        )

    async def chain_id(self) -> int:
        """The chain that transactions are signed for, asked once."""
        if self._chain_id is None:
            self._chain_id = int(await self.rpc.call("eth_chainId"), 16)
        return self._chain_id

    async def simulate(self, call: Call, *, gas: int | None = None) -> int:
        """Gas to send the call with: the estimate and its margin, or `gas` if the call succeeds with it.

        Raises:
            Reverted: the transaction would fail, with the contract's own error.
            Unfunded: the account cannot pay for it.
            RpcError, RpcUnavailable: as Rpc.call.
        """
        return await self._simulator.gas(call, gas, "latest" if self._nonces.idle else "pending")

    async def prepare(
        self, call: Call, *, gas: int | None = None, access_list: AccessList = (), simulate: bool = True
    ) -> SentTx:
        """Simulated and signed with the next nonce, not broadcast: store it, then `broadcast` or `abandon`.

        Args:
            gas: limit of the transaction; None takes the simulation's estimate.
            simulate: False signs without looking first, if `gas` is given.

        Raises:
            Reverted, Unfunded, RpcError, RpcUnavailable: as `simulate`.
            GasOverCap: too much gas for one transaction.
        """
        if simulate or gas is None:
            gas = await self.simulate(call, gas=gas)
        if gas > MAX_TX_GAS:
            raise GasOverCap(gas, MAX_TX_GAS)
        fees, chain_id = await self._fees.current(), await self.chain_id()
        nonce = await self._nonces.take()
        return self._sign(Transaction(chain_id, nonce, gas, fees, call, access_list))

    async def abandon(self, tx: SentTx) -> None:
        """A prepared transaction was not broadcast, or was refused: its nonce is used for something else."""
        if self._nonces.give_back(tx.nonce):
            await self._upkeep.fill_gaps(await self.chain_id())

    def adopt(self, raw: bytes) -> SentTx:
        """Takes over what this account signed in an earlier life, to `broadcast` it and `wait` for it.

        Raises:
            BadTransaction: the bytes are none.
        """
        tx = SentTx.parse(raw)
        self._nonces.signed(tx)
        return tx

    async def broadcast(self, tx: SentTx, *, sync: bool = False) -> Receipt | None:
        """Hands the bytes to the chain's node; doing it again is harmless.

        An unknown outcome is looked into until the node knows the transaction or refuses it. With `sync` the
        receipt comes back at once where the node can do that (EIP-7966); None means: wait for it.

        Raises:
            NonceUsed: another transaction has the nonce, this one can never be mined.
            Unfunded, RpcError: refused; `abandon` it or try again later.
            RpcUnavailable: still unknown. Keep the transaction, and wait for it or broadcast it again.
        """
        self._nonces.announced(tx)
        receipt = await self._broadcaster.broadcast(tx, sync=sync)
        if receipt is not None:
            self._nonces.close(tx)
        return receipt

    async def send(
        self, call: Call, *, gas: int | None = None, access_list: AccessList = (), simulate: bool = True
    ) -> SentTx:
        """`prepare` and `broadcast`; signs anew if nonce or fees turn out to be stale.

        Returns even if it is unknown whether the node received the transaction: `wait` tells, and must be
        called for everything sent.

        Raises:
            Reverted, Unfunded, GasOverCap, RpcError: nothing was sent.
            RpcUnavailable: the node could not be asked, and nothing was sent.
        """
        return (await self._submit(call, gas, access_list, simulate=simulate, sync=False))[0]

    async def transact(
        self,
        call: Call,
        *,
        gas: int | None = None,
        access_list: AccessList = (),
        simulate: bool = True,
        confirmations: int = 0,
        timeout: float = 120.0,
    ) -> Receipt:
        """`send` and `wait`.

        Raises:
            Reverted: before sending (no tx_hash) or on chain (with tx_hash), with the contract's own error.
            Others as `send` and `wait`.
        """
        sync = confirmations == 0 and self._nonces.idle
        sent, receipt = await self._submit(call, gas, access_list, simulate=simulate, sync=sync)
        if receipt is None:
            receipt = await self.wait(sent, timeout=timeout, confirmations=confirmations)
        if not receipt.succeeded:
            raise Reverted(await self.explain(sent, receipt), receipt.tx_hash)
        return receipt

    async def explain(self, sent: SentTx, receipt: Receipt) -> ContractError:
        """Why a mined transaction reverted, as far as running it again can tell."""
        return await self._simulator.explain(sent, receipt)

    async def wait(self, sent: SentTx, *, timeout: float | None = 120.0, confirmations: int = 0) -> Receipt:
        """Receipt of the transaction, or of what replaced it with higher fees, whether it succeeded or not.

        While the chain's node cannot be reached, the waiting goes on. `confirmations` counts blocks on top.

        Raises:
            NotMined: not within `timeout` seconds.
            TransactionReplaced: the nonce went to somebody else's transaction.
        """
        started = checked = attempted = time.monotonic()
        pause, reason = 0.0, "not mined yet"
        while True:
            try:
                receipt = await self._upkeep.receipt(sent, confirmations)
                if receipt is not None:
                    return receipt
                now = time.monotonic()
                if now - checked >= self._check_up:
                    checked = now
                    await self._upkeep.look_into(sent, await self.chain_id())
                if self._replace_after is not None and now - attempted >= self._replace_after:
                    attempted = now
                    await self._upkeep.replace(sent)
                reason = "not mined yet"
            except (RpcUnavailable, RpcError) as failed:
                reason = str(failed)
            waited = time.monotonic() - started
            if timeout is not None and waited >= timeout:
                raise NotMined(sent.hash, waited, reason)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5 + 0.0005, self._poll)

    async def _submit(
        self, call: Call, gas: int | None, access_list: AccessList, *, simulate: bool, sync: bool
    ) -> tuple[SentTx, Receipt | None]:
        tx = await self.prepare(call, gas=gas, access_list=access_list, simulate=simulate)
        for last in (False, False, True):
            try:
                return tx, await self.broadcast(tx, sync=sync)
            except RpcUnavailable as unknown:
                _log.warning("it is unknown whether %s was received: %s", to_hex(tx.hash), unknown)
                return tx, None
            except NonceUsed:
                self._nonces.drop(tx.nonce)
                if last:
                    raise
                await self._nonces.resync()
            except RpcError as refused:
                await self.abandon(tx)
                if last or not self._broadcaster.is_fee_too_low(refused):
                    raise
                self._fees.forget()
            tx = await self.prepare(call, gas=tx.transaction.gas, access_list=access_list, simulate=False)
        raise AssertionError("unreachable")

    def _sign(self, transaction: Transaction) -> SentTx:
        tx = self._key.sign(transaction)
        self._nonces.signed(tx)
        if self._on_attempt is not None:
            self._on_attempt(tx)
        return tx
