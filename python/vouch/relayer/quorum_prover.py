"""Collects the signatures that make a quorum's seal. What came once is stored and not asked for again."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable

from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.relayer.collection import Collection
from vouch.relayer.config import Patience
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.nodes import NodePool
from vouch.relayer.quorum import Quorum
from vouch.relayer.store import Store

_log = logging.getLogger(__name__)

_FINAL = frozenset({"Disagrees", "AlreadySigned", "NotReproducible"})
"""Refusals about the output itself. Others can be put right at the co-signer: a model is loaded, say."""


class Prover:
    """Asks every signer at the same time, and those who are away again and again."""

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
        self._store, self._quorum, self._pool, self._patience = store, quorum, pool, patience
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(questions))

    async def own_seal(self, job: Job) -> bytes:
        """Of a route whose whole seal our own node makes, for an answer that only the chain told of.

        Raises NodeUnavailable, NodeRefused, WrongNodeAnswer.
        """
        again = await self._again(job)
        if again.seal is None:
            raise WrongNodeAnswer(again.node, "the seal", "missing", "a whole one")
        return again.seal

    def open(self, job: Job, *, patient: bool) -> Collection | None:
        """What is there for the job's answer already; None: its terms trust a quorum that was never ours.

        `patient`: what may yet change is waited for.
        """
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

    async def fill(self, found: Collection, wake: asyncio.Event, told: Callable[[Collection], None]) -> None:
        """Asks until there is a seal, none can be had, or somebody else sets `wake`.

        `told` is called whenever something came, whatever it was.
        """
        if found.seal is not None or (found.hopeless and not found.patient):
            return
        told(found)
        async with asyncio.TaskGroup() as tasks:
            asking = [
                tasks.create_task(self._obtain(found, signer, wake, told), name=f"co-signature of {signer}")
                for signer in found.open
            ]
            await wake.wait()
            for task in asking:
                task.cancel()

    def keep(self, found: Collection, wake: asyncio.Event) -> bool:
        """Stores the seal if it is whole, and has the job looked at again; False if it is not."""
        if (seal := found.seal) is None:
            return False
        self._store.sealed(found.job, seal)
        wake.set()
        return True

    async def _obtain(
        self, found: Collection, signer: str, wake: asyncio.Event, told: Callable[[Collection], None]
    ) -> None:
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
        again = await self._again(found.job)
        self._store.answered(found.job.id, again)
        if again.signature is None:
            raise WrongNodeAnswer(again.node, "the signature", "missing", f"{again.operator}'s")
        return again.signature

    async def _again(self, job: Job) -> NodeAnswer:
        """Our own node repeats what it signed."""
        answer = job.answer
        nodes = [node for node in self._pool.nodes if answer is not None and node.operator == answer.operator]
        if answer is None or not nodes:
            raise NodeUnavailable("(none)", "no node of ours that answers for this operator was reached yet")
        again = await self._pool.ask(self._pool.pick(nodes), job)
        if again.output != answer.output:
            hashes = (f"0x{keccak(each.output).hex()}" for each in (again, answer))
            raise WrongNodeAnswer(again.node, "the output's hash", *hashes)
        return again

    def _digest(self, claim: Claim) -> bytes:
        return claim.digest(self._chain_id, self._hub)
