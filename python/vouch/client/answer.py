"""What a question leads to: the terms that were asked, then the answer with its claim and seal."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from vouch.protocol.claim import Claim
from vouch.protocol.manifest import Manifest
from vouch.protocol.request import Request
from vouch.protocol.seal import Seal
from vouch.protocol.status import Assurance, Status

Output = dict[str, np.ndarray[Any, Any]] | str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is on chain: the block of its event, the gas of its transaction (None: unknown)."""

    id: bytes
    request: Request
    input: bytes
    manifest: Manifest
    tx_hash: bytes
    block: int
    gas: int | None = None


@dataclass(frozen=True, slots=True)
class Gas:
    """Gas of the two transactions of a request; all requests answered in one transaction share `fulfil`."""

    request: int | None
    fulfil: int


class Chain(Protocol):
    """What an answer asks to learn how it stands."""

    async def assurance_of(self, request_id: bytes, /) -> Assurance: ...

    async def end_of(self, asked: Asked, /) -> Status: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the hub accepted it.

    output: arrays by tensor name, or the text; output_bytes: the same as the consumer contract gets it.
    seal: None when the transaction that brought it went through a contract that this client does not know.
    assurance: the hub's record when it was read last.
    level: what a result on its route is worth, in one word.
    """

    id: bytes
    request: Request
    output: Output
    output_bytes: bytes
    operator: str
    claim: Claim
    seal: Seal | None
    assurance: Assurance
    level: str
    request_tx: bytes
    fulfil_tx: bytes
    gas: Gas
    asked: Asked = field(repr=False)
    chain: Chain = field(repr=False, compare=False)

    @property
    def status(self) -> Status:
        """Where the request stood when it was read last."""
        return self.assurance.status

    async def refresh(self) -> "Answer":
        """The same answer with the hub's record of now."""
        return replace(self, assurance=await self.chain.assurance_of(self.id))

    async def settled(self) -> "Answer":
        """Waits until the trust gap is closed; returns at once for an answer that came with its proof.

        Raises RequestRejected if the proof never came, RequestExpired if the route was withdrawn.
        """
        if self.status is not Status.SETTLED:
            await self.chain.end_of(self.asked)
        return await self.refresh()


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """An answer straight from a node, checked here: no contract has seen it yet."""

    request: Request
    output: Output
    output_bytes: bytes
    claim: Claim
    seal: Seal
    elapsed_ms: float

    @property
    def operator(self) -> str:
        """Who signed."""
        return self.claim.operator
