"""`vouch node` as it is typed."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from tests.python.runtimes.circuits import manifest_of, small_model, write
from vouch.attestation.dev import DevAuthority
from vouch.attestation.document import parse
from vouch.attestation.verify import verify
from vouch.chain.account import LocalKey
from vouch.cli.devnet import risk_model
from vouch.cli.main import cli
from vouch.cli.sources import onnx_manifest
from vouch.protocol.enclave import Curve

SECRET = b"\x22" * 32


def typed(*words: str) -> Result:
    return CliRunner().invoke(cli, ["node", *words], env={"VOUCH_KEY": None, "VOUCH_KEY_FILE": None})


@asynccontextmanager
async def started(folder: Path, *words: str) -> AsyncIterator[str]:
    """A node in a process of its own; gives its URL. What it prints and logs is in `folder`/said."""
    (folder / "key").write_text(SECRET.hex())
    command = [sys.executable, "-m", "vouch.cli.main", "node", "--key-file", "key", "--port", "0", *words]
    with (folder / "said").open("ab") as said:
        node = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            env=os.environ | {"COLUMNS": "200"},
        )
        assert node.stdout is not None
        try:
            line = (await node.stdout.readline()).decode()
            found = re.search(r"node ready at (\S+), operator", line)
            assert found is not None, line
            yield found[1]
        finally:
            node.terminate()
            rest, _ = await node.communicate()
            said.write(rest)
    assert node.returncode == 0


@asynccontextmanager
async def running(folder: Path, *words: str) -> AsyncIterator[dict[str, Any]]:
    """The same; gives what the node says about itself."""
    async with started(folder, *words) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/vouch/v1/info") as reply:
            yield await reply.json()


def test_help_says_what_cosigning_means() -> None:
    said = " ".join(typed("--help").output.split())
    assert "Off by default. With it this node's key also vouches for other operators' answers" in said
    assert "those that its own copy of the model reproduces" in said


def test_cosigning_without_a_key() -> None:
    result = typed("--echo", "mirror", "--unsigned", "--cosign")
    assert result.exit_code == 2
    assert "--cosign signs with a key" in result.output


def test_no_model() -> None:
    said = " ".join(typed("--cosign").output.split())
    assert "no model to serve: give --onnx FILE, --circuit FOLDER, or --text MANIFEST URL" in said


@pytest.mark.parametrize("cosign", [False, True])
async def test_a_node_cosigns_only_if_told_to(tmp_path: Path, cosign: bool) -> None:
    async with running(tmp_path, "--echo", "mirror", *(["--cosign"] if cosign else [])) as info:
        assert (info["cosigns"], info["routes"]) == (cosign, ["SIGN", "QRUM"])
        assert info["operator"] == LocalKey(SECRET).address


async def test_a_manifest_of_ones_own_for_an_onnx_file(tmp_path: Path) -> None:
    manifest = replace(onnx_manifest(risk_model(), "risk"), deterministic=False, tolerance=1e-6)
    (tmp_path / "risk.json").write_bytes(bytes(manifest) + b"\n")
    async with running(tmp_path, "--onnx-as", "risk.json", str(risk_model())) as info:
        (model,) = info["models"]
    assert (model["name"], model["modelId"]) == ("risk", f"0x{manifest.model_id.hex()}")
    assert manifest.model_id != onnx_manifest(risk_model(), "risk").model_id


@pytest.mark.parametrize("salt", [None, b"\7" * 32])
async def test_a_circuit_folder(tmp_path: Path, salt: bytes | None) -> None:
    (folder := tmp_path / "risk").mkdir()
    write(folder, small_model(), salt)
    async with running(tmp_path, "--circuit", "risk") as info:
        (model,) = info["models"]
    manifest = manifest_of(small_model(), salt=salt)
    assert (model["name"], model["modelId"]) == ("small", f"0x{manifest.model_id.hex()}")
    assert info["routes"] == ["SIGN", "QRUM", "ZKUH"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--enclave", "dev"], "--enclave dev and --dev-authority FOLDER go together"),
        (
            ["--enclave", "nitro", "--dev-authority", "a"],
            "--enclave dev and --dev-authority FOLDER go together",
        ),
        (["--dev-authority", "a"], "--enclave dev and --dev-authority FOLDER go together"),
        (["--enclave-curve", "p256"], "add --enclave dev or --enclave nitro"),
        (["--enclave", "nitro", "--unsigned"], "--enclave binds its key to an operator"),
        (["--enclave", "sgx"], "'sgx' is not one of 'dev', 'nitro'"),
        (["--enclave", "nitro", "--enclave-curve", "p384"], "'p384' is not one of 'secp256k1', 'p256'"),
    ],
)
def test_words_about_an_enclave_that_make_no_sense(words: list[str], what: str) -> None:
    result = typed("--echo", "mirror", *words)
    assert result.exit_code == 2
    assert what in " ".join(result.output.split())


@pytest.mark.skipif(Path("/dev/nsm").exists(), reason="this is an enclave")
def test_outside_of_an_enclave(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET.hex())
    words = ("--echo", "mirror", "--key-file", str(tmp_path / "key"), "--journal", str(tmp_path / "journal"))
    result = typed(*words, "--enclave", "nitro")
    assert result.exit_code == 1
    assert "/dev/nsm" in result.output


def test_a_folder_without_an_authority(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET.hex())
    words = ("--echo", "mirror", "--key-file", str(tmp_path / "key"), "--journal", str(tmp_path / "journal"))
    result = typed(*words, "--enclave", "dev", "--dev-authority", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert str(tmp_path / "nowhere") in result.output
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("curve", list(Curve))
async def test_a_dev_enclave_says_dev_wherever_it_speaks(tmp_path: Path, curve: Curve) -> None:
    authority = DevAuthority.create(folder=tmp_path / "authority")
    authoritys = files_under(tmp_path)
    words = ["--echo", "mirror", "--enclave", "dev", "--dev-authority", "authority"]
    if curve != Curve.SECP256K1:
        words += ["--enclave-curve", curve.name.lower()]
    wanted = {"chainId": 1, "keys": "0x" + "22" * 20, "blockNumber": 7, "blockHash": "0x" + "bb" * 32}
    async with started(tmp_path, *words) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/vouch/v1/info") as reply:
            info = await reply.json()
        async with http.post(f"{url}/vouch/v1/attestations", json=wanted) as reply:
            attested = await reply.json()
    enclave = info["enclave"]
    assert (enclave["kind"], attested["enclave"]) == ("dev", "dev")
    assert (enclave["curve"], enclave["key"]) == (curve.name.lower(), attested["key"])
    document = parse(bytes.fromhex(attested["document"][2:]))
    verify(document, root_fingerprint=authority.fingerprint, at=attested["timestamp"] // 1000)
    said = (tmp_path / "said").read_text()
    assert f"dev enclave: key {enclave['key']} ({enclave['curve']})" in said
    assert f"dev enclave: image {enclave['imageId']}" in said
    assert f"dev enclave: attested key {enclave['key']}" in said
    # The key is in no file: these are the operator's key, the log, the journal and the authority.
    assert files_under(tmp_path) == {"key", "said", "journal.sqlite"} | authoritys


def files_under(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}
