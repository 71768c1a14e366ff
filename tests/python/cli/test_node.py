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

from vouch.chain.account import LocalKey
from vouch.cli.devnet import risk_model
from vouch.cli.main import cli
from vouch.cli.sources import onnx_manifest

SECRET = b"\x22" * 32


def typed(*words: str) -> Result:
    return CliRunner().invoke(cli, ["node", *words], env={"VOUCH_KEY": None, "VOUCH_KEY_FILE": None})


@asynccontextmanager
async def running(folder: Path, *words: str) -> AsyncIterator[dict[str, Any]]:
    """A node in a process of its own; gives what it says about itself."""
    (folder / "key").write_text(SECRET.hex())
    command = [sys.executable, "-m", "vouch.cli.main", "node", "--key-file", "key", "--port", "0", *words]
    node = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, env=os.environ | {"COLUMNS": "200"}
    )
    assert node.stdout is not None
    try:
        said = (await node.stdout.readline()).decode()
        found = re.search(r"node ready at (\S+), operator", said)
        assert found is not None, said
        async with aiohttp.ClientSession() as http, http.get(f"{found[1]}/vouch/v1/info") as reply:
            yield await reply.json()
    finally:
        node.terminate()
        await node.communicate()
    assert node.returncode == 0


def test_help_says_what_cosigning_means() -> None:
    said = " ".join(typed("--help").output.split())
    assert "Off by default. With it this node's key also vouches for other operators' answers" in said
    assert "those that its own copy of the model reproduces" in said


def test_cosigning_without_a_key() -> None:
    result = typed("--echo", "mirror", "--unsigned", "--cosign")
    assert result.exit_code == 2
    assert "--cosign signs with a key" in result.output


def test_no_model() -> None:
    assert "no model to serve" in typed("--cosign").output


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
