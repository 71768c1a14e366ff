"""One request on its way through the relayer."""

from dataclasses import dataclass
from enum import StrEnum

from vouch.protocol.request import Request


class JobStatus(StrEnum):
    """Where a job stands. The last five are ends, unless a reorganisation reopens them."""

    SEEN = "seen"
    """Read from the chain, not given to a node yet."""
    DISPATCHED = "dispatched"
    """At a node, or waiting for one."""
    ANSWERED = "answered"
    """The output is here and checked, and its seal too where the node can make it alone."""
    SENDING = "sending"
    """The transaction is signed and stored."""
    SENT = "sent"
    """The chain accepted the transaction; no block has it yet."""
    DELIVERED = "delivered"
    """The result is out, its proof is not: stake is locked for it. The reason says what it waits for."""
    CHALLENGED = "challenged"
    """Delivered, and somebody demands the proof."""
    DONE = "done"
    """Settled on chain, by this relayer or (the reason says so) by someone else."""
    REFUSED = "refused"
    """Not ours, not served, or not paid enough; the reason says which."""
    FAILED = "failed"
    """Given up, or rejected on chain; the reason says why."""
    EXPIRED = "expired"
    """deliverBy passed; the fee is back once `end_tx` is set."""
    ORPHANED = "orphaned"
    """Its block is no longer part of the chain."""

    @property
    def ended(self) -> bool:
        return self in ENDS

    @property
    def in_gap(self) -> bool:
        """A result is out, its proof is not."""
        return self in GAP


GAP = frozenset({JobStatus.DELIVERED, JobStatus.CHALLENGED})
ENDS = frozenset({JobStatus.DONE, JobStatus.REFUSED, JobStatus.FAILED, JobStatus.EXPIRED, JobStatus.ORPHANED})


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What a node returned for one request, checked against the claim; or what the chain says was out."""

    operator: str
    output: bytes
    seal: bytes | None
    """None: still to be collected."""
    signature: bytes | None
    """The operator's own 65 bytes r, s, v over the claim; None: only the chain told of this answer."""
    node: str
    """Base URL, or CHAIN."""
    node_ns: int
    """What the node itself took, by its own clock; 0 if it did not say."""


CHAIN = "chain"
"""In place of a node's URL: the answer was read from the hub's log."""


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
    """Transaction that settled, rejected or expired it."""
    callback_failure: str | None
    """What the consumer reverted with, in words; None: the callback worked, or there was none yet."""
    delivered_block: int | None = None
    challenged_block: int | None = None
    challenger: str | None = None
    challenge_by: int | None = None
    """Last second of the window, unix time, as the hub said it; None: not known, or nobody can challenge."""
    prove_by: int | None = None
    """Last second for the seal, unix time, as the hub said it; None: not known, or none is due."""

    @property
    def at_stake(self) -> int:
        """What a delivery locks of the operator's stake, in token units."""
        return self.terms.exposure + self.terms.bond

    @property
    def sealed(self) -> bool:
        """Everything for a fulfilment is here."""
        return self.answer is not None and self.answer.seal is not None


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
    DELIVER = "deliver"
    """A result without its proof."""
    SETTLE = "settle"
    """The proof of a delivered result, or nothing after a window that nobody used."""
    EXPIRE = "expire"
    EXPIRE_DELIVERED = "expire-delivered"
    """Ends a delivered request whose route was tombstoned, which frees the stake."""
    REGISTER = "register"
    """Lets an enclave's key in, or prolongs it; carries no request."""

    @property
    def answers(self) -> bool:
        """It brings a result that is not on chain yet."""
        return self in (TxKind.FULFIL, TxKind.DELIVER)

    @property
    def alone(self) -> bool:
        """It is about a trust gap, which takes a transaction for each request."""
        return self in (TxKind.DELIVER, TxKind.SETTLE, TxKind.EXPIRE_DELIVERED)


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
