"""Has answers on the zk route proven by our prover service, and their seals tried before they count."""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from vouch.chain.errors import ChainError
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Gate
from vouch.protocol.zk import ZK
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
from vouch.relayer.zk_load import Load, seconds_of

_log = logging.getLogger(__name__)

_FINAL = frozenset({"OutputMismatch", "InputOutOfRange"})
"""Refusals about the claim itself. Others can be put right at the service: a circuit is loaded, say."""
_PROOF = 9_184
"""Bytes of a proof about 2**20 gates, which few circuits have; 352 less for each half (2**13: 6,720)."""
_AGAIN = 2
"""Proofs in the place of one that the chain refuses. If it refuses those too, something else is wrong."""


@dataclass(slots=True)
class ZkProof:
    """One proof that the service was asked for.

    refused: why there will be none, as it looks; final: nothing changes that; trouble: why not this time.
    again: the service has one that the chain refuses, and is to make another one.
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
    again: bool = False

    @property
    def hopeless(self) -> bool:
        return bool(self.refused)

    def __str__(self) -> str:
        return "the proof is here" if self.seal else self.refused or self.trouble or self.state


class ZkProver(Prover[ZkProof]):
    """Asks for each proof once and then how far it is. What was asked for, the service remembers.

    now: the next block's time, unix seconds. lane: seconds until so many settlements are in blocks.
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
        lane: Callable[[int], float],
        patience: Patience,
    ) -> None:
        super().__init__(store)
        self._chain_id, self._hub, self._circuits, self._client = chain_id, hub, circuits, client
        self._seals, self._now, self._patience = seals, now, patience
        self._lane, self._load = lane, Load(store)
        self._asked: dict[bytes, str] = {}
        """By request, proofs of ours that may still be under way."""
        self._repeats: dict[bytes, int] = {}
        """By request, how often another proof was asked for because the chain refused one."""

    async def check(self, job: Job, now: int) -> None:
        await self._circuits.check(job, now)

    def seal_size(self, terms: Request) -> int:
        return len(ZK) + self._circuits.row_size(terms) + _PROOF

    async def why_proof_first(self, job: Job, answer: NodeAnswer) -> str:
        """A proof that is due in any case is asked for here: its place in the queue says when it is there."""
        terms, task, before = job.terms, self._task(job, answer), self._load.queued
        try:
            if terms.window:
                await self._client.validate(task)  # of a wrong output there is no proof, whoever asks for it
                status = None
            else:
                status = await self._submit(job, task)
        except (ProverUnavailable, ProverRefused) as error:
            return str(error)
        if status is not None and status.state is ProofState.DONE:
            return "the proof is here already"
        await self._circuits.refresh(0.0)  # stake is at risk: is it there now, and does it make proofs?
        if self._circuits.trouble or (info := self._circuits.info) is None:
            return self._circuits.trouble
        if (eta := info.eta.get(terms.trust)) is not None and status is not None:
            eta = status.eta_seconds  # from its place in the queue
        if eta is None:
            return "nobody knows yet how long a proof takes"
        in_time = self._now() + self._circuits.needed(eta) <= terms.deliver_by
        if not terms.window and terms.gate is Gate.ON_SETTLEMENT and in_time:
            return "the consumer is called only with the proof"
        others = self._load.beside(job, answer.operator, self._now())
        # All of them may be challenged in one block.
        more = seconds_of((each for each in others if each.id not in before), info.seconds)
        if more is None:
            return "nobody knows how long the proof of another answer of ours takes"
        needed = self._circuits.needed(eta + more) + math.ceil(self._lane(len(others) + 1))
        if needed > terms.prove_within:
            beside = f" beside {len(others)} other answers of ours" if others else ""
            return f"the proof may take {needed} s{beside}, proveWithin is {terms.prove_within} s"
        self._load.promise(job)
        return ""

    def why_foreign(self, terms: Request) -> str:  # noqa: ARG002  the service says which it does not know
        return "there is no answer to prove"

    def open(self, job: Job, *, patient: bool) -> ZkProof | None:
        if not patient:
            self._load.withdraw(job.id)  # it is proven first: no stake waits for it
        return None if job.answer is None else ZkProof(job, self._task(job, job.answer), patient)

    async def drop(self, job: Job) -> None:
        """Cancels the proof if there may be one under way, this process's or an earlier one's."""
        self._load.withdraw(job.id)
        self._load.heard(job.id, None)
        self._repeats.pop(job.id, None)
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
                self._load.heard(found.job.id, status.state)
            else:
                status = await self._submit(found.job, found.task, again=found.again)
                found.again = False
            found.submitted = not status.state.ended
            return await self._take(found, status)
        except ProverRefused as no:
            found.final = no.name in _FINAL
            if found.final or not (found.submitted or found.patient):
                found.refused = str(no)
            else:
                found.trouble = str(no)
            found.submitted = False  # it may have forgotten what it was asked for
            self._load.heard(found.job.id, None)
        except (ProverUnavailable, ChainError) as down:
            found.trouble = str(down)
        return None

    async def _take(self, found: ZkProof, status: ProofStatus) -> float | None:
        match status.state:
            case ProofState.FAILED:
                told = f"the proof failed: {status.reason}"
                if found.job.id in self._repeats:
                    found.refused = told  # and what it had made before, the chain refuses
                else:
                    found.trouble = told
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
        request = found.job.id
        if not why:
            found.seal = seal
            self._asked.pop(request, None)
            self._repeats.pop(request, None)
            return
        told = f"the chain refuses the proof of {self._circuits.config.url}: {why}"
        _log.error("request 0x%s: %s", request.hex(), told)
        if (repeats := self._repeats.get(request, 0)) < _AGAIN:
            self._repeats[request] = repeats + 1
            found.again, found.trouble = True, f"{told}; another one is asked for"
        else:
            found.refused = (
                f"{told}, like {_AGAIN} before it: put it right, then start it and this relayer again"
            )

    async def _submit(self, job: Job, task: ProofTask, *, again: bool = False) -> ProofStatus:
        self._asked[job.id] = task.id
        status = await self._client.submit(task, again=again)
        self._load.heard(job.id, status.state)
        return status

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


_WORDS = {ProofState.QUEUED: "queued", ProofState.PROVING: "being made"}
