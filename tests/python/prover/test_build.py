import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from scripts.gallery.loans import make_loans
from tests.support import circuits, zk
from tests.support.artefacts import ROOT
from tests.support.honk import Honk
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.prover.build import build
from vouch.prover.errors import BadCircuitFiles, StringTooShort
from vouch.prover.files import CircuitFiles
from vouch.prover.lowering.quantise import quantise
from vouch.prover.noir import NotABatch
from vouch.prover.proving import prove

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
