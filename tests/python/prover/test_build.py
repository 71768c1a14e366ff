import asyncio
import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from scripts.gallery.loans import make_loans
from tests.python.prover.lowering.onnxes import make, node
from tests.support import circuits, zk
from tests.support.artefacts import ROOT
from tests.support.honk import Honk
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli.sources import circuit_runtime
from vouch.protocol.zk import FIELD
from vouch.prover import noir
from vouch.prover.build import build
from vouch.prover.errors import BadCircuitFiles, StringTooShort
from vouch.prover.files import CircuitFiles
from vouch.prover.lowering.emit import emit
from vouch.prover.lowering.quantise import Quantised, quantise
from vouch.prover.lowering.read import load as load_graph
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.translate import translate
from vouch.prover.noir import NotABatch
from vouch.prover.opcodes import Program
from vouch.prover.proving import prove
from vouch.prover.secret import NothingSecret, WeightsInTheClear, WouldLoseSecret
from vouch.prover.service.circuits import load

# Noir's compiler takes seconds for each circuit, more where the machine has other work.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secret_files(tmp_path_factory: pytest.TempPathFactory) -> CircuitFiles:
    return await circuits.folder(tmp_path_factory.mktemp("secret") / "circuit", secret=True)


@pytest.mark.parametrize("batch", [1, 2])
async def test_its_contract_accepts_its_proofs_and_no_others(
    files: CircuitFiles, batch: int, rpc: Rpc, sender: TxSender
) -> None:
    rows = [circuits.row(files.model, 100 * i, -7, 32_767) for i in range(batch)]
    proof = await prove(files, batch, rows, 99, srs=zk.string(), toolchain=zk.toolchain())
    honk = await Honk.deploy(sender, rpc, files.of(batch).verifier)
    assert await honk.accepts(proof.data, proof.public)
    for index in range(len(proof.public)):
        changed = list(proof.public)
        changed[index] += 1
        assert not await honk.accepts(proof.data, changed)


async def test_secret_weights(secret_files: CircuitFiles, rpc: Rpc, sender: TxSender) -> None:
    assert secret_files.secret is not None
    rows = [circuits.row(secret_files.model, 1, 2, 3)]
    proof = await prove(secret_files, 1, rows, 99, srs=zk.string(), toolchain=zk.toolchain())
    assert proof.public[-2:] == (secret_files.secret.commitment, 99)
    honk = await Honk.deploy(sender, rpc, secret_files.of(1).verifier)
    assert await honk.accepts(proof.data, proof.public)
    changed = (*proof.public[:-2], proof.public[-2] + 1, 99)
    assert not await honk.accepts(proof.data, changed)


async def test_node_and_prover_start_from_secret_weights(secret_files: CircuitFiles) -> None:
    data, output = circuits.row(secret_files.model, 1, 2, 3)
    name, runtime = circuit_runtime(secret_files.folder)
    assert (name, runtime.manifest.model_id) == ("small", secret_files.model_id)
    assert await runtime.run(data) == output
    (served,) = load(secret_files.folder)
    assert served.circuit == secret_files.of(1).circuit
    assert served.run(data) == output


def logistic(weight: float, bias: float) -> bytes:
    """One feature, one weight: the shortest form would be a factor for all."""
    weights = {"w": np.array([[weight]], np.float32), "b": np.array([bias], np.float32)}
    nodes = [node("Gemm", ["x", "w", "b"], ["t"]), node("Sigmoid", ["t"], ["y"])]
    return make(nodes, {"x": ["N", 1]}, weights)


def forms(value: int) -> tuple[str, ...]:
    """How a number may stand in a text: in decimals, and as the hex of a field element."""
    return rf"(?<!\d){value}(?!\d)", f"{value % FIELD:064x}"


def readable(files: CircuitFiles) -> dict[str, str]:
    """Everything in the folder but the secrets themselves, so that every number in it can be searched for."""
    found = {}
    for path in files.folder.rglob("*"):
        if path.is_file() and path.name not in ("model.circuit", "secret.json"):
            data = path.read_bytes()
            found[str(path.relative_to(files.folder))] = data.decode("utf-8", "replace") + data.hex()
    built = files.of(1)
    program = json.loads(built.program)
    found["opcodes"] = repr(Program.parse(program["bytecode"]))
    found["plan"] = repr(built.plan)
    return found


async def built_secret(made: Quantised, folder: Path) -> CircuitFiles:
    return await build(made, folder, name="one", srs=zk.string(), toolchain=zk.toolchain(), secret=True)


async def test_no_number_of_the_secret_weights_is_anywhere(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(200, 1)).astype(np.float32) * 3
    made = quantise(logistic(1.7341, 0.31), rows, max_error=2e-5, secret=True)
    files = await built_secret(made, tmp_path / "c")
    assert files.secret is not None
    salt, *numbers = files.secret.advice
    assert len(numbers) == 2
    assert min(map(abs, numbers)) > 10_000
    # the search itself finds them where nothing is hidden
    for value in numbers:
        assert re.search(forms(value)[0], noir.source(files.model))
    texts = readable(files)
    assert {"manifest.json", "batch-1/circuit.nr", "batch-1/Verifier.sol", "batch-1/vk"} < set(texts)
    for value in (salt, *numbers):
        for form in forms(value):
            assert [name for name, text in texts.items() if re.search(form, text)] == []
    published = bytes(files.manifest).decode()
    assert hashlib.sha256(files.model.to_bytes()).hexdigest() not in published
    # and whoever has other weights of their width has the same program, to the last byte
    graph = load_graph(logistic(1.7301, 0.3098))
    other = emit(graph, simplify(translate(graph)), made.report.scales, secret=True).model
    assert other.to_bytes() != files.model.to_bytes()
    assert noir.source(other, secret=True) == files.of(1).source


async def test_what_was_made_for_everybody_is_not_built_secret(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(200, 1)).astype(np.float32)
    with pytest.raises(WeightsInTheClear, match=r"make it with quantise\(\.\.\., secret=True\)"):
        await built_secret(quantise(logistic(1.7, 0.3), rows), tmp_path / "c")
    nothing = make([node("Sigmoid", ["x"], ["y"])], {"x": ["N", 1]})
    with pytest.raises(NothingSecret, match="has no weights that could be secret"):
        await built_secret(quantise(nothing, rows, secret=True), tmp_path / "c")
    assert not (tmp_path / "c").exists()


async def test_the_salt_of_another_circuit_is_not_overwritten(
    secret_files: CircuitFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    shutil.copytree(secret_files.folder, folder)
    with pytest.raises(WouldLoseSecret):
        await circuits.built(circuits.model(), folder)
    made = await build(
        circuits.model(), folder, name="small", srs=zk.string(), toolchain=zk.toolchain(), force=True
    )
    assert made.secret is CircuitFiles.load(folder).secret is None


async def test_the_same_model_gives_the_same_circuit(files: CircuitFiles, tmp_path: Path) -> None:
    again = await circuits.built(circuits.model(), tmp_path / "again")
    assert again.of(1) == files.of(1)


async def test_what_made_it_is_written_down(files: CircuitFiles) -> None:
    assert files.versions == {
        "@noir-lang/noir_wasm": "1.0.0-beta.26",
        "@aztec/bb.js": "5.0.0",
        "solc": "0.8.37",
    }
    assert "fn main(" in files.of(1).source
    assert 'return "dev-srs";' in files.of(1).solidity


async def test_a_string_that_is_too_short(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(StringTooShort, match="has 64 points, 4096 are needed"):
        await build(
            circuits.model(),
            tmp_path / "circuit",
            name="small",
            srs=replace(zk.string(), points=64),
            toolchain=zk.toolchain(),
            progress=said.append,
        )
    assert said[0].startswith("INSECURE: over the development string")
    assert not (tmp_path / "circuit").exists()


async def test_a_folder_of_something_else_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(BadCircuitFiles, match="is no circuit folder"):
        await circuits.built(circuits.model(), tmp_path)


@pytest.mark.parametrize("batches", [(0,), (1, 256)])
async def test_no_such_batch(tmp_path: Path, batches: tuple[int, ...]) -> None:
    with pytest.raises(NotABatch):
        await circuits.built(circuits.model(), tmp_path / "circuit", *batches)
    assert not (tmp_path / "circuit").exists()


async def test_the_report_is_kept(tmp_path: Path) -> None:
    loans = make_loans(300, seed=5)
    path = ROOT / "python" / "vouch" / "models" / "zk" / "credit_logistic.onnx"
    made = await build(
        await asyncio.to_thread(quantise, path, loans.features),
        tmp_path / "circuit",
        name="logistic",
        srs=zk.string(),
        toolchain=zk.toolchain(),
    )
    again = CircuitFiles.load(made.folder)
    assert again.report == made.report == json.loads(json.dumps(again.report))
    assert again.report["evaluation"]["maximum"] < 1e-3
