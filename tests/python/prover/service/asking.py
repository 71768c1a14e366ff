"""Tasks of a circuit whose model gives its input back."""

from pathlib import Path

from vouch.protocol.packing import Packing
from vouch.protocol.zk import Circuit
from vouch.prover.service.circuits import Served
from vouch.prover.service.task import Item, ProofTask

CHAIN_ID = 31337
HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
MODEL = b"m" * 32
SINGLE = Circuit(b"s" * 32, 0, 1, Packing(1, 24), Packing(1, 24))
BATCH = Circuit(b"b" * 32, 0, 4, Packing(1, 24), Packing(1, 24))


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=True) for value in values)


def item(number: int, value: int = 1) -> Item:
    return Item(number.to_bytes(32, "big"), words(value), words(value))


def task(
    number: int = 1, value: int = 1, *, circuit: Circuit = SINGLE, prove_by: int | None = None
) -> ProofTask:
    return ProofTask(CHAIN_ID, HUB, OPERATOR, MODEL, circuit.id, (item(number, value),), prove_by)


def served(folder: Path, circuit: Circuit = SINGLE, *, srs: str = "dev-srs") -> Served:
    return Served(folder, MODEL, circuit, srs, points=1, run=bytes)
