"""Which proof is made when: tasks in, seals out, one after the other or as many at once as memory allows."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from vouch.protocol.errors import VouchError
from vouch.prover.service.circuits import Circuits, Served
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.errors import (
    ProofFailed,
    QueueFull,
    StoreUnavailable,
    TooLarge,
    UnknownProof,
    WorkerDied,
    WorkerUnavailable,
)
from vouch.prover.service.estimate import Estimates, Running
from vouch.prover.service.orders import Order, Proven
from vouch.prover.service.pool import Pool
from vouch.prover.service.statement import Statement
from vouch.prover.service.store import Job, Soon, Store
from vouch.prover.service.task import ProofState, ProofStatus, ProofTask, ProverInfo

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

PAUSE_SECONDS = 1.0
"""After a failure that is the machine's."""
MARGIN_SECONDS = 60.0
"""A task goes first when its deadline is no farther away than the whole queue and this."""
PRUNE_SECONDS = 3600.0
_DAY = 86400


@dataclass(slots=True)
class _UnderWay:
    circuit_id: bytes
    began: float
    task: asyncio.Task[None]
    stage: str = ""

    @property
    def running(self) -> Running:
        return Running(self.circuit_id, time.monotonic() - self.began)


class ProofQueue:
    """The tasks of one store, proven by one pool. `run` does the work, everything else can be asked
    meanwhile; all of it may raise StoreUnavailable.

    store_trouble, pool_trouble: what keeps proofs from being made now; empty when nothing does.
    """

    def __init__(self, config: ProverConfig, store: Store, circuits: Circuits, pool: Pool) -> None:
        self._config, self._store, self._circuits, self._pool = config, store, circuits, pool
        known = {circuit: store.measurements(circuit) for circuit in circuits.ids}
        self._estimates = Estimates(config.machine, known)
        self._under_way: dict[str, _UnderWay] = {}
        self._changed = asyncio.Event()
        self.store_trouble = self.pool_trouble = ""

    async def run(self) -> None:
        """Proves until it is cancelled; what is being proven then is put back into its place."""
        if resumed := self._store.resume(self._config.attempts):
            _log.info("%d interrupted proofs are taken up again", resumed)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._prune())
            while True:
                self._changed.clear()
                job = await self._stored(self._begin)
                if job is None:
                    await self._changed.wait()
                    continue
                proof, circuit_id = job.status.id, job.task.circuit_id
                proving = tasks.create_task(self._prove(job), name=f"proof {proof}")
                self._under_way[proof] = _UnderWay(circuit_id, time.monotonic(), proving)
                proving.add_done_callback(partial(self._over, proof))

    async def submit(self, task: ProofTask, *, again: bool = False) -> ProofStatus:
        """Queues a task once; see `ProverClient.submit`. Raises what `validate` raises."""
        await self._end_of_cancelled(task.id)
        known = self._store.get(task.id)
        state = None if known is None else known.status.state
        if state in (ProofState.QUEUED, ProofState.PROVING) or (state is ProofState.DONE and not again):
            self._circuits.of(task)
        else:
            await self.validate(task)
        job = self._store.submit(task, attempts=self._config.attempts, again=again)
        self._changed.set()
        return self._status(job)

    async def validate(self, task: ProofTask) -> None:
        """Raises UnknownCircuit, BadTask, InputOutOfRange, OutputMismatch, TooLarge, QueueFull."""
        served = self._circuits.of(task)
        # No proof of anything false exists, so it is said at once; false is only what the model says.
        await asyncio.to_thread(served.statement, task)
        if received := self._estimates.too_much(task.circuit_id):
            raise TooLarge(task.circuit_id, received, self._config.max_memory)
        if self._store.counts().get(ProofState.QUEUED, 0) >= self._config.max_queue:
            raise QueueFull(self._config.max_queue)

    def get(self, proof: str) -> ProofStatus:
        """How far a task is. Raises UnknownProof."""
        if (job := self._store.get(proof)) is None:
            raise UnknownProof(proof)
        return self._status(job)

    async def cancel(self, proof: str) -> ProofStatus:
        """Ends a task; its proof is not being made any more when this returns. Raises UnknownProof."""
        self._store.cancel(proof)
        await self._end_of_cancelled(proof)
        self._changed.set()
        return self.get(proof)

    def info(self) -> ProverInfo:
        """What is proven here and how long a new task would take."""
        queued = self._store.queued(self._circuits.ids)
        circuits, estimates = self._circuits, self._estimates
        eta = {c: left for c in circuits.ids if (left := self._wait(c, queued)) is not None}
        own = {c: one.seconds for c in circuits.ids if (one := estimates.expected(c)) is not None}
        return ProverInfo(circuits.models, circuits.srs, sum(queued.values()), eta, own)

    def counts(self) -> dict[ProofState, int]:
        """Tasks per state."""
        return self._store.counts()

    # --- choosing ---

    def _begin(self) -> Job | None:
        if len(self._under_way) >= self._config.workers:
            return None
        job = self._store.first(self._circuits.ids, self._soon())
        running = [under.circuit_id for under in self._under_way.values()]
        if job is None or job.status.id in self._under_way:
            return None
        # Nobody overtakes a task that waits for memory, or it could wait for ever. One that ended with its
        # process may take more than is known, so it is tried again alone.
        if not self._estimates.fits(job.task.circuit_id, running) or (job.attempts and running):
            return None
        self._store.start(job.status.id)
        return replace(job, attempts=job.attempts + 1)

    def _soon(self) -> Soon:
        now = time.time()
        queued = self._store.queued(self._circuits.ids)
        return Soon(int(now), int(now + self._estimates.horizon(queued) + MARGIN_SECONDS))

    def _status(self, job: Job) -> ProofStatus:
        status = job.status
        match status.state:
            case ProofState.PROVING if (under := self._under_way.get(status.id)) is not None:
                left = None if self._trouble else self._estimates.left(under.running)
                return replace(status, eta_seconds=left, reason=under.stage)
            case ProofState.QUEUED if job.task.circuit_id in self._circuits.ids:
                ahead = self._store.ahead(status.id, self._circuits.ids, self._soon())
                eta, place = self._wait(job.task.circuit_id, ahead), sum(ahead.values())
                return replace(status, place=place + len(self._under_way), eta_seconds=eta)
            case ProofState.QUEUED:
                return replace(status, reason="this prover was not started with the circuit's folder")
        return status

    def _wait(self, circuit_id: bytes, ahead: Mapping[bytes, int]) -> float | None:
        running = [under.running for under in self._under_way.values()]
        return None if self._trouble else self._estimates.wait(circuit_id, ahead, running)

    @property
    def _trouble(self) -> str:
        return self.store_trouble or self.pool_trouble

    # --- proving ---

    async def _prove(self, job: Job) -> None:
        proof, began = job.status.id, time.monotonic()
        try:
            served = self._circuits.of(job.task)
            stated = await asyncio.to_thread(served.statement, job.task)
            order = await self._order(proof, served, stated)
            made = await self._pool.prove(order, lambda text: self._stage(proof, text))
            self.pool_trouble = ""
        except WorkerUnavailable as error:
            self.pool_trouble = str(error)
            _log.warning("%s", error)
            await asyncio.sleep(PAUSE_SECONDS)
            await self._stored(partial(self._store.interrupted, proof, str(error), counts=False))
        except (WorkerDied, ProofFailed) as error:
            self.pool_trouble = ""
            self._estimates.failed(job.task.circuit_id)
            await self._failed(job, error)
        except VouchError as error:
            await self._failed(job, error)  # the task's own fault
        else:
            await self._finished(job, stated, made, began)

    def _over(self, proof: str, ended: asyncio.Task[None]) -> None:
        """After the end of `_prove`, even of one that was cancelled before it began."""
        del self._under_way[proof]
        if ended.cancelled():
            self._put_back(proof)
        self._changed.set()

    async def _order(self, proof: str, served: Served, stated: Statement) -> Order:
        circuit, estimates = served.circuit, self._estimates
        others = [under.circuit_id for name, under in self._under_way.items() if name != proof]
        free = estimates.free(others)
        idle = await self._pool.trim(max(0, free - estimates.memory(circuit.id)))
        return Order(
            circuit.id,
            served.folder,
            self._config.home,
            circuit.batch,
            stated.rows,
            stated.context,
            memory=max(free - idle, estimates.memory(circuit.id)),
            timeout=estimates.limit(circuit.id),
        )

    async def _finished(self, job: Job, stated: Statement, made: Proven, began: float) -> None:
        proof, circuit_id, took = job.status.id, job.task.circuit_id, made.took
        seal = stated.seal(made.proof)
        await self._stored(partial(self._store.finish, proof, seal, took, circuit_id))
        self._estimates.add(circuit_id, took)
        waited = max(0.0, time.time() - job.queued_at - (time.monotonic() - began))
        _log.info(
            "proof %s done: circuit=0x%s items=%d queue_s=%.3f wall_s=%.3f cpu_s=%.3f peak_mb=%.1f "
            "attempts=%d srs=%s", proof, circuit_id.hex(), len(job.task.items), waited, took.seconds,
            took.cpu_seconds, took.peak_bytes / 1e6, job.attempts, self._circuits.srs,
        )  # fmt: skip
        if took.memory > self._config.max_memory:
            _log.warning(
                "proof %s took %d MB, more than the %d MB that proofs may take here: raise --max-memory",
                proof, took.memory / 1e6, self._config.max_memory / 1e6,
            )  # fmt: skip

    async def _failed(self, job: Job, error: VouchError) -> None:
        proof = job.status.id
        retryable = isinstance(error, WorkerDied) or (isinstance(error, ProofFailed) and error.retryable)
        _log.warning("proof %s, attempt %d: %s", proof, job.attempts, error)
        if retryable and job.attempts < self._config.attempts:
            await self._stored(partial(self._store.interrupted, proof, str(error), counts=True))
        else:
            await self._stored(partial(self._store.fail, proof, str(error)))

    def _stage(self, proof: str, text: str) -> None:
        if (under := self._under_way.get(proof)) is not None:
            under.stage = text

    def _put_back(self, proof: str) -> None:
        try:
            self._store.interrupted(proof, "interrupted", counts=False)
        except StoreUnavailable as error:
            _log.warning("proof %s is put back at the next start: %s", proof, error)

    async def _end_of_cancelled(self, proof: str) -> None:
        under = self._under_way.get(proof)
        job = self._store.get(proof)
        if under is not None and job is not None and job.status.state is ProofState.CANCELLED:
            under.task.cancel()
            await asyncio.wait([under.task])

    # --- the store ---

    async def _stored(self, action: Callable[[], _T]) -> _T:
        """What the store gives, as soon as it can be used: a proof is not thrown away for a full disk."""
        while True:
            try:
                made = action()
            except StoreUnavailable as error:
                self.store_trouble = str(error)
                _log.warning("%s", error)
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                self.store_trouble = ""
                return made

    async def _prune(self) -> None:
        while True:
            before = time.time() - self._config.keep_days * _DAY
            if dropped := await self._stored(partial(self._store.prune, before, self._circuits.ids)):
                _log.info("%d proofs were dropped for their age", dropped)
            await asyncio.sleep(PRUNE_SECONDS)
