"""Whether this machine can prove what it will promise: one proof of each circuit before anything is taken."""

import asyncio
from pathlib import Path

from vouch.protocol.errors import VouchError
from vouch.prover.lock import Progress
from vouch.prover.service.circuits import Circuits, Served
from vouch.prover.service.errors import CircuitNotProven, TooLarge
from vouch.prover.service.orders import Order, Proven
from vouch.prover.service.pool import Pool
from vouch.prover.service.store import Store

_WORD = 32


async def trial(
    circuits: Circuits, store: Store, pool: Pool, *, home: Path | None, memory: int, progress: Progress
) -> None:
    """Proves zeros with each circuit, one after the other, and keeps what that took.

    home and memory (bytes) as in ProverConfig. Raises CircuitNotProven, StoreUnavailable.
    """
    for number, served in enumerate(circuits.all, 1):
        name = f"circuit 0x{served.circuit.id.hex()}"
        progress(f"trying {name} ({number} of {len(circuits.all)}): one proof of zeros")
        try:
            took = (await _prove(served, pool, home, memory)).took
            if took.memory > memory:
                raise TooLarge(served.circuit.id, took.memory, memory)
        except VouchError as error:
            raise CircuitNotProven(served.circuit.id, served.folder, str(error)) from error
        store.measured(took, served.circuit.id)
        progress(f"{name} takes {took.seconds:.1f} s and {took.memory / 1e6:.0f} MB")


async def _prove(served: Served, pool: Pool, home: Path | None, memory: int) -> Proven:
    circuit = served.circuit
    zeros = bytes(circuit.input.count * _WORD)
    row = zeros, await asyncio.to_thread(served.run, zeros)
    rows = (row,) * circuit.batch
    order = Order(
        circuit.id, served.folder, home, circuit.batch, rows, context=0, memory=memory, timeout=None
    )
    return await pool.prove(order, lambda _: None)
