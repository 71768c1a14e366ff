"""A result of ours that is out without its proof: settled in time, or ended if its route is dead."""

from collections.abc import Callable
from dataclasses import replace

from vouch.chain.contracts import Hub
from vouch.chain.errors import RpcError
from vouch.relayer.desk import Desk
from vouch.relayer.errands import Errand, Refusal, name_of
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.nodes import NodePool
from vouch.relayer.plan import Plan
from vouch.relayer.prover import Proof, Provers
from vouch.relayer.routes import Routes
from vouch.relayer.sender import KEY_ENDED, MAY_CHANGE
from vouch.relayer.watch import Watch

_PASSING = MAY_CHANGE | {"WindowNotPassed", "WindowPassed", "SealRequired", "ProveByPassed", "WrongAnswer"}
"""Refusals whose reason is a log that is still to be read, or a second that has not come."""


class Defence:
    """Keeps the stake; `watch_of` finds the watch of a request that is looked after."""

    def __init__(
        self,
        desk: Desk,
        hub: Hub,
        plan: Plan,
        provers: Provers,
        pool: NodePool,
        routes: Routes,
        watch_of: Callable[[bytes], Watch | None],
    ) -> None:
        self._desk, self._hub, self._plan, self._provers = desk, hub, plan, provers
        self._pool, self._routes, self._watch_of = pool, routes, watch_of

    async def look(self, job: Job, watch: Watch) -> bool:
        """Does what is next for a delivered job; False if it is not ours. Raises RpcError, RpcUnavailable."""
        if (ours := self._plan.is_ours(job)) is not True:
            return ours is None
        known = await self._with_deadline(job)
        if known is None:
            self._desk.retry(watch)
            return True
        job, now = known, self._desk.now()
        if job.challenge_by is not None and now > job.challenge_by:
            # Nobody has to pay for the check of a seal any more, and a dead route cannot be in the way.
            ahead = self._desk.clock.newest <= job.challenge_by
            self._send(TxKind.SETTLE, _unsealed(job), watch, ahead=ahead)
        elif self._routes.is_dead(job.terms.route):
            self._send(TxKind.EXPIRE_DELIVERED, job, watch)
        elif job.prove_by is not None and now > job.prove_by:
            why = f"proveBy {job.prove_by} passed without a proof: anyone can reject it"
            self._desk.risk(job, watch, why)
        elif job.sealed:
            self._desk.risks.pop(job.id, None)
            self._send(TxKind.SETTLE, job, watch)
        elif job.prove_by is not None:
            await self._prove(job, watch, job.prove_by)
        else:
            watch.due = job.challenge_by
            self._desk.say(job, watch, f"waits until {job.challenge_by}, the end of the window")
        return True

    async def _with_deadline(self, job: Job) -> Job | None:
        """The job with the deadline that runs; None while chain and store do not say the same."""
        due = job.status is JobStatus.CHALLENGED or job.terms.window == 0
        if (job.prove_by if due else job.challenge_by) is not None:
            return job
        gap = await self._hub.gap_of(job.terms)
        challenge_by, prove_by = gap.challenge_by or None, gap.prove_by or None
        if not gap.status.open or (prove_by if due else challenge_by) is None:
            return None
        if (now := self._desk.store.get(job.id)) is None or _moment(now) != _moment(job):
            return None
        self._desk.store.set_deadline(job.id, challenge_by, prove_by)
        return replace(job, challenge_by=challenge_by, prove_by=prove_by)

    async def _prove(self, job: Job, watch: Watch, prove_by: int) -> None:
        watch.due = prove_by
        if watch.alarm is None:
            watch.alarm = (self._desk.now() + prove_by) // 2
        prover = self._provers.of(job.terms.route)
        if prover is None:
            await self._prove_alone(job, watch)
            return

        def told(at: Proof) -> None:
            if at.seal is None and (at.hopeless or self._desk.now() > (watch.alarm or 0)):
                self._desk.risk(job, watch, str(at))
            else:
                self._desk.say(job, watch, f"proof is due: {at}")

        if await prover.prove(job, watch.wake, told, patient=True) is None:
            self._desk.risk(job, watch, prover.why_foreign(job.terms))

    async def _prove_alone(self, job: Job, watch: Watch) -> None:
        """A route whose whole seal is our node's: whoever had the node's answer could deliver it."""
        try:
            seal = await self._pool.seal_again(job)
        except (NodeUnavailable, NodeRefused, WrongNodeAnswer) as error:
            self._desk.risk(job, watch, str(error))
            self._desk.retry(watch)
        else:
            self._desk.store.sealed(job, seal)
            watch.wake.set()

    def _send(self, kind: TxKind, job: Job, watch: Watch, *, ahead: bool = False) -> None:
        if not watch.errand and not self._desk.store.is_being_settled(job.id):
            self._desk.send(kind, job, watch, self._refused, ahead=ahead)

    def _refused(self, errand: Errand, refusal: Refusal) -> None:
        job, name = errand.job, name_of(refusal)
        watch = self._watch_of(job.id)
        if watch is None:
            return
        watch.errand = False
        self._desk.retry(watch)
        if name in KEY_ENDED:
            # The node is asked again, and the key it has now may count by then.
            self._desk.store.unseal(job.id)
            self._desk.risk(job, watch, f"{errand.kind}: {refusal}")
        elif name in ("RouteIsTombstoned", "UnknownRoute", "RouteIsLive"):
            self._routes.set_dead(job.terms.route, dead=name != "RouteIsLive")
        elif name not in _PASSING and not isinstance(refusal, RpcError):
            self._desk.risk(job, watch, f"{errand.kind}: {refusal}")


def _unsealed(job: Job) -> Job:
    return replace(job, answer=None if job.answer is None else replace(job.answer, seal=None))


def _moment(job: Job) -> tuple[JobStatus, int | None]:
    return job.status, job.delivered_block
