"""Own transactions: signed and stored, then broadcast, then followed until a block that was read has them."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

from vouch.chain.account import LocalKey
from vouch.chain.broadcast import Broadcaster
from vouch.chain.errors import ChainError, NonceUsed, RpcError, RpcUnavailable
from vouch.chain.fees import FeePolicy
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TransactionReplaced, TxSender
from vouch.chain.simulate import Simulator
from vouch.chain.transaction import Call, Receipt, SentTx
from vouch.relayer.config import Patience
from vouch.relayer.job import OutboxTx, TxKind, TxStatus
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_MARGIN = 1.2
"""What an estimate is multiplied with."""

Cargo = tuple[TxKind, tuple[bytes, ...]]


class Lane:
    """One key's transactions, in an `async with` block that keeps those who follow them."""

    def __init__(
        self,
        rpc: Rpc,
        key: LocalKey,
        chain_id: int,
        store: Store,
        patience: Patience,
        max_fee: int,
        moved: Callable[[], None],
        ended: Callable[[TxKind, tuple[bytes, ...], str], None],
    ) -> None:
        """`max_fee` is the most wei per gas.

        `moved` is told when a block takes a transaction, `ended` what one carried that is over.
        """
        self._rpc, self._store, self._patience = rpc, store, patience
        self._moved, self._ended = moved, ended
        self.fees = FeePolicy(rpc, cap=max_fee)
        timing = {"check_up": patience.rebroadcast, "replace_after": patience.replace}
        self._sender = TxSender(
            rpc, key, chain_id=chain_id, fees=self.fees, on_attempt=self._signed, **timing
        )
        self._ahead = Simulator(rpc, key.address, _MARGIN)
        self._cargo: dict[int, Cargo] = {}
        self._loading: Cargo | None = None
        self._followed: set[int] = set()
        self._unmined: set[int] = set()
        self._tasks = asyncio.TaskGroup()
        self._cursor, self._read = -1, asyncio.Event()
        self._unread = ""

    @property
    def trouble(self) -> str:
        """Why what was sent does not get on; empty if all is well."""
        return self._unread or (self.fees.trouble if self._unmined else "")

    def waiting(self) -> list[Cargo]:
        """What signed transactions carry that no block has."""
        return [self._cargo[nonce] for nonce in self._unmined if nonce in self._cargo]

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._fee_watch = self._tasks.create_task(self._watch_fee(), name="watch the fee")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fee_watch.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    def read_up_to(self, cursor: int) -> None:
        """The chain was read up to this block."""
        self._cursor = cursor
        read, self._read = self._read, asyncio.Event()
        read.set()

    async def take_up(self) -> None:
        """Offers again what was signed before a restart or fork: the same bytes, so nothing is paid twice."""
        for tx in self._store.pending():
            if tx.nonce in self._followed:
                continue
            sent = self._sender.adopt(tx.raw)
            self._cargo[tx.nonce] = (tx.kind, tx.jobs)
            if tx.status is not TxStatus.INCLUDED:
                await self._offer_again(sent)
            self._follow(sent)

    async def simulate(self, call: Call, gas: int) -> None:
        """Raises Reverted, Unfunded, RpcError, RpcUnavailable."""
        await self._sender.simulate(call, gas=gas)

    async def simulate_ahead(self, call: Call, gas: int) -> None:
        """The same at the time of the next block, where the chain makes none until it is asked to."""
        try:
            await self._rpc.call("eth_call", call.to_rpc(self._sender.address, gas), "pending")
        except RpcError as refused:
            raise reverted(refused) or refused from refused

    async def estimate_ahead(self, call: Call) -> int:
        """Gas for a call in the next block, with a margin.

        Raises Reverted, Unfunded, RpcError, RpcUnavailable.
        """
        return await self._ahead.gas(call, None, "pending")

    async def send(
        self,
        kind: TxKind,
        jobs: tuple[bytes, ...],
        call: Call,
        gas: int,
        *,
        simulate: bool,
        wanted: Callable[[], bool],
    ) -> None:
        """Signs, stores, broadcasts and follows; nothing is sent if it is not `wanted` any more by then.

        Raises FeeOverCap, Reverted (tried and refused), Unfunded, RpcError (nothing was sent), RpcUnavailable
        (unknown; what is stored is offered again).
        """
        await self.fees.check()
        self._loading = (kind, jobs)
        try:
            sent = await self._sender.prepare(call, gas=gas, simulate=simulate)
        finally:
            self._loading = None
        if not wanted():
            # Somebody else was faster while it was tried: sending it would only cost gas.
            await self._withdraw(sent, "somebody else was faster")
            return
        try:
            await self._broadcast(sent)
        except RpcUnavailable:
            self._follow(sent)  # nobody knows whether it arrived: it stays stored and is offered again
            raise
        except RpcError as refused:
            self.fees.forget()
            await self._withdraw(sent, f"the chain did not take the transaction: {refused}")
            raise
        self._follow(sent)

    async def _offer_again(self, sent: SentTx) -> None:
        try:
            await self._broadcast(sent)
        except RpcError as refused:
            if not Broadcaster.is_fee_too_low(refused):
                raise
            # Following it offers it again, and replaces it where the cap allows.
            self.fees.forget()
            _log.warning("transaction 0x%s waits: %s", sent.hash.hex(), refused)

    async def _watch_fee(self) -> None:
        """While transactions wait for a block: whether the cap is in their way."""
        while True:
            await asyncio.sleep(self._patience.rebroadcast)
            if self._unmined:
                try:
                    await self.fees.current()
                except ChainError as error:
                    _log.info("what gas costs is not known: %s", error)

    async def _withdraw(self, sent: SentTx, reason: str) -> None:
        del self._cargo[sent.nonce]
        self._store.unsign(sent.hash, reason)
        await self._sender.abandon(sent)

    def _signed(self, sent: SentTx) -> None:
        """The outbox: called with every signed transaction, replacements included, before it is broadcast."""
        if not sent.transaction.call.data:
            return  # fills a gap between nonces, carries nothing
        kind, jobs = self._cargo.get(sent.nonce) or self._loading or (TxKind.FULFIL, ())
        self._cargo[sent.nonce] = (kind, jobs)
        self._store.sign(OutboxTx(sent.hash, sent.nonce, kind, sent.raw, TxStatus.SIGNED, jobs))

    async def _broadcast(self, sent: SentTx) -> None:
        try:
            await self._sender.broadcast(sent)
        except NonceUsed as taken:
            _log.warning("%s", taken)  # following it finds out by whom
            return
        self._store.broadcast(sent.hash, self._cargo[sent.nonce][1])

    def _follow(self, sent: SentTx) -> None:
        if sent.nonce not in self._followed:
            self._followed.add(sent.nonce)
            self._tasks.create_task(self._to_its_end(sent), name=f"follow nonce {sent.nonce}")

    async def _to_its_end(self, sent: SentTx) -> None:
        """Until a block that was read holds the transaction, or another one used its nonce."""
        kind, jobs = self._cargo[sent.nonce]
        try:
            receipt = await self._settled_receipt(sent)
            status = TxStatus.MINED if receipt.succeeded else TxStatus.REVERTED
            what = "passed this request over" if receipt.succeeded else "reverted"
            reason = f"transaction 0x{receipt.tx_hash.hex()} {what}"
            self._store.close_nonce(sent.nonce, receipt, status)
        except TransactionReplaced as replaced:
            reason = str(replaced)
            self._store.close_nonce(sent.nonce, None, TxStatus.REPLACED)
        self._followed.discard(sent.nonce)
        self._cargo.pop(sent.nonce, None)
        self._ended(kind, jobs, reason)

    async def _settled_receipt(self, sent: SentTx) -> Receipt:
        """Receipt in a block that was read; until then a fork can take it back, and it all starts again."""
        while True:
            self._unmined.add(sent.nonce)
            try:
                receipt = await self._sender.wait(sent, timeout=None)
            finally:
                self._unmined.discard(sent.nonce)
            self._store.included(sent.nonce, receipt)
            self._moved()
            while self._cursor < receipt.block_number:
                await self._read.wait()
            again = await self._receipt(receipt.tx_hash)
            if again is not None and again.block_hash == receipt.block_hash:
                return receipt
            self._sender.adopt(sent.raw)  # the waiting offers it again

    async def _receipt(self, tx_hash: bytes) -> Receipt | None:
        while True:
            try:
                found = await self._rpc.call("eth_getTransactionReceipt", tx_hash)
            except ChainError as error:
                self._unread = str(error)
                await asyncio.sleep(self._patience.retry_most)
            else:
                self._unread = ""
                return Receipt.from_rpc(found) if found else None
