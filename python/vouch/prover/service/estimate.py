"""How long proofs take and how much memory, from what earlier ones took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

KEPT: Final = 51
"""Proofs of each circuit that are remembered; odd, so that the median is one of them."""
_LEAST_SECONDS, _TIMES = 60.0, 10
"""A proof may take so many times what is usual, and never less than so long."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one proof took: seconds of CPU and of the clock, and bytes of memory at its peak.

    peak_bytes: of the proving program alone; memory: of everything that ran for the proof.
    """

    cpu_seconds: float
    seconds: float
    peak_bytes: int
    memory: int


@dataclass(frozen=True, slots=True)
class Running:
    """A proof under way, for so many seconds."""

    circuit_id: bytes
    elapsed: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What proofs run on: places for them, processors, and bytes of memory that they may take together."""

    workers: int
    processors: int
    memory: int


class Estimates:
    """What the next proof of each circuit will take. Only proofs say that: nothing is guessed before one."""

    def __init__(self, machine: Machine, known: Mapping[bytes, Sequence[Measurement]]) -> None:
        """known: circuit id → measurements, newest first."""
        self._machine = machine
        self._failing = set[bytes]()
        self._kept = {circuit: list(measured)[:KEPT] for circuit, measured in known.items()}
        self._typical = {c: _typical(measured) for c, measured in self._kept.items() if measured}

    def add(self, circuit_id: bytes, measured: Measurement) -> None:
        """One proof more."""
        self._failing.discard(circuit_id)
        kept = self._kept.setdefault(circuit_id, [])
        kept.insert(0, measured)
        del kept[KEPT:]
        self._typical[circuit_id] = _typical(kept)

    def failed(self, circuit_id: bytes) -> None:
        """An attempt gave no proof: what earlier ones took says nothing until there is one again."""
        self._failing.add(circuit_id)

    def typical(self, circuit_id: bytes) -> Measurement | None:
        """Medians of seconds, and the most memory; None before the first proof."""
        return self._typical.get(circuit_id)

    def expected(self, circuit_id: bytes) -> Measurement | None:
        """The same, and None while the last attempt is one that failed."""
        return None if circuit_id in self._failing else self.typical(circuit_id)

    def memory(self, circuit_id: bytes) -> int:
        """Bytes to keep free for a proof; all there are before the first one, so that it runs alone."""
        typical = self._typical.get(circuit_id)
        return self._machine.memory if typical is None else min(typical.memory, self._machine.memory)

    def free(self, running: Iterable[bytes]) -> int:
        """Bytes that a proof beside those of the circuits `running` may take."""
        return self._machine.memory - sum(self.memory(circuit) for circuit in running)

    def too_much(self, circuit_id: bytes) -> int:
        """Bytes that its smallest proof took if the machine has less; 0 if it fits, for all that is known."""
        least = min((m.memory for m in self._kept.get(circuit_id, ())), default=0)
        return least if least > self._machine.memory else 0

    def limit(self, circuit_id: bytes) -> float | None:
        """Seconds after which a proof is given up; None while nothing is known of the circuit."""
        typical = self.typical(circuit_id)
        return None if typical is None else max(_LEAST_SECONDS, _TIMES * typical.seconds)

    def fits(self, circuit_id: bytes, running: Iterable[bytes]) -> bool:
        """True if there is memory for a proof beside those of the circuits `running`."""
        return self.memory(circuit_id) <= self.free(running)

    def horizon(self, queued: Mapping[bytes, int]) -> float:
        """Seconds that all queued tasks take, as far as anything is known of their circuits."""
        known = [(one.seconds, count) for circuit, count in queued.items() if (one := self.typical(circuit))]
        return sum(seconds * count for seconds, count in known) / self._machine.workers

    def left(self, running: Running) -> float | None:
        """Seconds until a proof under way is there; None while nobody knows."""
        typical = self.expected(running.circuit_id)
        return None if typical is None else max(0.0, typical.seconds - running.elapsed)

    def wait(self, circuit_id: bytes, ahead: Mapping[bytes, int], running: Sequence[Running]) -> float | None:
        """Seconds until a task that is behind `ahead` (tasks per circuit) and `running` is done.

        All CPU seconds up to and with its own, spread over as many processors as proofs use at once; never
        less than its own proof takes. None while nothing is known of one of the circuits.
        """
        own = self.expected(circuit_id)
        if own is None:
            return None
        work = own.cpu_seconds
        for circuit, count in ahead.items():
            if (typical := self.typical(circuit)) is None:
                return None
            work += count * typical.cpu_seconds
        for proof in running:
            if (typical := self.typical(proof.circuit_id)) is None:
                return None
            share = 1 - min(1.0, proof.elapsed / typical.seconds) if typical.seconds else 0.0
            work += share * typical.cpu_seconds
        return max(own.seconds, work / self._processors(own))

    def _processors(self, own: Measurement) -> float:
        at_once = min(self._machine.workers, max(1, self._machine.memory // max(1, own.memory)))
        each = own.cpu_seconds / own.seconds if own.seconds else 1.0
        return max(0.1, min(self._machine.processors, at_once * each))


def _typical(measured: Sequence[Measurement]) -> Measurement:
    return replace(
        measured[0],
        cpu_seconds=median(m.cpu_seconds for m in measured),
        seconds=median(m.seconds for m in measured),
        memory=max(m.memory for m in measured),
    )
