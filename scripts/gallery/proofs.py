"""Real proofs of a model's answers, each checked by the verifier contract in a transaction on Anvil."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from eth_abi.abi import encode

from scripts.toolchain import paths
from vouch.chain.anvil import Anvil
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.circuit.codec import to_words
from vouch.circuit.model import IntegerModel
from vouch.protocol.keccak import keccak
from vouch.prover import srs, toolchain
from vouch.prover.build import build
from vouch.prover.files import CircuitFiles
from vouch.prover.lock import Progress
from vouch.prover.lowering.quantise import Quantised
from vouch.prover.proving import Proof, prove
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain

STRINGS = paths.ROOT / ".build" / "zk"
"""Where its reference string is kept; the tests have a shorter one of their own."""
GAS = 12_000_000
VERIFY = keccak(b"verify(bytes,bytes32[])")[:4]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one circuit costs; prove_* are medians over all proofs, build_* is all of `vouch zk compile`.

    gas: of a transaction that only verifies. peak_bytes: the largest memory of bb while it proves.
    """

    gates: int
    build_seconds: float
    build_cpu_seconds: float
    code_bytes: int
    proofs: int
    prove_seconds: float
    prove_cpu_seconds: float
    peak_bytes: int
    proof_bytes: int
    gas: int


@dataclass(frozen=True, slots=True)
class Proven:
    """Figures, and the outputs int64 [rows, n] that the contract has accepted proofs of."""

    figures: Figures
    outputs: np.ndarray


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that is needed to build, prove and verify."""

    toolchain: Toolchain
    string: ReferenceString
    rpc: Rpc
    sender: TxSender
    folder: Path
    progress: Progress

    async def measure(
        self, name: str, model: Quantised | IntegerModel, inputs: np.ndarray, batch: int = 1
    ) -> Proven:
        """Builds the circuit, proves every row of inputs (words int64 [rows, n]) and verifies every proof.

        Raises SystemExit if the contract refuses a proof, or accepts one of another output.
        """
        begin, used = time.monotonic(), _cpu_seconds()
        files = await build(
            model,
            self.folder / f"{name}-{batch}",
            name=name,
            srs=self.string,
            toolchain=self.toolchain,
            batches=[batch],
            progress=self.progress,
        )
        built_in, built_with = time.monotonic() - begin, _cpu_seconds() - used
        created = await self.sender.transact(Call(None, files.of(batch).verifier.creation))
        verifier = created.contract or ""
        outputs = files.model.run_many(inputs)
        proofs, gas = [], 0
        for start in range(0, len(inputs) - batch + 1, batch):
            rows = slice(start, start + batch)
            proof = await self._prove(files, batch, inputs[rows], outputs[rows], context=1 + start)
            gas = max(gas, await self._verified(verifier, proof))
            proofs.append(proof)
            self.progress(f"{name}: {len(proofs)} proofs verified")
        await self._refused(verifier, proofs[0])
        figures = Figures(
            gates=files.of(batch).gates,
            build_seconds=built_in,
            build_cpu_seconds=built_with,
            code_bytes=len(files.of(batch).verifier.runtime),
            proofs=len(proofs),
            prove_seconds=statistics.median(proof.seconds for proof in proofs),
            prove_cpu_seconds=statistics.median(proof.cpu_seconds for proof in proofs),
            peak_bytes=max(proof.peak_bytes for proof in proofs),
            proof_bytes=len(proofs[0].data),
            gas=gas,
        )
        return Proven(figures, outputs[: len(proofs) * batch])

    async def _prove(
        self, files: CircuitFiles, batch: int, inputs: np.ndarray, outputs: np.ndarray, context: int
    ) -> Proof:
        rows = [(to_words(x), to_words(y)) for x, y in zip(inputs, outputs, strict=True)]
        return await prove(files, batch, rows, context, srs=self.string, toolchain=self.toolchain)

    async def _verified(self, verifier: str, proof: Proof) -> int:
        """Gas of the transaction that verifies it."""
        try:
            receipt = await self.sender.transact(Call(verifier, _question(proof.data, proof.public)), gas=GAS)
        except Reverted as refused:
            raise SystemExit(f"the verifier contract refuses a proof: {refused}") from refused
        return receipt.gas_used

    async def _refused(self, verifier: str, proof: Proof) -> None:
        """See that the contract tells an output from another."""
        *others, context = proof.public
        others[-1] ^= 1
        try:
            await self.sender.transact(Call(verifier, _question(proof.data, (*others, context))), gas=GAS)
        except Reverted:
            return
        raise SystemExit("the verifier contract accepts a proof for another output")


@asynccontextmanager
async def workshop(folder: Path, points: int, progress: Progress) -> AsyncIterator[Workshop]:
    """Over a development string with so many points, on Anvil. Raises ToolchainMissing, AnvilMissing."""
    tools = toolchain.find(paths.ZK)
    string = srs.ensure_dev(STRINGS, points, progress)
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        yield Workshop(tools, string, rpc, TxSender(rpc, anvil.accounts[0]), folder, progress)


def words(inputs: np.ndarray, decimals: int) -> np.ndarray:
    """Real inputs [rows, ...] → int64 [rows, n] as a request has them."""
    real = inputs.reshape(len(inputs), -1).astype(np.float64)
    return np.asarray(np.rint(real * 10**decimals), np.int64)


def _question(proof: bytes, public: Sequence[int]) -> bytes:
    return VERIFY + encode(["bytes", "bytes32[]"], [proof, [value.to_bytes(32, "big") for value in public]])


def _cpu_seconds() -> float:
    """Of this process and all its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)
