"""Transactions that carry one request each, and what their simulation says."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, RpcError
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.relayer import gas
from vouch.relayer.job import Job, TxKind

Refusal = Reverted | RpcError
Refused = Callable[["Errand", Refusal], None]


@dataclass(frozen=True, slots=True)
class Errand:
    """One transaction to be.

    refused: called when the newest state does not take it; it is off the queue then.
    ahead: tried at the time of the next block, on a chain that makes none until it is asked to.
    """

    kind: TxKind
    job: Job
    refused: Refused
    ahead: bool = False

    def call(self, hub: Hub) -> Call:
        terms, answer = self.job.terms, self.job.answer
        if self.kind is TxKind.EXPIRE:
            return hub.expire(terms)
        if answer is None:
            raise ValueError(f"{self.kind} is about an answer, and request 0x{self.job.id.hex()} has none")
        match self.kind:
            case TxKind.DELIVER:
                return hub.deliver(terms, answer.operator, answer.output, answer.signature or b"")
            case TxKind.SETTLE:
                return hub.settle(terms, answer.operator, answer.output, answer.seal or b"")
            case TxKind.EXPIRE_DELIVERED:
                return hub.expire_delivered(terms, answer.operator, keccak(answer.output))
        raise ValueError(f"{self.kind} is no errand")

    @property
    def due(self) -> float:
        """Last second for it, unix time; infinite if none runs."""
        return math.inf if self.job.prove_by is None else self.job.prove_by

    def gas(self, call: Call) -> int:
        """Gas limit of the transaction."""
        terms, answer = self.job.terms, self.job.answer
        size, seal = (len(answer.output), len(answer.seal or b"")) if answer is not None else (0, 0)
        match self.kind:
            case TxKind.DELIVER:
                return gas.limit(call, gas.delivery(terms, size))
            case TxKind.SETTLE:
                return gas.limit(call, gas.settlement(terms, size, seal))
            case TxKind.EXPIRE_DELIVERED:
                return gas.limit(call, gas.expiry_of_delivered(terms))
        return gas.EXPIRE


@dataclass(frozen=True, slots=True)
class Registration:
    """A transaction to be that lets an enclave's key in.

    key: its id; a later one for the key replaces this one. refused: called with the reason when the newest
    state does not take it; it is off the queue then.
    """

    key: str
    call: Call
    refused: Callable[[ChainError], None]


def name_of(refusal: Refusal) -> str:
    """The contract's own name for it; empty if the chain's node refused for its own reasons."""
    return refusal.error.name if isinstance(refusal, Reverted) else ""
