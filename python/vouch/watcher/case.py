"""One request as the logs tell it: asked, delivered, challenged, ended. A fork can take each back."""

from dataclasses import dataclass, replace
from typing import Self, TypeVar

from vouch.chain.events import ChainLog
from vouch.protocol.request import Request
from vouch.protocol.status import Status


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log is: number and hash of the block, hash of the transaction."""

    block: int
    block_hash: bytes
    tx: bytes

    @classmethod
    def of(cls, log: ChainLog) -> Self:
        return cls(log.block_number, log.block_hash, log.tx_hash)


@dataclass(frozen=True, slots=True)
class Answer:
    """Who gave which output to which request; the output as its keccak256."""

    request: bytes
    operator: str
    output_hash: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """An output without its proof; the bytes stay on the chain until they are needed."""

    at: Place
    answer: Answer


@dataclass(frozen=True, slots=True)
class Challenge:
    """Somebody put up the bond."""

    at: Place
    challenger: str


@dataclass(frozen=True, slots=True)
class End:
    """SETTLED, EXPIRED or REJECTED."""

    at: Place
    status: Status


Fact = TypeVar("Fact", Delivery, Challenge, End)


@dataclass(frozen=True, slots=True)
class Case:
    """Terms, and what has happened so far."""

    id: bytes
    terms: Request
    asked: Place
    delivery: Delivery | None = None
    challenge: Challenge | None = None
    end: End | None = None

    @property
    def open(self) -> bool:
        """A result is out, its proof is not."""
        return self.delivery is not None and self.end is None

    @property
    def answer(self) -> Answer | None:
        """What was delivered, while the request is open."""
        return self.delivery.answer if self.delivery is not None and self.end is None else None

    @property
    def challenger(self) -> str | None:
        """Who demands the proof, or did until the end."""
        return self.challenge.challenger if self.challenge is not None else None

    def rewound(self, block: int) -> Self | None:
        """As it was after a block; None before it was asked."""
        if self.asked.block > block:
            return None
        return replace(
            self,
            delivery=_before(self.delivery, block),
            challenge=_before(self.challenge, block),
            end=_before(self.end, block),
        )


def _before(fact: Fact | None, block: int) -> Fact | None:
    return fact if fact is not None and fact.at.block <= block else None
