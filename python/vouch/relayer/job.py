"""One request on its way through the relayer."""

from dataclasses import dataclass
from enum import StrEnum

from vouch.chain.events import MalformedLog, TypedLog
from vouch.protocol.request import Request

HubLog = TypedLog | MalformedLog
"""A log of the hub as it was read."""


class JobStatus(StrEnum):
    """Where a job stands. The last five are ends, unless a reorganisation reopens them."""

    SEEN = "seen"
    """Read from the chain, not given to a node yet."""
    DISPATCHED = "dispatched"
    """At a node, or waiting for one."""
    ANSWERED = "answered"
    """Output and seal are here and checked."""
    SENDING = "sending"
    """The transaction is signed and stored."""
    SENT = "sent"
    """The chain accepted the transaction; no block has it yet."""
    DONE = "done"
    """Settled on chain, by this relayer or (the reason says so) by someone else."""
    REFUSED = "refused"
    """Not ours, not served, or not paid enough; the reason says which."""
    FAILED = "failed"
    """Given up; the reason says why."""
    EXPIRED = "expired"
    """deliverBy passed; the fee is back once `end_tx` is set."""
    ORPHANED = "orphaned"
    """Its block is no longer part of the chain."""

    @property
    def ended(self) -> bool:
        return self in ENDS


ENDS = frozenset({JobStatus.DONE, JobStatus.REFUSED, JobStatus.FAILED, JobStatus.EXPIRED, JobStatus.ORPHANED})


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What a node returned for one request; the seal is checked against the claim before this is made."""

    operator: str
    output: bytes
    seal: bytes
    node: str
    node_ns: int
    """What the node itself took, by its own clock; 0 if it did not say."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request and all that is known of it. Block numbers and hashes are those of the chain as last read."""

    id: bytes
    terms: Request
    packed: bytes
    """abi.encode(terms)."""
    input: bytes
    status: JobStatus
    reason: str
    own: bool
    """The terms name one of our operators."""
    block: int
    block_hash: bytes
    tx: bytes
    """Transaction of the request."""
    attempts: int
    """Own transactions for it that reverted."""
    answer: NodeAnswer | None
    end_block: int | None
    end_tx: bytes | None
    """Transaction that settled or expired it."""
    callback_failure: str | None
    """What the consumer reverted with, in words; None: the callback worked, or there was none yet."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a job's history."""

    at: int
    """Unix time in nanoseconds."""
    status: JobStatus
    reason: str


class TxStatus(StrEnum):
    """Where one of our transactions stands."""

    SIGNED = "signed"
    """Stored; whether the chain has it is not known."""
    BROADCAST = "broadcast"
    """The chain's node took it."""
    INCLUDED = "included"
    """In a block that is not read yet."""
    MINED = "mined"
    """In a block that was read."""
    REVERTED = "reverted"
    REPLACED = "replaced"
    """Another transaction used its nonce."""


class TxKind(StrEnum):
    """What a transaction does."""

    FULFIL = "fulfil"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class OutboxTx:
    """A signed transaction, stored before it is broadcast so that a restart repeats the same bytes."""

    hash: bytes
    nonce: int
    kind: TxKind
    raw: bytes
    status: TxStatus
    jobs: tuple[bytes, ...]
    block: int | None = None
    gas_used: int | None = None


@dataclass(frozen=True, slots=True)
class BlockRef:
    """Number and hash of a block."""

    number: int
    hash: bytes
