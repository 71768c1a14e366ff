"""The lane from checked answers to mined transactions: signed and stored, then broadcast, then followed."""

import asyncio
import logging

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, NonceUsed, RpcError, RpcUnavailable
from vouch.chain.fees import FeePolicy
from vouch.chain.rpc import Rpc
from vouch.chain.sender import Reverted, TransactionReplaced, TxSender, Unfunded
from vouch.chain.transaction import Call, Receipt, SentTx
from vouch.relayer.batch import EXPIRE_GAS, Batch
from vouch.relayer.clock import ChainClock
from vouch.relayer.config import Limits, Patience
from vouch.relayer.job import Job, JobStatus, OutboxTx, TxKind, TxStatus
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_MAY_CHANGE = frozenset({"WrongStatus", "UnknownRequest", "UnregisteredOperator"})
"""Reverts that the next block may cure, or whose log is still to be read."""


class Sender:
    """One key's lane: `offer` jobs with answers, and `run` sends them, together when more than one waits."""

    def __init__(
        self,
        rpc: Rpc,
        key: LocalKey,
        hub: Hub,
        chain_id: int,
        store: Store,
        clock: ChainClock,
        limits: Limits,
        patience: Patience,
        *,
        simulate: bool = True,
    ) -> None:
        self._hub, self._store, self._clock = hub, store, clock
        self._limits, self._patience, self._simulate = limits, patience, simulate
        self.fees = FeePolicy(rpc)
        timing = {"check_up": patience.rebroadcast, "replace_after": patience.replace}
        self._lane = TxSender(rpc, key, chain_id=chain_id, fees=self.fees, on_attempt=self._signed, **timing)
        self._rpc = rpc
        self._queue: dict[bytes, Job] = {}
        self._parked: dict[bytes, Job] = {}
        self._refunds: dict[bytes, Job] = {}
        self._cargo: dict[int, tuple[TxKind, tuple[bytes, ...]]] = {}
        self._loading: tuple[TxKind, tuple[bytes, ...]] | None = None
        self._followed: set[int] = set()
        self._tasks = asyncio.TaskGroup()
        self._wake, self._moved = asyncio.Event(), asyncio.Event()
        self._cursor, self._recover = -1, True
        self.trouble = ""
        """Why nothing goes out right now; empty if all is well."""

    def offer(self, job: Job) -> None:
        """Takes a job with an answer; offering it twice is harmless."""
        self._queue[job.id] = job
        self._wake.set()

    def refund(self, job: Job) -> None:
        """Takes a job whose fee shall go back."""
        self._refunds[job.id] = job
        self._wake.set()

    def read_up_to(self, cursor: int, *, forked: bool) -> None:
        """The chain was read up to this block: what waits goes on, and after a fork more."""
        self._cursor = cursor
        self._recover |= forked
        self._queue.update(self._parked)
        self._parked.clear()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        if self._queue or self._recover:
            self._wake.set()

    async def run(self) -> None:
        """Sends for ever. What the chain does not take now is tried again after a pause."""
        pause = self._patience.retry_first
        self._wake.set()
        async with self._tasks:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    if self._recover:
                        await self._take_up()
                    await self._drain()
                    pause, self.trouble = self._patience.retry_first, ""
                except ChainError as error:
                    self.trouble = str(error)
                    _log.warning("sending waits: %s", error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, self._patience.retry_most)
                    self._wake.set()

    async def _take_up(self) -> None:
        """Offers again what was signed before a restart or fork: the same bytes, so nothing is paid twice."""
        for tx in self._store.pending():
            if tx.nonce in self._followed:
                continue
            sent = self._lane.adopt(tx.raw)
            self._cargo[tx.nonce] = (tx.kind, tx.jobs)
            if tx.status is not TxStatus.INCLUDED:
                await self._broadcast(sent)
            self._follow(sent)
        self._recover = False

    async def _drain(self) -> None:
        while self._queue and self._free():
            batch = self._next()
            if not batch.jobs:
                return
            try:
                await self._send_batch(batch)
            except ChainError:
                # If it was signed and stored, the status keeps a job from going out twice.
                self._queue.update({job.id: job for job in batch.jobs if self._waits(job)})
                raise
        while self._refunds and self._free():
            job = next(iter(self._refunds.values()))
            await self._send_refund(job)
            del self._refunds[job.id]

    def _free(self) -> bool:
        return self._store.unconfirmed() < self._limits.unconfirmed

    def _waits(self, job: Job) -> bool:
        return self._store.status(job.id) is JobStatus.ANSWERED

    def _next(self) -> Batch:
        """Takes the jobs of the next transaction off the queue."""
        batch = Batch(self._hub)
        for job in list(self._queue.values()):
            if not self._waits(job):
                del self._queue[job.id]
            elif job.terms.deliver_by < self._clock.at_least():
                self._expired(job)
            elif batch.fits(job, self._limits):
                batch.add(self._queue.pop(job.id))
            else:
                break
        return batch

    async def _send_batch(self, batch: Batch) -> None:
        try:
            await self._send(TxKind.FULFIL, batch.jobs, batch.call(), batch.gas(), simulate=self._simulate)
        except Unfunded:
            raise
        except (Reverted, RpcError) as refused:
            await self._sort_out(batch, refused)

    async def _sort_out(self, batch: Batch, refused: Reverted | RpcError) -> None:
        """Finds out which jobs are in the way, and sends the others."""
        whole = len(batch.jobs)
        for job in list(batch.jobs):
            single = Batch(self._hub, [job])
            try:
                await self._lane.simulate(single.call(), gas=single.gas())
            except Unfunded:
                raise
            except (Reverted, RpcError) as error:
                batch.jobs.remove(job)
                self._set_aside(job, error)
        if len(batch.jobs) == whole > 1:
            # Only together they are too much.
            _log.warning("%d answers do not go out together: %s", whole, refused)
            self._queue.update({job.id: job for job in batch.jobs[1:]})
            del batch.jobs[1:]
        if batch.jobs:
            await self._send(TxKind.FULFIL, batch.jobs, batch.call(), batch.gas(), simulate=False)

    async def _send_refund(self, job: Job) -> None:
        try:
            await self._send(TxKind.EXPIRE, [job], self._hub.expire(job.terms), EXPIRE_GAS, simulate=True)
        except Reverted as refused:
            # It ended already and its log comes, or the chain's clock is behind ours.
            known = refused.error.name in ("WrongStatus", "DeliverByNotPassed") or "no refund" in job.reason
            if not known:
                self._store.move(job.id, job.status, f"{job.reason}; no refund: {refused.error}")

    def _set_aside(self, job: Job, refused: Reverted | RpcError) -> None:
        name, text = (
            (refused.error.name, str(refused.error)) if isinstance(refused, Reverted) else ("", str(refused))
        )
        if name == "DeliverByPassed":
            self._expired(job)
        elif isinstance(refused, RpcError) or name in _MAY_CHANGE:
            self._parked[job.id] = job
            self._store.move(job.id, JobStatus.ANSWERED, f"waits for the chain: {text}")
        else:
            self._store.move(job.id, JobStatus.FAILED, text)

    def _expired(self, job: Job) -> None:
        self._queue.pop(job.id, None)
        reason = f"DeliverByPassed: deliverBy was {job.terms.deliver_by}, the answer came too late"
        self._store.move(job.id, JobStatus.EXPIRED, reason)

    async def _send(self, kind: TxKind, jobs: list[Job], call: Call, gas: int, *, simulate: bool) -> None:
        self._loading = (kind, tuple(job.id for job in jobs))
        try:
            sent = await self._lane.prepare(call, gas=gas, simulate=simulate)
        finally:
            self._loading = None
        if kind is TxKind.FULFIL and all(self._store.status(job.id).ended for job in jobs):
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

    async def _withdraw(self, sent: SentTx, reason: str) -> None:
        del self._cargo[sent.nonce]
        self._store.unsign(sent.hash, reason)
        await self._lane.abandon(sent)

    def _signed(self, sent: SentTx) -> None:
        """The outbox: called with every signed transaction, replacements included, before it is broadcast."""
        if not sent.transaction.call.data:
            return  # fills a gap between nonces, carries nothing
        kind, jobs = self._cargo.get(sent.nonce) or self._loading or (TxKind.FULFIL, ())
        self._cargo[sent.nonce] = (kind, jobs)
        self._store.sign(OutboxTx(sent.hash, sent.nonce, kind, sent.raw, TxStatus.SIGNED, jobs))

    async def _broadcast(self, sent: SentTx) -> None:
        try:
            await self._lane.broadcast(sent)
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
        _, jobs = self._cargo[sent.nonce]
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
        for job in self._store.reopen(jobs, reason, self._limits.attempts):
            self.offer(job)
        self._wake.set()

    async def _settled_receipt(self, sent: SentTx) -> Receipt:
        """Receipt in a block that was read; until then a fork can take it back, and it all starts again."""
        while True:
            receipt = await self._lane.wait(sent, timeout=None)
            self._store.included(sent.nonce, receipt)
            self._wake.set()
            while self._cursor < receipt.block_number:
                await self._moved.wait()
            again = await self._receipt(receipt.tx_hash)
            if again is not None and again.block_hash == receipt.block_hash:
                return receipt
            self._lane.adopt(sent.raw)  # the waiting offers it again

    async def _receipt(self, tx_hash: bytes) -> Receipt | None:
        while True:
            try:
                found = await self._rpc.call("eth_getTransactionReceipt", tx_hash)
                return Receipt.from_rpc(found) if found else None
            except ChainError as error:
                self.trouble = str(error)
                await asyncio.sleep(self._patience.retry_most)
