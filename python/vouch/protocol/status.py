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
    route: bytes
    delivered_at: int
    settled_at: int
    answer: bytes
