"""What the proof of a task is about, and the seal that is made of it."""

from dataclasses import dataclass

from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.zk import BatchItem, Circuit, ZkBatch, ZkSeal, context
from vouch.prover.service.errors import BadTask
from vouch.prover.service.task import Item, ProofTask


@dataclass(frozen=True, slots=True)
class Statement:
    """`rows`: (input, output) of each inference in the circuit's order, codec bytes. `context`: the field
    element that ties the proof to the claim."""

    rows: tuple[tuple[bytes, bytes], ...]
    context: int
    _sealed: ZkSeal | ZkBatch

    def seal(self, proof: bytes) -> bytes:
        """The seal of the task's claim, or of its batch's root."""
        match self._sealed:
            case ZkSeal(row):
                return bytes(ZkSeal(row, proof).seal)
            case ZkBatch() as batch:
                return bytes(batch.seal(proof))


def statement(task: ProofTask, circuit: Circuit) -> Statement:
    """Raises BadTask (more items than the circuit proves), and what `Circuit.row` raises."""
    if len(task.items) > circuit.batch:
        raise BadTask("items", f"{len(task.items)} items", f"at most {circuit.batch} for this circuit")
    return _single(task, circuit) if circuit.batch == 1 else _batch(task, circuit)


def _single(task: ProofTask, circuit: Circuit) -> Statement:
    (item,) = task.items
    claim = Claim(item.request_id, task.model_id, keccak(item.input), keccak(item.output), task.operator)
    sealed = ZkSeal(circuit.row(item.input, item.output), b"")
    return Statement(((item.input, item.output),), context(claim.digest(task.chain_id, task.hub)), sealed)


def _batch(task: ProofTask, circuit: Circuit) -> Statement:
    items = [BatchItem(item.request_id, circuit.row(item.input, item.output)) for item in task.items]
    batch = ZkBatch.of(circuit, task.model_id, task.operator, items, task.chain_id, task.hub)
    given: dict[bytes, Item] = {item.request_id: item for item in task.items}
    rows = tuple((given[i.request_id].input, given[i.request_id].output) for i in batch.items)
    return Statement(rows, context(batch.claim.digest(task.chain_id, task.hub)), batch)
