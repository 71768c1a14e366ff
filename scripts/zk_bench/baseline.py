"""One other prover, measured on the same network, or the reason why it could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import numpy_helper

from scripts.toolchain import paths
from vouch.prover.process import Usage, run

FOLDER: Final = paths.ROOT / ".build" / "baselines"
PATIENCE: Final = 1_800.0
"""Seconds that one step may take."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """setup: once for a circuit, without the reference string; prove: for each proof, with its witness."""

    name: str
    version: str
    size: str
    setup: Usage
    prove: Usage
    proof_bytes: int
    note: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A prover that could not be measured here."""

    name: str
    reason: str


async def step(command: Sequence[str | Path], cwd: Path) -> Usage:
    """One step of a prover, in its own process. Raises ProgramFailed, ProgramKilled, ToolchainMissing."""
    return (await run(command, home=FOLDER, cwd=cwd, timeout=PATIENCE)).usage


def together(parts: Sequence[Usage]) -> Usage:
    """Steps one after the other."""
    return Usage(
        sum(part.seconds for part in parts),
        sum(part.cpu_seconds for part in parts),
        max(part.peak_bytes for part in parts),
    )


def layers(model: onnx.ModelProto) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights [out, in] and bias [out] of a multilayer perceptron's Gemm nodes."""
    tensors = [numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer]
    return list(zip(tensors[::2], tensors[1::2], strict=True))
