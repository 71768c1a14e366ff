"""What goes out next: answers with their seals together, deliveries and settlements one by one."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator

from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, FeeOverCap, RpcError
from vouch.chain.fees import MAX_FEE
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import Unfunded
from vouch.relayer.batch import Batch
from vouch.relayer.config import Limits, Patience
from vouch.relayer.errands import Errand, Refusal, Registration, name_of
from vouch.relayer.fee_wait import FeeWait
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.lane import Lane
from vouch.relayer.registrations import Registrations
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

MAY_CHANGE = frozenset({"WrongStatus", "UnknownRequest", "UnregisteredOperator"})
"""Reverts that the next block may cure, or whose log is still to be read."""
KEY_ENDED = frozenset({"UnknownEnclaveKey", "EnclaveKeyExpired", "EnclaveKeyRevoked"})
"""Reverts of a seal whose key does not count, or not any more: the node may make another one."""
_SLOW = 12.0
"""Seconds between blocks until the chain has shown its own: those of the slowest chains."""
_URGENT = (TxKind.SETTLE, TxKind.EXPIRE_DELIVERED)
_LATER = (TxKind.DELIVER, TxKind.EXPIRE)


class Sender:
    """One key's lane: `offer` jobs with answer and seal, and `run` sends them, together where they can be.

    again: told of requests whose delivery, settlement or the like went out, or is over in one way or another.
    unanswered: told of jobs whose answers' seals do not count any more.
    registered: told why the transaction that let an enclave's key in is over.
    max_fee: most wei per gas; while a block asks for more, everything waits.
    """

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
        again: Callable[[Iterable[bytes]], None],
        *,
        unanswered: Callable[[Job], None],
        registered: Callable[[str], None],
        max_fee: int = MAX_FEE,
        simulate: bool = True,
    ) -> None:
        self._hub, self._store, self._clock = hub, store, clock
        self._limits, self._patience, self._simulate = limits, patience, simulate
        self._again, self._unanswered, self._registered = again, unanswered, registered
        self._wake = asyncio.Event()
        self._lane = Lane(rpc, key, chain_id, store, patience, max_fee, self._wake.set, self._ended)
        self.fees = self._lane.fees
        self._fee_wait = FeeWait(self.fees, store)
        self._queue: dict[bytes, Job] = {}
        self._parked: dict[bytes, Job] = {}
        self._errands: dict[TxKind, dict[bytes, Errand]] = {kind: {} for kind in (*_URGENT, *_LATER)}
        self._registrations = Registrations(self._lane, store)
        self._recover = True
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why nothing goes out right now; empty if all is well."""
        return self._trouble or self._lane.trouble

    @property
    def risks(self) -> dict[bytes, str]:
        """Requests whose stake may be lost because gas costs more than the cap -> why."""
        return self._fee_wait.risks

    def seconds_for(self, count: int) -> float:
        """Until so many transactions that share none are in blocks, if all are to be sent at once."""
        pace = self._clock.block_time
        if pace is None:
            pace = _SLOW
        elif pace > self._patience.quiet:
            pace = 0.0  # it makes a block as soon as there is something for it
        return math.ceil(count / self._limits.alone) * pace

    def offer(self, job: Job) -> None:
        """Takes a job with answer and seal; offering it twice is harmless."""
        self._queue[job.id] = job
        self._wake.set()

    def errand(self, errand: Errand) -> None:
        """Takes a transaction of one job; another one of the same kind for the job replaces it."""
        self._errands[errand.kind][errand.job.id] = errand
        self._wake.set()

    def register(self, registration: Registration) -> None:
        """Takes a transaction that lets an enclave's key in."""
        self._registrations.put(registration)
        self._wake.set()

    @property
    def registering(self) -> bool:
        """A registration is queued or under way, this process's or an earlier one's."""
        return self._registrations.under_way

    def queued(self, kind: TxKind) -> list[Job]:
        """Jobs whose errands of this kind are not signed yet."""
        return [errand.job for errand in self._errands[kind].values()]

    def read_up_to(self, cursor: int, *, forked: bool) -> None:
        """The chain was read up to this block: what waits goes on, and after a fork more."""
        self._recover |= forked
        self._queue.update(self._parked)
        self._parked.clear()
        self._lane.read_up_to(cursor)
        self._fee_wait.look(self._waiting(), self._clock.probably())
        if self._queue or self._registrations or self._recover:
            self._wake.set()

    async def run(self) -> None:
        """Sends for ever. What the chain does not take now is tried again after a pause."""
        pause = self._patience.retry_first
        self._wake.set()
        async with self._lane:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    if self._recover:
                        await self._lane.take_up()
                        self._recover = False
                    await self._drain()
                    pause, self._trouble = self._patience.retry_first, ""
                except ChainError as error:
                    self._trouble = str(error)
                    if not isinstance(error, FeeOverCap):  # that one was said when it began
                        _log.warning("sending waits: %s", error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, self._patience.retry_most)
                    self._wake.set()

    async def _drain(self) -> None:
        await self._run_errands(_URGENT)
        await self._registrations.send(self._free)
        while self._queue and self._free(TxKind.FULFIL):
            batch = self._next()
            if not batch.jobs:
                break
            try:
                await self._send_batch(batch)
            except ChainError:
                # If it was signed and stored, the status keeps a job from going out twice.
                self._queue.update({job.id: job for job in batch.jobs if self._waits(job)})
                raise
        await self._run_errands(_LATER)

    def _waiting(self) -> Iterator[tuple[TxKind, bytes]]:
        """What is to go out, or is not in a block yet."""
        yield from ((TxKind.FULFIL, job) for job in self._queue)
        yield from ((kind, job) for kind, errands in self._errands.items() for job in errands)
        yield from ((kind, job) for kind, jobs in self._lane.waiting() for job in jobs)

    def _free(self, kind: TxKind) -> bool:
        most = self._limits.alone if kind.alone else self._limits.unconfirmed
        return self._store.unconfirmed(alone=kind.alone) < most

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
            await self._fulfil(batch, simulate=self._simulate)
        except Unfunded:
            raise
        except (Reverted, RpcError) as refused:
            await self._sort_out(batch, refused)

    async def _sort_out(self, batch: Batch, refused: Refusal) -> None:
        """Finds out which jobs are in the way, and sends the others."""
        whole = len(batch.jobs)
        for job in list(batch.jobs):
            single = Batch(self._hub, [job])
            try:
                await self._lane.simulate(single.call(), single.gas())
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
            await self._fulfil(batch, simulate=False)

    async def _fulfil(self, batch: Batch, *, simulate: bool) -> None:
        ids = tuple(job.id for job in batch.jobs)
        await self._lane.send(
            TxKind.FULFIL,
            ids,
            batch.call(),
            batch.gas(),
            simulate=simulate,
            wanted=lambda: not all(self._store.status(job).ended for job in ids),
        )

    def _set_aside(self, job: Job, refused: Refusal) -> None:
        name = name_of(refused)
        if name == "DeliverByPassed":
            self._expired(job)
        elif isinstance(refused, RpcError) or name in MAY_CHANGE:
            self._parked[job.id] = job
            self._store.move(job.id, JobStatus.ANSWERED, f"waits for the chain: {refused}")
        elif name in KEY_ENDED:
            if (again := self._store.unanswer(job.id, f"another seal is needed: {refused}")) is not None:
                self._unanswered(again)
        else:
            self._store.move(job.id, JobStatus.FAILED, str(refused))

    def _expired(self, job: Job) -> None:
        self._queue.pop(job.id, None)
        reason = f"DeliverByPassed: deliverBy was {job.terms.deliver_by}, the answer came too late"
        self._store.move(job.id, JobStatus.EXPIRED, reason)

    async def _run_errands(self, kinds: tuple[TxKind, ...]) -> None:
        for kind in kinds:
            waiting = self._errands[kind]
            while waiting and self._free(kind):
                errand = min(waiting.values(), key=lambda waits: waits.due)  # the oldest of the most urgent
                try:
                    await self._run_errand(errand)
                except Unfunded:
                    raise
                except (Reverted, RpcError) as refused:
                    self._done(errand)
                    errand.refused(errand, refused)
                except ChainError:
                    if self._store.is_held(errand.job.id):
                        self._done(errand)  # it is signed and stored, and offered again from there
                    raise
                else:
                    self._done(errand)
                    self._again((errand.job.id,))

    def _done(self, errand: Errand) -> None:
        waiting = self._errands[errand.kind]
        if waiting.get(errand.job.id) is errand:
            del waiting[errand.job.id]

    async def _run_errand(self, errand: Errand) -> None:
        kind, job = errand.kind, errand.job
        call = errand.call(self._hub)
        gas = errand.gas(call)
        if errand.ahead:
            await self._lane.simulate_ahead(call, gas)
        still = JobStatus.SENDING if kind.answers else self._store.status(job.id)
        await self._lane.send(
            kind,
            (job.id,),
            call,
            gas,
            simulate=not errand.ahead,
            wanted=lambda: self._store.status(job.id) is still,
        )

    def _ended(self, kind: TxKind, jobs: tuple[bytes, ...], reason: str) -> None:
        """A transaction is over: what it left behind is done again."""
        for job in self._store.reopen(jobs, reason, self._limits.attempts):
            if job.sealed:
                self.offer(job)
        if kind.alone:
            self._again(jobs)
        if kind is TxKind.REGISTER:
            self._registered(reason)
        self._wake.set()
