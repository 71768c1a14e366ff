"""The least that a proof costs here: circuits in which there is nothing to check."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vouch.prover import acir
from vouch.prover.bb import Bb
from vouch.prover.compiler import compile_noir
from vouch.prover.opcodes import Program

SMALLEST = "fn main(x: pub Field, y: Field) { assert(x * x == y); }"
BITS = """fn main(x: pub Field, y: [Field; {0}]) {{
    assert(x * x == y[0]);
    for i in 0..{0} {{ assert(y[i] * y[i] == y[i]); }}
}}"""
"""One bit a gate: no range, no table, no weight, and no numbers that are large, which cost more."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Of bb alone, its start and the reading of its files with it; medians."""

    gates: int
    cpu_seconds: float
    peak_bytes: int


async def smallest(bb: Bb, folder: Path, proofs: int) -> Floor:
    """A circuit of one multiplication."""
    return await _measure(bb, folder, SMALLEST, 1, proofs)


async def same_size(bb: Bb, folder: Path, gates: int, proofs: int) -> Floor:
    """As many bits as another circuit has gates."""
    return await _measure(bb, folder, BITS.format(gates - 20), gates - 20, proofs)


async def _measure(bb: Bb, folder: Path, source: str, length: int, proofs: int) -> Floor:
    program = folder / f"floor-{length}.json"
    compiled = await compile_noir(source, bb.toolchain)
    program.write_text(json.dumps(compiled))
    gates = await bb.gates(program)
    vk = await bb.write_vk(program, gates=gates)
    bits = [1, *np.random.default_rng(length).integers(0, 2, length - 1).tolist()]
    witness = acir.solve(acir.plan(Program.parse(compiled["bytecode"])), [1], bits)
    made = [await bb.prove(program, witness, vk) for _ in range(proofs)]
    cpu = statistics.median(proof.usage.cpu_seconds for proof in made)
    return Floor(gates, cpu, max(proof.usage.peak_bytes for proof in made))
