"""An answer without a seal, until it is on chain: delivered at once, or proven first and fulfilled."""

from collections.abc import Callable

from vouch.chain.errors import RpcError
from vouch.relayer.desk import Desk
from vouch.relayer.errands import Errand, Refusal, name_of
from vouch.relayer.job import Job, JobStatus, TxKind
from vouch.relayer.plan import Plan
from vouch.relayer.prover import Proof, Provers
from vouch.relayer.sender import MAY_CHANGE
from vouch.relayer.watch import Watch


class Delivery:
    """The plan's decision, carried out; `watch_of` finds the watch of a request that is looked after."""

    def __init__(
        self, desk: Desk, plan: Plan, provers: Provers, watch_of: Callable[[bytes], Watch | None]
    ) -> None:
        self._desk, self._plan, self._provers, self._watch_of = desk, plan, provers, watch_of

    async def look(self, job: Job, watch: Watch) -> bool:
        """Does what is next for an answered job; False if that is nothing, or the sender's business.

        Raises RpcError, RpcUnavailable.
        """
        if job.sealed:
            self._desk.sender.offer(job)
            return False
        if self._desk.now() > job.terms.deliver_by:
            self._expired(job)
            return False
        watch.due = job.terms.deliver_by
        if watch.errand:
            return True
        watch.proof_first = watch.proof_first or await self._plan.why_proof_first(job)
        if not watch.proof_first:
            self._desk.send(TxKind.DELIVER, job, watch, self._refused)
            return True
        return await self._prove_first(job, watch)

    async def _prove_first(self, job: Job, watch: Watch) -> bool:
        def told(at: Proof) -> None:
            self._desk.say(job, watch, f"proof first ({watch.proof_first}): {at}")

        prover = self._provers.of(job.terms.route)
        if prover is None:
            self._fail(job, f"{watch.proof_first}, and this one has none")
            return False
        found = await prover.prove(job, watch.wake, told, patient=False)
        if found is None:
            self._fail(job, f"{watch.proof_first}; {prover.why_foreign(job.terms)}")
            return False
        if found.seal is None and found.hopeless:
            self._fail(job, f"no {prover.NOUN}: {found}")
            return False
        return True

    async def prove_ahead(self, job: Job, watch: Watch) -> None:
        """While the delivery is under way, if its proof is due in any case: the gap gets shorter."""
        prover = self._provers.of(job.terms.route)
        if prover is not None and not job.terms.window and not job.sealed:
            await prover.prove(job, watch.wake, lambda _: None, patient=True)

    def _refused(self, errand: Errand, refusal: Refusal) -> None:
        job, name = errand.job, name_of(refusal)
        watch = self._watch_of(job.id)
        if watch is None:
            return
        watch.errand = False
        if name == "UncoveredExposure":
            # Another delivery took the stake, or it was unbonded.
            watch.proof_first = str(refusal)
            watch.wake.set()
        elif name == "DeliverByPassed":
            self._expired(job)
            watch.wake.set()
        elif isinstance(refusal, RpcError) or name in MAY_CHANGE:
            self._desk.say(job, watch, f"waits for the chain: {refusal}")
            self._desk.retry(watch)
        else:
            self._fail(job, str(refusal))
            watch.wake.set()

    def _expired(self, job: Job) -> None:
        reason = f"deliverBy {job.terms.deliver_by} passed; last: {job.reason}"
        self._desk.store.move(job.id, JobStatus.EXPIRED, reason)

    def _fail(self, job: Job, reason: str) -> None:
        self._desk.store.move(job.id, JobStatus.FAILED, reason)
