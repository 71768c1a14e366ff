"""What a question leads to: the terms that were asked, then the answer with its claim and seal."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from vouch.client.gap import TrustGap
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
    """Gas of a request's transactions; all requests answered in one transaction share it.

    request: None where it is unknown. deliver, settle: None where there is no such transaction (yet).
    """

    request: int | None
    deliver: int | None
    settle: int | None

    @property
    def fulfil(self) -> int | None:
        """Of the one transaction that delivered and settled; None where there was a gap."""
        return None if self.deliver is not None else self.settle


class Chain(Protocol):
    """What an answer asks to learn how it stands."""

    async def refresh(self, answer: "Answer", /) -> "Answer": ...

    async def settled(self, answer: "Answer", /) -> "Answer": ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the hub accepted it: provisional while its trust gap is open, final once it is settled.

    output: arrays by tensor name, or the text; output_bytes: the same as the consumer contract gets it.
    seal: None while there is none, and when its transaction went through a contract that this client does not
    know.
    signature: the operator's 65 bytes over the claim, checked here; None where no transaction shows it.
    assurance: the hub's record when it was read last.
    gap: None where there never was one, because the answer came with its seal.
    level: what a proven result on its route is worth, in one word.
    deliver_tx: brought the output before its proof; None without a gap.
    settle_tx: made it final, with or without a gap; None while the gap is open.
    """

    id: bytes
    request: Request
    output: Output
    output_bytes: bytes
    operator: str
    claim: Claim
    seal: Seal | None
    signature: bytes | None
    assurance: Assurance
    gap: TrustGap | None
    level: str
    request_tx: bytes
    deliver_tx: bytes | None
    settle_tx: bytes | None
    gas: Gas
    asked: Asked = field(repr=False)
    chain: Chain = field(repr=False, compare=False)

    @property
    def status(self) -> Status:
        """Where the request stood when it was read last."""
        return self.assurance.status

    @property
    def proven(self) -> bool:
        """The hub has checked a seal. False for a provisional answer, and for one that nobody challenged."""
        return self.assurance.proven

    @property
    def fulfil_tx(self) -> bytes | None:
        """The one transaction that delivered and settled; None where there was a gap."""
        return None if self.deliver_tx is not None else self.settle_tx

    async def refresh(self) -> "Answer":
        """The same answer as it stands now; of a retracted one only `assurance` and `gap` change.

        Raises AnswerReplaced if the hub has another answer now.
        """
        return await self.chain.refresh(self)

    async def settled(self) -> "Answer":
        """Waits until the trust gap is closed; returns at once for an answer that is settled.

        With an account this ends the request as soon as somebody is late: settles it after a window that
        nobody used, rejects it without its proof, expires it if its route was withdrawn. Without one it waits
        until somebody else does.

        Raises RequestRejected, RequestExpired, AnswerReplaced.
        """
        return await self.chain.settled(self)


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """An answer straight from a node, checked here: no contract has seen it yet.

    seal: None on a route where one node alone cannot make it (a quorum's).
    signature: the operator's 65 bytes over the claim; with two that contradict each other
    `client.report_equivocation` takes its stake.
    """

    request: Request
    output: Output
    output_bytes: bytes
    claim: Claim
    seal: Seal | None
    signature: bytes
    elapsed_ms: float

    @property
    def operator(self) -> str:
        """Who signed."""
        return self.claim.operator
