"""What our prover service proves, how long that takes there, and what the chain knows of its circuits."""

import asyncio
import logging
import math
import time

from vouch.chain.contracts import BoundCircuit, ModelRegistry
from vouch.chain.reverts import Reverted
from vouch.protocol.errors import VouchError
from vouch.protocol.packing import Packing
from vouch.protocol.request import Request
from vouch.prover.service.client import ProverClient, ProverInfo
from vouch.prover.srs import DEV
from vouch.relayer.config import ZkConfig
from vouch.relayer.errors import NotYet, Refused
from vouch.relayer.job import Job

_log = logging.getLogger(__name__)


class Circuits:
    """What the service said last. It stays known while the service is down, since it forgets nothing."""

    def __init__(self, config: ZkConfig, client: ProverClient, models: ModelRegistry) -> None:
        self.config = config
        self._client, self._models = client, models
        self.info: ProverInfo | None = None
        """None: the service was never reached."""
        self.trouble = "not asked yet"
        """Why it gave no answer when it was last asked; empty if it did."""
        self._asked = -math.inf
        self._refreshing = asyncio.Lock()
        self._bound: dict[tuple[bytes, bytes], BoundCircuit] = {}

    @property
    def line(self) -> str:
        """The service for people, with what consumers have to name to ask for a proof."""
        if self.info is None:
            return f"prover {self.config.url}: {self.trouble}"
        if self.info.srs == DEV and not self.config.dev:
            return f"prover {self.config.url} ({DEV}): nothing, since this deployment's name does not say dev"
        proven = [
            f"model 0x{model.hex()}, trust 0x{circuit.hex()}"
            for model, circuits in self.info.models.items()
            for circuit, batch in circuits.items()
            if batch == 1
        ]
        return f"prover {self.config.url} ({self.info.srs}): {'; '.join(proven) or 'nothing to prove'}"

    async def refresh(self, max_age: float) -> None:
        """Asks the service what it is, unless that was done in the last `max_age` seconds."""
        async with self._refreshing:
            if time.monotonic() - self._asked <= max_age:
                return
            before, self._asked = self.info, time.monotonic()
            try:
                self.info = await self._client.info()
                self.trouble = ""
            except VouchError as error:
                # Whatever it refuses here can be put right there, a wrong token for one.
                self.trouble = str(error)
                _log.warning("%s", error)
                return
        if self.info.srs == DEV and (before is None or before.srs != self.info.srs):
            then = "anyone can forge these" if self.config.dev else "none of its proofs is asked for here"
            _log.warning("prover %s proves with a development string: %s", self.config.url, then)

    def needed(self, seconds: float) -> int:
        """Seconds to leave for a proof that is expected in so many, up to the block that has it."""
        return math.ceil(seconds * self.config.slack + self.config.margin)

    async def check(self, job: Job, now: int) -> None:
        """Raises Refused(UnknownCircuit, InsecureCircuit, UnboundCircuit, WrongBatch, InputOutOfRange,
        ProofTooSlow), NotYet, RpcError, RpcUnavailable; `now` in unix seconds."""
        terms = job.terms
        info = await self._known(terms)
        if info.srs == DEV and not self.config.dev:
            raise Refused(
                "InsecureCircuit",
                f"circuit 0x{terms.trust.hex()} was made over {DEV}, where anyone can prove anything, and "
                "this deployment's name does not say dev: compile the model without --dev-srs",
            )
        bound = await self._bound_of(terms)
        if bound.batch != 1:
            raise Refused(
                "WrongBatch",
                f"circuit 0x{terms.trust.hex()} proves {bound.batch} inferences at once, not one",
            )
        try:
            Packing(bound.input_count, bound.input_bits).words(job.input)
        except VouchError as error:
            raise Refused("InputOutOfRange", str(error)) from error
        if self._times(info, terms, now) != ("", ""):
            await self.refresh(1.0)  # it may be known better by now
        never, not_now = self._times(self.info or info, terms, now)
        if never:
            raise Refused("ProofTooSlow", never)
        if not_now:
            raise NotYet(f"the prover is busy: {not_now}")

    def row_size(self, terms: Request) -> int:
        """Bytes of input and output as a seal has them; 0 until the circuit was checked."""
        if (bound := self._bound.get((terms.model_id, terms.trust))) is None:
            return 0
        put, got = (
            Packing(bound.input_count, bound.input_bits),
            Packing(bound.output_count, bound.output_bits),
        )
        return 32 * (put.fields + got.fields)

    async def _known(self, terms: Request) -> ProverInfo:
        if self.info is None or not self.info.knows(terms.model_id, terms.trust):
            await self.refresh(1.0)
        if self.info is None:
            raise NotYet(f"what can be proven is not known: {self.trouble}")
        if self.info.knows(terms.model_id, terms.trust):
            return self.info
        if self.trouble:
            raise NotYet(f"whether the circuit is known is not known: {self.trouble}")
        circuits = self.info.models.get(terms.model_id, {})
        ours = ", ".join(f"0x{circuit.hex()}" for circuit in circuits) or "none of this model"
        raise Refused(
            "UnknownCircuit", f"the terms trust the circuit 0x{terms.trust.hex()}, our prover has {ours}"
        )

    async def _bound_of(self, terms: Request) -> BoundCircuit:
        key = (terms.model_id, terms.trust)
        if (known := self._bound.get(key)) is not None:
            return known
        try:
            # Once bound it stays so: the id holds the hash of its verifier's code.
            self._bound[key] = bound = await self._models.circuit_of(*key)
        except Reverted as unknown:
            raise Refused(
                "UnboundCircuit", f"no proof of circuit 0x{terms.trust.hex()} would count: {unknown}"
            ) from unknown
        return bound

    def _times(self, info: ProverInfo, terms: Request, now: int) -> tuple[str, str]:
        """Why there is never the time for a proof, and why there is none behind what is queued; or empty."""
        own, queued = info.seconds.get(terms.trust), info.eta.get(terms.trust)
        return self._why_slow(terms, own, now), self._why_slow(terms, queued, now)

    def _why_slow(self, terms: Request, seconds: float | None, now: int) -> str:
        if seconds is None:
            return ""
        needed = self.needed(seconds)
        opens = terms.window > 0 or terms.prove_within > 0
        # Whoever gets the answer from a node can deliver it, and our stake is what its proof is due for.
        if opens and terms.exposure + terms.bond > 0 and terms.prove_within < needed:
            return (
                f"with stake behind the answer we need {needed} s to prove it, proveWithin is "
                f"{terms.prove_within}"
            )
        in_gap = opens and terms.prove_within >= needed
        if not in_gap and (left := terms.deliver_by - now) < needed:
            return (
                f"we need {needed} s to prove the answer, {left} s are left before deliverBy and "
                f"proveWithin is {terms.prove_within}"
            )
        return ""
