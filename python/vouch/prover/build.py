"""From an integer model to a circuit folder: Noir program, verifying key, verifier contract, manifest."""

import asyncio
import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vouch.circuit.artefact import to_file
from vouch.circuit.model import IntegerModel
from vouch.circuit.parts import Port
from vouch.protocol.codec import WORD
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec
from vouch.protocol.zk import Circuit
from vouch.prover import acir, contract, noir, proving
from vouch.prover.bb import Bb, points_for
from vouch.prover.compiler import compile_noir, expected_seconds
from vouch.prover.files import Built, CircuitFiles, check_place
from vouch.prover.lock import Progress, silent
from vouch.prover.noir import Layout
from vouch.prover.opcodes import Program
from vouch.prover.secret import Secret, WeightsInTheClear
from vouch.prover.srs import DEV, ReferenceString
from vouch.prover.toolchain import Toolchain

if TYPE_CHECKING:
    # onnxruntime takes a second to import, and a model alone needs none
    from vouch.prover.lowering.quantise import Quantised

_PACKAGES = ("@noir-lang/noir_wasm", "@aztec/bb.js", "solc")


async def build(
    quantised: "Quantised | IntegerModel",
    folder: Path,
    *,
    name: str,
    srs: ReferenceString,
    toolchain: Toolchain,
    batches: Sequence[int] = (1,),
    secret: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> CircuitFiles:
    """Makes the folder; one that is there is replaced when everything is done.

    name: of the model in its manifest. batches: inferences per proof, a circuit for each of them.
    secret: the weights are not in the verifying key, only a commitment to them is on chain; of a Quantised
    that was made so. force: even if the folder has the only salt of other secret weights.

    Raises:
        NothingSecret, WeightsInTheClear: of secret weights.
        WouldLoseSecret: without force.
        NotABatch, NotCompiled, ContractTooLarge, StringTooShort: it cannot be built so.
        ProgramFailed, ProgramKilled, ToolchainMissing: of the programs.
        BadCircuitFiles: something else is in the folder's place.
    """
    model, report = _parts(quantised)
    if srs.kind == DEV:
        progress("INSECURE: over the development string anyone can prove anything; for tests only")
    await asyncio.to_thread(check_place, folder, force)
    wanted = sorted(set(batches))
    for batch in wanted:
        Layout(model, batch)
    if secret and not isinstance(quantised, IntegerModel) and not quantised.secret:
        raise WeightsInTheClear
    hidden = Secret.of(model) if secret else None
    maker = _Maker(model, hidden, Bb(toolchain, srs), progress)
    circuits = {batch: await maker.make(batch) for batch in wanted}
    files = CircuitFiles(
        folder,
        model,
        manifest(name, model, [built.circuit.id for built in circuits.values()], hidden),
        circuits,
        srs.name,
        {package: toolchain.version(package) for package in _PACKAGES},
        report,
        hidden,
    )
    await asyncio.to_thread(files.save, force)
    return files


class _Maker:
    """Makes the circuits of one model."""

    def __init__(self, model: IntegerModel, secret: Secret | None, bb: Bb, progress: Progress) -> None:
        self._model, self._secret, self._bb, self._progress = model, secret, bb, progress

    async def make(self, batch: int) -> Built:
        """The circuit for so many inferences."""
        hidden, toolchain, string = self._secret is not None, self._bb.toolchain, self._bb.srs
        layout = Layout(self._model, batch, hidden)
        source = noir.source(self._model, batch=batch, secret=hidden)
        expected = expected_seconds(layout.products)
        made = await compile_noir(source, toolchain, self._progress, expected=expected)
        compiled = (json.dumps(made, sort_keys=True) + "\n").encode()
        program = await asyncio.to_thread(Program.parse, made["bytecode"])
        plan = await asyncio.to_thread(acir.plan, program)
        with tempfile.TemporaryDirectory(prefix="vouch-build-") as name:
            path = Path(name) / "program.json"
            path.write_bytes(compiled)
            gates = await self._bb.gates(path, secret=hidden)
            self._progress(f"batch of {batch}: {gates:,} gates, {points_for(gates):,} points of the string")
            vk = await self._bb.write_vk(path, gates=gates, secret=hidden)
        self._progress(f"batch of {batch}: compiling the verifier contract")
        solidity = contract.complete(await self._bb.write_solidity(vk, secret=hidden), string)
        verifier = await contract.compile_verifier(toolchain, solidity, string.name)
        commitment = 0 if self._secret is None else self._secret.commitment
        circuit = Circuit(verifier.code_hash, commitment, batch, layout.input, layout.output)
        built = Built(circuit, gates, compiled, plan, vk, verifier, source, solidity)
        await asyncio.to_thread(self._try, built, program)
        return built

    def _try(self, built: Built, program: Program) -> None:
        """See that a run of the model satisfies the circuit, before anybody relies on it."""
        trace = self._model.trace(np.zeros(self._model.input_size, np.int64))
        public, private = proving.inputs(
            built.circuit, self._model, [trace] * built.circuit.batch, 1, self._secret
        )
        acir.check(program, acir.witness(built.plan, public, private))


def _parts(quantised: "Quantised | IntegerModel") -> tuple[IntegerModel, dict[str, Any]]:
    if isinstance(quantised, IntegerModel):
        return quantised, {}
    # Through JSON, so that what is returned equals what is read again.
    report: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(quantised.report)))
    return quantised.model, report


def manifest(
    name: str, model: IntegerModel, circuits: Sequence[bytes], secret: Secret | None = None
) -> Manifest:
    """What is published of a model that these circuits prove."""
    data = to_file(model, None if secret is None else secret.head)
    return Manifest(
        name,
        "tensor",
        Artefact("circuit", hashlib.sha256(data).hexdigest(), len(data)),
        Limits(WORD * model.output_size),
        _specs(model.inputs),
        _specs(model.outputs),
        zk=tuple(circuits),
    )


def _specs(ports: Sequence[Port]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(port.name, port.dtype, port.shape, port.decimals) for port in ports)
