import asyncio
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from scripts.gallery.loans import make_loans
from tests.support import zk
from tests.support.artefacts import ROOT
from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.cli.main import cli
from vouch.prover.files import CircuitFiles

MODEL = ROOT / "python" / "vouch" / "models" / "zk" / "credit_logistic.onnx"


KEY = "0x" + "07" * 32


def run(*words: object) -> Result:
    env = {"VOUCH_KEY": KEY, "VOUCH_KEY_FILE": None, "VOUCH_RPC": None}
    return CliRunner().invoke(cli, ["zk", *map(str, words)], env=env)


def rows(folder: Path) -> tuple[Path, Path]:
    loans = make_loans(300, seed=5)
    data, labels = folder / "loans.npy", folder / "labels.npy"
    np.save(data, loans.features)
    np.save(labels, loans.defaults)
    return data, labels


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_from_onnx_to_the_chain(tmp_path: Path, rpc: Rpc, anvil: Anvil, deployment: Deployment) -> None:
    await rpc.call("anvil_setBalance", LocalKey.from_hex(KEY).address, hex(10**18))
    data, labels = rows(tmp_path)
    folder, places = tmp_path / "circuit", tmp_path / "deployments"
    home = ("--home", zk.HOME)
    made = await asyncio.to_thread(
        run,
        "compile",
        MODEL,
        "--data",
        data,
        "--labels",
        labels,
        "-o",
        folder,
        "--dev-srs",
        "--gates",
        4000,
        *home,
    )
    assert made.exit_code == 0, made.output
    files = CircuitFiles.load(folder)
    assert f"model id 0x{files.model_id.hex()}" in made.output
    assert "right decisions: " in made.output
    assert "INSECURE" in made.output

    deployment.save(places)
    url = anvil.http_url
    refused = await asyncio.to_thread(run, "publish", folder, "--rpc", url, "--deployments", places)
    assert refused.exit_code != 0
    assert "anyone can prove anything" in refused.output
    said = json.loads((places / f"{deployment.chain_id}.json").read_text())
    (places / f"{deployment.chain_id}.json").write_text(json.dumps(said | {"name": "dev"}))
    there = await asyncio.to_thread(run, "publish", folder, "--rpc", url, "--deployments", places)
    assert there.exit_code == 0, there.output
    assert f"trust 0x{files.of(1).circuit.id.hex()}" in there.output

    checked = await asyncio.to_thread(run, "check", folder, "--rpc", url, "--deployments", places, *home)
    assert checked.exit_code == 0, checked.output
    assert checked.output.count("yes") == 5
    (folder / "model.circuit").write_bytes(b"other")
    broken = await asyncio.to_thread(run, "check", folder, "--no-rebuild")
    assert broken.exit_code != 0
    assert "its SHA-256 is" in broken.output


def test_set_up_says_what_is_there(tmp_path: Path) -> None:
    done = run("setup", "--home", zk.HOME, "--dev-srs", "--gates", 1000)
    assert done.exit_code == 0, done.output
    assert "INSECURE, for tests only" in done.output


def test_without_set_up(tmp_path: Path) -> None:
    data, _ = rows(tmp_path)
    done = run("compile", MODEL, "--data", data, "-o", tmp_path / "c", "--home", tmp_path / "nothing")
    assert done.exit_code != 0
    assert "run `vouch zk setup`" in done.output


def test_a_folder_with_secret_weights_is_not_replaced(tmp_path: Path) -> None:
    """Seen before the work, and not when all is done."""
    data, _ = rows(tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "secret.json").write_text("{}")
    (tmp_path / "c" / "circuit.json").write_text("{}")
    words = ("compile", MODEL, "--data", data, "-o", tmp_path / "c", "--home", tmp_path / "nothing")
    done = run(*words)
    assert done.exit_code != 0
    assert "could never be proven" in " ".join(done.output.split())
    forced = run(*words, "--force")
    assert "run `vouch zk setup`" in forced.output
    assert (tmp_path / "c" / "secret.json").read_text() == "{}"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_secret_weights_as_they_are_typed(tmp_path: Path) -> None:
    data, _ = rows(tmp_path)
    words = ("compile", MODEL, "--data", data, "-o", tmp_path / "c", "--secret")
    made = run(*words, "--dev-srs", "--gates", 4000, "--home", zk.HOME)
    assert made.exit_code == 0, made.output
    files = CircuitFiles.load(tmp_path / "c")
    assert files.secret is not None
    assert files.manifest.artefact.sha256 != hashlib.sha256(files.model.to_bytes()).hexdigest()
    checked = run("check", tmp_path / "c", "--home", zk.HOME)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("content", [b"", b"no array", b"PK\x03\x04"])
def test_data_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    words = ("compile", MODEL, "--data", tmp_path / "x.npy", "-o", tmp_path / "c")
    done = run(*words, "--dev-srs", "--gates", 1000, "--home", zk.HOME)
    assert done.exit_code != 0
    assert "is no NumPy file" in done.output
