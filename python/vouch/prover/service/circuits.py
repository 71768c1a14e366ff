"""The circuits that a service proves, and what can be said about a task before it is queued."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vouch.circuit.codec import run_bytes
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.zk import Circuit
from vouch.prover.bb import log_size
from vouch.prover.files import CircuitFiles
from vouch.prover.service.errors import InputOutOfRange, MixedStrings, OutputMismatch, UnknownCircuit
from vouch.prover.service.statement import Statement, statement
from vouch.prover.service.task import Item, ProofTask


@dataclass(frozen=True, slots=True)
class Served:
    """One circuit: its folder, its model's id, what it proves, the reference string it was made with and how
    many points of it a proof takes, and the integer model (codec bytes to codec bytes; raises VouchError for
    inputs that it does not take)."""

    folder: Path
    model_id: bytes
    circuit: Circuit
    srs: str
    points: int
    run: Callable[[bytes], bytes]

    def statement(self, task: ProofTask) -> Statement:
        """What its proof of a task is about, once the task is known to be true.

        Raises BadTask, InputOutOfRange, OutputMismatch.
        """
        for item in task.items:
            self._check(item)
        return statement(task, self.circuit)

    def _check(self, item: Item) -> None:
        try:
            output = self.run(item.input)
            self.circuit.input.words(item.input)
        except VouchError as error:
            raise InputOutOfRange(item.request_id, str(error)) from error
        if output != item.output:
            raise OutputMismatch(item.request_id, keccak(item.output), keccak(output))


def load(folder: Path) -> tuple[Served, ...]:
    """All circuits of a folder that `vouch zk compile` wrote. Raises BadCircuitFiles."""
    files = CircuitFiles.load(folder)
    run = partial(run_bytes, files.model)
    return tuple(
        Served(folder, files.model_id, built.circuit, files.srs, 1 << log_size(built.vk), run)
        for built in files.circuits.values()
    )


class Circuits:
    """All of them, by model and id."""

    def __init__(self, served: Iterable[Served]) -> None:
        """Raises MixedStrings: proofs over the development string must not stand beside real ones."""
        self._served = {(one.model_id, one.circuit.id): one for one in served}
        strings = sorted({one.srs for one in self._served.values()})
        if len(strings) > 1:
            raise MixedStrings(strings)
        self.srs = strings[0] if strings else "none"

    @property
    def ids(self) -> tuple[bytes, ...]:
        """Of all circuits."""
        return tuple(dict.fromkeys(circuit_id for _, circuit_id in self._served))

    @property
    def all(self) -> tuple[Served, ...]:
        """Each of them."""
        return tuple(self._served.values())

    @property
    def models(self) -> Mapping[bytes, Mapping[bytes, int]]:
        """Model id → circuit id → inferences at once."""
        made: dict[bytes, dict[bytes, int]] = {}
        for (model_id, circuit_id), one in self._served.items():
            made.setdefault(model_id, {})[circuit_id] = one.circuit.batch
        return made

    def of(self, task: ProofTask) -> Served:
        """The circuit that a task names. Raises UnknownCircuit."""
        served = self._served.get((task.model_id, task.circuit_id))
        if served is None:
            others = tuple(self.models.get(task.model_id, ()))
            raise UnknownCircuit(task.model_id, task.circuit_id, others)
        return served
