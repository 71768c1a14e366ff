"""One job from "seen" to "answered": is it ours, is it paid, who answers, is the answer good."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from vouch.chain.clock import ChainClock
from vouch.chain.errors import ChainError
from vouch.chain.fees import FeePolicy
from vouch.protocol.enclave import ENCLAVE
from vouch.protocol.request import ANYONE, Request
from vouch.relayer import gas
from vouch.relayer.config import Patience
from vouch.relayer.enclave import Enclaves
from vouch.relayer.errors import NodeRefused, NodeUnavailable, NotYet, Refused, WrongNodeAnswer
from vouch.relayer.job import Job, JobStatus, NodeAnswer
from vouch.relayer.nodes import Node, NodePool
from vouch.relayer.policy import Policy
from vouch.relayer.prices import Prices
from vouch.relayer.prover import Provers
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)


class Pipeline:
    """Works on every open job at the same time, but with only so many questions at nodes."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        prices: Prices,
        pool: NodePool,
        provers: Provers,
        enclaves: Enclaves,
        fees: FeePolicy,
        clock: ChainClock,
        patience: Patience,
        dispatches: int,
        answered: Callable[[Job], None],
    ) -> None:
        """`answered` is told of every job with a checked answer."""
        self._store, self._policy, self._prices, self._pool = store, policy, prices, pool
        self._provers, self._enclaves = provers, enclaves
        self._fees, self._clock, self._patience, self._answered = fees, clock, patience, answered
        self._slots = asyncio.Semaphore(dispatches)
        self._tasks = asyncio.TaskGroup()
        self._active: set[bytes] = set()

    async def run(self) -> None:
        """Keeps the jobs' tasks until it is cancelled."""
        async with self._tasks:
            await asyncio.get_running_loop().create_future()

    def again(self, job: Job) -> None:
        """Asks anew for a job whose answer was dropped; after a pause, for the chain's nodes may disagree."""
        pause = self._patience.retry_most
        self._tasks.create_task(self._later(job, pause), name=f"job {job.id.hex()[:8]} again")

    async def _later(self, job: Job, pause: float) -> None:
        await asyncio.sleep(pause)
        self.take([job])

    def take(self, jobs: list[Job]) -> None:
        """Starts on jobs; one that is worked on already is left alone."""
        for job in jobs:
            if job.id not in self._active:
                self._active.add(job.id)
                self._tasks.create_task(self._work(job), name=f"job {job.id.hex()[:8]}")

    async def _work(self, job: Job) -> None:
        try:
            if job.answer is not None:
                self._answered(job)
            elif (answer := await self._answer(job)) is not None:
                # A fork may have taken the request back meanwhile; its answer is kept for its return.
                self._store.answered(job.id, answer)
                if self._store.status(job.id) is JobStatus.ANSWERED:
                    self._answered(replace(job, answer=answer, status=JobStatus.ANSWERED))
        finally:
            self._active.discard(job.id)

    async def _answer(self, job: Job) -> NodeAnswer | None:
        """The checked answer, or None after the reason why there is none was stored."""
        pause, deadline = self._patience.retry_first, job.terms.deliver_by
        final: dict[str, str] = {}
        if job.status is JobStatus.SEEN and (refused := self._too_late(job)) is not None:
            self._end(job, JobStatus.REFUSED, str(refused))
            return None
        while True:
            left: list[Node] = []
            try:
                nodes = await self._nodes(job)
                if left := [node for node in nodes if node.url not in final]:
                    return await self._ask(job, self._pool.pick(left))
                self._end(job, JobStatus.FAILED, "; ".join(final.values()))
                return None
            except Refused as refused:
                self._end(job, JobStatus.REFUSED, str(refused))
                return None
            except (NodeRefused, WrongNodeAnswer) as error:
                final[error.url] = str(error)
                _log.warning("request 0x%s: %s", job.id.hex(), error)
                continue
            except (NodeUnavailable, ChainError, NotYet) as error:
                why = str(error)
            if self._clock.at_least() > deadline:
                self._end(job, JobStatus.EXPIRED, f"deliverBy {deadline} passed; last: {why}")
                return None
            if (status := self._store.status(job.id)).ended or status.in_gap:
                return None
            if any(not node.down for node in left):
                continue  # another node can be asked at once
            wait = pause * random.uniform(0.5, 1.0)
            self._store.move(job.id, status, f"waits {wait:.2f} s: {why}", own=self._own(job))
            await asyncio.sleep(wait)
            pause = min(pause * 2, self._patience.retry_most)

    def _own(self, job: Job) -> bool:
        return job.terms.operator in self._pool.operators

    def _end(self, job: Job, status: JobStatus, reason: str) -> None:
        self._store.move(job.id, status, reason, own=self._own(job))

    def _too_late(self, job: Job) -> Refused | None:
        try:
            self._policy.check_terms(job.terms, self._clock.at_least())
        except Refused as refused:
            return refused
        return None

    async def _nodes(self, job: Job) -> list[Node]:
        """Nodes that may answer. Raises Refused, NotYet, RpcError, RpcUnavailable."""
        terms = job.terms
        try:
            self._policy.check_operator(terms, self._pool.operators)
            serving = await self._serving(job)
        except Refused:
            await self._pool.refresh_all(max_age=0.2)
            if unknown := self._pool.unknown:
                raise NotYet("; ".join(f"node {node.url}: {node.trouble}" for node in unknown)) from None
            self._policy.check_operator(terms, self._pool.operators)
            serving = await self._serving(job)
        for max_age in (None, 0.0):
            prices = {
                operator: await self._prices.of(operator, terms.model_id, terms.token, max_age=max_age)
                for operator in {node.operator for node in serving}
            }
            try:
                takers = self._policy.takers(terms, prices, await self._gas_cost(terms))
                return [node for node in serving if node.operator in takers]
            except Refused:
                if max_age == 0.0:
                    raise  # never on an old price
        raise AssertionError("unreachable")

    async def _serving(self, job: Job) -> list[Node]:
        """Nodes that have the model, seal on the route, and whose operator the terms name and trust."""
        terms = job.terms
        nodes = self._pool.serving(terms.model_id, terms.route)
        if not nodes:
            await self._pool.refresh_all(max_age=1.0)
            nodes = self._pool.serving(terms.model_id, terms.route)
        nodes = [node for node in nodes if terms.operator in (node.operator, ANYONE)]
        if not nodes:
            route = terms.route.decode("ascii", "backslashreplace")
            raise Refused(
                "ModelNotServed", f"no node of ours has model 0x{terms.model_id.hex()} on route {route}"
            )
        await self._provers.check(job, self._clock.at_least())
        if terms.route == ENCLAVE:
            return await self._enclaves.ready(terms, nodes)
        trusted = [node for node in nodes if self._policy.is_trusted(terms, node.operator)]
        if not trusted:
            raise Refused(
                "UntrustedOperator", f"the terms trust 0x{terms.trust.hex()}, we are {nodes[0].operator}"
            )
        return trusted

    async def _gas_cost(self, terms: Request) -> int:
        if not self._policy.gas_floor:
            return 0
        return (
            gas.expected(terms, seal_size=self._provers.seal_size(terms))
            * (await self._fees.current()).max_fee
        )

    async def _ask(self, job: Job, node: Node) -> NodeAnswer:
        async with self._slots:
            self._store.move(job.id, JobStatus.DISPATCHED, f"to {node.url}", own=self._own(job))
            answer = await self._pool.ask(node, job)
        if job.terms.route == ENCLAVE:
            await self._enclaves.check(node, job, answer)
        return answer
