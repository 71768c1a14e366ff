"""Collects the signatures that make a quorum's seal. What came once is stored and not asked for again."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from typing import Any

from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.relayer.collection import Collection
from vouch.relayer.config import Patience
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.nodes import NodePool
from vouch.relayer.prover import Prover, Told
from vouch.relayer.quorum import Quorum
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_FINAL = frozenset({"Disagrees", "AlreadySigned", "NotReproducible"})
"""Refusals about the output itself. Others can be put right at the co-signer: a model is loaded, say."""


class QuorumProver(Prover[Collection]):
    """Asks every signer at the same time, and those who are away again and again."""

    NOUN = "quorum"

    def __init__(
        self,
        chain_id: int,
        hub: str,
        store: Store,
        quorum: Quorum,
        pool: NodePool,
        patience: Patience,
        questions: int,
    ) -> None:
        """`questions` is how many are at one signer at the same time: one that hangs holds nobody else up."""
        self._chain_id, self._hub = chain_id, hub
        super().__init__(store)
        self._quorum, self._pool, self._patience = quorum, pool, patience
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(questions))

    async def check(self, job: Job, now: int) -> None:  # noqa: ARG002  signatures take no time
        self._quorum.check(job.terms)

    def seal_size(self, terms: Request) -> int:  # noqa: ARG002  they all have the same
        return self._quorum.seal_size

    async def why_proof_first(self, job: Job, answer: NodeAnswer) -> str:
        return self._quorum.why_out_of_reach(job.terms, answer)

    def why_foreign(self, terms: Request) -> str:
        return f"the terms trust 0x{terms.trust.hex()}, which no quorum of ours has"

    def open(self, job: Job, *, patient: bool) -> Collection | None:
        answer, terms = job.answer, job.terms
        policy = self._quorum.known(terms.trust)
        if answer is None or policy is None:
            return None
        claim = Claim(job.id, terms.model_id, terms.input_hash, keccak(answer.output), answer.operator)
        known = self._store.cosignatures(self._digest(claim))
        askable = {signer for signer in policy.signers if self._quorum.node_of(signer) is not None}
        askable |= {answer.operator} & set(self._pool.operators)
        made = Collection(job, claim, policy, askable, patient, known.signed, known.refused)
        if answer.signature is not None and answer.operator in policy.signers:
            made.signed[answer.operator] = answer.signature
        return made

    def _work(
        self, found: Collection, wake: asyncio.Event, told: Told
    ) -> Iterable[Coroutine[Any, Any, None]]:
        return [self._obtain(found, signer, wake, told) for signer in found.open]

    async def _obtain(self, found: Collection, signer: str, wake: asyncio.Event, told: Told) -> None:
        pause = self._patience.retry_first
        while not self._knows(found, signer):
            await self._ask_once(found, signer)
            told(found)
            if found.seal is not None or (found.hopeless and not found.patient):
                wake.set()
            if signer in found.troubles:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, self._patience.retry_most)

    def _knows(self, found: Collection, signer: str) -> bool:
        return signer in found.signed or signer in found.refused

    async def _ask_once(self, found: Collection, signer: str) -> None:
        found.troubles.pop(signer, None)
        digest, request = self._digest(found.claim), found.job.id
        try:
            signature = await self._ask(found, signer)
        except NodeUnavailable as down:
            found.troubles[signer] = str(down)
        except (NodeRefused, WrongNodeAnswer) as error:
            _log.warning("request 0x%s, signer %s: %s", request.hex(), signer, error)
            if isinstance(error, NodeRefused) and error.name in _FINAL:
                self._store.refused(digest, signer, request, str(error))
                found.refused[signer] = str(error)
            elif found.patient:
                found.troubles[signer] = str(error)
            else:
                found.refused[signer] = str(error)
        else:
            self._store.cosigned(digest, signer, request, signature)
            found.signed[signer] = signature

    async def _ask(self, found: Collection, signer: str) -> bytes:
        """Raises NodeUnavailable, NodeRefused, WrongNodeAnswer."""
        job, answer = found.job, found.job.answer
        node = self._quorum.node_of(signer)
        async with self._slots[signer]:
            if signer == found.claim.operator and signer in self._pool.operators:
                return await self._own(found)
            if node is None or answer is None:
                raise NodeUnavailable("(none)", f"no co-signer of {signer} is configured")
            return await self._quorum.pool.cosign(node, signer, job, found.claim, answer.output)

    async def _own(self, found: Collection) -> bytes:
        again = await self._pool.again(found.job)
        self._store.answered(found.job.id, again)
        if again.signature is None:
            raise WrongNodeAnswer(again.node, "the signature", "missing", f"{again.operator}'s")
        return again.signature

    def _digest(self, claim: Claim) -> bytes:
        return claim.digest(self._chain_id, self._hub)
