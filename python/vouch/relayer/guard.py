"""Answers whose seal does not come with them, and trust gaps of ours: one small task for each.

Everything follows from the job as the store has it, so it is found again after a kill or a fork.
"""

import asyncio
import logging
from collections.abc import Iterable

from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError
from vouch.relayer.defence import Defence
from vouch.relayer.delivery import Delivery
from vouch.relayer.desk import Desk
from vouch.relayer.job import Job, JobStatus
from vouch.relayer.nodes import NodePool
from vouch.relayer.plan import Plan
from vouch.relayer.prover import Provers
from vouch.relayer.routes import Routes
from vouch.relayer.watch import Watch

_log = logging.getLogger(__name__)


class Guard:
    """Delivered first where the terms and our stake allow, and then defended until they have settled.

    Dead routes are looked for every `pause` seconds.
    """

    def __init__(
        self,
        hub: Hub,
        desk: Desk,
        plan: Plan,
        provers: Provers,
        pool: NodePool,
        routes: Routes,
        pause: float,
    ) -> None:
        self._desk, self._provers, self._routes, self._pause = desk, provers, routes, pause
        self._tasks = asyncio.TaskGroup()
        self._watches: dict[bytes, Watch] = {}
        self._delivery = Delivery(desk, plan, provers, self._watches.get)
        self._defence = Defence(desk, hub, plan, provers, pool, routes, self._watches.get)

    @property
    def risks(self) -> dict[bytes, str]:
        """By request, why stake may be lost."""
        return self._desk.risks

    async def run(self) -> None:
        """Keeps the jobs' tasks until it is cancelled."""
        async with self._tasks:
            while True:
                await asyncio.sleep(self._pause)
                if self._watches and await self._routes.look():
                    self.look_at_all()

    def take(self, jobs: Iterable[Job]) -> None:
        """Starts on jobs, or looks at them again: something has happened to them."""
        for job in jobs:
            watch = self._watches.get(job.id)
            if watch is not None:
                watch.news()
            elif job.status.in_gap or (job.status is JobStatus.ANSWERED and not job.sealed):
                watch = self._watches[job.id] = Watch()
                self._tasks.create_task(self._look_after(job.id, watch), name=f"guard {job.id.hex()[:8]}")
            elif job.status.ended:
                self._tasks.create_task(self._provers.drop(job), name=f"drop {job.id.hex()[:8]}")

    def look_again(self, jobs: Iterable[bytes]) -> None:
        """A transaction of these requests went out, or is over."""
        for job_id in jobs:
            if (watch := self._watches.get(job_id)) is not None:
                watch.errand = False
            if (job := self._desk.store.get(job_id)) is not None:
                self.take([job])

    def look_at_all(self) -> None:
        """The chain took blocks back, or the quorum is another one."""
        for watch in self._watches.values():
            watch.news()

    def tick(self) -> None:
        """The chain was looked at: its time may have come."""
        now = self._desk.now()
        for watch in self._watches.values():
            watch.tick(now)

    async def _look_after(self, job_id: bytes, watch: Watch) -> None:
        try:
            while True:
                watch.wake.clear()
                job = self._desk.store.get(job_id)
                try:
                    if job is None or not await self._look(job, watch):
                        break
                except ChainError as error:
                    self._desk.retry(watch)
                    _log.warning("request 0x%s waits: %s", job_id.hex(), error)
                await watch.wake.wait()
        finally:
            del self._watches[job_id]
            self._desk.risks.pop(job_id, None)
        if (job := self._desk.store.get(job_id)) is not None and job.status.ended:
            await self._provers.drop(job)

    async def _look(self, job: Job, watch: Watch) -> bool:
        """Does what is next; False if that is nothing."""
        if not job.status.in_gap:
            self._desk.risks.pop(job.id, None)  # a fork took the delivery back
        match job.status:
            case JobStatus.ANSWERED:
                return await self._delivery.look(job, watch)
            case JobStatus.SENDING | JobStatus.SENT:
                await self._delivery.prove_ahead(job, watch)
                return True
            case JobStatus.DELIVERED | JobStatus.CHALLENGED:
                return await self._defence.look(job, watch)
        return False
