"""Where a request stands and how far its answer can be trusted (`contracts/types/Status.sol`)."""

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """State of a request. SETTLED, EXPIRED and REJECTED are ends."""

    NONE = 0
    REQUESTED = 1
    DELIVERED = 2
    CHALLENGED = 3
    SETTLED = 4
    EXPIRED = 5
    REJECTED = 6

    @property
    def open(self) -> bool:
        """A result is out, its proof is not: the trust gap."""
        return self in (Status.DELIVERED, Status.CHALLENGED)

    @property
    def ended(self) -> bool:
        return self >= Status.SETTLED


class Gate(IntEnum):
    """When the consumer is called back."""

    ON_SETTLEMENT = 0
    ON_DELIVERY = 1


@dataclass(frozen=True, slots=True)
class Assurance:
    """What the hub's `assuranceOf` returns; times in unix seconds, zero for "not yet"."""

    status: Status
    callback_failed: bool
    proven: bool
    """A seal was checked. A request can also settle because its window passed unchallenged."""
    route: bytes
    delivered_at: int
    settled_at: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """What the hub's `gapOf` returns: the deadline that runs, unix seconds, and what is at stake, tokens.

    challenge_by: the last second in which anyone may challenge, also when it is over and nobody has settled
        yet; zero: there is no window, or somebody challenged.
    prove_by: the last second in which the seal is taken; zero: none is due.
    insured: what a rejection brings the consumer beside the fee, while one is possible (the route lives).
    challenger: who demanded the proof; the zero address: nobody.
    """

    status: Status
    challenge_by: int
    prove_by: int
    insured: int
    challenger: str
