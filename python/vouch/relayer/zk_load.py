"""What one prover service and one lane may be asked for at once: every result of ours, challenged now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from vouch.protocol.request import Request
from vouch.protocol.zk import ZK
from vouch.prover.service.client import ProofState
from vouch.relayer.job import Job, JobStatus
from vouch.relayer.store import Store


@dataclass(frozen=True, slots=True)
class Owed:
    """A result of ours that may have to be settled before a deadline.

    circuit: of the proof that it may take; None: its seal is here, or is no proof.
    """

    id: bytes
    circuit: bytes | None


class Load:
    """Results that are out, as the store has them, and those that are only decided yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._promised: dict[bytes, Job] = {}
        self._queued: set[bytes] = set()

    @property
    def queued(self) -> frozenset[bytes]:
        """Requests whose proofs wait at the service, or are being made: its estimates count them."""
        return frozenset(self._queued)

    def heard(self, request: bytes, state: ProofState | None) -> None:
        """What the service said of a request's proof; None: it knows of none."""
        if state is None or state.ended:
            self._queued.discard(request)
        else:
            self._queued.add(request)

    def promise(self, job: Job) -> None:
        """It is delivered before its proof; until the store says so, this does."""
        self._promised[job.id] = job

    def withdraw(self, request: bytes) -> None:
        """It is not."""
        self._promised.pop(request, None)

    def beside(self, job: Job, operator: str, now: int) -> list[Owed]:
        """What else is owed; `now` in unix seconds. Nothing is due any more after a deadline."""
        owed = {
            gap.id: Owed(gap.id, None if gap.sealed else _circuit_of(gap.packed))
            for gap in self._store.own_gaps(operator)
            if now <= (gap.prove_by or gap.challenge_by or now)
        }
        for request, each in list(self._promised.items()):
            if self._store.status(request) is not JobStatus.ANSWERED:
                del self._promised[request]  # signed by now, which the store says, or never to be
            else:
                owed[request] = Owed(request, each.terms.trust)
        owed.pop(job.id, None)
        return list(owed.values())


def seconds_of(owed: Iterable[Owed], seconds: Mapping[bytes, float]) -> float | None:
    """What all the proofs take, one after the other; None while that is not known of one of them.

    seconds: of one proof, by circuit.
    """
    circuits = [each.circuit for each in owed if each.circuit is not None]
    if not seconds.keys() >= set(circuits):
        return None
    return sum(seconds[circuit] for circuit in circuits)


@lru_cache(maxsize=10_000)
def _circuit_of(packed: bytes) -> bytes | None:
    """Cached, because decoding a thousand terms anew for each decision takes a second."""
    terms = Request.from_bytes(packed)
    return terms.trust if terms.route == ZK else None
