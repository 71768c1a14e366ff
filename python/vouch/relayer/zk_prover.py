"""Has answers on the zk route proven by our prover service, and their seals tried before they count."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from vouch.chain.errors import ChainError
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Gate
from vouch.prover.service.client import (
    Item,
    ProofState,
    ProofStatus,
    ProofTask,
    ProverClient,
    ProverRefused,
    ProverUnavailable,
)
from vouch.relayer.config import Patience
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.prover import Prover, Told
from vouch.relayer.seal_check import SealCheck
from vouch.relayer.store import Store
from vouch.relayer.zk import Circuits

_log = logging.getLogger(__name__)

_FINAL = frozenset({"OutputMismatch", "InputOutOfRange"})
"""Refusals about the claim itself. Others can be put right at the service: a circuit is loaded, say."""
_SEAL = 7_500
"""Bytes: a proof has 6,720, the packed tensors seldom more than 700."""


@dataclass(slots=True)
class ZkProof:
    """One proof that the service was asked for.

    refused: why there will be none, as it looks; final: nothing changes that; trouble: why not this time.
    """

    job: Job
    task: ProofTask
    patient: bool
    seal: bytes | None = None
    refused: str = ""
    final: bool = False
    trouble: str = ""
    state: str = "the proof is asked for"
    submitted: bool = False

    @property
    def hopeless(self) -> bool:
        return bool(self.refused)

    def __str__(self) -> str:
        return "the proof is here" if self.seal else self.refused or self.trouble or self.state


class ZkProver(Prover[ZkProof]):
    """Asks for each proof once and then how far it is. What was asked for, the service remembers.

    now: the next block's time, unix seconds.
    """

    def __init__(
        self,
        chain_id: int,
        hub: str,
        store: Store,
        circuits: Circuits,
        client: ProverClient,
        seals: SealCheck,
        now: Callable[[], int],
        patience: Patience,
    ) -> None:
        super().__init__(store)
        self._chain_id, self._hub, self._circuits, self._client = chain_id, hub, circuits, client
        self._seals, self._now, self._patience = seals, now, patience
        self._asked: dict[bytes, str] = {}
        """By request, proofs of ours that may still be under way."""

    async def check(self, job: Job, now: int) -> None:
        await self._circuits.check(job, now)

    def seal_size(self, terms: Request) -> int:  # noqa: ARG002  they differ by little
        return _SEAL

    async def why_proof_first(self, job: Job, answer: NodeAnswer) -> str:
        """A proof that is due in any case is asked for here: its place in the queue says when it is there."""
        terms = job.terms
        if terms.window:
            eta = await self._circuits.eta(terms, 0.0)  # stake is at risk: is it there now?
            if self._circuits.trouble:
                return self._circuits.trouble
            return self._why_slow(eta, terms.prove_within)
        try:
            status = await self._submit(job, self._task(job, answer))
        except (ProverUnavailable, ProverRefused) as error:
            return str(error)
        if status.state is ProofState.DONE:
            return "the proof is here already"
        eta = status.eta_seconds
        in_time = eta is not None and self._now() + self._circuits.needed(eta) <= terms.deliver_by
        if terms.gate is Gate.ON_SETTLEMENT and in_time:
            return "the consumer is called only with the proof"
        return self._why_slow(eta, terms.prove_within)

    def why_foreign(self, terms: Request) -> str:  # noqa: ARG002  the service says which it does not know
        return "there is no answer to prove"

    def open(self, job: Job, *, patient: bool) -> ZkProof | None:
        return None if job.answer is None else ZkProof(job, self._task(job, job.answer), patient)

    async def drop(self, job: Job) -> None:
        """Cancels the proof if there may be one under way, this process's or an earlier one's."""
        proof = self._asked.pop(job.id, None)
        if proof is None and job.answer is not None:
            proof = self._task(job, job.answer).id
        if proof is None:
            return
        try:
            await self._client.cancel(proof)
        except ProverRefused as unknown:
            _log.debug("request 0x%s: %s", job.id.hex(), unknown)
        except ProverUnavailable as down:
            _log.warning("request 0x%s: its proof is made for nobody: %s", job.id.hex(), down)

    def _work(self, found: ZkProof, wake: asyncio.Event, told: Told) -> Iterable[Coroutine[Any, Any, None]]:
        return [self._pursue(found, wake, told)]

    async def _pursue(self, found: ZkProof, wake: asyncio.Event, told: Told) -> None:
        pause = self._patience.retry_first
        while True:
            before, wait = str(found), await self._look(found)
            if str(found) != before:
                told(found)
            if found.seal is not None or (found.hopeless and not found.patient):
                wake.set()
            if found.seal is not None or found.final:
                return
            if wait is None:
                wait, pause = pause, min(pause * 2, self._patience.retry_most)
            await asyncio.sleep(wait)

    async def _look(self, found: ZkProof) -> float | None:
        """Asks how far it is; seconds after which to ask again, None: something is wrong."""
        found.refused = found.trouble = ""
        try:
            if found.submitted:
                status = await self._client.get(found.task.id)
            else:
                status = await self._submit(found.job, found.task)
            found.submitted = not status.state.ended
            return await self._take(found, status)
        except ProverRefused as no:
            found.final = no.name in _FINAL
            if found.final or not (found.submitted or found.patient):
                found.refused = str(no)
            else:
                found.trouble = str(no)
            found.submitted = False  # it may have forgotten what it was asked for
        except (ProverUnavailable, ChainError) as down:
            found.trouble = str(down)
        return None

    async def _take(self, found: ZkProof, status: ProofStatus) -> float | None:
        match status.state:
            case ProofState.FAILED:
                found.trouble = f"the proof failed: {status.reason}"
                return None
            case ProofState.CANCELLED:
                found.trouble = "somebody else cancelled the proof"
                return None
            case ProofState.DONE:
                await self._try(found, status.seal or b"")
                return None
        estimate = "" if status.eta_seconds is None else f", about {status.eta_seconds:.0f} s"
        # Said once for each state: a history of countdowns helps nobody.
        if not found.state.startswith(f"the proof is {_WORDS[status.state]}"):
            found.state = f"the proof is {_WORDS[status.state]}{estimate}"
        soon = status.eta_seconds / 2 if status.eta_seconds is not None else self._circuits.config.poll
        return min(max(soon, self._patience.retry_first), self._circuits.config.poll)

    async def _try(self, found: ZkProof, seal: bytes) -> None:
        """Raises RpcError, RpcUnavailable."""
        task, item = found.task, found.task.items[0]
        hashes = (item.request_id, task.model_id, keccak(item.input), keccak(item.output))
        why = await self._seals.why_refused(seal, task.circuit_id, Claim(*hashes, task.operator))
        if why:
            found.refused = f"the chain refuses the proof of {self._circuits.config.url}: {why}"
            _log.error("request 0x%s: %s", found.job.id.hex(), found.refused)
        else:
            found.seal = seal
            self._asked.pop(found.job.id, None)

    async def _submit(self, job: Job, task: ProofTask) -> ProofStatus:
        self._asked[job.id] = task.id
        return await self._client.submit(task)

    def _task(self, job: Job, answer: NodeAnswer) -> ProofTask:
        terms = job.terms
        item = Item(job.id, job.input, answer.output)
        return ProofTask(
            self._chain_id,
            self._hub,
            answer.operator,
            terms.model_id,
            terms.trust,
            (item,),
            prove_by=job.prove_by or terms.deliver_by,
        )

    def _why_slow(self, eta: float | None, prove_within: int) -> str:
        if eta is None:
            return "nobody knows yet how long a proof takes"
        if (needed := self._circuits.needed(eta)) > prove_within:
            return f"the proof may take {needed} s, proveWithin is {prove_within} s"
        return ""


_WORDS = {ProofState.QUEUED: "queued", ProofState.PROVING: "being made"}
