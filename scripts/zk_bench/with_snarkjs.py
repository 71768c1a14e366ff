"""Circom and snarkjs (Groth16) on the same network: npm's packages, in a folder of their own."""

from __future__ import annotations

import json
import math
import shutil
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from scripts.zk_bench import circom
from scripts.zk_bench.baseline import FOLDER, Absent, Baseline, layers, step, together
from vouch.protocol.zk import FIELD
from vouch.prover.errors import ProgramFailed, ProgramKilled, ToolchainMissing
from vouch.prover.process import Usage
from vouch.prover.toolchain import Toolchain

VERSIONS: Final = {"snarkjs": "0.7.6", "circom2": "0.2.23"}
NAME: Final = "Circom + snarkjs, Groth16"
NOTE: Final = "keys for this one circuit, from a ceremony; the sigmoid is left out"

Command = Callable[..., Awaitable[Usage]]


async def measure(model: onnx.ModelProto, row: np.ndarray, toolchain: Toolchain) -> Baseline | Absent:
    """Compiles, makes keys, proves one row [n] of the network and verifies the proof."""
    programs = FOLDER / "snarkjs"
    try:
        await _install(programs, toolchain)
    except (ProgramFailed, ProgramKilled, ToolchainMissing) as failure:
        return Absent(NAME, f"it cannot be installed: {str(failure).strip().splitlines()[-1]}")
    folder = FOLDER / "snarkjs-files"
    folder.mkdir(exist_ok=True)
    weights = circom.quantised(layers(model))
    words = np.rint(row * 2.0**circom.SCALE).astype(np.int64)
    (folder / "model.circom").write_text(circom.source(weights))
    (folder / "input.json").write_text(json.dumps({"x": [str(int(x)) for x in words], "context": "12345"}))
    try:
        return await _measure(programs, folder, toolchain, circom.run(weights, words))
    except (ProgramFailed, ProgramKilled) as failure:
        return Absent(NAME, str(failure).strip().splitlines()[-1])


async def _measure(programs: Path, folder: Path, toolchain: Toolchain, expected: int) -> Baseline:
    async def snarkjs(*words: str) -> Usage:
        program = programs / "node_modules" / "snarkjs" / "build" / "cli.cjs"
        return await step([toolchain.node, program, *words], folder)

    compiler = programs / "node_modules" / "circom2" / "cli.js"
    compiled = await step([toolchain.node, compiler, "model.circom", "--r1cs", "--wasm"], folder)
    count = constraints((folder / "model.r1cs").read_bytes())
    await _string(folder, math.ceil(math.log2(count + 32)), snarkjs)
    setup = [
        compiled,
        await snarkjs("groth16", "setup", "model.r1cs", "string.ptau", "model.zkey"),
        await snarkjs("zkey", "export", "verificationkey", "model.zkey", "vk.json"),
    ]
    prove = [
        await snarkjs("wtns", "calculate", "model_js/model.wasm", "input.json", "witness.wtns"),
        await snarkjs("groth16", "prove", "model.zkey", "witness.wtns", "proof.json", "public.json"),
    ]
    await snarkjs("groth16", "verify", "vk.json", "public.json", "proof.json")
    output = int(json.loads((folder / "public.json").read_bytes())[0])
    if output != expected % FIELD:
        raise ProgramFailed("snarkjs", 0, f"the circuit's output is {output}, not {expected % FIELD}")
    size = f"{count:,} constraints"
    return Baseline(NAME, VERSIONS["snarkjs"], size, together(setup), together(prove), 256, NOTE)


async def _string(folder: Path, power: int, snarkjs: Command) -> None:
    """The reference string, kept from an earlier run if there was one: it takes minutes."""
    kept = folder / f"string-{power}.ptau"
    if not kept.exists():
        await snarkjs("powersoftau", "new", "bn128", str(power), "0.ptau")
        await snarkjs("powersoftau", "contribute", "0.ptau", "1.ptau", "-e=vouch")
        await snarkjs("powersoftau", "prepare", "phase2", "1.ptau", "2.ptau")
        (folder / "2.ptau").rename(kept)
    shutil.copyfile(kept, folder / "string.ptau")


async def _install(folder: Path, toolchain: Toolchain) -> None:
    """Puts the packages there with the npm that belongs to the toolchain's Node.js, or the machine's."""
    if all((folder / "node_modules" / name / "package.json").exists() for name in VERSIONS):
        return
    npm = _prepared(folder, toolchain)
    packages = [f"{name}@{version}" for name, version in VERSIONS.items()]
    await step([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", *packages], folder)


def _prepared(folder: Path, toolchain: Toolchain) -> str:
    """Makes an empty package of the folder; gives npm."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text("{}\n")
    beside = toolchain.node.parent / "npm"
    npm = str(beside) if beside.exists() else shutil.which("npm")
    if npm is None:
        raise ToolchainMissing(folder, "there is no npm on the PATH")
    return npm


def constraints(r1cs: bytes) -> int:
    """Number of constraints, out of the header of circom's file (version 1)."""
    (sections,) = struct.unpack_from("<I", r1cs, 8)
    at = 12
    for _ in range(sections):
        kind, size = struct.unpack_from("<IQ", r1cs, at)
        if kind == 1:
            return int(struct.unpack_from("<I", r1cs, at + 12 + size - 4)[0])
        at += 12 + size
    raise ValueError("circom's file has no header")
